// A registered model with the files that say what it reads and answers, each held against the registration.
import {
  computeModelKey,
  decodeWeights,
  type Graph,
  getInput,
  MalformedDocument,
  type ModelBundle,
  type ModelInterface,
  readPin,
  readUri,
  type TensorSpec,
  type Version,
  type VersionId,
  verifyGraph,
  type Weights,
} from "../protocol";
import type { Services } from "./services";

export type Model = {
  readonly version: Version;
  /** Its name in the gateway's model store. */
  readonly key: string;
  readonly bundle: ModelBundle;
  /** The graph that the version registered: its bytes were hashed here. */
  readonly graph: Graph;
  readonly input: TensorSpec;
  readonly face: ModelInterface;
};

const WEIGHTS = "weights/";

const models = new Map<VersionId, Promise<Model>>();

/** A version never changes, so neither does what was found; a failure is not remembered. */
export function loadModel(services: Services, id: VersionId): Promise<Model> {
  const known = models.get(id);
  if (known !== undefined) return known;
  const loading = fetchModel(services, id);
  models.set(id, loading);
  loading.catch(() => models.delete(id));
  return loading;
}

async function fetchModel({ reader, gateway }: Services, id: VersionId): Promise<Model> {
  const version = await reader.getVersion(id);
  if (version === null) throw new MalformedDocument("this model version is not registered");
  const key = computeModelKey(version.graphHash, version.weightRoot);
  // Labels are half of an answer: where the registration names its bundle, no other one speaks for the model.
  const bundle = await gateway.getBundle(key, undefined, readPin(await readUri(reader, id)));
  const [graphBytes, face] = await Promise.all([
    gateway.getFile(key, bundle, "graph.json"),
    gateway.getInterface(key, bundle),
  ]);
  const graph = verifyGraph(graphBytes, version);
  return { version, key, bundle, graph, input: getInput(graph), face };
}

const weights = new Map<VersionId, Promise<Weights>>();

/** How many bytes the weights are: who pays for its data by the byte is asked first. */
export function countWeightBytes({ bundle }: Model): number {
  return listWeightFiles(bundle).reduce((sum, file) => sum + file.bytes, 0);
}

/** The weights, held against the root that the version registered. */
export function loadWeights({ gateway }: Services, model: Model): Promise<Weights> {
  const known = weights.get(model.version.id);
  if (known !== undefined) return known;
  const loading = fetchWeights(gateway, model);
  weights.set(model.version.id, loading);
  loading.catch(() => weights.delete(model.version.id));
  return loading;
}

async function fetchWeights(gateway: Services["gateway"], model: Model): Promise<Weights> {
  const { key, bundle, graph, version } = model;
  return decodeWeights(graph, await gateway.getWeights(key, bundle, graph, version));
}

function listWeightFiles(bundle: ModelBundle) {
  return bundle.files.filter(({ path }) => path.startsWith(WEIGHTS));
}
