// Transactions on their way. What was sent is remembered until a block holds it, so that a reload loses nothing.
import { type Abi, encodeFunctionData, numberToHex, type PublicClient } from "viem";
import type { Address, Eip1193Provider } from "../wallet/eip1193";
import { recall, remember } from "./storage";

export type Hash = `0x${string}`;

/** What a contract is asked to do, as src/protocol/calls.ts builds it. */
export type Call = {
  readonly address: Address;
  readonly abi: Abi | readonly unknown[];
  readonly functionName: string;
  readonly args: readonly unknown[];
  readonly value?: bigint;
};

export type TransactionStatus = "pending" | "mined" | "failed" | "lost";

export type Transaction = {
  readonly hash: Hash;
  readonly chainId: number;
  readonly account: Address;
  /** What it does: the function's name. */
  readonly purpose: string;
  /** What it is about: a job's id, or a token. */
  readonly subject: string;
  readonly sentAtMs: number;
  readonly status: TransactionStatus;
  /** How to repeat the call, for its error's sake. */
  readonly to: Address;
  readonly data: Hash;
  readonly value: string;
  /** Why it failed: the error that the chain gives when the call is repeated. */
  readonly error?: unknown;
  /** Looks in a row in which the node did not know it. */
  readonly misses: number;
};

const KEY = "transactions";
const GAS_MARGIN_PERCENT = 125n; // state may change between estimate and block
const MAX_MISSES = 30; // looks, one a block: by then it was dropped or replaced
const KEPT_MS = 20_000; // how long a mined one stays in view

type Listener = () => void;

export class TransactionBook {
  private records: readonly Transaction[];
  private readonly listeners = new Set<Listener>();

  constructor(
    private readonly client: PublicClient,
    private readonly chainId: number,
  ) {
    const kept = recall<Transaction[]>(KEY) ?? [];
    this.records = kept.filter((tx) => tx.chainId === chainId && tx.status === "pending");
  }

  readonly subscribe = (listener: Listener): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly getAll = (): readonly Transaction[] => this.records;

  /** Tries the call at the head; throws what the contract, or the node, says against it. Returns the gas to send. */
  async estimate(account: Address, call: Call): Promise<bigint> {
    const { to, data, value } = encode(call);
    const gas = await this.client.estimateGas({ account, to, data, value });
    return (gas * GAS_MARGIN_PERCENT) / 100n;
  }

  /** Has the wallet sign and send the call; returns once the hash is remembered, not when it is mined. */
  async send(
    provider: Eip1193Provider,
    account: Address,
    call: Call,
    subject: string,
    gas: bigint,
  ): Promise<Hash> {
    const { to, data, value } = encode(call);
    // The wallet may have gone to another chain since the button was drawn: the same address there is somebody else's.
    const chainId = numberToHex(this.chainId);
    if (Number(await provider.request({ method: "eth_chainId" })) !== this.chainId) {
      throw new Error(`Your wallet is on another chain than ${this.chainId}: nothing was sent.`);
    }
    const amounts = { value: numberToHex(value), gas: numberToHex(gas) };
    const request = { from: account, to, data, ...amounts, chainId };
    const hash = await provider.request({ method: "eth_sendTransaction", params: [request] });
    if (typeof hash !== "string" || !/^0x[0-9a-fA-F]{64}$/.test(hash)) {
      throw new Error("the wallet returned no transaction hash");
    }
    this.put({
      hash: hash as Hash,
      chainId: this.chainId,
      account,
      purpose: call.functionName,
      subject,
      sentAtMs: Date.now(),
      status: "pending",
      to,
      data,
      value: value.toString(),
      misses: 0,
    });
    return hash as Hash;
  }

  /** Looks what became of those on their way; to be called at each head. */
  async look(): Promise<void> {
    const isOld = (tx: Transaction) => tx.status === "mined" && Date.now() - tx.sentAtMs > KEPT_MS;
    if (this.records.some(isOld)) this.set(this.records.filter((tx) => !isOld(tx)));
    const pending = this.records.filter((tx) => tx.status === "pending");
    await Promise.all(pending.map((tx) => this.lookAt(tx)));
  }

  dismiss(hash: Hash): void {
    this.set(this.records.filter((tx) => tx.hash !== hash));
  }

  private async lookAt(tx: Transaction): Promise<void> {
    const receipt = await this.client
      .getTransactionReceipt({ hash: tx.hash })
      .catch(nullIfNamed("TransactionReceiptNotFoundError"));
    if (receipt !== null) {
      if (receipt.status === "success") this.put({ ...tx, status: "mined" });
      else this.put({ ...tx, status: "failed", error: await this.repeat(tx, receipt.blockNumber) });
      return;
    }
    const known = await this.client
      .getTransaction({ hash: tx.hash })
      .catch(nullIfNamed("TransactionNotFoundError"));
    const misses = known === null ? tx.misses + 1 : 0;
    if (misses !== tx.misses) {
      this.put({ ...tx, misses, status: misses > MAX_MISSES ? "lost" : "pending" });
    }
  }

  /** The error of a transaction that was mined and reverted: the same call, at the same block. */
  private async repeat(tx: Transaction, blockNumber: bigint): Promise<unknown> {
    const { account, to, data } = tx;
    try {
      await this.client.call({ account, to, data, value: BigInt(tx.value), blockNumber });
    } catch (error) {
      return error;
    }
    return new Error("It ran out of gas, or what it met in its block has changed since.");
  }

  private put(tx: Transaction): void {
    const others = this.records.filter(({ hash }) => hash !== tx.hash);
    // One at a time for a purpose and a subject: a repetition takes the place of what failed before.
    const isReplaced = (old: Transaction) =>
      old.status !== "pending" && old.purpose === tx.purpose && old.subject === tx.subject;
    this.set([...others.filter((old) => !isReplaced(old)), tx]);
  }

  private set(records: readonly Transaction[]): void {
    this.records = records;
    // Errors are not kept: after a reload the state of the chain says enough.
    remember(
      KEY,
      records.filter(({ status }) => status === "pending"),
    );
    for (const listener of this.listeners) listener();
  }
}

function encode(call: Call): { to: Address; data: Hash; value: bigint } {
  const { abi, functionName, args } = call;
  const data = encodeFunctionData({ abi: abi as Abi, functionName, args: [...args] });
  return { to: call.address, data, value: call.value ?? 0n };
}

function nullIfNamed(name: string) {
  return (cause: unknown): null => {
    if (cause instanceof Error && cause.name === name) return null;
    throw cause;
  };
}
