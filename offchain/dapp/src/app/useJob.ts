// A job as the chain tells it at the newest block, with its events and the terms that its id commits to.
import { useMemo } from "react";
import {
  type JobEvent,
  type JobId,
  type JobReading,
  type JobTerms,
  Timeline,
  verifyTerms,
} from "../protocol";
import { type Services, useHead, useServices } from "./services";
import { type Data, useData } from "./useData";

export type TimedEvent = JobEvent & {
  /** Seconds, as the event's block says. */
  readonly timestamp: number;
};

export type JobView = JobReading & {
  readonly id: JobId;
  readonly events: readonly TimedEvent[];
  /** From JobCreated, found to hash to the id; null where the chain knows no such job. */
  readonly terms: JobTerms | null;
};

/** Reads the job again at each block; what was read stays while the next reading is on its way. */
export function useJob(id: JobId): Data<JobView> {
  const services = useServices();
  const { reading } = useHead();
  const { reader, deployment } = services;
  const timeline = useMemo(
    () => new Timeline(reader.client, deployment.contracts, id, deployment.firstBlock),
    [reader, deployment, id],
  );
  const key = reading === null ? null : `job ${id}`;
  const revision = reading?.time.block.hash ?? "";
  return useData(key, () => readJob(services, timeline, id), undefined, revision);
}

async function readJob(services: Services, timeline: Timeline, id: JobId): Promise<JobView> {
  const { reader, deployment, config } = services;
  const head = await reader.getHead();
  const [reading, events] = await Promise.all([reader.readJob(id, head), timeline.read(head)]);
  const created = events.find(({ name }) => name === "JobCreated");
  const terms = created === undefined ? null : (created.args.terms as JobTerms);
  if (terms !== null) verifyTerms(id, config.chainId, deployment.contracts.JobMarket, terms);
  const timed = await Promise.all(
    events.map(async (event) => ({ ...event, timestamp: await readTime(services, event.block) })),
  );
  return { ...reading, id, events: timed, terms };
}

const times = new Map<string, number>();

/** A block's own time; in a reorganisation it may move by seconds, which decide nothing here. */
async function readTime({ reader }: Services, number: bigint): Promise<number> {
  const key = number.toString();
  const known = times.get(key);
  if (known !== undefined) return known;
  const block = await reader.client.getBlock({ blockNumber: number });
  const time = Number(block.timestamp);
  times.set(key, time);
  return time;
}
