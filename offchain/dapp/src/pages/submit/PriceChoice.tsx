// What the answer may cost, and what it must come with.
import { useId } from "react";
import type { Model } from "../../app/models";
import { useServices } from "../../app/services";
import { ETHER, formatDecimal, formatSeconds, formatShort } from "../../protocol";
import { SUBMIT } from "../../texts";
import { readFee } from "./fee";
import type { Prices } from "./SubmitPage";

type PriceChoiceProps = {
  readonly model: Model;
  readonly isProofRequired: boolean;
  readonly onProofRequired: (isRequired: boolean) => void;
  /** What was typed; null while the suggestion stands. */
  readonly feeText: string | null;
  readonly onFeeText: (text: string | null) => void;
  readonly prices: Prices | null;
};

export function PriceChoice(props: PriceChoiceProps) {
  const { isProofRequired, onProofRequired, feeText, onFeeText, prices } = props;
  const { deployment } = useServices();
  const id = useId();
  const window = formatSeconds(deployment.parameters.challengeSeconds);
  const suggested = prices === null ? "" : formatDecimal(prices.suggested, ETHER.decimals);
  const fee = readFee(feeText, prices);
  return (
    <div className="stack">
      <fieldset className="stack tight">
        <legend className="visually-hidden">Protection</legend>
        <label className="choice">
          <input
            type="radio"
            name="protection"
            checked={!isProofRequired}
            onChange={() => onProofRequired(false)}
            data-testid="unchallenged"
          />
          <span>
            <span className="strong">{SUBMIT.unchallenged.name}</span>
            <br />
            <span className="soft">{SUBMIT.unchallenged.text(window)}</span>
          </span>
        </label>
        <label className="choice">
          <input
            type="radio"
            name="protection"
            checked={isProofRequired}
            onChange={() => onProofRequired(true)}
            data-testid="proof-required"
          />
          <span>
            <span className="strong">{SUBMIT.proven.name}</span>
            <br />
            <span className="soft">
              {SUBMIT.proven.text(prices === null ? "…" : formatShort(prices.proof))}
            </span>
          </span>
        </label>
      </fieldset>
      <div className="field">
        <label htmlFor={id}>Fee</label>
        <div className="input-unit">
          <input
            id={id}
            className="input"
            inputMode="decimal"
            autoComplete="off"
            value={feeText ?? suggested}
            onChange={(event) => onFeeText(event.target.value)}
            aria-invalid={fee.problem !== null}
            aria-describedby={`${id}-hint`}
            data-testid="fee"
          />
          <span aria-hidden="true">ETH</span>
        </div>
        <p className="hint" id={`${id}-hint`}>
          {SUBMIT.priceHint}{" "}
          {feeText === null ? (
            "This is the suggestion for today's price of gas."
          ) : (
            <button type="button" className="text-button" onClick={() => onFeeText(null)}>
              Use the suggestion
            </button>
          )}
        </p>
        {fee.problem === null ? null : (
          <p className="problem" aria-live="polite">
            {fee.problem}
          </p>
        )}
      </div>
    </div>
  );
}
