// Names and records of the protocol, as the contracts hold them (contracts/types/*.sol).
import type { Address, Hex } from "viem";

export type { Address, Hex };
/** 32 bytes: the hash of a job's terms. */
export type JobId = Hex;
/** 32 bytes: a registered model version. */
export type VersionId = Hex;
/** 32 bytes: a tensor's digest (digest.ts). */
export type Digest = Hex;

/** Native ETH wherever a token is named; also "nobody" wherever an account is named. */
export const ETH: Address = "0x0000000000000000000000000000000000000000";
export const ZERO_WORD: Hex = `0x${"00".repeat(32)}`;

/** States of a job, in the contract's order; a job's state only ever grows. */
export const JOB_STATES = [
  "NONE",
  "OPEN",
  "ASSIGNED",
  "COMMITTED",
  "DISPUTED",
  "FINAL",
  "PROVEN",
  "REJECTED",
  "EXPIRED",
  "FAILED",
  "CANCELLED",
  "REFUSED",
  "VOIDED",
] as const;
export type JobState = (typeof JOB_STATES)[number];

/** States of the dispute about a job, in the contract's order. */
export const DISPUTE_STATES = [
  "NONE",
  "OPEN",
  "DEFENDER_PROVEN",
  "DEFAULT",
  "FRAUD_PROVEN",
  "DISTRIBUTED",
  "CURED",
  "VOIDED",
] as const;
export type DisputeState = (typeof DISPUTE_STATES)[number];

/** How much a consumer may rely on a result, in the contract's order. */
export const ASSURANCES = ["NONE", "UNCHALLENGED", "PROVEN"] as const;
export type Assurance = (typeof ASSURANCES)[number];

/** Bit of `verifyMask`: the job is never final without a proof. */
export const PROOF_REQUIRED = 1;

/** Whether a job can never change state again; a REJECTED one's lock may still move. */
export function isTerminal(state: JobState): boolean {
  return JOB_STATES.indexOf(state) >= JOB_STATES.indexOf("FINAL");
}

/** What a job's id commits to. */
export interface JobTerms {
  readonly client: Address;
  readonly version: VersionId;
  readonly inDigest: Digest;
  readonly token: Address;
  readonly fee: bigint;
  readonly verifyMask: number;
  readonly privacyMask: number;
  readonly salt: bigint;
}

/** A job as the market holds it. Seconds are the protocol's clock. */
export interface Job {
  readonly id: JobId;
  readonly client: Address;
  readonly token: Address;
  readonly fee: bigint;
  /** Owner whose stake is locked; null before acceptance. */
  readonly operator: Address | null;
  readonly state: JobState;
  /** Last second of taking (OPEN), committing (ASSIGNED), challenging (COMMITTED, DISPUTED), of the airgap (REJECTED). */
  readonly deadline: number;
  readonly version: VersionId;
  /** null before the commit. */
  readonly outDigest: Digest | null;
  readonly proofRequired: boolean;
  /** Last second of a delivery that is due and has not come; null where none is. */
  readonly deliverBy: number | null;
}

export interface Dispute {
  readonly jobId: JobId;
  readonly state: DisputeState;
  /** Who challenged first; null where the job itself requires the proof. */
  readonly challenger: Address | null;
  /** The first one and all who joined. */
  readonly challengers: readonly Address[];
  /** Wei of each challenger. */
  readonly bond: bigint;
  readonly operator: Address;
  /** Last second, on the protocol's clock, at which a proof counts. */
  readonly proveBy: number;
  readonly openedAtBlock: bigint;
}

/** A registered version: facts of the chain. What its files say is in ModelBundle and ModelInterface. */
export interface Version {
  readonly id: VersionId;
  readonly owner: Address;
  readonly number: number;
  readonly graphHash: Hex;
  readonly weightRoot: Hex;
  readonly programHash: Hex;
  readonly vkHash: Hex;
  readonly srsId: Hex;
  /** The adjudicator: the contract that judges proofs. */
  readonly verifier: Address;
  readonly vkData: Address;
  readonly opCount: number;
  readonly proveSeconds: number;
  readonly proofGas: bigint;
  readonly outputBytes: number;
  /** Owner's part of each fee, in hundredths of a percent. */
  readonly royaltyBps: number;
  readonly digestKind: number;
}

/** One account's part of the vault's ledger, in one token. */
export interface VaultAccount {
  readonly free: bigint;
  readonly locked: bigint;
  readonly credit: bigint;
  readonly unbonding: bigint;
  /** Second of the protocol's clock from which `unbonding` may leave. */
  readonly unbondReadyAt: number;
}

export const LOCK_STATUSES = ["NONE", "ACTIVE", "RELEASED", "SLASHED", "DIVIDED"] as const;
export type LockStatus = (typeof LOCK_STATUSES)[number];

/** The money of one job, in its token. */
export interface JobFunds {
  readonly escrow: bigint;
  readonly lock: bigint;
  readonly status: LockStatus;
}

/** How an operator behaved. */
export interface Standing {
  /** 0 where it is not in jail. */
  readonly jailedUntil: number;
  readonly windowStart: number;
  readonly misses: number;
}

/** A block that everything on a page is read against. */
export interface BlockStamp {
  readonly number: bigint;
  readonly hash: Hex;
  /** Seconds, as the block says. */
  readonly timestamp: number;
  readonly baseFee: bigint;
}

/** The protocol's clock at a block: the block's time less all pauses. */
export interface ProtocolTime {
  readonly block: BlockStamp;
  readonly clock: number;
  readonly isPaused: boolean;
  readonly isRefundMode: boolean;
}

/** Parameters of a deployment (contracts/types/Parameters.sol); times in seconds. */
export interface Parameters {
  readonly assignSeconds: number;
  readonly execSeconds: number;
  readonly challengeSeconds: number;
  readonly proveSeconds: number;
  readonly proveCapSeconds: number;
  readonly airgapSeconds: number;
  readonly unbondSeconds: number;
  readonly lockFees: number;
  readonly missFees: number;
  readonly disputeGas: bigint;
  readonly gasPriceFloor: bigint;
  readonly provingPrice: bigint;
  readonly maxProofGas: bigint;
  readonly deliverSeconds: number;
  readonly keeperDelaySeconds: number;
  readonly slashJailSeconds: number;
  readonly missJailSeconds: number;
  readonly missWindowSeconds: number;
  readonly missesToJail: number;
  readonly keeperTipBps: number;
  readonly protocolFeeBps: number;
  readonly shareBlocks: number;
  readonly maxChallengers: number;
  readonly tokenGasPrice: bigint;
}

/** Addresses of one deployment, by contract. */
export interface Contracts {
  readonly StakeVault: Address;
  readonly ModelRegistry: Address;
  readonly JobMarket: Address;
  readonly DisputeGame: Address;
  readonly SessionMarket?: Address;
  readonly OrderBook?: Address;
  readonly ResultRelay?: Address;
  readonly Guardian?: Address;
}

/** A deployment as the gateway tells it; `ChainReader.verifyDeployment` holds it against the chain. */
export interface Deployment {
  readonly chainId: number;
  readonly contracts: Contracts;
  /** The one ERC-20 beside ETH, or null. */
  readonly token: Address | null;
  readonly preset: string;
  readonly parameters: Parameters;
  readonly firstBlock: bigint;
  /** Whether proofs rest on the development string, whose secret is public. */
  readonly srsInsecure: boolean;
}

/** The tensors at a model's border. */
export interface TensorSpec {
  readonly name: string;
  readonly shape: readonly number[];
  /** Stored width of an element: 8, 16 or 32. */
  readonly bits: number;
  /** Inclusive range. */
  readonly lo: number;
  readonly hi: number;
}

/** What a form needs to ask a person for an input: interface.json of a published model. */
export interface ModelInterface {
  readonly format: "zkdps-interface/1";
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly input: ImageInput | TextInput | NumbersInput;
  readonly output: ClassesOutput;
}

export interface ImageInput {
  readonly kind: "image";
  readonly height: number;
  readonly width: number;
  readonly lo: number;
  readonly hi: number;
}

export interface TextInput {
  readonly kind: "text";
  readonly encoding: string;
  readonly length: number;
  readonly lo: number;
  readonly hi: number;
  readonly examples: readonly string[];
}

export interface NumbersInput {
  readonly kind: "numbers";
  readonly shape: readonly number[];
  readonly lo: number;
  readonly hi: number;
}

export interface ClassesOutput {
  readonly kind: "classes";
  readonly labels: readonly string[];
}

/** bundle.json: where a model's files are; every file is checked after it is fetched. */
export interface ModelBundle {
  readonly format: "zkdps-bundle/1";
  readonly graphHash: Hex;
  readonly weightRoot: Hex;
  readonly files: readonly BundleFile[];
}

export interface BundleFile {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly uris: readonly string[];
}

/** A digest's preimage, as a form makes it: row-major integers and how they are stored. */
export interface Tensor {
  readonly values: readonly number[];
  readonly shape: readonly number[];
  readonly bits: number;
}
