// The integer graph (offchain/model/LANGUAGE.md), as far as this page computes it: dense networks.
import { MalformedDocument, UnsupportedGraph } from "./errors";
import type { TensorSpec } from "./types";

export interface WeightSpec {
  readonly name: string;
  readonly shape: readonly number[];
  readonly bits: number;
}

/** acc[..., j] = sum_k x[..., k] w[j, k] + b[j], k over the last `axes` axes. */
export interface Linear {
  readonly op: "linear";
  readonly name: string;
  readonly x: string;
  readonly w: string;
  readonly b: string | null;
  readonly axes: number;
}

/** t = (acc m_j + 2^(s-1)) >> s, y = clamp(f(t), lo, hi); a wide t saturates to 16 bits before f. */
export interface Requant {
  readonly op: "requant";
  readonly name: string;
  readonly x: string;
  readonly m: number;
  readonly s: number;
  readonly width: number;
  readonly table: string;
  readonly bits: number;
  readonly lo: number;
  readonly hi: number;
  readonly scale: string | null;
}

/** max(x, 0). */
export interface ReluBits {
  readonly op: "relubits";
  readonly name: string;
  readonly x: string;
}

/** The lowest index of the greatest element. */
export interface Argmax {
  readonly op: "argmax";
  readonly name: string;
  readonly x: string;
}

export type DenseOp = Linear | Requant | ReluBits | Argmax;

/** An operator that only its name is known of here. */
export interface OtherOp {
  readonly op: string;
  readonly name: string;
}

export interface Graph {
  readonly inputs: readonly TensorSpec[];
  readonly output: string;
  readonly weights: readonly WeightSpec[];
  readonly ops: readonly (DenseOp | OtherOp)[];
}

/** A graph whose every operator this page computes. */
export interface DenseGraph extends Graph {
  readonly ops: readonly DenseOp[];
}

const FORMAT = "zkdps-graph/2";
const MAX_BYTES = 16 * 2 ** 20; // what a page may be made to parse
const DENSE: Readonly<Record<DenseOp["op"], readonly string[]>> = {
  linear: ["name:str", "x:str", "w:str", "b:str?", "axes:int"],
  requant: [
    "name:str",
    "x:str",
    "m:int",
    "s:int",
    "width:int",
    "table:str",
    "bits:int",
    "lo:int",
    "hi:int",
    "scale:str?",
  ],
  relubits: ["name:str", "x:str"],
  argmax: ["name:str", "x:str"],
};
const TENSOR = ["name:str", "shape:ints", "bits:int", "lo:int", "hi:int"];
const WEIGHT = ["name:str", "shape:ints", "bits:int"];

/**
 * Reads a graph whose bytes hash to a registered version: who registered it, checked its rules; here only its form is
 * checked, as far as it is used. Throws MalformedDocument.
 */
export function parseGraph(raw: Uint8Array): Graph {
  if (raw.length > MAX_BYTES) throw new MalformedDocument("graph.json is too large for this page");
  const top = asObject("graph.json", parseJson(raw));
  if (top.format !== FORMAT) {
    throw new MalformedDocument(
      `graph.json is of format ${String(top.format)}, expected ${FORMAT}`,
    );
  }
  const inputs = asList("inputs", top.inputs).map((entry) => {
    checkFields("an input", entry, TENSOR);
    return entry as unknown as TensorSpec;
  });
  const weights = asList("weights", top.weights).map((entry) => {
    checkFields("a weight", entry, WEIGHT);
    return entry as unknown as WeightSpec;
  });
  const ops = asList("ops", top.ops).map((entry) => {
    checkFields("an operator", entry, ["op:str", "name:str"]);
    const op = entry as unknown as OtherOp;
    if (isDense(op)) checkFields(`the operator ${op.name}`, entry, DENSE[op.op]);
    return op;
  });
  checkFields("graph.json", top, ["output:str"]);
  return { inputs, weights, ops, output: top.output as string };
}

/** Throws UnsupportedGraph, naming the first operator that this page does not compute. */
export function expectDense(graph: Graph): DenseGraph {
  const other = graph.ops.find((op) => !isDense(op));
  if (other !== undefined) {
    throw new UnsupportedGraph(
      `this page does not compute the operator ${other.op} (${other.name}); the command line and the SDK do`,
      { operator: other.op, name: other.name },
    );
  }
  if (graph.inputs.length !== 1) {
    throw new UnsupportedGraph(
      `this page computes graphs of one input, not ${graph.inputs.length}`,
    );
  }
  return graph as DenseGraph;
}

/** The one input of a whole model. */
export function getInput(graph: Graph): TensorSpec {
  const [input] = graph.inputs;
  if (input === undefined) throw new MalformedDocument("the graph has no input");
  return input;
}

const RESULT_BITS = 32; // of an argmax

/** Shape, width and range of the output; null where an operator that this page does not compute hides it. */
export function findOutput(graph: Graph): TensorSpec | null {
  const values = new Map(graph.inputs.map((input) => [input.name, input]));
  for (const op of graph.ops) {
    const value = isDense(op) ? describeResult(op, values.get(op.x), graph) : null;
    if (value !== null) values.set(op.name, value);
  }
  return values.get(graph.output) ?? null;
}

function describeResult(op: DenseOp, x: TensorSpec | undefined, graph: Graph): TensorSpec | null {
  if (x === undefined) return null;
  const { name } = op;
  switch (op.op) {
    case "linear": {
      const rows = graph.weights.find((spec) => spec.name === op.w)?.shape[0];
      if (rows === undefined) return null;
      const kept = x.shape.slice(0, x.shape.length - op.axes);
      return { name, shape: [...kept, rows], bits: 0, lo: 0, hi: 0 };
    }
    case "requant":
      return { name, shape: x.shape, bits: op.bits, lo: op.lo, hi: op.hi };
    case "relubits":
      return { name, shape: x.shape, bits: x.bits, lo: 0, hi: Math.max(0, x.hi) };
    case "argmax":
      return { name, shape: [1], bits: RESULT_BITS, lo: 0, hi: (x.shape[0] ?? 1) - 1 };
  }
}

function isDense(op: DenseOp | OtherOp): op is DenseOp {
  return Object.hasOwn(DENSE, op.op);
}

function parseJson(raw: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(raw));
  } catch {
    throw new MalformedDocument("graph.json is no JSON");
  }
}

type Fields = Readonly<Record<string, unknown>>;

function asObject(where: string, value: unknown): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new MalformedDocument(`${where} is no object`);
  }
  return value as Fields;
}

function asList(where: string, value: unknown): Fields[] {
  if (!Array.isArray(value)) throw new MalformedDocument(`${where} is no list`);
  return value.map((entry) => asObject(`an entry of ${where}`, entry));
}

function checkFields(where: string, value: Fields, kinds: readonly string[]): void {
  for (const field of kinds) {
    const [name = "", kind] = field.split(":");
    const found = value[name];
    const fits =
      kind === "int"
        ? Number.isSafeInteger(found)
        : kind === "ints"
          ? Array.isArray(found) && found.every((size) => Number.isSafeInteger(size) && size > 0)
          : typeof found === "string" || (kind === "str?" && found === null);
    if (!fits) throw new MalformedDocument(`${where}: ${name} is not what the language says`);
  }
}
