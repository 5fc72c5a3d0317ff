// The events of one job, from the chain itself. Blocks that a reorganisation can still take are read again each time.
import { encodeEventTopics, type Log, type PublicClient, parseEventLogs } from "viem";
import { disputeGameAbi, jobMarketAbi } from "./abi";
import type { BlockStamp, Contracts, Hex, JobId } from "./types";

/** One event about a job, as its contract emitted it. */
export interface JobEvent {
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly block: bigint;
  readonly logIndex: number;
  readonly transaction: Hex;
}

const REORG_DEPTH = 64n; // two epochs of Ethereum
const MAX_RANGE = 5_000n; // blocks that public nodes give in one answer

const ABI = [...jobMarketAbi, ...disputeGameAbi].filter((item) => item.type === "event");

/** Topics of all events about jobs: in each the id is the first indexed field. */
const TOPICS = [...new Set(ABI.map((item) => encodeEventTopics({ abi: [item] })[0]))];

export class Timeline {
  private settled: JobEvent[] = [];
  /** First block that has to be read again. */
  private next: bigint;

  constructor(
    private readonly client: PublicClient,
    private readonly contracts: Contracts,
    private readonly jobId: JobId,
    firstBlock: bigint,
  ) {
    this.next = firstBlock;
  }

  /** All events up to this head, oldest first. */
  async read(head: BlockStamp): Promise<readonly JobEvent[]> {
    const found = await this.fetch(this.next, head.number);
    const stable = head.number - REORG_DEPTH;
    if (stable >= this.next) {
      this.settled = [...this.settled, ...found.filter((event) => event.block <= stable)];
      this.next = stable + 1n;
    }
    const fresh = found.filter((event) => event.block > stable);
    return [...this.settled.filter((event) => event.block <= stable), ...fresh];
  }

  private async fetch(from: bigint, to: bigint): Promise<JobEvent[]> {
    const events: JobEvent[] = [];
    for (let start = from; start <= to; start += MAX_RANGE) {
      const end = start + MAX_RANGE - 1n < to ? start + MAX_RANGE - 1n : to;
      events.push(...(await this.fetchRange(start, end)));
    }
    return events;
  }

  private async fetchRange(from: bigint, to: bigint): Promise<JobEvent[]> {
    const logs = await this.client.request({
      method: "eth_getLogs",
      params: [
        {
          address: [this.contracts.JobMarket, this.contracts.DisputeGame],
          topics: [TOPICS, this.jobId],
          fromBlock: `0x${from.toString(16)}`,
          toBlock: `0x${to.toString(16)}`,
        },
      ],
    });
    return parseEventLogs({ abi: ABI, logs: logs as unknown as Log[] }).map((log) => ({
      name: log.eventName,
      args: log.args as Readonly<Record<string, unknown>>,
      block: BigInt(log.blockNumber ?? 0),
      logIndex: Number(log.logIndex ?? 0),
      transaction: log.transactionHash ?? "0x",
    }));
  }
}
