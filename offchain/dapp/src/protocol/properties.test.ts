// What holds for all values, not only for the vectors'.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { computePath, computeRoot, verifyInclusion } from "./batches";
import { estimateRemaining, formatSeconds, isOver, toWallTime } from "./clock";
import { decodeTensor, encodeTensor } from "./digest";
import { AmountError } from "./errors";
import { ETHER, formatAmount, formatShort, parseAmount } from "./money";
import { indexOfGreatest, quotient } from "./run";
import {
  computeBondSplit,
  computeChallengeStakes,
  computeJobSplit,
  computeSlashSplit,
  type Exit,
} from "./settlement";
import { type Order, priceOrder } from "./typedData";
import { ETH, type ProtocolTime, ZERO_WORD } from "./types";

const amount = fc.bigInt({ min: 0n, max: 2n ** 80n });
const bps = fc.integer({ min: 0, max: 2000 });

describe("tensors", () => {
  test("decode to what was encoded", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(8, 16, 32),
        fc.array(fc.integer(), { minLength: 1 }),
        (bits, all) => {
          const half = 2 ** (bits - 1);
          const values = all.map((value) => Math.max(-half, Math.min(half - 1, value)));
          const shape = [values.length];
          expect(decodeTensor(encodeTensor({ values, shape, bits }), shape, bits)).toEqual(values);
        },
      ),
    );
  });

  test("refuse what their width does not hold", () => {
    expect(() => encodeTensor({ values: [128], shape: [1], bits: 8 })).toThrow(
      "8 bits do not hold",
    );
    expect(() => encodeTensor({ values: [-129], shape: [1], bits: 8 })).toThrow("8 bits");
    expect(() => encodeTensor({ values: [0.5], shape: [1], bits: 32 })).toThrow("32 bits");
    expect(() => encodeTensor({ values: [1, 2], shape: [3], bits: 8 })).toThrow("do not fill");
    expect(() => encodeTensor({ values: [1], shape: [1], bits: 12 })).toThrow("expected 8, 16");
    expect(() => decodeTensor(new Uint8Array(3), [2], 16)).toThrow("3 bytes for the shape 2");
  });
});

describe("a quotient", () => {
  const exact = (acc: number, m: number, s: number) =>
    Number((BigInt(acc) * BigInt(m) + (1n << BigInt(s - 1))) >> BigInt(s));

  test("is that of exact integers, however large the product", () => {
    const limit = 2 ** 47 - 1;
    const acc = fc.oneof(
      fc.integer({ min: -limit, max: limit }),
      fc.constantFrom(limit, -limit, limit - 1, 0, -1, 1),
    );
    const multiplier = fc.oneof(fc.integer({ min: 1, max: 2 ** 15 - 1 }), fc.constant(2 ** 15 - 1));
    fc.assert(
      fc.property(acc, multiplier, fc.integer({ min: 1, max: 32 }), (a, m, s) => {
        expect(quotient(a, m, s)).toBe(exact(a, m, s));
      }),
      { numRuns: 2000 },
    );
  });

  test("rounds half up on both sides of zero", () => {
    expect([quotient(1, 1, 1), quotient(-1, 1, 1), quotient(-3, 1, 1)]).toEqual([1, 0, -1]);
  });
});

test("of equal greatest elements the first counts", () => {
  expect(indexOfGreatest([3, 7, 7, 1])).toBe(1);
  expect(indexOfGreatest([-5])).toBe(0);
});

describe("splits", () => {
  const exits: Exit[] = [
    "FINAL",
    "PROVEN",
    "REJECTED",
    "EXPIRED",
    "FAILED",
    "CANCELLED",
    "REFUSED",
    "VOIDED",
  ];

  test("of a job add up to its escrow and its lock, with nothing negative", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...exits),
        fc.record({
          fee: amount,
          delivery: amount,
          lock: amount,
          finePercent: fc.bigInt({ min: 0n, max: 100n }),
          isDelivered: fc.boolean(),
          hasKeeper: fc.boolean(),
          royaltyBps: bps,
          protocolFeeBps: bps,
          keeperTipBps: bps,
        }),
        (exit, { finePercent, ...rest }) => {
          const fine = (rest.lock * finePercent) / 100n;
          const split = computeJobSplit(exit, { ...rest, fine });
          const sum = (prefix: string) =>
            Object.entries(split)
              .filter(([name]) => name.startsWith(prefix))
              .reduce((total, [, part]) => total + part, 0n);
          expect(sum("fee")).toBe(rest.fee + rest.delivery);
          expect(sum("lock")).toBe(rest.lock);
          expect(Object.values(split).every((part) => part >= 0n)).toBe(true);
        },
      ),
    );
  });

  test("of a slashed lock and of bonds add up", () => {
    fc.assert(
      fc.property(amount, amount, fc.boolean(), fc.boolean(), (lock, bonds, a, b) => {
        const slash = Object.values(computeSlashSplit(lock, a, b));
        expect(slash.reduce((total, part) => total + part, 0n)).toBe(lock);
        const bond = Object.values(computeBondSplit(bonds, a));
        expect(bond.reduce((total, part) => total + part, 0n)).toBe(bonds);
      }),
    );
  });

  test("say what a challenge wins and loses", () => {
    const stakes = computeChallengeStakes(100n, 1000n, 2);
    expect(stakes).toEqual({
      bond: 100n,
      lostToProver: 80n,
      lostToBurn: 20n,
      reward: 175n,
      clientCompensation: 400n,
      burned: 250n,
      rewardIfCured: 25n,
    });
    expect(computeChallengeStakes(100n, 1000n, 0).reward).toBe(350n);
  });
});

describe("amounts", () => {
  test("are read back from what was written", () => {
    fc.assert(
      fc.property(amount, (wei) => {
        const written = formatAmount(wei).replace(" ETH", "").replaceAll(" ", "");
        expect(parseAmount(written)).toBe(wei);
      }),
    );
  });

  test("are written plainly", () => {
    expect(formatAmount(0n)).toBe("0 ETH");
    expect(formatAmount(1n)).toBe("0.000000000000000001 ETH");
    expect(formatAmount(1_234_500_000_000_000_000_000n)).toBe("1 234.5 ETH");
    expect(formatAmount(-5n * 10n ** 17n)).toBe("−0.5 ETH");
    expect(formatAmount(1_500_000n, { symbol: "USDX", decimals: 6 })).toBe("1.5 USDX");
  });

  test("are shortened to four digits and say so", () => {
    expect(formatShort(1_234_567_890_123_456n)).toBe("≈ 0.001235 ETH");
    expect(formatShort(1_000_000_000_000_000n)).toBe("0.001 ETH");
    expect(formatShort(123_456n * 10n ** 18n)).toBe("123 456 ETH");
    expect(formatShort(123_456n * 10n ** 18n + 1n)).toBe("≈ 123 456 ETH");
    expect(formatShort(0n)).toBe("0 ETH");
    expect([1n, 999_999n, -7n].map((wei) => formatShort(wei))).toEqual([
      "1 wei",
      "999 999 wei",
      "−7 wei",
    ]);
    expect(formatShort(10n ** 6n)).toBe("0.000000000001 ETH");
  });

  test("typed wrongly are refused with a reason", () => {
    for (const text of ["", "1,5", "-1", "1e3", "abc", ".", "1.2.3"]) {
      expect(() => parseAmount(text)).toThrow(AmountError);
    }
    expect(() => parseAmount("0.0000000000000000001")).toThrow("at most 18 decimals");
    expect(parseAmount(" 1. ")).toBe(10n ** 18n);
    expect(parseAmount(".5", ETHER)).toBe(5n * 10n ** 17n);
  });
});

describe("an order's price", () => {
  const order: Order = {
    client: ETH,
    version: ZERO_WORD,
    inDigest: ZERO_WORD,
    token: ETH,
    minFee: 100n,
    maxFee: 200n,
    rampStart: 1000,
    rampEnd: 1100,
    takeUntil: 2000,
    verifyMask: 0,
    salt: 0n,
  };

  test("climbs from the least to the greatest and never leaves them", () => {
    expect([0, 1000, 1050, 1099, 1100, 9999].map((time) => priceOrder(order, time))).toEqual([
      100n,
      100n,
      150n,
      199n,
      200n,
      200n,
    ]);
  });

  test("is a step where the ramp has no length", () => {
    const step = { ...order, rampEnd: 1000 };
    expect([999, 1000].map((time) => priceOrder(step, time))).toEqual([100n, 200n]);
  });
});

describe("inclusion", () => {
  test("is proven for every leaf, and for no other place", () => {
    const leaf = fc.uint8Array({ minLength: 32, maxLength: 32 });
    fc.assert(
      fc.property(
        fc.uniqueArray(leaf, { minLength: 1, maxLength: 40, selector: String }),
        (leaves) => {
          const root = computeRoot(leaves);
          leaves.forEach((own, k) => {
            const path = computePath(leaves, k);
            verifyInclusion(own, k, path, root);
            const other = leaves[(k + 1) % leaves.length];
            if (other !== undefined && leaves.length > 1) {
              expect(() => verifyInclusion(other, k, path, root)).toThrow();
            }
          });
        },
      ),
      { numRuns: 20 },
    );
  });
});

describe("the protocol's clock", () => {
  const block = { number: 7n, hash: ZERO_WORD, timestamp: 1_700_000_050, baseFee: 0n };
  const time: ProtocolTime = { block, clock: 1_700_000_000, isPaused: false, isRefundMode: false };

  test("counts a deadline's last second", () => {
    expect([isOver(time, 1_700_000_000), isOver(time, 1_699_999_999)]).toEqual([false, true]);
    const reading = { time, seenAtMs: 5000 };
    expect(estimateRemaining(reading, 1_700_000_009, 5000)).toBe(10);
    expect(estimateRemaining(reading, 1_700_000_009, 8999)).toBe(7);
    expect(estimateRemaining(reading, 1_700_000_009, 60_000)).toBe(0);
  });

  test("stands in a pause", () => {
    const reading = { time: { ...time, isPaused: true }, seenAtMs: 5000 };
    expect(estimateRemaining(reading, 1_700_000_009, 60_000)).toBe(10);
  });

  test("is behind the block's time by what was paused", () => {
    expect(toWallTime(time, 1_700_000_010).getTime()).toBe(1_700_000_060_000);
  });

  test("is written in two units at most", () => {
    const written = [5, 60, 200, 3600, 3840, 90_000, 86_400].map(formatSeconds);
    expect(written).toEqual(["5 s", "1 min", "3 min 20 s", "1 h", "1 h 04 min", "1 d 01 h", "1 d"]);
  });
});
