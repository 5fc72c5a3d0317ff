// What became of a job's money: the vault's own events about it, read once it has come to an end.
import { encodeEventTopics, type Log, numberToHex, parseAbi, parseEventLogs } from "viem";
import { type Address, isEqualHex } from "../protocol";
import { useServices } from "./services";
import { useData } from "./useData";
import type { JobView } from "./useJob";

const EVENTS = parseAbi([
  "event Credited(address indexed token, bytes32 indexed jobId, address indexed account, uint256 amount)",
  "event LockSlashed(address indexed token, bytes32 indexed jobId, address indexed operator, uint256 amount)",
]);

const TOPICS = EVENTS.map((item) => encodeEventTopics({ abi: [item] })[0]);

export type Payment = { readonly account: Address; readonly amount: bigint };

export type Money = {
  /** The operator's stake that was slashed; 0 where none was. */
  readonly slashed: bigint;
  /** Credits, in the order of the chain. */
  readonly payments: readonly Payment[];
};

/** null until it is read; read again when another event moves money. */
export function useMoney(view: JobView): Money | null {
  const { reader, deployment } = useServices();
  const first = view.events[0];
  const last = view.events.at(-1); // money moves in the transactions that move the job
  const key = first === undefined ? null : `money ${view.id} ${view.events.length}`;
  const data = useData(key, async (): Promise<Money> => {
    const { client } = reader;
    const raw = await client.request({
      method: "eth_getLogs",
      params: [
        {
          address: deployment.contracts.StakeVault,
          topics: [TOPICS, null, view.id],
          fromBlock: numberToHex(first?.block ?? 0n),
          toBlock: numberToHex(last?.block ?? 0n),
        },
      ],
    });
    const own = parseEventLogs({ abi: EVENTS, logs: raw as unknown as Log[] });
    const slashes = own.filter(({ eventName }) => eventName === "LockSlashed");
    const payments = own.flatMap((log) => (log.eventName === "Credited" ? [log.args] : []));
    return { slashed: slashes.reduce((sum, { args }) => sum + args.amount, 0n), payments };
  });
  return data.status === "ready" ? data.value : null;
}

/** What a job has credited to one account, all in all. */
export function sumPayments(money: Money | null, account: Address | null): bigint {
  if (money === null || account === null) return 0n;
  const own = money.payments.filter((payment) => isEqualHex(payment.account, account));
  return own.reduce((sum, { amount }) => sum + amount, 0n);
}
