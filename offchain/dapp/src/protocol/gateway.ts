// The gateway: storage by digest, lists and indices. Its bytes are checked here; its lists are labelled by their block.
import { getAddress, isAddress } from "viem";
import { isEqualHex } from "./bytes";
import { digestJobTensor, encodeTensor } from "./digest";
import { DigestMismatch, type Facts, GatewayError, MalformedDocument, Unreachable } from "./errors";
import type { IndexChange, JobQuery, Page, Receipt, StoredTensor } from "./gatewayTypes";
import type { Graph } from "./graph";
import { parseParameters } from "./parameters";
import {
  type Address,
  type Contracts,
  type Deployment,
  type Digest,
  ETH,
  type Hex,
  type JobId,
  type ModelBundle,
  type ModelInterface,
  type Tensor,
  type Version,
} from "./types";
import { verifyBundle, verifyContent, verifyFile, verifyWeights } from "./verify";

const TIMEOUT_MS = 20_000;
const MAX_FILE_BYTES = 64 * 2 ** 20; // of one file that a page holds in memory

export type Fetch = typeof fetch;

export class GatewayClient {
  /** @param url Base address, without a slash at its end. */
  constructor(
    readonly url: string,
    private readonly send: Fetch = (...args) => fetch(...args),
  ) {}

  /* DEPLOYMENT */

  /** The deployment that the gateway serves; hold it against the chain with `ChainReader.verifyDeployment`. */
  async getDeployment(signal?: AbortSignal): Promise<Deployment> {
    return parseDeployment(await this.getJson("/config", signal));
  }

  /* CONTENT */

  /** Stores a tensor and returns its digest, computed here. Throws DigestMismatch if the gateway says another. */
  async putTensor(tensor: Tensor): Promise<Digest> {
    const digest = digestJobTensor(tensor);
    const query = `bits=${tensor.bits}&shape=${tensor.shape.join(",")}`;
    const answer = await this.fetch(`/content/${digest}?${query}`, {
      method: "PUT",
      headers: { "content-type": "application/octet-stream" },
      body: encodeTensor(tensor) as BufferSource,
    });
    const stored = (await readJson(answer)) as StoredTensor | null;
    if (stored?.digest !== undefined && !isEqualHex(stored.digest, digest)) {
      throw new DigestMismatch("the gateway stored something else than what was sent", {
        expected: digest,
        found: stored.digest,
      });
    }
    return digest;
  }

  /** The bytes of a tensor, checked; null if the gateway does not have them. */
  async getContent(
    digest: Digest,
    shape: readonly number[],
    bits: number,
    signal?: AbortSignal,
  ): Promise<Uint8Array | null> {
    const raw = await this.getBytes(`/content/${digest}`, signal);
    if (raw !== null) verifyContent(raw, digest, shape, bits);
    return raw;
  }

  /** Signed results of a job; whoever uses one checks the signature. */
  async getReceipts(jobId: JobId, signal?: AbortSignal): Promise<readonly Receipt[]> {
    const answer = (await this.getJson(`/receipts/${jobId}`, signal)) as {
      items?: readonly Receipt[];
    };
    return answer.items ?? [];
  }

  /* MODELS */

  /** bundle.json of a model's key. With `pinned`, a SHA-256, throws DigestMismatch for any other bundle. */
  async getBundle(
    key: string,
    signal?: AbortSignal,
    pinned: Hex | null = null,
  ): Promise<ModelBundle> {
    const answer = await this.fetch(
      `/models/${key}/bundle.json`,
      signal === undefined ? {} : { signal },
    );
    const raw = new Uint8Array(await answer.arrayBuffer());
    if (pinned !== null) verifyBundle(raw, pinned);
    const bundle = parseJson(new TextDecoder().decode(raw)) as ModelBundle;
    if (bundle?.format !== "zkdps-bundle/1" || !Array.isArray(bundle.files)) {
      throw new MalformedDocument("bundle.json is not of format zkdps-bundle/1");
    }
    return bundle;
  }

  /** One file of a bundle, checked against the bundle. */
  async getFile(
    key: string,
    bundle: ModelBundle,
    path: string,
    signal?: AbortSignal,
  ): Promise<Uint8Array> {
    const listed = bundle.files.find((file) => file.path === path);
    if (listed === undefined) throw new MalformedDocument(`the bundle lists no ${path}`);
    if (listed.bytes > MAX_FILE_BYTES) {
      throw new MalformedDocument(`${path} is too large for this page: ${listed.bytes} bytes`);
    }
    const escaped = path.split("/").map(encodeURIComponent).join("/");
    const raw = await this.getBytes(`/models/${key}/files/${escaped}`, signal);
    if (raw === null) throw new GatewayError("Unknown", `the gateway has no ${path}`, 404);
    verifyFile(raw, listed);
    return raw;
  }

  /** All weights of a graph by name, checked against the version's root. */
  async getWeights(
    key: string,
    bundle: ModelBundle,
    graph: Graph,
    version: Pick<Version, "weightRoot">,
    signal?: AbortSignal,
  ): Promise<ReadonlyMap<string, Uint8Array>> {
    const loaded = await Promise.all(
      graph.weights.map(async ({ name }) => {
        const raw = await this.getFile(key, bundle, `weights/${name}.bin`, signal);
        return [name, raw] as const;
      }),
    );
    const weights = new Map(loaded);
    verifyWeights(graph, weights, version);
    return weights;
  }

  /** interface.json of a model: how its input is asked for. */
  async getInterface(
    key: string,
    bundle: ModelBundle,
    signal?: AbortSignal,
  ): Promise<ModelInterface> {
    const raw = await this.getFile(key, bundle, "interface.json", signal);
    const read = JSON.parse(new TextDecoder().decode(raw)) as ModelInterface;
    if (read.format !== "zkdps-interface/1") {
      throw new MalformedDocument("interface.json is not of format zkdps-interface/1");
    }
    return read;
  }

  /* LISTS */

  /** Any list or record of the index, as JSON; pages name the path and the type. */
  async get<T>(path: string, signal?: AbortSignal): Promise<T> {
    return (await this.getJson(path, signal)) as T;
  }

  /** One page of jobs, newest first. */
  async listJobs<T>(query: JobQuery, signal?: AbortSignal): Promise<Page<T>> {
    const entries = Object.entries(query).filter(([, value]) => value !== undefined);
    const search = new URLSearchParams(entries.map(([name, value]) => [name, String(value)]));
    return (await this.getJson(`/jobs?${search}`, signal)) as Page<T>;
  }

  /** Calls back with each change of the index; returns what ends it. `onDown` says that polling has to do. */
  listen(
    onChange: (change: IndexChange) => void,
    onDown: () => void = () => undefined,
    jobId?: JobId,
  ): () => void {
    const source = new EventSource(
      `${this.url}/events${jobId === undefined ? "" : `?job=${jobId}`}`,
    );
    source.onmessage = ({ data }) => {
      try {
        onChange(JSON.parse(String(data)) as IndexChange);
      } catch {
        onDown(); // not ours: a proxy's page, perhaps
      }
    };
    source.onerror = onDown;
    return () => source.close();
  }

  /* REQUESTS */

  private async getJson(path: string, signal?: AbortSignal): Promise<unknown> {
    return readJson(await this.fetch(path, signal === undefined ? {} : { signal }));
  }

  private async getBytes(path: string, signal?: AbortSignal): Promise<Uint8Array | null> {
    try {
      const answer = await this.fetch(path, signal === undefined ? {} : { signal });
      return new Uint8Array(await answer.arrayBuffer());
    } catch (cause) {
      if (cause instanceof GatewayError && cause.status === 404) return null;
      throw cause;
    }
  }

  /** Sends one request; throws GatewayError for an error answer, Unreachable where none came. */
  async fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const timeout = AbortSignal.timeout(TIMEOUT_MS);
    const signal = init.signal ? AbortSignal.any([init.signal, timeout]) : timeout;
    let answer: Response;
    try {
      answer = await this.send(`${this.url}${path}`, { ...init, signal });
    } catch (cause) {
      if (init.signal?.aborted) throw cause;
      throw new Unreachable(`the gateway at ${this.url} does not answer`);
    }
    if (!answer.ok) throw await readError(answer);
    return answer;
  }
}

async function readJson(answer: Response): Promise<unknown> {
  return parseJson(await answer.text());
}

function parseJson(text: string): unknown {
  if (text === "") return null;
  try {
    return JSON.parse(text);
  } catch {
    throw new MalformedDocument("the gateway's answer is no JSON");
  }
}

async function readError(answer: Response): Promise<GatewayError> {
  try {
    const { error, message, facts } = (await answer.json()) as {
      error: string;
      message: string;
      facts?: Facts;
    };
    return new GatewayError(error, message, answer.status, facts);
  } catch {
    return new GatewayError("Refused", `the gateway answered ${answer.status}`, answer.status);
  }
}

const REQUIRED = ["StakeVault", "ModelRegistry", "JobMarket", "DisputeGame"] as const;

/** Reads GET /config; throws MalformedDocument. */
export function parseDeployment(raw: unknown): Deployment {
  if (typeof raw !== "object" || raw === null) throw new MalformedDocument("/config is no object");
  const read = raw as Record<string, unknown>;
  const named = (read.contracts ?? {}) as Record<string, unknown>;
  const contracts = Object.fromEntries(
    Object.entries(named).map(([name, address]) => [name, parseAddress(name, address)]),
  );
  const missing = REQUIRED.filter((name) => contracts[name] === undefined);
  if (missing.length > 0) throw new MalformedDocument(`/config names no ${missing.join(", ")}`);
  const token = read.token === null || read.token === undefined ? ETH : read.token;
  const chainId = Number(read.chainId);
  if (!Number.isSafeInteger(chainId)) throw new MalformedDocument("/config names no chain");
  return {
    chainId,
    contracts: contracts as unknown as Contracts,
    token: token === ETH ? null : parseAddress("token", token),
    preset: String(read.preset),
    parameters: parseParameters(read.parameters),
    firstBlock: BigInt(read.firstBlock as number | string),
    srsInsecure: read.srsInsecure !== false, // who does not say that it is secure is not believed
  };
}

function parseAddress(name: string, raw: unknown): Address {
  if (typeof raw !== "string" || !isAddress(raw, { strict: false })) {
    throw new MalformedDocument(`/config: ${name} is no address`);
  }
  return getAddress(raw);
}
