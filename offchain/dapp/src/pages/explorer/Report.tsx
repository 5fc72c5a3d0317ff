// report.json of a published model: how well the integer network follows the one it came from.
import { Card, Fact, Facts, Pill } from "../../components/basics";
import { formatBytes, formatCount, formatShare } from "./format";
import { REPORT } from "./texts";

type Json = Readonly<Record<string, unknown>>;

export function ReportCard({ report }: { report: Json | null }) {
  if (report === null) {
    return (
      <Card title={REPORT.title} testId="report">
        <p className="soft">{REPORT.none}</p>
      </Card>
    );
  }
  const size = toObject(report.size);
  const sets = Object.entries(toObject(report.sets));
  return (
    <Card title={REPORT.title} testId="report">
      <div className="stack loose">
        <p className="soft">{REPORT.lead}</p>
        {sets.map(([name, set]) => (
          <SetFigures key={name} name={name} set={toObject(set)} />
        ))}
        <Size size={size} />
      </div>
    </Card>
  );
}

function SetFigures({ name, set }: { name: string; set: Json }) {
  const saturated = Array.isArray(set.tooSaturated) ? set.tooSaturated.map(String) : [];
  return (
    <section className="stack tight">
      <h3>{REPORT.sets[name] ?? name}</h3>
      <Facts>
        <Fact name={REPORT.rows}>{formatNumber(set.rows)}</Fact>
        <Fact name={REPORT.agreement}>
          <Share value={set.agreement} />
        </Fact>
        <Fact name={REPORT.floatAccuracy}>
          <Share value={set.floatAccuracy} />
        </Fact>
        <Fact name={REPORT.integerAccuracy}>
          <Share value={set.integerAccuracy} />
        </Fact>
        <Fact name={REPORT.cosine}>{formatFigure(set.cosine, 5)}</Fact>
        <Fact name={REPORT.maxError}>{formatFigure(set.maxError, 3)}</Fact>
        {saturated.length === 0 ? null : (
          <Fact name="Cut off too often">
            <Pill tone="warn">{saturated.join(", ")}</Pill>
          </Fact>
        )}
      </Facts>
    </section>
  );
}

/** A share as a number, and as a bar for the eye. */
function Share({ value }: { value: unknown }) {
  const width = typeof value === "number" ? `${100 * Math.max(0, Math.min(1, value))}%` : "0";
  return (
    <span className="share">
      <span className="share-bar" aria-hidden="true">
        <span style={{ width }} />
      </span>
      {formatShare(value)}
    </span>
  );
}

function Size({ size }: { size: Json }) {
  const operators = Object.entries(toObject(size.operators))
    .map(([kind, count]) => `${count} × ${kind}`)
    .join(", ");
  return (
    <section className="stack tight">
      <h3>Size</h3>
      <Facts>
        <Fact name="Weights">{formatNumber(size.weights)}</Fact>
        <Fact name="Bytes">{typeof size.bytes === "number" ? formatBytes(size.bytes) : "–"}</Fact>
        <Fact name="Operators">{operators === "" ? "–" : operators}</Fact>
        <Fact name="Rows of tables">{formatNumber(size.tableRows)}</Fact>
      </Facts>
    </section>
  );
}

function toObject(value: unknown): Json {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Json)
    : {};
}

function formatNumber(value: unknown): string {
  return typeof value === "number" ? formatCount(value) : "–";
}

function formatFigure(value: unknown, digits: number): string {
  return typeof value === "number" ? value.toFixed(digits) : "–";
}
