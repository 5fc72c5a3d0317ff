// What was asked and what was answered, with this browser's own verdict on it.
import type { Model } from "../../app/models";
import { useServices } from "../../app/services";
import { useData } from "../../app/useData";
import type { JobView } from "../../app/useJob";
import { Button, Card, ErrorBox, Loading, Notice } from "../../components/basics";
import { GridPicture } from "../../components/GridPicture";
import { ScoreBars } from "../../components/ScoreBars";
import type { Digest, Job, Tensor } from "../../protocol";
import { CHECK, OUTPUT } from "../../texts";
import { CountStrip } from "../submit/TextInput";
import { type Check, findOutput, type Known, readAnswer } from "./answer";
import type { Checking } from "./useCheck";

type AnswerCardProps = {
  readonly view: JobView;
  readonly job: Job;
  readonly known: Known | null;
  readonly check: Checking;
};

export function AnswerCard({ view, job, known, check }: AnswerCardProps) {
  return (
    <Card title="The answer" testId="answer">
      <div className="answer">
        <Asked known={known} />
        {job.outDigest === null ? (
          <p className="soft">
            {job.state === "OPEN" || job.state === "ASSIGNED"
              ? "The answer appears here as soon as an operator commits to one."
              : "There is no answer."}
          </p>
        ) : known === null ? (
          <Loading lines={4} label="Fetching the model" />
        ) : (
          <Answered
            view={view}
            known={known}
            committed={job.outDigest}
            check={check}
            isRejected={job.state === "REJECTED"}
          />
        )}
      </div>
      {job.outDigest === null || known === null ? null : (
        <Verdict check={check} model={known.model} />
      )}
    </Card>
  );
}

/** The input, as the model read it. */
function Asked({ known }: { known: Known | null }) {
  if (known === null) return null;
  const { model, input } = known;
  const spec = model.face.input;
  if (input === null) return <p className="small soft">{CHECK.noInput}</p>;
  if (spec.kind === "image") {
    return (
      <figure className="asked">
        <GridPicture spec={spec} grid={input.values} label="The input's picture" />
        <figcaption className="small faint">
          {spec.width} × {spec.height}, as sent
        </figcaption>
      </figure>
    );
  }
  return (
    <figure className="asked asked-wide stack tight">
      {input.text === undefined ? null : <blockquote>{input.text}</blockquote>}
      {spec.kind === "text" ? (
        <CountStrip counts={input.values} hi={spec.hi} />
      ) : (
        <p className="mono small">{input.values.slice(0, 24).join(" ")}</p>
      )}
      <figcaption className="small faint">{input.values.length} numbers, as sent</figcaption>
    </figure>
  );
}

type AnsweredProps = {
  readonly view: JobView;
  readonly known: Known;
  readonly committed: Digest;
  readonly check: Checking;
  readonly isRejected: boolean;
};

/** The output: the operator's bytes, or this browser's own where they are the same. */
function Answered({ view, known, committed, check, isRejected }: AnsweredProps) {
  const services = useServices();
  const isPosted = view.events.some(({ name }) => name === "OutputDelivered");
  const fetched = useData(
    `output ${committed} ${isPosted}`,
    (signal) => findOutput(services, known.model, view, committed, signal),
    5000, // the operator uploads before it commits, but a gateway may lag
  );
  const checked = check.data?.status === "ready" ? check.data.value : null;
  const run = checked !== null && "run" in checked ? checked.run : null;
  const own: Tensor | null = checked?.kind === "agrees" ? (run?.output ?? null) : null;
  const output = fetched.status === "ready" ? (fetched.value ?? own) : own;
  if (output === null) {
    if (fetched.status === "loading") return <Loading lines={4} label="Fetching the answer" />;
    if (fetched.status === "error") return <ErrorBox error={fetched.error} retry={fetched.retry} />;
    return (
      <Notice tone="warn" title={OUTPUT.missing} testId="output-missing">
        <p className="small">{OUTPUT.missingHint}</p>
      </Notice>
    );
  }
  const answer = readAnswer(known.model, output, checked?.kind === "agrees" ? run : null);
  return (
    <div className="stack tight answered">
      <p className="verdict-label" data-testid="label">
        {isRejected ? <s>{answer.label}</s> : answer.label}
      </p>
      {isRejected ? <p className="small problem-text">{OUTPUT.rejected}</p> : null}
      {answer.scores === null ? null : (
        <>
          <ScoreBars
            labels={known.model.face.output.labels}
            scores={answer.scores}
            chosen={answer.index}
          />
          <p className="small faint">The network's own scores; the highest is its answer.</p>
        </>
      )}
    </div>
  );
}

function Verdict({ check, model }: { check: Checking; model: Model }) {
  const { data, ask } = check;
  if (data === null) {
    return ask === null ? null : (
      <div className="row verdict">
        <p className="small soft">{CHECK.idle}</p>
        <Button size="small" onClick={ask} data-testid="check">
          Check it here
        </Button>
      </div>
    );
  }
  return (
    <div className="verdict" data-testid="verdict" data-verdict={readVerdict(check)}>
      {data.status === "loading" ? (
        <p className="small soft row tight">
          <span className="spinner" aria-hidden="true" /> Running the network in this browser…
        </p>
      ) : data.status === "error" ? (
        <ErrorBox error={data.error} retry={data.retry} />
      ) : (
        <Finding check={data.value} model={model} />
      )}
    </div>
  );
}

function Finding({ check, model }: { check: Check; model: Model }) {
  switch (check.kind) {
    case "agrees":
      return (
        <Notice tone="good" title={CHECK.agrees}>
          <p className="small">{CHECK.agreesHint}</p>
        </Notice>
      );
    case "differs":
      return (
        <Notice tone="bad" title={CHECK.differs} isAlert>
          <p className="small">
            {OUTPUT.own(readAnswer(model, check.run.output, check.run).label)} {CHECK.differsHint}
          </p>
        </Notice>
      );
    case "no-input":
      return (
        <Notice title="Not checked here">
          <p className="small">{CHECK.noInput}</p>
        </Notice>
      );
    case "unsupported":
      return (
        <Notice title={CHECK.unsupported}>
          <p className="small">{check.why}</p>
        </Notice>
      );
  }
}

/** The verdict in a word: for the challenge's warning, and for tests. */
export function readVerdict({ data }: Checking): string {
  if (data === null) return "unasked";
  return data.status === "ready" ? data.value.kind : data.status;
}
