import { describe, expect, test } from "vitest";
import type { Model } from "../../app/models";
import type { ModelInterface } from "../../protocol";
import { buildTensor } from "./draft";
import { readFee } from "./fee";

describe("a fee that somebody typed", () => {
  const prices = { suggested: 500n, least: 300n };

  test("is the suggestion while nothing is typed", () => {
    expect(readFee(null, prices)).toEqual({ amount: 500n, problem: null });
    expect(readFee(null, null)).toEqual({ amount: null, problem: null });
  });

  test("is refused with the reason", () => {
    expect(readFee("0", prices).problem).toMatch(/zero/);
    expect(readFee("abc", prices).problem).toMatch(/not an amount/);
    expect(readFee("0.0000000000000001", prices).problem).toMatch(/at least/);
    expect(readFee("2000000", prices).problem).toMatch(/more than/);
    expect(readFee("0.5", prices)).toEqual({ amount: 5n * 10n ** 17n, problem: null });
  });
});

describe("a draft", () => {
  const make = (input: ModelInterface["input"], shape: number[]) =>
    ({ face: { input }, input: { shape, bits: 8, lo: 0, hi: 16, name: "x" } }) as unknown as Model;
  const image = make({ kind: "image", height: 2, width: 2, lo: 0, hi: 16 }, [1, 4]);
  const text = make(
    { kind: "text", encoding: "letter-pairs-1", length: 256, lo: 0, hi: 7, examples: [] },
    [1, 256],
  );
  const numbers = make({ kind: "numbers", shape: [1, 3], lo: -5, hi: 5 }, [1, 3]);

  test("of a picture is sent cell by cell", () => {
    expect(buildTensor(image, { grid: [0, 16, 3, 0] })).toEqual({
      values: [0, 16, 3, 0],
      shape: [1, 4],
      bits: 8,
    });
  });

  test("of nothing is not sent", () => {
    expect(buildTensor(image, { grid: [0, 0, 0, 0] })).toBeNull();
    expect(buildTensor(text, { text: " 12 " })).toBeNull();
    expect(buildTensor(numbers, { text: "1 2" })).toBeNull();
  });

  test("of another kind or size than the model's is not sent", () => {
    expect(buildTensor(image, { text: "1 2 3 4" })).toBeNull();
    expect(buildTensor(image, { grid: [1, 2, 3] })).toBeNull();
  });

  test("of an encoding that this page does not know is not sent", () => {
    const odd = make(
      { kind: "text", encoding: "words-9", length: 256, lo: 0, hi: 7, examples: [] },
      [1, 256],
    );
    expect(buildTensor(odd, { text: "hello" })).toBeNull();
  });

  test("of text and numbers is their encoding", () => {
    expect(buildTensor(text, { text: "hello" })?.values).toHaveLength(256);
    expect(buildTensor(numbers, { text: "1, -2, 3" })?.values).toEqual([1, -2, 3]);
  });
});
