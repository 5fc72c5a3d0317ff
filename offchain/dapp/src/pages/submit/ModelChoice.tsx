// Which model to ask: one card each, with what its publisher says of it.
import type { Model } from "../../app/models";
import { link } from "../../app/router";
import { Notice } from "../../components/basics";
import { formatBps } from "../../protocol";
import { SUBMIT } from "../../texts";

export type Listed =
  | { readonly id: string; readonly model: Model; readonly agreement: number | null }
  | { readonly id: string; readonly model: null; readonly title: string };

type ModelChoiceProps = {
  readonly listed: readonly Listed[];
  readonly chosen: string | null;
  readonly onChoose: (id: string) => void;
};

export function ModelChoice({ listed, chosen, onChoose }: ModelChoiceProps) {
  const usable = listed.filter((entry) => entry.model !== null);
  const missing = listed.length - usable.length;
  return (
    <fieldset className="stack tight">
      <legend className="visually-hidden">Model</legend>
      {usable.map(({ id, model, agreement }) => (
        <label key={id} className="choice" data-testid="model">
          <input
            type="radio"
            name="model"
            value={id}
            checked={id === chosen}
            onChange={() => onChoose(id)}
          />
          <span className="stack" style={{ "--gap": "0.2rem" } as React.CSSProperties}>
            <span className="strong">{model.face.title}</span>
            <span className="soft">{model.face.description}</span>
            <span className="small faint dotted">
              <span>Version {model.version.number}</span>
              <span>
                {agreement === null
                  ? "no fidelity report"
                  : `${formatPercent(agreement)} agreement with the original network`}
              </span>
              {model.version.royaltyBps > 0 ? (
                <span>royalty {formatBps(model.version.royaltyBps)}</span>
              ) : null}
              <a href={link("models", id)} aria-label={`Details of ${model.face.title}`}>
                Details
              </a>
            </span>
          </span>
        </label>
      ))}
      {missing > 0 ? (
        <Notice
          title={
            missing === 1 ? "One more model is registered" : `${missing} more models are registered`
          }
        >
          <p className="small">{SUBMIT.noFiles}</p>
        </Notice>
      ) : null}
    </fieldset>
  );
}

function formatPercent(part: number): string {
  return `${(100 * part).toFixed(1)} %`;
}
