import { describe, expect, test } from "vitest";
import type { TimedEvent } from "../../app/useJob";
import type { Contracts, Dispute, Job } from "../../protocol";
import { makeJob, makeTime, TEST_PARAMETERS } from "../../testing";
import { listActions } from "./Actions";
import { canJoin } from "./ChallengeCard";
import { listSteps, toneOf } from "./steps";

const CLIENT = makeJob().client;
const OTHER = "0x00000000000000000000000000000000000000bB" as const;
const ZERO = "0x0000000000000000000000000000000000000000";
const DIGEST = `0x${"33".repeat(32)}` as const;
const CONTRACTS: Contracts = {
  JobMarket: OTHER,
  DisputeGame: OTHER,
  StakeVault: OTHER,
  ModelRegistry: OTHER,
};

function event(name: string, args: Record<string, unknown> = {}, logIndex = 0): TimedEvent {
  return { name, args, block: 5n, logIndex, transaction: DIGEST, timestamp: 1_700_000_000 };
}

describe("the actions that are due", () => {
  const due = (job: Partial<Job>, clock: number, isClient = true, change = {}) =>
    listActions({ id: DIGEST }, makeJob(job), makeTime(clock, change), isClient, CONTRACTS).map(
      ({ purpose }) => purpose,
    );

  test("let a client cancel until the last second, anybody expire after it", () => {
    expect(due({}, 1000)).toEqual(["cancelJob"]);
    expect(due({}, 1000, false)).toEqual([]);
    expect(due({}, 1001, false)).toEqual(["expireJob"]);
  });

  test("fail an operator that is late, not one that has a second left", () => {
    expect(due({ state: "ASSIGNED" }, 1000)).toEqual([]);
    expect(due({ state: "ASSIGNED" }, 1001)).toEqual(["failJob"]);
  });

  test("make a result final after its window only", () => {
    expect(due({ state: "COMMITTED", outDigest: DIGEST }, 1000)).toEqual([]);
    expect(due({ state: "COMMITTED", outDigest: DIGEST }, 1001)).toEqual(["finalise"]);
  });

  test("never make a job final whose proof or output is due", () => {
    const proof = { state: "COMMITTED", outDigest: DIGEST, proofRequired: true } as const;
    expect(due(proof, 1000)).toEqual(["requestProof"]);
    expect(due(proof, 1001)).toEqual(["failJob"]);
    const output = { state: "COMMITTED", outDigest: DIGEST, deliverBy: 1010 } as const;
    expect(due(output, 1005)).toEqual([]);
    expect(due(output, 1011)).toEqual(["failJob"]);
  });

  test("are none while the protocol is paused, and only to void when it is wound down", () => {
    expect(due({}, 2000, true, { isPaused: true })).toEqual([]);
    expect(due({ state: "ASSIGNED" }, 1, true, { isRefundMode: true })).toEqual(["voidJob"]);
    expect(due({ state: "FINAL" }, 1, true, { isRefundMode: true })).toEqual([]);
  });
});

describe("a challenge can be joined", () => {
  const dispute: Dispute = {
    jobId: DIGEST,
    state: "OPEN",
    challenger: OTHER,
    challengers: [OTHER],
    bond: 5n,
    operator: OTHER,
    proveBy: 1030,
    openedAtBlock: 98n,
  };
  const job = makeJob({ state: "DISPUTED", outDigest: DIGEST });
  const third = "0x00000000000000000000000000000000000000cC" as const;
  const can = (
    account: typeof third | typeof CLIENT | null,
    change: Partial<Dispute> = {},
    clock = 990,
  ) => canJoin({ time: makeTime(clock) }, job, { ...dispute, ...change }, account, TEST_PARAMETERS);

  test("by anybody in the first blocks, by its client until the window closes", () => {
    expect(can(third)).toBe(true);
    expect(can(third, { openedAtBlock: 90n })).toBe(false);
    expect(can(CLIENT, { openedAtBlock: 90n })).toBe(true);
    expect(can(CLIENT, { openedAtBlock: 90n }, 1001)).toBe(false);
  });

  test("by nobody twice, without a bond, or after the proof is overdue", () => {
    expect(can(OTHER as never)).toBe(false);
    expect(can(third, { bond: 0n })).toBe(false);
    expect(can(third, {}, 1031)).toBe(false);
    expect(can(third, { state: "DEFAULT" })).toBe(false);
  });

  test("as long as there is room, the client's place not counted", () => {
    const full = Array.from(
      { length: 8 },
      (_, k) => `0x${String(k + 1).padStart(40, "0")}` as const,
    );
    expect(can(third, { challengers: full })).toBe(false);
    expect(can(CLIENT, { challengers: full })).toBe(true);
    expect(can(third, { challengers: [CLIENT, ...full.slice(1)] })).toBe(true);
  });
});

describe("the steps of a job", () => {
  const created = event("JobCreated", { client: CLIENT, terms: { fee: 10n ** 15n } });

  test("tell what happened, then what is awaited with its deadline", () => {
    const steps = listSteps({ job: makeJob(), dispute: null }, [created]);
    expect(steps.map(({ title, status }) => [status, title])).toEqual([
      ["done", "Ordered"],
      ["now", "Waiting for an operator"],
      ["next", "Answer"],
      ["next", "Final"],
    ]);
    expect(steps[0]?.text).toBe("0.001 ETH went into escrow.");
    expect(steps[0]?.actor).toBe(CLIENT);
    expect(steps[1]?.deadline).toBe(1000);
  });

  test("say once what two events of one transaction say", () => {
    const events = [
      event("ResultChallenged", { challenger: OTHER, bond: 7n }),
      event("JobDisputed"),
    ];
    const happened = listSteps({ job: makeJob({ state: "FINAL" }), dispute: null }, events);
    expect(happened.map(({ title }) => title)).toEqual(["Challenged"]);
  });

  test("tell a proof that the job requires from a challenge", () => {
    const begun = event("ResultChallenged", { challenger: ZERO, bond: 0n });
    const [step] = listSteps({ job: makeJob({ state: "FINAL" }), dispute: null }, [begun]);
    expect(step).toMatchObject({ title: "Proof begun" });
    expect(step?.actor).toBeUndefined();
  });

  test("await a proof by the dispute's clock, not the window's", () => {
    const job = makeJob({ state: "DISPUTED", outDigest: DIGEST });
    const dispute = { state: "OPEN", proveBy: 2000 } as Dispute;
    expect(listSteps({ job, dispute }, [])[0]?.deadline).toBe(2000);
  });

  test("end with the verdict once the stake is divided", () => {
    const job = makeJob({ state: "REJECTED", outDigest: DIGEST });
    expect(listSteps({ job, dispute: { state: "DEFAULT" } as Dispute }, [])).toHaveLength(2);
    expect(listSteps({ job, dispute: { state: "DISTRIBUTED" } as Dispute }, [])).toEqual([]);
  });

  test("colour good and bad ends apart", () => {
    expect(["FINAL", "PROVEN", "REJECTED", "DISPUTED", "OPEN", "EXPIRED"].map(toneOf)).toEqual([
      "good",
      "good",
      "bad",
      "warn",
      "accent",
      "neutral",
    ]);
  });
});
