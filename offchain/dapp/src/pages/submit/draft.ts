// What somebody is about to order: kept while the page is reloaded, turned into the tensor that is sent.

import type { Model } from "../../app/models";
import { forget, recall, remember } from "../../app/storage";
import { blankGrid, type Grid, isBlank } from "../../inputs/grid";
import { parseNumbers } from "../../inputs/numbers";
import { encodeText, LETTER_PAIRS } from "../../inputs/text";
import { countElements, type Digest, type Tensor } from "../../protocol";

/** A drawing as its numbers, text and numbers as they were typed. */
export type Draft = { readonly grid: Grid } | { readonly text: string };

export function openDraft(model: Model): Draft {
  const kept = recall<Draft>(`draft.${model.version.id}`);
  const { input } = model.face;
  if (input.kind !== "image") return kept !== null && "text" in kept ? kept : { text: "" };
  const isKept =
    kept !== null && "grid" in kept && kept.grid.length === countElements(model.input.shape);
  return isKept ? kept : { grid: blankGrid(input) };
}

export function keepDraft(model: Model, draft: Draft): void {
  remember(`draft.${model.version.id}`, draft);
}

/** The tensor of a draft; null while there is nothing to send. */
export function buildTensor(model: Model, draft: Draft): Tensor | null {
  const { shape, bits } = model.input;
  const values = readValues(model, draft);
  return values === null || values.length !== countElements(shape) ? null : { values, shape, bits };
}

function readValues({ face, input }: Model, draft: Draft): readonly number[] | null {
  const spec = face.input;
  switch (spec.kind) {
    case "image":
      return "grid" in draft && !isBlank(draft.grid, spec) ? draft.grid : null;
    case "text": {
      if (!("text" in draft) || spec.encoding !== LETTER_PAIRS) return null;
      const { words, counts } = encodeText(draft.text, spec.hi);
      return words.length === 0 ? null : counts;
    }
    case "numbers": {
      if (!("text" in draft)) return null;
      const parsed = parseNumbers(draft.text, countElements(input.shape), spec.lo, spec.hi);
      return parsed.ok ? parsed.values : null;
    }
  }
}

/** An input as this browser keeps it, so that an answer can be checked though no gateway serves the input. */
export type KeptInput = Tensor & { readonly text?: string };

const MOST_KEPT = 50;
const INDEX = "inputs";

export function keepInput(digest: Digest, tensor: Tensor, draft: Draft): void {
  const kept: KeptInput = "text" in draft ? { ...tensor, text: draft.text } : tensor;
  const index = [...(recall<Digest[]>(INDEX) ?? []).filter((known) => known !== digest), digest];
  remember(INDEX, index.slice(-MOST_KEPT));
  for (const old of index.slice(0, -MOST_KEPT)) forget(`input.${old}`);
  remember(`input.${digest}`, kept);
}

export function recallInput(digest: Digest): KeptInput | null {
  return recall<KeptInput>(`input.${digest}`);
}
