// The order as it will be: what goes, what it costs, what stands behind the answer; and the one button.
import { useMemo, useState } from "react";
import type { Model } from "../../app/models";
import { navigate } from "../../app/router";
import { useServices } from "../../app/services";
import { ActionButton } from "../../components/ActionButton";
import { Card, Fact, Facts, Hex, Notice } from "../../components/basics";
import { GridPicture } from "../../components/GridPicture";
import {
  buildCreateJob,
  computeBond,
  computeGasPrice,
  computeJobId,
  computeLock,
  computeSlashSplit,
  digestJobTensor,
  drawSalt,
  ETH,
  formatSeconds,
  formatShort,
  type JobTerms,
  PROOF_REQUIRED,
  type Tensor,
} from "../../protocol";
import { SUBMIT } from "../../texts";
import { useWallet } from "../../wallet/WalletProvider";
import { type Draft, keepInput } from "./draft";
import { readFee } from "./fee";
import type { Prices } from "./SubmitPage";
import { CountStrip } from "./TextInput";

type OrderProps = {
  readonly model: Model;
  readonly draft: Draft;
  readonly tensor: Tensor | null;
  readonly isProofRequired: boolean;
  readonly feeText: string | null;
  readonly prices: Prices | null;
};

export function Order({ model, draft, tensor, isProofRequired, feeText, prices }: OrderProps) {
  const { deployment, gateway, config } = useServices();
  const { account } = useWallet();
  // One salt an order: whoever presses twice orders once, the contract refuses the second.
  const [salt, setSalt] = useState(drawSalt);
  const digest = useMemo(() => (tensor === null ? null : digestJobTensor(tensor)), [tensor]);
  const fee = readFee(feeText, prices).amount;
  const terms: JobTerms | null =
    account === null || digest === null || fee === null
      ? null
      : {
          client: account,
          version: model.version.id,
          inDigest: digest,
          token: ETH,
          fee,
          verifyMask: isProofRequired ? PROOF_REQUIRED : 0,
          privacyMask: 0,
          salt,
        };
  const jobId =
    terms === null ? null : computeJobId(config.chainId, deployment.contracts.JobMarket, terms);

  const build = async () => {
    if (terms === null || tensor === null) throw new Error("the order is not complete");
    keepInput(terms.inDigest, tensor, draft);
    await gateway.putTensor(tensor);
    return buildCreateJob(deployment.contracts, terms, "");
  };
  const leave = () => {
    if (jobId === null) return;
    setSalt(drawSalt());
    navigate("jobs", jobId);
  };

  return (
    <div className="stack sticky">
      <Card title="Your order" testId="order">
        <div className="stack">
          <Facts>
            <Fact name="Model">{model.face.title}</Fact>
            <Fact name="Input">
              {digest === null ? (
                <span className="faint">none yet</span>
              ) : (
                <Preview model={model} tensor={tensor} />
              )}
            </Fact>
            {digest === null ? null : (
              <Fact name="Input's hash">
                <Hex value={digest} label="the input's hash" />
              </Fact>
            )}
            <Fact name="Fee, into escrow">
              <span className="strong">{fee === null ? "–" : formatShort(fee)}</span>
            </Fact>
          </Facts>
          <ActionButton
            look="primary"
            size="wide"
            purpose="createJob"
            subject={jobId ?? ""}
            build={build}
            onSent={leave}
            isDisabled={terms === null}
            testId="submit"
          >
            {digest === null ? "Give an input first" : "Order it"}
          </ActionButton>
          <ol className="small soft numbered">
            {SUBMIT.steps.map((step) => (
              <li key={step}>{step}</li>
            ))}
          </ol>
          <Notice>
            <p className="small">{SUBMIT.public}</p>
          </Notice>
        </div>
      </Card>
      {prices === null || fee === null ? null : (
        <Protection model={model} fee={fee} prices={prices} />
      )}
    </div>
  );
}

function Preview({ model, tensor }: { model: Model; tensor: Tensor | null }) {
  const spec = model.face.input;
  if (tensor === null) return null;
  if (spec.kind === "image") {
    return (
      <span className="thumb">
        <GridPicture spec={spec} grid={tensor.values} label="Your drawing" />
      </span>
    );
  }
  if (spec.kind === "text") {
    return (
      <span className="thumb-wide">
        <CountStrip counts={tensor.values} hi={spec.hi} />
      </span>
    );
  }
  return <span>{tensor.values.length} numbers</span>;
}

/** What stands behind the answer, at today's prices. */
function Protection({ model, fee, prices }: { model: Model; fee: bigint; prices: Prices }) {
  const { parameters } = useServices().deployment;
  const gasPrice = computeGasPrice(parameters, ETH, prices.time.block.baseFee);
  const lock = computeLock(parameters, fee, gasPrice);
  const { toClient } = computeSlashSplit(lock, false, true);
  return (
    <Card title="What protects the answer" isSunken>
      <Facts>
        <Fact name="The operator's stake behind it">{formatShort(lock)}</Fact>
        <Fact name="Time to object">{formatSeconds(parameters.challengeSeconds)}</Fact>
        <Fact name="Bond to demand a proof">
          {formatShort(computeBond(parameters, model.version, gasPrice))}
        </Fact>
        <Fact name="If it cannot prove it" isLong>
          You get the fee back, and {formatShort(toClient)} of its stake.
        </Fact>
      </Facts>
    </Card>
  );
}
