// The explorer's words.
import type { Tone } from "../../components/basics";

export const TITLES = {
  overview: "Explore",
  models: "Models",
  operators: "Operators",
  jobs: "Jobs",
  disputes: "Disputes",
  sessions: "Sessions",
};

export const LEADS = {
  overview:
    "What the chain holds, as the gateway's index tells it. Whatever it says can be read from the chain itself.",
  models:
    "Each version ties one integer graph and its weights to one verifier, for ever. Registration proves nothing: look at the report, and hold the files against the registration.",
  operators: "Who computes, and with how much stake. A wrong answer costs an operator its lock.",
  jobs: "Every inference that was ordered.",
  disputes:
    "Results that somebody doubted. The operator proves its answer before the clock runs out, or loses its stake.",
  sessions:
    "One deposit, many signed requests. The operator commits up to 256 results in one root; each can be challenged on its own.",
};

export const EMPTY = {
  models: ["No model is registered yet", "“zkdps model register” puts the first one here."],
  operators: ["No operator has staked yet", "“zkdps operator stake” makes one."],
  jobs: ["No job here", "Nothing fits what you are looking for."],
  disputes: ["No dispute here", "Nobody has doubted such a result."],
  sessions: ["No session here", "The SDK opens sessions: client.open_session(…)."],
} as const;

/** States of disputes, sessions and batches, in words; those of jobs are in src/texts.ts. */
export const DISPUTE_STATES: Readonly<Record<string, { name: string; tone: Tone }>> = {
  open: { name: "Proof due", tone: "warn" },
  defender_proven: { name: "Answer proven", tone: "good" },
  default: { name: "No proof came", tone: "bad" },
  fraud_proven: { name: "Two answers signed", tone: "bad" },
  distributed: { name: "Stake divided", tone: "bad" },
  cured: { name: "Proven late", tone: "warn" },
  voided: { name: "Voided", tone: "neutral" },
};

export const SESSION_STATES: Readonly<Record<string, { name: string; tone: Tone }>> = {
  open: { name: "Open", tone: "accent" },
  closing: { name: "Closing", tone: "warn" },
  closed: { name: "Closed", tone: "neutral" },
  voided: { name: "Voided", tone: "neutral" },
};

export const BATCH_STATES: Readonly<Record<string, { name: string; tone: Tone }>> = {
  committed: { name: "Open to objection", tone: "accent" },
  final: { name: "Final", tone: "good" },
  voided: { name: "Voided", tone: "neutral" },
};

/** What each sum of an account was for. */
export const TOTALS: Readonly<Record<string, string>> = {
  deposited: "Staked, in all",
  withdrawn: "Taken out, in all",
  funded: "Put in as credit",
  paidOut: "Credit paid out",
  spent: "Spent on jobs",
  bonded: "Posted as bonds",
  fee: "Earned as fees",
  refund: "Refunded",
  royalty: "Royalties",
  tip: "Keeper's tips",
  bondReturned: "Bonds returned",
  bondWon: "Won from lost bonds",
  compensation: "Compensation for slashed results",
  reward: "Rewards for challenges",
  excess: "Returned as sent in excess",
};

/** Movements of the vault, by the event that tells them. */
export const MOVEMENTS: Readonly<Record<string, string>> = {
  Deposited: "Staked",
  UnbondRequested: "Began to unbond",
  UnbondedWithdrawn: "Took unbonded stake out",
  Credited: "Credited",
  CreditWithdrawn: "Took credit out",
  CreditCharged: "Paid from credit",
  Funded: "Put credit in",
  EscrowAdded: "Paid into escrow",
  StakeLocked: "Stake locked behind a job",
  LockReleased: "Stake released",
  LockSlashed: "Stake slashed",
  SlashDivided: "Slashed stake divided",
  StakeSlashed: "Other stake burned",
  BondAdded: "Bond posted",
  Jailed: "Jailed",
  Unjailed: "Left jail",
  MissRecorded: "Missed a deadline",
  WorkerProposed: "Proposed a worker",
  WorkerSet: "Worker began or ended",
};

export const REPORT = {
  title: "How faithful the integer network is",
  none: "The gateway has no report for this version.",
  lead: "Measured by whoever published the model, on data that was held out. The chain has not checked it; with the same data, you can.",
  rows: "Rows",
  agreement: "Same answer as the original network",
  floatAccuracy: "Original network right",
  integerAccuracy: "Integer network right",
  cosine: "Similarity of outputs (cosine)",
  maxError: "Largest difference of an output",
  sets: { calibration: "Calibration data", heldOut: "Held-out data" } as Readonly<
    Record<string, string>
  >,
};

export const VERIFY = {
  title: "Hold the files against the registration",
  lead: "Your browser fetches the model's files, hashes them, and compares with what the chain holds. The gateway cannot cheat here.",
  start: "Verify in this browser",
  again: "Verify again",
  good: "These are the registered graph and weights.",
  bad: "The files are not what was registered.",
};

export const LEAF = {
  check: "What your browser computes",
  checking: "Fetching the model and the input, and computing…",
  agrees: "The same answer, bit for bit",
  differs: "Another answer: the operator's is wrong",
  noInput: "The gateway does not have this input, so it cannot be computed here.",
  proof: "Proof of inclusion",
  proofLead: "The leaf and these hashes lead to the root that the operator committed.",
  challenge: "Challenge this result",
  challengeLead:
    "It leaves the batch and becomes a job of its own; the operator has to prove it, or loses the stake behind it.",
  extracted: "This result was taken out of the batch: it is a job of its own.",
  agreesWarning: "Your browser computed the same answer: the bond would be lost.",
};
