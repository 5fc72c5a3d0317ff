// What the page computes for itself equals what the Python package and the contracts compute.
import { describe, expect, test } from "vitest";
import { computeLeaf, computePath, computeRoot, unpackItems, verifyInclusion } from "./batches";
import { bytesToHex, hexToBytes } from "./bytes";
import { decodeTensor, digestBytes, digestJobBytes, encodeTensor, weightRoot } from "./digest";
import { UnsupportedGraph } from "./errors";
import { expectDense, findOutput, getInput, parseGraph } from "./graph";
import {
  buildRequestTerms,
  computeBatchId,
  computeJobId,
  computeSessionId,
  verifyTerms,
} from "./ids";
import { hashParameters, parseParameters } from "./parameters";
import {
  computeBond,
  computeDeliveryPayment,
  computeGasPrice,
  computeLock,
  computeProofFee,
  computeProveSeconds,
} from "./pricing";
import { decodeWeights, recompute } from "./run";
import { computeBondSplit, computeJobSplit, computeSlashSplit } from "./settlement";
import { hashOrder, hashRequest, hashResult } from "./typedData";
import { ETH } from "./types";
import { toDecimals, VECTORS } from "./vectors";
import { verifyContent, verifyGraph, verifyWeights } from "./verify";

describe("digests", () => {
  test.each(VECTORS.digests)("$bits bits of shape $shape", (vector) => {
    const { bits, shape, bytes, ends, digest, jobDigest } = vector;
    const raw = hexToBytes(bytes);
    const values = decodeTensor(raw, shape, bits);
    expect([values[0], values.at(-1)]).toEqual(
      shape[0] === 1 && shape.length === 1 ? [ends[1], ends[1]] : ends,
    );
    expect(bytesToHex(encodeTensor({ values, shape, bits }))).toBe(bytes);
    expect(digestBytes(raw, shape, bits)).toBe(digest);
    expect(digestJobBytes(raw, shape, bits)).toBe(jobDigest);
  });

  test("roots of weights", () => {
    for (const { digests, root } of VECTORS.weightRoots) expect(weightRoot(digests)).toBe(root);
  });
});

describe("ids", () => {
  test.each(VECTORS.jobs)("a job on chain $chainId", ({ chainId, market, terms, id }) => {
    const read = { ...terms, fee: BigInt(terms.fee), salt: BigInt(terms.salt) };
    expect(computeJobId(chainId, market, read)).toBe(id);
    expect(() => verifyTerms(id, chainId, market, read)).not.toThrow();
    const dearer = { ...read, fee: read.fee + 1n };
    expect(() => verifyTerms(id, chainId, market, dearer)).toThrow("not those of this job");
  });

  test.each(VECTORS.sessions)("a session with $batch.items.length results", (vector) => {
    const { chainId, contract, market, batch } = vector;
    const terms = {
      ...vector.terms,
      fee: BigInt(vector.terms.fee),
      salt: BigInt(vector.terms.salt),
    };
    expect(computeSessionId(chainId, contract, terms)).toBe(vector.id);
    expect(computeBatchId(vector.id, batch.root)).toBe(batch.id);
    const leaves = unpackItems(batch.packed).map((item, k) => {
      const expected = batch.items[k];
      const job = buildRequestTerms(vector.id, terms, item.nonce, item.inDigest);
      expect(job.salt).toBe(BigInt(expected?.salt ?? 0));
      expect(computeJobId(chainId, market, job)).toBe(expected?.jobId);
      return computeLeaf(computeJobId(chainId, market, job), item.outDigest);
    });
    expect(leaves.map((leaf) => bytesToHex(leaf))).toEqual(batch.items.map(({ leaf }) => leaf));
    expect(computeRoot(leaves)).toBe(batch.root);
    leaves.forEach((leaf, k) => {
      const path = computePath(leaves, k);
      expect(path).toEqual(batch.paths[k]);
      expect(() => verifyInclusion(leaf, k, path, batch.root)).not.toThrow();
      expect(() => verifyInclusion(leaf, k + 1, path, batch.root)).toThrow("not in this batch");
    });
  });

  test("typed data", () => {
    const { chainId, contract, result, request, order } = VECTORS.typedData;
    const domain = { chainId, contract };
    expect(hashResult(domain, result.jobId, result.outDigest)).toBe(result.hash);
    expect(hashRequest(domain, request)).toBe(request.hash);
    const { minFee, maxFee, salt } = order;
    const read = { ...order, minFee: BigInt(minFee), maxFee: BigInt(maxFee), salt: BigInt(salt) };
    expect(hashOrder(domain, read)).toBe(order.hash);
  });
});

describe("money", () => {
  test.each(VECTORS.parameters)("the hash of the preset $name", ({ parameters, hash }) => {
    expect(hashParameters(parseParameters(parameters))).toBe(hash);
  });

  test("prices", () => {
    const local = VECTORS.parameters.find(({ name }) => name === "local");
    const parameters = parseParameters(local?.parameters);
    for (const vector of VECTORS.prices) {
      const gasPrice = computeGasPrice(parameters, ETH, BigInt(vector.baseFee));
      const version = { proveSeconds: vector.proveSeconds, proofGas: BigInt(vector.proofGas) };
      expect(gasPrice).toBe(BigInt(vector.gasPrice));
      expect(computeLock(parameters, BigInt(vector.fee), gasPrice)).toBe(BigInt(vector.lock));
      expect(computeBond(parameters, version, gasPrice)).toBe(BigInt(vector.bond));
      expect(computeProofFee(parameters, version, gasPrice)).toBe(BigInt(vector.proofFee));
      expect(computeDeliveryPayment(vector.outputBytes, gasPrice)).toBe(BigInt(vector.delivery));
      expect(computeProveSeconds(parameters, vector.proveSeconds, vector.openChallenges)).toBe(
        vector.proveBy,
      );
    }
  });

  test.each(VECTORS.settlements)("where the money of a $exit job goes", ({ exit, dues, split }) => {
    const read = {
      fee: BigInt(dues.fee),
      delivery: BigInt(dues.delivery),
      lock: BigInt(dues.lock),
      fine: BigInt(dues.fine),
      isDelivered: dues.isDelivered,
      hasKeeper: dues.hasKeeper,
      royaltyBps: Number(dues.royaltyBps),
      protocolFeeBps: Number(dues.protocolFeeBps),
      keeperTipBps: Number(dues.keeperTipBps),
    };
    expect(toDecimals(computeJobSplit(exit, read))).toEqual(split);
  });

  test("where slashed locks and bonds go", () => {
    for (const vector of VECTORS.slashes) {
      const { lock, isCured, hasChallengers, bonds, isProven } = vector;
      const slash = computeSlashSplit(BigInt(lock), isCured, hasChallengers);
      expect(toDecimals(slash)).toEqual(vector.slash);
      expect(toDecimals(computeBondSplit(BigInt(bonds), isProven))).toEqual(vector.bondSplit);
    }
  });
});

describe("models", () => {
  test.each(VECTORS.models)("$name: the files and every run", (vector) => {
    const raw = new Map(Object.entries(vector.weights).map(([k, hex]) => [k, hexToBytes(hex)]));
    const graph = verifyGraph(hexToBytes(vector.graph), vector);
    verifyWeights(graph, raw, vector);
    const weights = decodeWeights(graph, raw);
    const { shape, bits } = getInput(graph);
    const spec = findOutput(graph);
    expect([spec?.shape, spec?.bits]).toEqual([vector.outputShape, vector.outputBits]);
    for (const run of vector.runs) {
      const input = hexToBytes(run.input);
      verifyContent(input, run.inDigest, shape, bits);
      const { output } = recompute(graph, weights, decodeTensor(input, shape, bits));
      expect(output.values).toEqual(run.output);
      expect([output.shape, output.bits]).toEqual([vector.outputShape, vector.outputBits]);
      expect(digestJobBytes(encodeTensor(output), output.shape, output.bits)).toBe(run.outDigest);
    }
  });

  test("a changed weight is noticed", () => {
    const [vector] = VECTORS.models;
    if (vector === undefined) throw new Error("no vectors");
    const raw = new Map(Object.entries(vector.weights).map(([k, hex]) => [k, hexToBytes(hex)]));
    const graph = verifyGraph(hexToBytes(vector.graph), vector);
    const [first] = raw.values();
    if (first !== undefined) first[0] = (first[0] ?? 0) ^ 1;
    expect(() => verifyWeights(graph, raw, vector)).toThrow(
      "not those that the version registered",
    );
  });

  test.each(VECTORS.refused)("a graph with $operator is refused by name", (vector) => {
    const graph = parseGraph(hexToBytes(vector.graph));
    try {
      expectDense(graph);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(UnsupportedGraph);
      expect((error as UnsupportedGraph).facts).toEqual({
        operator: vector.operator,
        name: vector.name,
      });
    }
  });
});
