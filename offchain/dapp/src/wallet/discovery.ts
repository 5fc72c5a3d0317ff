// Which wallets there are: those that announce themselves (EIP-6963), and the one behind window.ethereum.
import type { Eip1193Provider, WalletOffer } from "./eip1193";

type Announcement = {
  readonly info: {
    readonly uuid: string;
    readonly name: string;
    readonly icon: string;
    readonly rdns: string;
  };
  readonly provider: Eip1193Provider;
};

type Listener = (offers: readonly WalletOffer[]) => void;

/** Calls back with the wallets known so far, at once and whenever one more announces itself. */
export function discoverWallets(target: Window, listener: Listener): () => void {
  const announced = new Map<string, WalletOffer>();
  const publish = () => listener(listOffers([...announced.values()], target));
  const onAnnounce = (event: Event) => {
    const offer = readAnnouncement((event as CustomEvent<unknown>).detail);
    if (offer === null || announced.has(offer.id)) return;
    announced.set(offer.id, offer);
    publish();
  };
  target.addEventListener("eip6963:announceProvider", onAnnounce);
  target.dispatchEvent(new Event("eip6963:requestProvider"));
  publish();
  return () => target.removeEventListener("eip6963:announceProvider", onAnnounce);
}

/** An announcement as an offer; null if it is not one: any script of the page may send such events. */
export function readAnnouncement(detail: unknown): WalletOffer | null {
  const { info, provider } = (detail ?? {}) as Partial<Announcement>;
  if (typeof info?.name !== "string" || typeof info.rdns !== "string") return null;
  if (typeof provider?.request !== "function") return null;
  // Only images that are part of the announcement: anything else would be fetched from who knows where.
  const isImage = typeof info.icon === "string" && info.icon.startsWith("data:image/");
  return {
    id: info.rdns || info.name,
    name: info.name,
    icon: isImage ? info.icon : null,
    kind: "announced",
    provider,
  };
}

function listOffers(announced: readonly WalletOffer[], target: Window): readonly WalletOffer[] {
  const injected = (target as { ethereum?: Eip1193Provider }).ethereum;
  if (announced.length > 0 || typeof injected?.request !== "function") return announced;
  // Wallets from before EIP-6963 have no name of their own.
  return [
    { id: "injected", name: "Browser wallet", icon: null, kind: "injected", provider: injected },
  ];
}
