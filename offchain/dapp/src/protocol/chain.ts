// Reading the chain: everything on a page against one block, so that its parts fit together.
//
// Nothing is accumulated: at each head a page reads again, so a reorganisation needs no undoing. Reads that are asked
// for at one moment travel in one HTTP request (JSON-RPC batch).
import {
  createPublicClient,
  defineChain,
  erc20Abi,
  getAddress,
  http,
  type PublicClient,
} from "viem";
import { disputeGameAbi, jobMarketAbi, modelRegistryAbi, stakeVaultAbi } from "./abi";
import { isEqualHex } from "./bytes";
import { WrongDeployment } from "./errors";
import type { Unit } from "./money";
import { hashParameters } from "./parameters";
import {
  type Address,
  ASSURANCES,
  type Assurance,
  type BlockStamp,
  type Deployment,
  DISPUTE_STATES,
  type Dispute,
  ETH,
  type Hex,
  JOB_STATES,
  type Job,
  type JobFunds,
  type JobId,
  LOCK_STATUSES,
  type ProtocolTime,
  type Standing,
  type VaultAccount,
  type Version,
  type VersionId,
  ZERO_WORD,
} from "./types";

const BATCH_WAIT_MS = 8; // reads of one rendering travel together
const BATCH_SIZE = 60;
const MAX_SYMBOL = 12;

/** A client of the node at this address; `chainId` names the chain in errors of viem. */
export function connectChain(rpc: string, chainId: number): PublicClient {
  const chain = defineChain({
    id: chainId,
    name: chainId === 31337 ? "local chain" : `chain ${chainId}`,
    nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
    rpcUrls: { default: { http: [rpc] } },
  });
  const transport = http(rpc, { batch: { wait: BATCH_WAIT_MS, batchSize: BATCH_SIZE } });
  return createPublicClient({ chain, transport, cacheTime: 0 });
}

/** What the chain says of one job at one block. */
export interface JobReading {
  readonly time: ProtocolTime;
  /** null where there is no such job (not yet, or a reorganisation took it). */
  readonly job: Job | null;
  readonly dispute: Dispute | null;
  readonly funds: JobFunds | null;
  readonly assurance: Assurance;
}

/** What the chain says of one account in one token at one block. */
export interface AccountReading {
  readonly time: ProtocolTime;
  readonly account: VaultAccount;
  readonly standing: Standing;
  /** The owner whom the account works for, or null. */
  readonly serves: Address | null;
  /** The account that works for it, or null. */
  readonly worker: Address | null;
  readonly openChallenges: number;
}

export class ChainReader {
  constructor(
    readonly client: PublicClient,
    readonly deployment: Deployment,
  ) {}

  /** The head, as a block that reads can be pinned to. */
  async getHead(): Promise<BlockStamp> {
    const block = await this.client.getBlock({ blockTag: "latest" });
    return {
      number: block.number,
      hash: block.hash,
      timestamp: Number(block.timestamp),
      baseFee: block.baseFeePerGas ?? 0n,
    };
  }

  /** The protocol's clock at a block; without one, at the head. */
  async getTime(at?: BlockStamp): Promise<ProtocolTime> {
    const block = at ?? (await this.getHead());
    const call = { address: this.deployment.contracts.JobMarket, abi: jobMarketAbi };
    const blockNumber = block.number;
    const [clock, isPaused, isRefundMode] = await Promise.all([
      this.client.readContract({ ...call, functionName: "clock", blockNumber }),
      this.client.readContract({ ...call, functionName: "isPaused", blockNumber }),
      this.client.readContract({ ...call, functionName: "isRefundMode", blockNumber }),
    ]);
    return { block, clock: Number(clock), isPaused, isRefundMode };
  }

  /** Everything the chain says of a job, at one block. */
  async readJob(jobId: JobId, at?: BlockStamp): Promise<JobReading> {
    const block = at ?? (await this.getHead());
    const [time, job, dispute, assurance] = await Promise.all([
      this.getTime(block),
      this.getJob(jobId, block),
      this.getDispute(jobId, block),
      this.getAssurance(jobId, block),
    ]);
    const funds = job === null ? null : await this.getFunds(job.token, jobId, block);
    return { time, job, dispute, funds, assurance };
  }

  /** A job, or null if there is none. */
  async getJob(jobId: JobId, at: BlockStamp): Promise<Job | null> {
    const job = await this.client
      .readContract({
        address: this.deployment.contracts.JobMarket,
        abi: jobMarketAbi,
        functionName: "getJob",
        args: [jobId],
        blockNumber: at.number,
      })
      .catch(orNullIf("UnknownJob"));
    if (job === null) return null;
    return {
      id: jobId,
      client: job.client,
      token: job.token,
      fee: job.fee,
      operator: orNobody(job.operator),
      state: pick(JOB_STATES, job.state),
      deadline: job.deadline,
      version: job.version,
      outDigest: job.outDigest === ZERO_WORD ? null : job.outDigest,
      proofRequired: job.proofRequired,
      deliverBy: job.deliverBy === 0 ? null : job.deliverBy,
    };
  }

  /** How much a consumer may rely on the job's result. */
  async getAssurance(jobId: JobId, at: BlockStamp): Promise<Assurance> {
    const found = await this.client.readContract({
      address: this.deployment.contracts.JobMarket,
      abi: jobMarketAbi,
      functionName: "assurance",
      args: [jobId],
      blockNumber: at.number,
    });
    return pick(ASSURANCES, found);
  }

  /** The dispute about a job and all who share it, or null. */
  async getDispute(jobId: JobId, at: BlockStamp): Promise<Dispute | null> {
    const call = { address: this.deployment.contracts.DisputeGame, abi: disputeGameAbi };
    const pinned = { args: [jobId], blockNumber: at.number } as const;
    const [found, challengers] = await Promise.all([
      this.client.readContract({ ...call, ...pinned, functionName: "getDispute" }),
      this.client.readContract({ ...call, ...pinned, functionName: "getChallengers" }),
    ]);
    const state = pick(DISPUTE_STATES, found.state);
    if (state === "NONE") return null;
    return {
      jobId,
      state,
      challenger: orNobody(found.challenger),
      challengers,
      bond: found.bond,
      operator: found.operator,
      proveBy: found.proveBy,
      openedAtBlock: BigInt(found.openedAtBlock),
    };
  }

  /** Escrow and lock of a job. */
  async getFunds(token: Address, jobId: JobId, at: BlockStamp): Promise<JobFunds> {
    const funds = await this.client.readContract({
      address: this.deployment.contracts.StakeVault,
      abi: stakeVaultAbi,
      functionName: "getFunds",
      args: [token, jobId],
      blockNumber: at.number,
    });
    return { escrow: funds.escrow, lock: funds.lock, status: pick(LOCK_STATUSES, funds.status) };
  }

  /** A registered version, or null. */
  async getVersion(id: VersionId, at?: BlockStamp): Promise<Version | null> {
    const version = await this.client
      .readContract({
        address: this.deployment.contracts.ModelRegistry,
        abi: modelRegistryAbi,
        functionName: "getVersion",
        args: [id],
        ...(at ? { blockNumber: at.number } : {}),
      })
      .catch(orNullIf("UnknownVersion"));
    return version === null ? null : { ...version, id, opCount: Number(version.opCount) };
  }

  /** An account's money, standing and service. */
  async readAccount(account: Address, token = ETH, at?: BlockStamp): Promise<AccountReading> {
    const block = at ?? (await this.getHead());
    const call = { address: this.deployment.contracts.StakeVault, abi: stakeVaultAbi };
    const pinned = { ...call, blockNumber: block.number };
    const [time, ledger, standing, serves, worker, open] = await Promise.all([
      this.getTime(block),
      this.client.readContract({ ...pinned, functionName: "getAccount", args: [token, account] }),
      this.client.readContract({ ...pinned, functionName: "getStanding", args: [account] }),
      this.client.readContract({ ...pinned, functionName: "operatorOf", args: [account] }),
      this.client.readContract({ ...pinned, functionName: "workerOf", args: [account] }),
      this.getOpenChallenges(account, block),
    ]);
    return {
      time,
      account: ledger,
      standing,
      serves: orNobody(serves),
      worker: orNobody(worker),
      openChallenges: open,
    };
  }

  /** How many challenges are open against an operator. */
  async getOpenChallenges(operator: Address, at: BlockStamp): Promise<number> {
    const open = await this.client.readContract({
      address: this.deployment.contracts.DisputeGame,
      abi: disputeGameAbi,
      functionName: "openChallenges",
      args: [operator],
      blockNumber: at.number,
    });
    return Number(open);
  }

  private tokenUnit: Promise<Unit | null> | undefined;

  /** How the deployment's one ERC-20 is written; null where there is none. Read once. */
  getTokenUnit(): Promise<Unit | null> {
    this.tokenUnit ??= this.fetchTokenUnit();
    this.tokenUnit.catch(() => {
      this.tokenUnit = undefined;
    });
    return this.tokenUnit;
  }

  private async fetchTokenUnit(): Promise<Unit | null> {
    const { token } = this.deployment;
    if (token === null) return null;
    const call = { address: token, abi: erc20Abi };
    const [symbol, decimals] = await Promise.all([
      this.client.readContract({ ...call, functionName: "symbol" }),
      this.client.readContract({ ...call, functionName: "decimals" }),
    ]);
    // A token's name is its owner's: cut to what fits beside a number.
    return { symbol: symbol.slice(0, MAX_SYMBOL), decimals };
  }

  /**
   * Throws WrongDeployment unless the addresses are one deployment, with these parameters, on the node's chain.
   *
   * Every address that money can be sent to is reached from the market: whose market it is, `config.json` says.
   */
  async verifyDeployment(): Promise<void> {
    const { contracts, chainId, parameters, token } = this.deployment;
    const found = await this.client.getChainId();
    if (found !== chainId) {
      throw new WrongDeployment(`the node follows chain ${found}, not ${chainId}`);
    }
    const market = { address: contracts.JobMarket, abi: jobMarketAbi };
    const game = { address: contracts.DisputeGame, abi: disputeGameAbi };
    const vault = { address: contracts.StakeVault, abi: stakeVaultAbi };
    const named = await Promise.all([
      this.client.readContract({ ...market, functionName: "VAULT" }),
      this.client.readContract({ ...market, functionName: "REGISTRY" }),
      this.client.readContract({ ...game, functionName: "MARKET" }),
      this.client.readContract({ ...vault, functionName: "GAME" }),
      this.client.readContract({ ...market, functionName: "PARAMETERS_HASH" }),
      this.client.readContract({ ...vault, functionName: "MARKET" }),
      this.client.readContract({ ...vault, functionName: "TOKEN" }),
      this.client.readContract({ ...vault, functionName: "SESSIONS" }),
      this.client.readContract({ ...market, functionName: "ORDERS" }),
    ]).catch((cause: unknown) => {
      throw new WrongDeployment(`there is no deployment at ${contracts.JobMarket}: ${cause}`);
    });
    const expected = [
      contracts.StakeVault,
      contracts.ModelRegistry,
      contracts.JobMarket,
      contracts.DisputeGame,
      hashParameters(parameters),
      contracts.JobMarket,
      token ?? ETH,
      contracts.SessionMarket ?? named[7], // a gateway that names none offers none
      contracts.OrderBook ?? named[8],
    ] as const;
    const names = [
      ...["StakeVault", "ModelRegistry", "JobMarket", "DisputeGame", "parameters"],
      ...["JobMarket", "token", "SessionMarket", "OrderBook"],
    ];
    const wrong = names.filter((_, k) => !isEqualHex(named[k] ?? "0x", expected[k] ?? "0x"));
    if (wrong.length > 0) {
      throw new WrongDeployment(`the gateway names another ${wrong.join(", ")} than the contracts`);
    }
  }
}

/** Null for a call that reverted with this error; anything else is thrown again. */
function orNullIf(errorName: string) {
  return (cause: unknown): null => {
    if (findRevertName(cause) === errorName) return null;
    throw cause;
  };
}

/** The custom error's name in what viem threw for a reverted call, or null. */
export function findRevertName(cause: unknown): string | null {
  for (let error = cause; error instanceof Error; error = error.cause as unknown) {
    const data = (error as { data?: { errorName?: string } }).data;
    if (data?.errorName !== undefined) return data.errorName;
  }
  return null;
}

function orNobody(account: Address): Address | null {
  return account === ETH ? null : getAddress(account);
}

function pick<T>(names: readonly T[], index: number): T {
  const name = names[index];
  if (name === undefined) throw new WrongDeployment(`the contracts use an unknown state ${index}`);
  return name;
}

export type { Hex };
