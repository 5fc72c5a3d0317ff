// The wallet for all pages: who is connected, on which chain, and what the reader can do about it.
import {
  createContext,
  type ReactNode,
  useCallback,
  useContext,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import { useServices } from "../app/services";
import { forget, recall, remember } from "../app/storage";
import { createDevelopmentWallet } from "./development";
import { discoverWallets } from "./discovery";
import type { Address, WalletOffer } from "./eip1193";
import { type Connection, connect, readChainId, switchChain, watchWallet } from "./session";

export type Wallet = {
  readonly offers: readonly WalletOffer[];
  readonly connection: Connection | null;
  /** The account that acts; null while none is connected. */
  readonly account: Address | null;
  /** Whether the wallet is on the chain of this page. */
  readonly isOnChain: boolean;
  readonly isBusy: boolean;
  readonly error: unknown;
  /** Whether it worked; why not is in `error`. */
  connect(offer: WalletOffer): Promise<boolean>;
  disconnect(): void;
  switchChain(): Promise<boolean>;
  chooseAccount(account: Address): void;
  clearError(): void;
};

const WalletContext = createContext<Wallet | null>(null);
const LAST_WALLET = "wallet";
const LAST_ACCOUNT = "account";

export function useWallet(): Wallet {
  const wallet = useContext(WalletContext);
  if (wallet === null) throw new Error("useWallet outside of WalletProvider");
  return wallet;
}

export function WalletProvider({ children }: { children: ReactNode }) {
  const { config } = useServices();
  const offers = useOffers();
  const [connection, setConnection] = useState<Connection | null>(null);
  const [chosen, setChosen] = useState<Address | null>(() => recall<Address>(LAST_ACCOUNT));
  const [isBusy, setIsBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);

  const attempt = useCallback(async (step: () => Promise<void>) => {
    setIsBusy(true);
    setError(null);
    try {
      await step();
      return true;
    } catch (cause) {
      setError(cause);
      return false;
    } finally {
      setIsBusy(false);
    }
  }, []);

  const disconnect = useCallback(() => {
    forget(LAST_WALLET);
    setConnection(null);
  }, []);

  useReconnection(offers, connection, setConnection);

  const offer = connection?.offer;
  // Before the screen shows the account: whatever the wallet says of it from then on is heard.
  useLayoutEffect(() => {
    if (offer === undefined) return;
    const change = (update: (old: Connection) => Connection | null) =>
      setConnection((old) => (old?.offer === offer ? update(old) : old));
    return watchWallet(offer.provider, {
      onAccounts: (accounts) =>
        change((old) => (accounts.length > 0 ? { ...old, accounts } : null)),
      onChain: (chainId) => change((old) => ({ ...old, chainId })),
      onDisconnect: () => change(() => null),
    });
  }, [offer]);

  const wallet = useMemo<Wallet>(
    () => ({
      offers,
      connection,
      account: chooseAccount(connection, chosen),
      isOnChain: connection?.chainId === config.chainId,
      isBusy,
      error,
      connect: (offer) =>
        attempt(async () => {
          const made = await connect(offer);
          setConnection(made);
          if (made !== null) remember(LAST_WALLET, offer.id);
        }),
      disconnect,
      switchChain: () =>
        attempt(async () => {
          if (connection === null) return;
          const { provider } = connection.offer;
          const name = config.developmentWallet ? "Local chain" : `Chain ${config.chainId}`;
          await switchChain(provider, { chainId: config.chainId, name, rpc: config.rpc });
          const chainId = await readChainId(provider);
          setConnection((old) => (old === null ? old : { ...old, chainId }));
        }),
      chooseAccount: (account) => {
        remember(LAST_ACCOUNT, account);
        setChosen(account);
      },
      clearError: () => setError(null),
    }),
    [offers, connection, chosen, config, isBusy, error, attempt, disconnect],
  );
  return <WalletContext.Provider value={wallet}>{children}</WalletContext.Provider>;
}

function useOffers(): readonly WalletOffer[] {
  const { config } = useServices();
  const [found, setFound] = useState<readonly WalletOffer[]>([]);
  useEffect(() => discoverWallets(window, setFound), []);
  return useMemo(
    () => (config.developmentWallet ? [...found, createDevelopmentWallet(config.rpc)] : [...found]),
    [found, config],
  );
}

/** After a reload: goes back to the wallet of the last visit if it still shows its accounts unasked. */
function useReconnection(
  offers: readonly WalletOffer[],
  connection: Connection | null,
  onConnected: (connection: Connection) => void,
): void {
  // Once connected, only the reader connects again: who locked the wallet meant it.
  const wasConnected = useRef(false);
  useEffect(() => {
    if (connection !== null) wasConnected.current = true;
    if (wasConnected.current) return;
    const offer = offers.find(({ id }) => id === recall<string>(LAST_WALLET));
    if (offer === undefined) return;
    let isCurrent = true;
    connect(offer, true)
      .then((made) => {
        if (isCurrent && made !== null) onConnected(made);
      })
      .catch(() => undefined); // a locked or absent wallet is no error before anybody asked for it
    return () => {
      isCurrent = false;
    };
  }, [offers, connection, onConnected]);
}

/** The development wallet lets one choose; in any other the wallet itself does. */
function chooseAccount(connection: Connection | null, chosen: Address | null): Address | null {
  if (connection === null) return null;
  const { accounts, offer } = connection;
  if (offer.kind === "development" && chosen !== null && accounts.includes(chosen)) return chosen;
  return accounts[0] ?? null;
}
