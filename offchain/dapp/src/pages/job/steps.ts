// A job's life as a list of steps: those that happened, the one that is awaited, those that may follow.
import type { TimedEvent } from "../../app/useJob";
import type { Tone } from "../../components/basics";
import { formatShort, isTerminal, type JobReading } from "../../protocol";
import { STEPS } from "../../texts";

export type Step = {
  readonly key: string;
  readonly title: string;
  readonly text?: string;
  readonly status: "done" | "now" | "next";
  readonly tone: Tone;
  /** Seconds since 1970, of its block; for what happened. */
  readonly at?: number;
  readonly transaction?: `0x${string}`;
  /** Who did it, where that is somebody. */
  readonly actor?: string;
  /** Last second, on the protocol's clock, for what is awaited. */
  readonly deadline?: number;
};

type Reading = Pick<JobReading, "job" | "dispute">;

/** Happened, in the order of the chain; then what is awaited now, then what comes after that if all goes well. */
export function listSteps(reading: Reading, events: readonly TimedEvent[]): readonly Step[] {
  const happened = events.flatMap((event) => describeEvent(event) ?? []);
  return [...happened, ...listAwaited(reading)];
}

function describeEvent(event: TimedEvent): Step | null {
  // A job that requires a proof is disputed without a challenger.
  const isBegun = event.name === "ResultChallenged" && event.args.bond === 0n;
  const told = STEPS[isBegun ? "ProofBegun" : event.name];
  if (told === undefined) return null; // said by another event of the same transaction
  const { args } = event;
  const amount = [args.bond, args.payment].find((value) => typeof value === "bigint");
  const terms = args.terms as { fee?: bigint } | undefined;
  const actor = told.actor === undefined ? undefined : args[told.actor];
  return {
    key: `${event.transaction}-${event.logIndex}`,
    title: told.title,
    text: told.text(formatShort(amount ?? terms?.fee ?? 0n)),
    status: "done",
    tone: told.tone,
    at: event.timestamp,
    transaction: event.transaction,
    ...(typeof actor === "string" && actor !== NOBODY ? { actor } : {}),
  };
}

const NOBODY = "0x0000000000000000000000000000000000000000";

function listAwaited({ job, dispute }: Reading): readonly Step[] {
  if (job === null) return [];
  const { state, deadline, deliverBy, proofRequired } = job;
  const now = (title: string, until: number): Step => ({
    key: "now",
    title,
    status: "now",
    tone: "accent",
    deadline: until,
  });
  const next = (title: string): Step => ({
    key: title,
    title,
    status: "next",
    tone: "neutral",
  });
  switch (state) {
    case "OPEN":
      return [now("Waiting for an operator", deadline), next("Answer"), next("Final")];
    case "ASSIGNED":
      return [now("The operator computes", deadline), next("Answer"), next("Final")];
    case "COMMITTED":
      if (deliverBy !== null) return [now("The output is due on chain", deliverBy), next("Final")];
      if (proofRequired) return [now("A proof has to be begun", deadline), next("Proven")];
      return [now("Open to objection", deadline), next("Final")];
    case "DISPUTED":
      return [now("A proof is due", dispute?.proveBy ?? deadline), next("Proven, or rejected")];
    case "REJECTED":
      return isHeld(dispute?.state ?? "NONE")
        ? [now("The stake is held; a late proof still counts", deadline), next("Stake divided")]
        : [];
    default:
      return [];
  }
}

/** Whether the slashed stake still waits to be divided. */
export function isHeld(dispute: string): boolean {
  return dispute === "DEFAULT" || dispute === "FRAUD_PROVEN";
}

/** How a state is coloured. */
export function toneOf(state: string): Tone {
  if (state === "FINAL" || state === "PROVEN") return "good";
  if (state === "REJECTED" || state === "FAILED") return "bad";
  if (state === "DISPUTED") return "warn";
  if (state === "NONE" || isTerminal(state as never)) return "neutral";
  return "accent";
}
