// All longer texts of the page, in plain words. Numbers come in as they are shown.
import type { Phase } from "./app/useTransactions";
import type { Assurance, JobState } from "./protocol";

export const PHASES: Readonly<Record<Phase, string>> = {
  idle: "",
  preparing: "Preparing…",
  checking: "Trying it against the newest block…",
  signing: "Waiting for you to confirm in the wallet…",
  pending: "Sent; waiting for a block…",
  mined: "Done: it is on the chain.",
  failed: "",
};

export const WALLET = {
  why: "A wallet holds your account: it pays for the job, and signs for nothing that you do not confirm.",
  noneTitle: "No wallet found in this browser",
  none: "Install a browser wallet (any that follows EIP-1193), then load this page again.",
  development:
    "An account of the local chain's own node. Its money is worth nothing, and everybody knows its key.",
  noAccount: "The wallet shows no account to this page.",
  wrongChain: (found: number, wanted: number) =>
    `The wallet is on chain ${found}, this page on chain ${wanted}`,
};

export const SUBMIT = {
  title: "Order an inference",
  lead: "Somebody's machine runs the network on your input and puts its stake behind the answer. You, or anybody, can make it prove that answer.",
  noModels:
    "No model is registered on this chain yet. “zkdps model register” puts the first one here.",
  noFiles: "Its files are not to be had at this gateway, so this page cannot make an input for it.",
  priceHint:
    "The operator earns it only if its answer stands. Operators leave orders that do not pay for their gas.",
  unchallenged: {
    name: "Open to objection",
    text: (window: string) =>
      `The answer counts once nobody has objected for ${window}. Anybody can recompute it, and demand a proof by posting a bond.`,
  },
  proven: {
    name: "Proof required",
    text: (price: string) =>
      `The answer counts only with a cryptographic proof that the chain has checked. Costs at least ${price}.`,
  },
  steps: [
    "Your input goes to the gateway under its hash, which this page computes; whoever fetches it can check it.",
    "Your wallet asks you once: the fee goes into escrow.",
    "An operator locks its stake, runs the network and commits to the answer.",
  ],
  public: "Input and answer are public, for everybody, for ever. Do not send secrets.",
};

export const INPUT = {
  small: "Small drawings are read badly",
  draw: "Draw large, with finger, pen or mouse: the training pictures touch the top and the bottom. With the keyboard: arrow keys move, space adds ink, backspace removes it.",
  sent: "These numbers are exactly what is sent",
  file: "A picture is cut to its ink and shrunk to the model's grid. The grid shows what is sent.",
  notImage: "This file is no picture that the browser can read.",
  text: "Only letters count, without accents and case; the model gets counts of letters and of their pairs.",
  noWords: "Nothing in this text is a letter that the model knows.",
};

/** One sentence on what a state means for the one who ordered. */
export const STATES: Readonly<Record<JobState, { name: string; text: string }>> = {
  NONE: { name: "Unknown", text: "The chain knows no such job." },
  OPEN: { name: "Waiting", text: "Your order waits for an operator. The fee is in escrow." },
  ASSIGNED: {
    name: "Computing",
    text: "An operator has locked its stake and runs the network.",
  },
  COMMITTED: {
    name: "Answered",
    text: "The operator has committed to an answer. Until the window closes, anybody may object.",
  },
  DISPUTED: {
    name: "Disputed",
    text: "The operator has to prove its answer to the chain before the clock runs out.",
  },
  FINAL: {
    name: "Final",
    text: "Nobody objected in time. The operator has been paid.",
  },
  PROVEN: {
    name: "Proven",
    text: "The chain has checked a proof: the committed model gives this answer for this input.",
  },
  REJECTED: {
    name: "Rejected",
    text: "The answer does not count: no proof came in time. The fee is back, the operator's stake is slashed.",
  },
  EXPIRED: { name: "Expired", text: "No operator took the order in time. The fee is back." },
  FAILED: {
    name: "Failed",
    text: "The operator did not keep its time. The fee is back, with half of its fine.",
  },
  CANCELLED: { name: "Cancelled", text: "You took the order back before anybody took it." },
  REFUSED: { name: "Refused", text: "The operator could not use the input. The fee is back." },
  VOIDED: {
    name: "Voided",
    text: "The protocol was wound down. Everybody has its own money back.",
  },
};

/** How far one may rely on an answer. */
export const ASSURANCE: Readonly<Record<Assurance, { name: string; text: string }>> = {
  NONE: {
    name: "Not final",
    text: "Nothing protects whoever already relies on it. Wait, or rely on a check of your own.",
  },
  UNCHALLENGED: {
    name: "Unchallenged",
    text: "Final because nobody objected while objecting was possible. As good as the watch that was kept; a client who is its own operator can bring any answer here.",
  },
  PROVEN: {
    name: "Proven",
    text: "Final because a proof was checked on chain. True whoever computed it, as far as the proof system holds.",
  },
};

export const CHECK = {
  title: "Check it yourself",
  idle: "This browser can fetch the model, hold it against what is registered, and run it on the input.",
  agrees: "Your browser computes the same answer, bit for bit.",
  agreesHint: "Model and input were held against what the chain names, then run here.",
  differs: "Your browser computes another answer. The operator's is wrong.",
  differsHint:
    "The model's files and the input were held against the chain before. An operator cannot prove a wrong answer: challenging it wins.",
  unsupported: "This browser does not run this kind of network.",
  noInput: "The input is neither in this browser nor at the gateway.",
};

export const OUTPUT = {
  rejected: "Rejected: this answer does not count.",
  own: (label: string) => `Computed here: ${label}.`,
  missing: "The answer's bytes are not at the gateway",
  missingHint:
    "The chain holds only their hash. If nobody serves them, the operator can be made to post them on chain, while the window is open.",
};

export const CHALLENGE = {
  title: "Doubt this answer?",
  lead: "Post a bond, and the operator has to prove its answer on chain, or lose its stake.",
  agreesWarning:
    "Your browser computed the same answer. The operator will be able to prove it, and your bond will be lost.",
  uncheckedWarning:
    "You have not checked the answer in this browser. If it is right, the bond is lost.",
  won: "If no proof comes",
  lost: "If it proves",
  deadline: "It has to prove within",
};

export const DISPUTE = {
  open: "A proof is due. Whoever posts it, in time, settles the dispute in the operator's favour.",
  overdue: "The proof is overdue. Anybody can now claim the default.",
  airgap:
    "The slashed stake is held for a while: a late proof would still give the operator most of it back.",
  distributable: "The slashed stake can be divided now.",
};

export const BATCH = {
  text: (leaf: number | null) =>
    `The gateway's index knows this job as ${leaf === null ? "a result" : `result ${leaf}`} of a session's batch. On the chain it becomes a job of its own only when somebody challenges it or asks for its output.`,
};

export const ACCOUNT = {
  lead: "Refunds, rewards and earnings stay in the vault under your account until you take them out. Nobody can block that.",
  nothing: "Nothing to withdraw",
  nothingHint: "Refunds, rewards and returned bonds will appear here.",
};

type StepText = {
  readonly title: string;
  readonly text: (amount: string) => string;
  readonly tone: "accent" | "good" | "warn" | "bad" | "neutral";
  /** The event's field that names who did it, where one does. */
  readonly actor?: string;
};

/** What an event means; those that say the same as another one of their transaction are left out. */
export const STEPS: Readonly<Record<string, StepText>> = {
  JobCreated: {
    title: "Ordered",
    text: (fee) => `${fee} went into escrow.`,
    tone: "accent",
    actor: "client",
  },
  JobAccepted: {
    title: "Taken",
    text: () => "An operator locked its stake behind the answer.",
    tone: "accent",
    actor: "operator",
  },
  ResultCommitted: {
    title: "Answered",
    text: () => "The answer's hash is on the chain and cannot be changed any more.",
    tone: "accent",
    actor: "operator",
  },
  DeliveryRequested: {
    title: "Output asked for",
    text: (payment) => `${payment} pay for posting it on chain.`,
    tone: "warn",
  },
  OutputDelivered: { title: "Output delivered", text: () => "It is on the chain.", tone: "good" },
  ResultChallenged: {
    title: "Challenged",
    text: (bond) => `A proof is demanded, with a bond of ${bond}.`,
    tone: "warn",
    actor: "challenger",
  },
  ProofBegun: {
    title: "Proof begun",
    text: () => "The job needs a proof; the operator has to post it now.",
    tone: "accent",
  },
  ChallengeJoined: {
    title: "Challenge joined",
    text: (bond) => `One more bond of ${bond}.`,
    tone: "warn",
    actor: "challenger",
  },
  ResultProven: {
    title: "Proven",
    text: () => "The chain checked a proof of the answer. The operator is paid.",
    tone: "good",
    actor: "prover",
  },
  DefaultClaimed: {
    title: "No proof came: rejected",
    text: () => "The fee and the bonds went back; the operator's stake is slashed.",
    tone: "bad",
  },
  EquivocationProven: {
    title: "Two answers signed: rejected",
    text: () => "The operator vouched for two different answers. Its stake is slashed.",
    tone: "bad",
    actor: "reporter",
  },
  SlashDistributed: {
    title: "Stake divided",
    text: () => "Client and challengers have their parts as credit.",
    tone: "good",
  },
  SlashCured: {
    title: "Late proof",
    text: () => "A proof came after all: the operator got most of its stake back.",
    tone: "warn",
    actor: "prover",
  },
  JobFinalised: {
    title: "Final",
    text: () => "Nobody objected. The operator is paid.",
    tone: "good",
  },
  JobExpired: { title: "Expired", text: () => "Nobody took it. The fee is back.", tone: "neutral" },
  JobFailed: {
    title: "Failed",
    text: () => "The operator missed its time. The fee is back, with half of its fine.",
    tone: "bad",
  },
  JobCancelled: { title: "Cancelled", text: () => "The fee is back.", tone: "neutral" },
  JobRefused: {
    title: "Refused",
    text: () => "The operator could not use the input. The fee is back.",
    tone: "neutral",
    actor: "operator",
  },
  JobVoided: { title: "Voided", text: () => "Everybody has its own back.", tone: "neutral" },
};
