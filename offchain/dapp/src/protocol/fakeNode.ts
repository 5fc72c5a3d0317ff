// A node for tests: blocks, logs and view functions that a test decides about, over viem's own transport.
import {
  type Abi,
  createPublicClient,
  custom,
  decodeFunctionData,
  encodeErrorResult,
  encodeFunctionResult,
  type Hex,
  type PublicClient,
} from "viem";
import { disputeGameAbi, errorsAbi, jobMarketAbi, modelRegistryAbi, stakeVaultAbi } from "./abi";
import { parseParameters } from "./parameters";
import type { Address, Deployment } from "./types";
import { VECTORS } from "./vectors";

export const MARKET: Address = "0x1000000000000000000000000000000000000001";
export const GAME: Address = "0x1000000000000000000000000000000000000002";
export const VAULT: Address = "0x1000000000000000000000000000000000000003";
export const REGISTRY: Address = "0x1000000000000000000000000000000000000004";

const ABIS: Readonly<Record<Address, Abi>> = {
  [MARKET]: jobMarketAbi,
  [GAME]: disputeGameAbi,
  [VAULT]: stakeVaultAbi,
  [REGISTRY]: modelRegistryAbi,
};

/** A custom error that a view function reverts with. */
export class Revert extends Error {
  constructor(
    readonly errorName: string,
    readonly args: readonly unknown[],
  ) {
    super(errorName);
  }
}

export interface FakeLog {
  readonly address: Address;
  readonly topics: readonly Hex[];
  readonly data: Hex;
  readonly block: number;
}

export type View = (args: readonly unknown[]) => unknown;

export class FakeNode {
  chainId = 31337;
  /** Hashes of the blocks, the head last; a test replaces some for a reorganisation. */
  hashes: Hex[] = [word(1)];
  views: Record<string, View> = {};
  logs: FakeLog[] = [];
  isDown = false;
  /** Ranges that logs were asked for. */
  readonly ranges: [number, number][] = [];

  get client(): PublicClient {
    const transport = custom({ request: (args) => this.answer(args) }, { retryCount: 0 });
    return createPublicClient({ transport, cacheTime: 0 });
  }

  get head(): number {
    return this.hashes.length - 1;
  }

  private async answer({ method, params }: { method: string; params?: unknown }): Promise<unknown> {
    if (this.isDown) throw new Error("connection refused");
    const given = params as [Record<string, unknown> & string, string];
    switch (method) {
      case "eth_chainId":
        return hex(this.chainId);
      case "eth_getBlockByNumber":
        return this.block(given[0] === "latest" ? this.head : Number(given[0]));
      case "eth_getLogs":
        return this.findLogs(Number(given[0].fromBlock), Number(given[0].toBlock));
      case "eth_call":
        return this.call(given[0].to as Address, given[0].data as Hex);
      default:
        throw new Error(`the fake node does not know ${method}`);
    }
  }

  private block(number: number): unknown {
    const hash = this.hashes[number];
    if (hash === undefined) return null;
    const transactions: Hex[] = [];
    const timestamp = hex(1000 + number);
    return { number: hex(number), hash, timestamp, baseFeePerGas: hex(7), transactions };
  }

  private findLogs(from: number, to: number): unknown {
    this.ranges.push([from, to]);
    const found = this.logs.filter(({ block }) => block >= from && block <= to);
    return found.map(({ address, topics, data, block }, k) => ({
      address,
      topics,
      data,
      blockNumber: hex(block),
      blockHash: this.hashes[block] ?? word(0),
      transactionHash: word(1000 + block),
      transactionIndex: "0x0",
      logIndex: hex(k),
      removed: false,
    }));
  }

  private call(to: Address, data: Hex): Hex {
    const abi = ABIS[to];
    if (abi === undefined) return "0x";
    const { functionName, args } = decodeFunctionData({ abi, data });
    const view = this.views[functionName];
    if (view === undefined) throw new Error(`the test has no ${functionName}`);
    try {
      return encodeFunctionResult({ abi, functionName, result: view(args ?? []) as never });
    } catch (error) {
      if (!(error instanceof Revert)) throw error;
      const raw = encodeErrorResult({
        abi: errorsAbi as Abi,
        errorName: error.errorName,
        args: [...error.args],
      });
      throw Object.assign(new Error("execution reverted"), { code: 3, data: raw });
    }
  }
}

export const DEPLOYMENT: Deployment = {
  chainId: 31337,
  contracts: { JobMarket: MARKET, DisputeGame: GAME, StakeVault: VAULT, ModelRegistry: REGISTRY },
  token: null,
  preset: "local",
  parameters: parseParameters(VECTORS.parameters.find(({ name }) => name === "local")?.parameters),
  firstBlock: 0n,
  srsInsecure: true,
};

export function word(value: number): Hex {
  return `0x${value.toString(16).padStart(64, "0")}`;
}

function hex(value: number): Hex {
  return `0x${value.toString(16)}`;
}
