// A job's life as a list, newest step last; what is awaited has a clock.
import type { JobView } from "../../app/useJob";
import { Hex } from "../../components/basics";
import { Countdown } from "../../components/Countdown";
import { listSteps, type Step } from "./steps";

export function Timeline({ view }: { view: JobView }) {
  return (
    <ol className="timeline">
      {listSteps(view, view.events).map((step) => (
        <Entry key={step.key} step={step} />
      ))}
    </ol>
  );
}

function Entry({ step }: { step: Step }) {
  return (
    <li
      className={`entry entry-${step.status} entry-${step.tone}`}
      aria-current={step.status === "now" ? "step" : undefined}
      data-testid={`step-${step.status}`}
    >
      <span className="entry-dot" aria-hidden="true" />
      <div className="stack" style={{ "--gap": "0.1rem" } as React.CSSProperties}>
        <div className="row spread tight">
          <span className="strong">{step.title}</span>
          {step.at === undefined ? null : <Time seconds={step.at} />}
          {step.deadline === undefined ? null : <Countdown deadline={step.deadline} />}
        </div>
        {step.text === undefined ? null : <p className="small soft">{step.text}</p>}
        {step.transaction === undefined ? null : (
          <p className="small faint row entry-source">
            {step.actor === undefined ? null : (
              <>
                by <Hex value={step.actor} />
              </>
            )}
            <span className="row tight">
              in <Hex value={step.transaction} label="transaction hash" />
            </span>
          </p>
        )}
      </div>
    </li>
  );
}

const FORMAT = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

function Time({ seconds }: { seconds: number }) {
  const date = new Date(seconds * 1000);
  return (
    <time className="small faint" dateTime={date.toISOString()}>
      {FORMAT.format(date)}
    </time>
  );
}
