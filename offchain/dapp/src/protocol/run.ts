// Running a dense integer graph in the page (offchain/model/LANGUAGE.md, offchain/execute/reference): exact integers.
//
// A number of JavaScript holds integers exactly up to 2^53. Sums are proven to stay below that before they are formed
// (from the weights' magnitudes and the range of what they meet); a product that may pass it is formed as a BigInt.
import { countElements, decodeTensor } from "./digest";
import { TensorError, UnsupportedGraph } from "./errors";
import {
  type Argmax,
  type DenseGraph,
  expectDense,
  type Graph,
  getInput,
  type Linear,
  type ReluBits,
  type Requant,
} from "./graph";
import type { Tensor, TensorSpec } from "./types";

const EXACT = 2 ** 53;
const ACCUMULATOR_LIMIT = 2 ** 47;
const SATURATED_WIDTH = 16; // a wider quotient saturates to so many bits before the table
const RESULT_BITS = 32; // of an argmax
const MAX_PRODUCTS = 2e8; // some seconds of a phone's time

/** Weights by name, as the integers they are. */
export type Weights = ReadonlyMap<string, readonly number[]>;

/** Values on the way. */
interface Value {
  readonly values: readonly number[];
  readonly shape: readonly number[];
  /** Stored width; an accumulator is never stored. */
  readonly bits: number;
}

/** The output of a run, and what a person wants to see of it. */
export interface Run {
  readonly output: Tensor;
  /** The numbers that an argmax chose the greatest of, where the graph ends in one: one a class. */
  readonly scores: readonly number[] | null;
}

/** Decodes the weights' files; throws TensorError for one that is missing or of a wrong length. */
export function decodeWeights(graph: Graph, raw: ReadonlyMap<string, Uint8Array>): Weights {
  return new Map(
    graph.weights.map((spec) => {
      const bytes = raw.get(spec.name);
      if (bytes === undefined) throw new TensorError(`the weight ${spec.name} is missing`);
      return [spec.name, decodeTensor(bytes, spec.shape, spec.bits)] as const;
    }),
  );
}

/**
 * Runs the graph on one input of integers in row-major order.
 *
 * Throws UnsupportedGraph for an operator that this page does not compute or a network too large for it, TensorError
 * for an input out of range.
 */
export function recompute(graph: Graph, weights: Weights, input: readonly number[]): Run {
  const dense = expectDense(graph);
  const spec = getInput(dense);
  checkInput(spec, input);
  checkSize(dense);
  const values = new Map<string, Value>([
    [spec.name, { values: input, shape: spec.shape, bits: spec.bits }],
  ]);
  for (const op of dense.ops) values.set(op.name, apply(op, values, weights, dense));
  const { values: output, shape, bits } = read(values, dense.output);
  const last = dense.ops.find((op) => op.name === dense.output);
  const scores = last?.op === "argmax" ? read(values, last.x).values : null;
  return { output: { values: output, shape, bits }, scores };
}

function apply(
  op: DenseGraph["ops"][number],
  values: ReadonlyMap<string, Value>,
  weights: Weights,
  graph: Graph,
): Value {
  const x = read(values, op.x);
  switch (op.op) {
    case "linear":
      return applyLinear(op, x, weights, graph);
    case "requant":
      return applyRequant(op, x, weights);
    case "relubits":
      return applyRelu(op, x);
    case "argmax":
      return applyArgmax(op, x);
  }
}

function applyLinear(op: Linear, x: Value, weights: Weights, graph: Graph): Value {
  const shape = graph.weights.find((spec) => spec.name === op.w)?.shape;
  const [rows] = shape ?? [0];
  const columns = countElements(x.shape.slice(x.shape.length - op.axes));
  const kept = x.shape.slice(0, x.shape.length - op.axes);
  const w = Float64Array.from(readWeight(weights, op.w, (rows ?? 0) * columns));
  const bias = op.b === null ? null : readWeight(weights, op.b, rows ?? 0);
  checkExact(op, x, w, bias);
  const input = Float64Array.from(x.values);
  const batches = countElements(kept);
  const acc = new Array<number>(batches * (rows ?? 0));
  for (let i = 0; i < batches; i++) {
    for (let j = 0; j < (rows ?? 0); j++) {
      let sum = bias?.[j] ?? 0;
      for (let k = 0; k < columns; k++) {
        sum += (input[i * columns + k] as number) * (w[j * columns + k] as number);
      }
      if (Math.abs(sum) >= ACCUMULATOR_LIMIT) {
        throw new TensorError(`${op.name}: a sum leaves the accumulator's 2^47`);
      }
      acc[i * (rows ?? 0) + j] = sum;
    }
  }
  return { values: acc, shape: [...kept, rows ?? 0], bits: 0 };
}

/** Throws unless every partial sum is an integer below 2^53, however its terms fall. */
function checkExact(op: Linear, x: Value, w: Float64Array, bias: readonly number[] | null): void {
  const reach = x.values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const weight = w.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const offset = (bias ?? []).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const columns = countElements(x.shape.slice(x.shape.length - op.axes));
  if (columns * reach * weight + offset >= EXACT) {
    throw new UnsupportedGraph(`the sums of ${op.name} are too large for this page`);
  }
}

function applyRequant(op: Requant, x: Value, weights: Weights): Value {
  const columns = x.shape.at(-1) ?? 1;
  const scale = op.scale === null ? null : readWeight(weights, op.scale, columns);
  const keyWidth = Math.min(op.width, SATURATED_WIDTH);
  const half = 2 ** (keyWidth - 1);
  const isBuiltIn = op.table === "identity" || op.table === "relu";
  const table = isBuiltIn ? null : readWeight(weights, op.table, 2 * half);
  const values = x.values.map((acc, k) => {
    const t = quotient(acc, op.m * (scale?.[k % columns] ?? 1), op.s);
    const key = op.width > SATURATED_WIDTH ? clamp(t, -half, half - 1) : t;
    if (table === null) return clamp(op.table === "relu" ? Math.max(key, 0) : key, op.lo, op.hi);
    const y = table[key + half];
    if (y === undefined)
      throw new TensorError(`${op.name}: a quotient leaves its ${op.width} bits`);
    return y;
  });
  return { values, shape: x.shape, bits: op.bits };
}

/** (acc m + 2^(s-1)) >> s: rounds half up, floors below. */
export function quotient(acc: number, m: number, s: number): number {
  const half = 2 ** (s - 1);
  const raised = acc * m + half;
  // A product below 2^53 is exact, and so is its division by a power of two.
  if (Math.abs(acc) * m + half < EXACT) return Math.floor(raised / 2 ** s);
  return Number((BigInt(acc) * BigInt(m) + BigInt(half)) >> BigInt(s));
}

function applyRelu(_op: ReluBits, x: Value): Value {
  return { values: x.values.map((value) => Math.max(value, 0)), shape: x.shape, bits: x.bits };
}

function applyArgmax(_op: Argmax, x: Value): Value {
  return { values: [indexOfGreatest(x.values)], shape: [1], bits: RESULT_BITS };
}

/** The lowest index of the greatest element. */
export function indexOfGreatest(values: readonly number[]): number {
  return values.reduce((best, value, k) => (value > (values[best] as number) ? k : best), 0);
}

function checkInput(spec: TensorSpec, input: readonly number[]): void {
  const expected = countElements(spec.shape);
  if (input.length !== expected) {
    throw new TensorError(`the input has ${input.length} numbers, the model reads ${expected}`);
  }
  input.forEach((value, k) => {
    if (!Number.isInteger(value) || value < spec.lo || value > spec.hi) {
      throw new TensorError(
        `number ${k + 1} of the input is ${value}, outside ${spec.lo}..${spec.hi}`,
      );
    }
  });
}

function checkSize(graph: DenseGraph): void {
  const products = graph.weights.reduce((sum, spec) => sum + countElements(spec.shape), 0);
  if (products > MAX_PRODUCTS) {
    throw new UnsupportedGraph(`${products} weights are too many for this page`);
  }
}

function read(values: ReadonlyMap<string, Value>, name: string): Value {
  const value = values.get(name);
  if (value === undefined) throw new TensorError(`nothing writes ${name}`);
  return value;
}

function readWeight(weights: Weights, name: string, count: number): readonly number[] {
  const weight = weights.get(name);
  if (weight === undefined || weight.length !== count) {
    throw new TensorError(`the weight ${name} has not ${count} elements`);
  }
  return weight;
}

function clamp(value: number, lo: number, hi: number): number {
  return Math.min(Math.max(value, lo), hi);
}
