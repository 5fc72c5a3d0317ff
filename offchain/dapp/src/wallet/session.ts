// One connection to one wallet: who one is there, on which chain, and how to change either.

import { getAddress, isAddress, numberToHex } from "viem";
import { WALLET } from "../texts";
import {
  type Address,
  type Eip1193Provider,
  findErrorCode,
  UNKNOWN_CHAIN,
  type WalletOffer,
} from "./eip1193";

export type Connection = {
  readonly offer: WalletOffer;
  /** All accounts that the wallet shows to this page; the first is the chosen one. */
  readonly accounts: readonly Address[];
  readonly chainId: number;
};

export type ChainToAdd = { readonly chainId: number; readonly name: string; readonly rpc: string };

/** Asks the wallet for its accounts; `isSilent` only looks whether it already shows some, without a question. */
export async function connect(offer: WalletOffer, isSilent = false): Promise<Connection | null> {
  const method = isSilent ? "eth_accounts" : "eth_requestAccounts";
  const accounts = readAccounts(await offer.provider.request({ method }));
  if (accounts.length === 0) {
    if (isSilent) return null;
    throw new Error(WALLET.noAccount);
  }
  return { offer, accounts, chainId: await readChainId(offer.provider) };
}

/** Asks the wallet to go to the chain; a wallet that does not know it is asked to add it first. */
export async function switchChain(provider: Eip1193Provider, chain: ChainToAdd): Promise<void> {
  const chainId = numberToHex(chain.chainId);
  const change = () =>
    provider.request({ method: "wallet_switchEthereumChain", params: [{ chainId }] });
  try {
    await change();
  } catch (error) {
    if (findErrorCode(error) !== UNKNOWN_CHAIN) throw error;
    await provider.request({
      method: "wallet_addEthereumChain",
      params: [
        {
          chainId,
          chainName: chain.name,
          rpcUrls: [chain.rpc],
          nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
        },
      ],
    });
    // Most wallets go there after adding it; those that do not are asked once more.
    if ((await readChainId(provider)) !== chain.chainId) await change();
  }
}

export type Watcher = {
  onAccounts(accounts: readonly Address[]): void;
  onChain(chainId: number): void;
  onDisconnect(): void;
};

/** Follows what the user changes in the wallet itself. */
export function watchWallet(provider: Eip1193Provider, watcher: Watcher): () => void {
  const accounts = (raw: unknown) => watcher.onAccounts(readAccounts(raw));
  const chain = (raw: unknown) => watcher.onChain(Number(raw));
  const disconnect = () => watcher.onDisconnect();
  provider.on?.("accountsChanged", accounts);
  provider.on?.("chainChanged", chain);
  provider.on?.("disconnect", disconnect);
  return () => {
    provider.removeListener?.("accountsChanged", accounts);
    provider.removeListener?.("chainChanged", chain);
    provider.removeListener?.("disconnect", disconnect);
  };
}

export async function readChainId(provider: Eip1193Provider): Promise<number> {
  return Number(await provider.request({ method: "eth_chainId" }));
}

export function readAccounts(raw: unknown): readonly Address[] {
  if (!Array.isArray(raw)) return [];
  return raw
    .filter((account) => typeof account === "string" && isAddress(account, { strict: false }))
    .map((account) => getAddress(account));
}
