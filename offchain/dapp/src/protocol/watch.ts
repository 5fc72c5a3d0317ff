// Following the head by polling: works on every node and through every proxy, and survives reorganisations because
// whoever listens reads again instead of adding up.
import type { PublicClient } from "viem";
import type { BlockStamp, Hex } from "./types";

export interface HeadChange {
  readonly head: BlockStamp;
  /** Whether the block that was the head before is no longer on the chain. */
  readonly isReorganised: boolean;
}

export interface HeadListener {
  readonly onHead: (change: HeadChange) => void;
  /** The node does not answer; called once for each failed look, until `onHead` comes again. */
  readonly onError?: (cause: unknown) => void;
  readonly intervalMs?: number;
}

const INTERVAL_MS = 1000;
const MAX_BACK_OFF = 8; // times the interval

/** Calls the listener with each head that was not seen before; returns what ends it. */
export function watchHead(client: PublicClient, listener: HeadListener): () => void {
  const interval = listener.intervalMs ?? INTERVAL_MS;
  let isStopped = false;
  let failures = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let seen: { readonly number: bigint; readonly hash: Hex } | undefined;

  const look = async () => {
    try {
      const block = await client.getBlock({ blockTag: "latest" });
      failures = 0;
      if (!isStopped && block.hash !== seen?.hash) {
        const isReorganised = seen !== undefined && !(await isKept(client, seen));
        if (isStopped) return;
        seen = { number: block.number, hash: block.hash };
        const baseFee = block.baseFeePerGas ?? 0n;
        const head = { ...seen, timestamp: Number(block.timestamp), baseFee };
        listener.onHead({ head, isReorganised });
      }
    } catch (cause) {
      failures += 1;
      if (!isStopped) listener.onError?.(cause);
    }
    if (!isStopped) timer = setTimeout(look, interval * Math.min(MAX_BACK_OFF, 1 + failures));
  };
  void look();
  return () => {
    isStopped = true;
    clearTimeout(timer);
  };
}

async function isKept(
  client: PublicClient,
  seen: { readonly number: bigint; readonly hash: Hex },
): Promise<boolean> {
  try {
    const block = await client.getBlock({ blockNumber: seen.number });
    return block.hash === seen.hash;
  } catch {
    return false; // the chain is shorter than it was
  }
}
