// One version: what is registered, what its publisher measured, and whether the files are what was registered.
import { useServices } from "../../app/services";
import { useData } from "../../app/useData";
import { Async, Card, Fact, Facts, Hex } from "../../components/basics";
import {
  type BundleFile,
  formatBps,
  type ModelInterface,
  type VersionAnswer,
  type VersionId,
} from "../../protocol";
import { countStates, formatBytes, formatCount, toQuery } from "./format";
import { useIndex } from "./live";
import { nameVersion } from "./ModelsPage";
import { AccountLink, AsOfLabel, ExplorerFrame, When } from "./parts";
import { ReportCard } from "./Report";
import { VerifyCard } from "./VerifyCard";

export function ModelPage({ id }: { id: VersionId }) {
  const data = useIndex<VersionAnswer>(`/versions/${id}`);
  const name = data.status === "ready" ? nameVersion(data.value) : "Model";
  const lead =
    data.status === "ready" && data.value.interface !== null
      ? data.value.interface.description
      : "A registered version: graph, weights and verifier, tied together for ever.";
  return (
    <ExplorerFrame section="models" title={name} lead={lead}>
      <Async data={data} lines={8}>
        {(version) => (
          <>
            <div className="columns">
              <div className="stack loose">
                <VerifyCard version={version.id} />
                <ReportCard report={version.report} />
                <Files modelKey={version.modelKey} />
              </div>
              <div className="stack loose">
                <Use version={version} />
                <Registration version={version} />
                {version.interface === null ? null : <Face face={version.interface} />}
              </div>
            </div>
            <AsOfLabel asOf={version.asOf} />
          </>
        )}
      </Async>
    </ExplorerFrame>
  );
}

function Use({ version }: { version: VersionAnswer }) {
  const { jobs, disputes } = version;
  return (
    <Card title="In use" testId="model-use">
      <Facts>
        <Fact name="Jobs">
          <a href={`#/jobs${toQuery({ version: version.id })}`}>{formatCount(countStates(jobs))}</a>
        </Fact>
        <Fact name="Final or proven">{formatCount(countStates(jobs, "final", "proven"))}</Fact>
        <Fact name="Rejected answers">{formatCount(countStates(jobs, "rejected"))}</Fact>
        <Fact name="Disputes">{formatCount(countStates(disputes))}</Fact>
        <Fact name="Results in batches">{formatCount(version.batchResults)}</Fact>
        <Fact name="Royalty of each fee">{formatBps(version.royaltyBps)}</Fact>
      </Facts>
      <p className="card-foot">
        <a className="button button-primary" href={`#/submit?version=${version.id}`}>
          Order an inference
        </a>
      </p>
    </Card>
  );
}

function Registration({ version }: { version: VersionAnswer }) {
  return (
    <Card title="Registered" testId="model-registration">
      <Facts>
        <Fact name="Version">
          <Hex value={version.id} label="the version's id" />
        </Fact>
        <Fact name="Number">{version.number}</Fact>
        <Fact name="Owner">
          <AccountLink address={version.owner} />
        </Fact>
        <Fact name="When">
          <When seconds={version.registeredAt} />
        </Fact>
        <Fact name="Adjudicator">
          <Hex value={version.adjudicator} label="the adjudicator's address" />
        </Fact>
        <Fact name="Graph">
          <Hex value={version.graphHash} label="the graph's hash" />
        </Fact>
        <Fact name="Weights">
          <Hex value={version.weightRoot} label="the weights' root" />
        </Fact>
        <Fact name="Program">
          <Hex value={version.programHash} label="the program's hash" />
        </Fact>
        <Fact name="Reference string">
          <Hex value={version.srsId} label="the reference string's id" />
        </Fact>
        <Fact name="Operators of the graph">{version.opCount}</Fact>
        <Fact name="A proof takes">
          {version.proveSeconds} s, {formatCount(Number(version.proofGas))} gas
        </Fact>
        <Fact name="An output has">{formatBytes(version.outputBytes)}</Fact>
      </Facts>
    </Card>
  );
}

function Face({ face }: { face: ModelInterface }) {
  return (
    <Card title="What it reads and answers">
      <Facts>
        <Fact name="Input">{describeInput(face.input)}</Fact>
        <Fact name="Answers">{face.output.labels.join(", ")}</Fact>
      </Facts>
    </Card>
  );
}

function describeInput(input: ModelInterface["input"]): string {
  switch (input.kind) {
    case "image":
      return `a picture of ${input.width} × ${input.height} cells, each ${input.lo} to ${input.hi}`;
    case "text":
      return `text, as ${input.length} counts (${input.encoding})`;
    case "numbers":
      return `${input.shape.join(" × ")} integers, each ${input.lo} to ${input.hi}`;
  }
}

function Files({ modelKey }: { modelKey: string }) {
  const { gateway } = useServices();
  const data = useData(`bundle ${modelKey}`, (signal) => gateway.getBundle(modelKey, signal));
  return (
    <Card title="Files" testId="model-files">
      <Async data={data}>{({ files }) => <FileTable files={files} modelKey={modelKey} />}</Async>
    </Card>
  );
}

function FileTable({ files, modelKey }: { files: readonly BundleFile[]; modelKey: string }) {
  const { gateway } = useServices();
  return (
    <table className="table">
      <thead>
        <tr>
          <th scope="col">File</th>
          <th scope="col" className="number">
            Size
          </th>
          <th scope="col">sha256</th>
        </tr>
      </thead>
      <tbody>
        {files.map((file) => (
          <tr key={file.path}>
            <td data-label="File">
              <a href={`${gateway.url}/models/${modelKey}/files/${file.path}`} download>
                {file.path}
              </a>
            </td>
            <td data-label="Size" className="number">
              {formatBytes(file.bytes)}
            </td>
            <td data-label="sha256">
              <Hex value={file.sha256} label="the file's sha256" />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
