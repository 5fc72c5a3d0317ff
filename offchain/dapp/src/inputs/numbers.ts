// Numbers as somebody types or pastes them: separated by spaces, commas or new lines, brackets of JSON ignored.

export type ParsedNumbers =
  | { readonly ok: true; readonly values: readonly number[] }
  | { readonly ok: false; readonly problem: string };

/** Exactly `count` integers in lo..hi; otherwise what is wrong, for the one who typed. */
export function parseNumbers(text: string, count: number, lo: number, hi: number): ParsedNumbers {
  const words = text.split(/[\s,;[\]]+/).filter(Boolean);
  for (const [k, word] of words.entries()) {
    const place = `number ${k + 1}, “${word.slice(0, 20)}”,`;
    if (!/^[+-]?\d+$/.test(word)) return { ok: false, problem: `${place} is no whole number` };
    const value = Number(word);
    if (value < lo || value > hi) {
      return { ok: false, problem: `${place} is not between ${lo} and ${hi}` };
    }
  }
  if (words.length !== count) {
    return { ok: false, problem: `${words.length} of ${count} numbers` };
  }
  return { ok: true, values: words.map(Number) };
}
