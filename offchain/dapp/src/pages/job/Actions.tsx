// The steps that are due and that the reader may take; a challenge and a dispute have cards of their own.
import { link } from "../../app/router";
import { useHead, useServices } from "../../app/services";
import type { Call } from "../../app/transactions";
import { useData } from "../../app/useData";
import type { JobView } from "../../app/useJob";
import { sumPayments, useMoney } from "../../app/useMoney";
import { ActionButton } from "../../components/ActionButton";
import { Notice } from "../../components/basics";
import { TimeBar } from "../../components/Countdown";
import {
  buildCancelJob,
  buildExpireJob,
  buildFailJob,
  buildFinalise,
  buildRequestDelivery,
  buildRequestProof,
  buildVoidJob,
  type Contracts,
  computeDeliveryPayment,
  computeGasPrice,
  ETH,
  formatShort,
  isEqualHex,
  isOver,
  type Job,
  type Parameters,
  type ProtocolTime,
} from "../../protocol";
import { useWallet } from "../../wallet/WalletProvider";

export type Action = {
  readonly purpose: string;
  readonly label: string;
  readonly why: string;
  readonly look?: "primary" | "danger";
  readonly build: () => Call | Promise<Call>;
};

export function Actions({ view, job }: { view: JobView; job: Job }) {
  const { deployment, reader } = useServices();
  const { reading } = useHead();
  const { account } = useWallet();
  const isClient = account !== null && isEqualHex(account, job.client);
  const time = reading?.time ?? view.time;
  const { contracts, parameters } = deployment;
  const due = listActions(view, job, time, isClient, contracts);
  // The payment moves with the base fee: it is reckoned at the block before the transaction.
  const requestDelivery = async () => {
    const [head, version] = await Promise.all([reader.getHead(), reader.getVersion(job.version)]);
    const gasPrice = computeGasPrice(parameters, job.token, head.baseFee);
    const payment = computeDeliveryPayment(version?.outputBytes ?? 0, gasPrice);
    return buildRequestDelivery(contracts, view.id, job.token, payment);
  };
  const canAskOutput =
    isClient &&
    job.state === "COMMITTED" &&
    job.deliverBy === null &&
    !isOver(time, job.deadline) &&
    !view.events.some(({ name }) => name === "DeliveryRequested");
  return (
    <>
      <Window job={job} parameters={parameters} />
      {due.map((action) => (
        <div key={action.purpose} className="stack tight">
          <p className="small soft">{action.why}</p>
          <ActionButton
            purpose={action.purpose}
            subject={view.id}
            build={action.build}
            testId={action.purpose}
            {...(action.look === undefined ? {} : { look: action.look })}
          >
            {action.label}
          </ActionButton>
        </div>
      ))}
      {canAskOutput ? (
        <details className="more">
          <summary>The answer's bytes are not to be had?</summary>
          <div className="stack tight">
            <p className="small soft">
              Pay the operator to post them on chain. If it does not, in time, it is fined and your
              money comes back.
            </p>
            <ActionButton
              purpose="requestDelivery"
              subject={view.id}
              build={requestDelivery}
              testId="requestDelivery"
            >
              Ask for the output on chain
            </ActionButton>
          </div>
        </details>
      ) : null}
      <Credit view={view} />
    </>
  );
}

/** How much of the state's time is left. */
function Window({ job, parameters }: { job: Job; parameters: Parameters }) {
  const length = {
    OPEN: parameters.assignSeconds,
    ASSIGNED: parameters.execSeconds,
    COMMITTED: parameters.challengeSeconds,
  }[job.state as string];
  return length === undefined ? null : <TimeBar deadline={job.deadline} length={length} />;
}

/** What is due at this second: only steps that the contract would take. */
export function listActions(
  view: Pick<JobView, "id">,
  job: Job,
  time: ProtocolTime,
  isClient: boolean,
  contracts: Contracts,
): readonly Action[] {
  const { id } = view;
  const isLate = isOver(time, job.deadline);
  const fail: Action = {
    purpose: "failJob",
    label: "Get the fee back",
    why: "The operator missed its time. Anybody may say so: the fee goes back, and the operator is fined.",
    look: "primary",
    build: () => buildFailJob(contracts, id),
  };
  if (time.isRefundMode && ["OPEN", "ASSIGNED", "COMMITTED"].includes(job.state)) {
    return [
      {
        purpose: "voidJob",
        label: "Give everybody its own back",
        why: "The protocol is being wound down.",
        look: "primary",
        build: () => buildVoidJob(contracts, id),
      },
    ];
  }
  if (time.isPaused) return [];
  if (job.state === "OPEN" && isLate) {
    return [
      {
        purpose: "expireJob",
        label: "Get the fee back",
        why: "Nobody took the order in time. Perhaps the fee was too low.",
        look: "primary",
        build: () => buildExpireJob(contracts, id),
      },
    ];
  }
  if (job.state === "OPEN" && isClient) {
    return [
      {
        purpose: "cancelJob",
        label: "Cancel the order",
        why: "As long as nobody has taken it, you can take it back, with all of the fee.",
        build: () => buildCancelJob(contracts, id),
      },
    ];
  }
  if (job.state === "ASSIGNED" && isLate) return [fail];
  if (job.state !== "COMMITTED") return [];
  if (job.deliverBy !== null) return isOver(time, job.deliverBy) ? [fail] : [];
  if (job.proofRequired) {
    if (isLate) return [fail];
    const digest = job.outDigest;
    if (!isClient || digest === null) return [];
    return [
      {
        purpose: "requestProof",
        label: "Begin the proof",
        why: "This job needs a proof. Its operator begins it by itself; you may, too, without a bond.",
        build: () => buildRequestProof(contracts, id, digest),
      },
    ];
  }
  if (!isLate) return [];
  return [
    {
      purpose: "finalise",
      label: "Make it final",
      why: "Nobody objected. The operator, or anybody, can close the job now.",
      build: () => buildFinalise(contracts, id),
    },
  ];
}

/** What the job has brought the reader, and what waits in the vault. */
function Credit({ view }: { view: JobView }) {
  const { reader } = useServices();
  const { account } = useWallet();
  const brought = sumPayments(useMoney(view), account);
  const data = useData(
    account === null ? null : `credit ${account}`,
    () => reader.readAccount(account ?? ETH),
    undefined,
    view.time.block.hash,
  );
  const credit = data.status === "ready" ? data.value.account.credit : 0n;
  if (brought === 0n && credit === 0n) return null;
  return (
    <Notice tone="good" title={brought === 0n ? undefined : `${formatShort(brought)} came to you`}>
      <p className="small">
        {credit === 0n ? (
          "You have withdrawn all of your credit."
        ) : (
          <>
            {formatShort(credit)} of credit wait for you: <a href={link("account")}>withdraw it</a>.
          </>
        )}
      </p>
    </Notice>
  );
}
