// Text as a model's input: the encoding "letter-pairs-1", counts of letters and of their pairs. The same rules in
// Python, with their reasons: offchain/model/text_encoding.py; both are held to tests/vectors/text_encoding.json.

export const LETTER_PAIRS = "letter-pairs-1";

const LETTERS = 64;
const PAIRS = 192;
const FNV_OFFSET = 2166136261;
const FNV_PRIME = 16777619;
const FOLD = 15;
const EDGE = 0x20;
const KATAKANA_TO_HIRAGANA = 0x60;

/** What became of a text: its words as the model sees them, and the counts that are sent. */
export type EncodedText = { readonly words: readonly string[]; readonly counts: readonly number[] };

/** Counts of a text's letters and pairs, each in 0..hi, 256 in all. */
export function encodeText(text: string, hi: number): EncodedText {
  const counts = Array<number>(LETTERS + PAIRS).fill(0);
  const count = (bucket: number) => {
    counts[bucket] = Math.min(hi, (counts[bucket] ?? 0) + 1);
  };
  const words = splitWords(text);
  for (const word of words) {
    for (const letter of word) count(hashWindow([letter]) % LETTERS);
    const framed = [EDGE, ...word, EDGE];
    for (let k = 0; k + 1 < framed.length; k++) {
      count(LETTERS + (hashWindow(framed.slice(k, k + 2)) % PAIRS));
    }
  }
  return { words: words.map((word) => String.fromCodePoint(...word)), counts };
}

/** The words of a text as code points of letters; none is empty. */
function splitWords(text: string): number[][] {
  const words: number[][] = [[]];
  for (const character of text.normalize("NFKD")) {
    const point = character.codePointAt(0) ?? 0;
    const letter = foldLetter(point);
    if (letter !== null) words.at(-1)?.push(letter);
    else if (!isDropped(point)) words.push([]);
  }
  return words.filter((word) => word.length > 0);
}

function hashWindow(window: readonly number[]): number {
  let digest = FNV_OFFSET;
  for (const point of window) {
    for (const byte of [point & 0xff, point >> 8]) {
      digest = Math.imul(digest ^ byte, FNV_PRIME) >>> 0;
    }
  }
  return (digest ^ (digest >>> FOLD)) >>> 0;
}

function foldLetter(point: number): number | null {
  if (point >= 0x41 && point <= 0x5a) return point + 0x20;
  if (point >= 0x30a1 && point <= 0x30f6) return point - KATAKANA_TO_HIRAGANA;
  const isLetter =
    (point >= 0x61 && point <= 0x7a) ||
    (point >= 0x1100 && point <= 0x11ff) ||
    (point >= 0x3041 && point <= 0x3096) ||
    point === 0x3099 ||
    point === 0x309a;
  return isLetter ? point : null;
}

function isDropped(point: number): boolean {
  return point >= 0x0300 && point <= 0x036f;
}
