// What a wallet in a browser is: a provider (EIP-1193) that announces itself (EIP-6963).

import type { Address } from "viem";

export type { Address };

export type Eip1193Provider = {
  request(args: { method: string; params?: readonly unknown[] | object }): Promise<unknown>;
  on?(event: string, listener: (payload: never) => void): void;
  removeListener?(event: string, listener: (payload: never) => void): void;
};

export type WalletOffer = {
  /** Stable between visits: the reverse domain name of EIP-6963. */
  readonly id: string;
  readonly name: string;
  /** A data URI; null for wallets that do not announce themselves. */
  readonly icon: string | null;
  readonly kind: "announced" | "injected" | "development";
  readonly provider: Eip1193Provider;
};

/** Codes of EIP-1193, EIP-1474 and EIP-3085 that call for words of their own. */
export const USER_REJECTED = 4001;
export const UNAUTHORISED = 4100;
export const UNSUPPORTED_METHOD = 4200;
export const DISCONNECTED = 4900;
export const UNKNOWN_CHAIN = 4902;
export const REQUEST_PENDING = -32002;

/** The code of a provider's error, however deep a library wrapped it; null where there is none. */
export function findErrorCode(error: unknown): number | null {
  let cause: unknown = error;
  for (let depth = 0; depth < 8 && typeof cause === "object" && cause !== null; depth++) {
    const { code, data } = cause as { code?: unknown; data?: unknown };
    // MetaMask on a phone hides the code of an unknown chain one level down.
    const original = (data as { originalError?: { code?: unknown } } | undefined)?.originalError;
    if (typeof original?.code === "number") return original.code;
    if (typeof code === "number" && code !== -32603) return code;
    cause = (cause as { cause?: unknown }).cause;
  }
  return null;
}
