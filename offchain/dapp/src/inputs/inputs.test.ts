import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  blankGrid,
  centreGrid,
  drawStroke,
  drawStrokes,
  fitImage,
  fitStrokes,
  type GridSpec,
  guessDarkInk,
  isBlank,
  isSmall,
  setCell,
  shiftGrid,
  toGrey,
} from "./grid";
import { parseNumbers } from "./numbers";
import { encodeText } from "./text";

const DIGIT: GridSpec = { height: 8, width: 8, lo: 0, hi: 16 };

/** A picture of `size` pixels, white but for a dark box. */
function paint(size: number, box: (x: number, y: number) => boolean, isDark = true) {
  const rgba = new Uint8ClampedArray(4 * size * size);
  for (let k = 0; k < size * size; k++) {
    const isInk = box(k % size, Math.floor(k / size));
    rgba.set([...Array<number>(3).fill(isInk === isDark ? 0 : 255), 255], 4 * k);
  }
  return toGrey(rgba, size, size);
}

describe("a grid", () => {
  test("starts as paper", () => {
    expect(blankGrid(DIGIT)).toEqual(Array(64).fill(0));
    expect(isBlank(blankGrid(DIGIT), DIGIT)).toBe(true);
  });

  test("takes full ink under a stroke, none far from it, and stays in its range", () => {
    const grid = drawStroke(blankGrid(DIGIT), DIGIT, { x: 3.5, y: 0.5 }, { x: 3.5, y: 7.5 });
    for (let y = 0; y < 8; y++) {
      expect(grid[8 * y + 3]).toBe(16);
      expect(grid[8 * y + 6]).toBe(0);
      expect(grid[8 * y + 2]).toBe(4);
    }
  });

  test("is wiped by the eraser where it passes, nowhere else", () => {
    const full = Array<number>(64).fill(16);
    const wiped = drawStroke(full, DIGIT, { x: 0.5, y: 0.5 }, { x: 0.5, y: 7.5 }, true);
    expect(wiped[0]).toBe(0);
    expect(wiped[4]).toBe(16);
  });

  test("bounds a typed cell", () => {
    expect(setCell(blankGrid(DIGIT), 5, 99, DIGIT)[5]).toBe(16);
    expect(setCell(blankGrid(DIGIT), 5, -3, DIGIT)[5]).toBe(0);
  });

  test("is drawn anew to fill the sheet, its proportions kept", () => {
    const small = [
      [
        { x: 1, y: 1 },
        { x: 1, y: 3 },
        { x: 2, y: 3 },
      ],
    ];
    expect(isSmall(small, DIGIT)).toBe(true);
    const fitted = fitStrokes(small, DIGIT);
    expect(isSmall(fitted, DIGIT)).toBe(false);
    const grid = drawStrokes(fitted, DIGIT);
    const rows = [0, 7].map((y) => grid.slice(8 * y, 8 * y + 8).some((value) => value >= 12));
    expect(rows).toEqual([true, true]);
    expect(grid[8 * 3 + 2]).toBe(16); // the upright, half as far from the middle as it is long
    expect(grid[8 * 3 + 6]).toBe(0);
  });

  test("keeps a dot a dot, and a large drawing as it is", () => {
    const dot = [[{ x: 1, y: 1 }]];
    expect(
      drawStrokes(fitStrokes(dot, DIGIT), DIGIT).filter((value) => value > 0).length,
    ).toBeLessThanOrEqual(4);
    const large = [
      [
        { x: 4, y: 0.5 },
        { x: 4, y: 7.5 },
      ],
    ];
    expect(isSmall(large, DIGIT)).toBe(false);
  });

  test("moves by whole cells and into the middle", () => {
    const corner = setCell(blankGrid(DIGIT), 0, 16, DIGIT);
    expect(shiftGrid(corner, DIGIT, 1, 2)[17]).toBe(16);
    const centred = centreGrid(corner, DIGIT);
    expect(centred.indexOf(16)).toBe(8 * 4 + 4);
    expect(centred.reduce((a, b) => a + b)).toBe(16);
  });
});

describe("a picture", () => {
  test("becomes ink where it is dark on bright paper", () => {
    const image = paint(32, (x, y) => x < 16 && y < 32);
    const grid = fitImage(image, DIGIT, { isDarkInk: true, isCropped: false });
    expect(grid.slice(0, 8)).toEqual([16, 16, 16, 16, 0, 0, 0, 0]);
  });

  test("tells ink from paper by its border", () => {
    const isBox = (x: number, y: number) => x > 8 && x < 24 && y > 8 && y < 24;
    expect(guessDarkInk(paint(32, isBox))).toBe(true);
    expect(guessDarkInk(paint(32, isBox, false))).toBe(false);
  });

  test("is cropped to its ink with its proportions kept", () => {
    const bar = paint(64, (x, y) => x >= 40 && x < 48 && y >= 8 && y < 40);
    const grid = fitImage(bar, DIGIT, { isDarkInk: true, isCropped: true });
    for (let y = 0; y < 8; y++) {
      expect(grid.slice(8 * y, 8 * y + 8)).toEqual([0, 0, 0, 16, 16, 0, 0, 0]);
    }
  });

  test("without any contrast is paper", () => {
    const grid = fitImage(
      paint(16, () => false),
      DIGIT,
      { isDarkInk: true, isCropped: true },
    );
    expect(isBlank(grid, DIGIT)).toBe(true);
  });

  test("counts what is transparent as paper", () => {
    expect(toGrey(new Uint8ClampedArray(4), 1, 1).grey[0]).toBe(1);
  });
});

describe("text", () => {
  type Vector = { readonly text: string; readonly counts: readonly number[] };
  const file = new URL("../../../../tests/vectors/text_encoding.json", import.meta.url);
  const vectors: { hi: number; texts: Vector[] } = JSON.parse(readFileSync(file, "utf8"));

  test("is encoded as in Python", () => {
    expect(vectors.texts.length).toBeGreaterThan(5);
    for (const { text, counts } of vectors.texts) {
      expect(encodeText(text, vectors.hi).counts, text).toEqual(counts);
    }
  });

  test("shows the words that count", () => {
    expect(encodeText("Straße, 12 Ärzte!", 7).words).toEqual(["stra", "e", "arzte"]);
  });
});

describe("numbers", () => {
  test("are read however they are separated", () => {
    expect(parseNumbers("[1, 2;\n 3]  -4", 4, -4, 4)).toEqual({ ok: true, values: [1, 2, 3, -4] });
  });

  test("say which of them is wrong", () => {
    const problem = (text: string) => parseNumbers(text, 2, 0, 16);
    expect(problem("1 x")).toMatchObject({ problem: "number 2, “x”, is no whole number" });
    expect(problem("17 1")).toMatchObject({ problem: "number 1, “17”, is not between 0 and 16" });
    expect(problem("1.5 1")).toMatchObject({ ok: false });
    expect(problem("1")).toMatchObject({ problem: "1 of 2 numbers" });
  });
});
