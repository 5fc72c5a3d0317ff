// A job's input and answer: from this browser, the chain or the gateway, each held against the digest on the chain.
import { countWeightBytes, loadModel, loadWeights, type Model } from "../../app/models";
import type { Services } from "../../app/services";
import type { JobView } from "../../app/useJob";
import {
  type Digest,
  decodeTensor,
  digestJobTensor,
  indexOfGreatest,
  isEqualHex,
  type Run,
  recompute,
  findOutput as specifyOutput,
  type Tensor,
  type TensorSpec,
  UnsupportedGraph,
  verifyContent,
} from "../../protocol";
import { type KeptInput, recallInput } from "../submit/draft";

export type Known = {
  readonly model: Model;
  /** null where nobody has it. */
  readonly input: KeptInput | null;
};

/** The model of a job and its input. Throws if the model's files are not to be had or not what was registered. */
export async function loadKnown(
  services: Services,
  { terms }: JobView,
  signal: AbortSignal,
): Promise<Known | null> {
  if (terms === null) return null;
  const model = await loadModel(services, terms.version);
  return { model, input: await findInput(services, model, terms.inDigest, signal) };
}

async function findInput(
  { gateway }: Services,
  model: Model,
  digest: Digest,
  signal: AbortSignal,
): Promise<KeptInput | null> {
  const kept = recallInput(digest);
  // What a browser keeps may have been changed since: it counts like anything else that was fetched.
  if (kept !== null && isEqualHex(digestJobTensor(kept), digest)) return kept;
  const { shape, bits } = model.input;
  const raw = await gateway.getContent(digest, shape, bits, signal);
  return raw === null ? null : { values: decodeTensor(raw, shape, bits), shape, bits };
}

export type Check =
  | { readonly kind: "agrees" | "differs"; readonly run: Run }
  | { readonly kind: "no-input" }
  | { readonly kind: "unsupported"; readonly why: string };

/** Runs the model in this browser and compares with what was committed. */
export async function checkAnswer(
  services: Services,
  { model, input }: Known,
  committed: Digest,
): Promise<Check> {
  if (input === null) return { kind: "no-input" };
  const weights = await loadWeights(services, model);
  try {
    const run = recompute(model.graph, weights, input.values);
    const isEqual = isEqualHex(digestJobTensor(run.output), committed);
    return { kind: isEqual ? "agrees" : "differs", run };
  } catch (error) {
    if (error instanceof UnsupportedGraph) return { kind: "unsupported", why: error.message };
    throw error;
  }
}

const MOST_UNASKED_BYTES = 2 ** 21; // so much is fetched without asking: a picture's worth

export function isCheapToCheck(model: Model): boolean {
  return countWeightBytes(model) <= MOST_UNASKED_BYTES;
}

/** The committed output's integers; null where its bytes are not to be had. */
export async function findOutput(
  { gateway }: Services,
  model: Model,
  { events }: JobView,
  committed: Digest,
  signal: AbortSignal,
): Promise<Tensor | null> {
  const spec = describeOutput(model);
  const posted = events.find(({ name }) => name === "OutputDelivered")?.args.output;
  if (typeof posted === "string") {
    const raw = Uint8Array.from(posted.slice(2).match(/../g) ?? [], (byte) =>
      Number.parseInt(byte, 16),
    );
    verifyContent(raw, committed, spec.shape, spec.bits);
    return { ...spec, values: decodeTensor(raw, spec.shape, spec.bits) };
  }
  const raw = await gateway.getContent(committed, spec.shape, spec.bits, signal);
  return raw === null ? null : { ...spec, values: decodeTensor(raw, spec.shape, spec.bits) };
}

/** As the graph says; where this page cannot tell: a row of scores, or of one class, by the registered size. */
function describeOutput({ version, face, graph }: Model): Pick<TensorSpec, "shape" | "bits"> {
  const spec = specifyOutput(graph);
  if (spec !== null) return { shape: spec.shape, bits: spec.bits };
  const classes = face.output.labels.length;
  const columns = version.outputBytes >= classes ? classes : 1;
  return { shape: [1, columns], bits: (8 * version.outputBytes) / columns };
}

export type Answer = {
  readonly label: string;
  readonly index: number;
  /** One a class; null where the network only names the class. */
  readonly scores: readonly number[] | null;
};

/** What the output says, in the publisher's words. */
export function readAnswer(model: Model, output: Tensor, run: Run | null): Answer {
  const { labels } = model.face.output;
  const isScores = output.values.length === labels.length && labels.length > 1;
  const index = isScores ? indexOfGreatest(output.values) : (output.values[0] ?? 0);
  return {
    index,
    label: labels[index] ?? `class ${index}`,
    scores: isScores ? output.values : (run?.scores ?? null),
  };
}
