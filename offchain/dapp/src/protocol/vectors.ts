// The shared vectors (tests/vectors/dapp.json and dapp_money.json), for tests only.
import text from "../../../../tests/vectors/dapp.json?raw";
import moneyText from "../../../../tests/vectors/dapp_money.json?raw";
import type { Exit } from "./settlement";
import type { Address, Hex } from "./types";

interface TermsVector {
  readonly client: Address;
  readonly version: Hex;
  readonly inDigest: Hex;
  readonly token: Address;
  readonly fee: string;
  readonly verifyMask: number;
  readonly privacyMask: number;
  readonly salt: string;
}

interface Vectors {
  readonly digests: readonly {
    readonly bits: number;
    readonly shape: readonly number[];
    readonly bytes: Hex;
    readonly ends: readonly [number, number];
    readonly digest: Hex;
    readonly jobDigest: Hex;
  }[];
  readonly weightRoots: readonly { readonly digests: readonly Hex[]; readonly root: Hex }[];
  readonly jobs: readonly {
    readonly chainId: number;
    readonly market: Address;
    readonly terms: TermsVector;
    readonly id: Hex;
  }[];
  readonly sessions: readonly {
    readonly chainId: number;
    readonly contract: Address;
    readonly market: Address;
    readonly terms: {
      readonly client: Address;
      readonly signer: Address;
      readonly operator: Address;
      readonly version: Hex;
      readonly token: Address;
      readonly fee: string;
      readonly salt: string;
    };
    readonly id: Hex;
    readonly batch: {
      readonly packed: Hex;
      readonly items: readonly {
        readonly nonce: number;
        readonly inDigest: Hex;
        readonly outDigest: Hex;
        readonly salt: string;
        readonly jobId: Hex;
        readonly leaf: Hex;
      }[];
      readonly paths: readonly (readonly Hex[])[];
      readonly root: Hex;
      readonly id: Hex;
    };
  }[];
  readonly typedData: {
    readonly chainId: number;
    readonly contract: Address;
    readonly result: { readonly jobId: Hex; readonly outDigest: Hex; readonly hash: Hex };
    readonly request: {
      readonly sessionId: Hex;
      readonly nonce: number;
      readonly inDigest: Hex;
      readonly validUntil: number;
      readonly hash: Hex;
    };
    readonly order: {
      readonly client: Address;
      readonly version: Hex;
      readonly inDigest: Hex;
      readonly token: Address;
      readonly minFee: string;
      readonly maxFee: string;
      readonly rampStart: number;
      readonly rampEnd: number;
      readonly takeUntil: number;
      readonly verifyMask: number;
      readonly salt: string;
      readonly hash: Hex;
    };
  };
  readonly parameters: readonly {
    readonly name: string;
    readonly parameters: unknown;
    readonly hash: Hex;
  }[];
  readonly prices: readonly {
    readonly fee: string;
    readonly baseFee: string;
    readonly proveSeconds: number;
    readonly proofGas: string;
    readonly outputBytes: number;
    readonly openChallenges: number;
    readonly gasPrice: string;
    readonly lock: string;
    readonly bond: string;
    readonly proofFee: string;
    readonly delivery: string;
    readonly proveBy: number;
  }[];
  readonly settlements: readonly {
    readonly exit: Exit;
    readonly dues: {
      readonly fee: string;
      readonly delivery: string;
      readonly lock: string;
      readonly fine: string;
      readonly isDelivered: boolean;
      readonly hasKeeper: boolean;
      readonly royaltyBps: string;
      readonly protocolFeeBps: string;
      readonly keeperTipBps: string;
    };
    readonly split: Readonly<Record<string, string>>;
  }[];
  readonly slashes: readonly {
    readonly lock: string;
    readonly isCured: boolean;
    readonly hasChallengers: boolean;
    readonly slash: Readonly<Record<string, string>>;
    readonly bonds: string;
    readonly isProven: boolean;
    readonly bondSplit: Readonly<Record<string, string>>;
  }[];
  readonly models: readonly {
    readonly name: string;
    readonly graph: Hex;
    readonly graphHash: Hex;
    readonly weights: Readonly<Record<string, Hex>>;
    readonly weightRoot: Hex;
    readonly outputBits: number;
    readonly outputShape: readonly number[];
    readonly runs: readonly {
      readonly input: Hex;
      readonly inDigest: Hex;
      readonly output: readonly number[];
      readonly outDigest: Hex;
    }[];
  }[];
  readonly refused: readonly {
    readonly graph: Hex;
    readonly operator: string;
    readonly name: string;
  }[];
}

export const VECTORS: Vectors = { ...JSON.parse(text), ...JSON.parse(moneyText) };

/** A record of bigints as the vectors write it. */
export function toDecimals(record: object): Record<string, string> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, String(value)]));
}
