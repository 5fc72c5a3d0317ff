// The model's files against the registration, in the reader's own browser.
import { useState } from "react";
import { describeError } from "../../app/errors";
import { type Services, useServices } from "../../app/services";
import { Button, Card, Notice } from "../../components/basics";
import {
  computeModelKey,
  countElements,
  MalformedDocument,
  type VersionId,
  verifyGraph,
  verifyWeights,
} from "../../protocol";
import { formatBytes, formatCount } from "./format";
import { VERIFY } from "./texts";

type Progress =
  | { readonly status: "idle" }
  | { readonly status: "running"; readonly step: string }
  | { readonly status: "good"; readonly summary: string }
  | { readonly status: "bad"; readonly error: unknown };

export function VerifyCard({ version }: { version: VersionId }) {
  const services = useServices();
  const [progress, setProgress] = useState<Progress>({ status: "idle" });
  const start = async () => {
    try {
      const onStep = (step: string) => setProgress({ status: "running", step });
      const summary = await verifyModel(services, version, onStep);
      setProgress({ status: "good", summary });
    } catch (error) {
      setProgress({ status: "bad", error });
    }
  };
  return (
    <Card title={VERIFY.title} testId="verify">
      <div className="stack">
        <p className="soft">{VERIFY.lead}</p>
        <Outcome progress={progress} />
        <div>
          <Button onClick={start} isBusy={progress.status === "running"} data-testid="verify-start">
            {progress.status === "idle" || progress.status === "running"
              ? VERIFY.start
              : VERIFY.again}
          </Button>
        </div>
      </div>
    </Card>
  );
}

function Outcome({ progress }: { progress: Progress }) {
  switch (progress.status) {
    case "idle":
      return null;
    case "running":
      return (
        <p role="status" className="small">
          {progress.step}
        </p>
      );
    case "good":
      return (
        <Notice tone="good" title={VERIFY.good} testId="verify-good">
          <p className="small">{progress.summary}</p>
        </Notice>
      );
    case "bad": {
      const { title, hint } = describeError(progress.error);
      return (
        <Notice tone="bad" title={title} isAlert testId="verify-bad">
          {hint === undefined ? null : <p className="small">{hint}</p>}
        </Notice>
      );
    }
  }
}

/** Reads the registration from the chain, fetches the files, hashes them; throws DigestMismatch for other files. */
async function verifyModel(
  { reader, gateway }: Services,
  id: VersionId,
  onStep: (step: string) => void,
): Promise<string> {
  onStep("Reading the registration from the chain…");
  const version = await reader.getVersion(id);
  if (version === null) throw new MalformedDocument("this version is not registered");
  const key = computeModelKey(version.graphHash, version.weightRoot);
  onStep("Fetching the graph…");
  const bundle = await gateway.getBundle(key);
  const graphBytes = await gateway.getFile(key, bundle, "graph.json");
  const graph = verifyGraph(graphBytes, version);
  const weights = new Map<string, Uint8Array>();
  for (const [k, { name }] of graph.weights.entries()) {
    onStep(`Fetching and hashing weights: ${k + 1} of ${graph.weights.length}…`);
    weights.set(name, await gateway.getFile(key, bundle, `weights/${name}.bin`));
  }
  verifyWeights(graph, weights, version);
  const bytes = [...weights.values()].reduce((sum, raw) => sum + raw.length, graphBytes.length);
  const count = graph.weights.reduce((sum, spec) => sum + countElements(spec.shape), 0);
  return `${graph.ops.length} operators and ${formatCount(count)} weights, ${formatBytes(bytes)} hashed here.`;
}
