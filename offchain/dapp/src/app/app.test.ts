import { encodeErrorResult, parseAbi } from "viem";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import {
  type BlockStamp,
  DigestMismatch,
  GatewayError,
  Unreachable,
  type Version,
} from "../protocol";
import { TEST_PARAMETERS } from "../testing";
import { ConfigError, parseConfig } from "./config";
import { describeError } from "./errors";
import { computeLeastFee, roundUp, suggestFee } from "./fees";
import { listRemembered, recall, remember } from "./storage";
import { type Call, TransactionBook } from "./transactions";

const MARKET = `0x${"ab".repeat(20)}`;

describe("the configuration", () => {
  const given = {
    gateway: "http://127.0.0.1:8000/",
    rpc: "https://node.example",
    chainId: 31337,
    developmentWallet: true,
  };

  test("is read, without slashes at its ends", () => {
    const gateway = "http://127.0.0.1:8000";
    expect(parseConfig(given)).toEqual({ ...given, gateway, market: null });
    expect(parseConfig({ ...given, market: MARKET }).market).toBe(MARKET);
  });

  test("offers no development wallet where money is real, whatever the file says", () => {
    const real = { ...given, chainId: 1, market: MARKET };
    expect(parseConfig(real).developmentWallet).toBe(false);
    expect(() => parseConfig({ ...given, chainId: 1 })).toThrow("market");
    expect(parseConfig({ ...given, developmentWallet: undefined }).developmentWallet).toBe(false);
  });

  test.each([
    [null],
    [{ ...given, chainId: "31337" }],
    [{ ...given, gateway: "javascript:alert(1)" }],
    [{ ...given, rpc: undefined }],
    [{ ...given, market: "0x12" }],
  ])("refuses %o", (raw) => {
    expect(() => parseConfig(raw)).toThrow(ConfigError);
  });
});

describe("an error in words", () => {
  test("of a wallet says whose turn it is", () => {
    const wrapped = new Error("outer", { cause: { code: 4001, message: "User rejected" } });
    expect(describeError(wrapped)).toMatchObject({ isDeclined: true });
    expect(describeError({ code: -32002, message: "pending" }).title).toMatch(/still asking/);
    expect(describeError({ code: 4902 }).title).toMatch(/does not know this chain/);
  });

  test("of a contract is its sentence, wherever a wallet puts the data", () => {
    const abi = parseAbi(["error NothingToWithdraw(address account)"]);
    const args = ["0x00000000000000000000000000000000000000aa"] as const;
    const data = encodeErrorResult({ abi, errorName: "NothingToWithdraw", args });
    const error = Object.assign(new Error("execution reverted"), { code: 3, data });
    expect(describeError(error).title).toBe("There is nothing to withdraw.");
    expect(describeError(new Error("outer", { cause: error })).title).toMatch(
      /nothing to withdraw/,
    );
  });

  test("of what was served warns instead of showing it", () => {
    expect(describeError(new DigestMismatch("these bytes are not x")).title).toMatch(/not shown/);
  });

  test("of the gateway tells refusal from silence and from haste", () => {
    expect(describeError(new Unreachable("the gateway at x does not answer")).title).toMatch(
      /answer/,
    );
    expect(describeError(new GatewayError("TooMany", "slow down", 429)).title).toMatch(/wait/);
    expect(describeError(new GatewayError("Refused", "no such input", 409)).hint).toBe(
      "No such input.",
    );
  });

  test("that nobody foresaw shows its first line only", () => {
    expect(describeError(new Error("odd\nstack"))).toEqual({
      title: "That did not work.",
      hint: "odd",
    });
  });
});

describe("a fee", () => {
  const version = { proveSeconds: 2, proofGas: 500_000n, royaltyBps: 250 } as Version;
  const block: BlockStamp = { number: 1n, hash: "0x", timestamp: 0, baseFee: 1_000_000_000n };

  test("is suggested above what an operator spends", () => {
    const spent = (80_000n + 90_000n + 120_000n) * 2_000_000_000n;
    expect(suggestFee(TEST_PARAMETERS, version, block, false)).toBeGreaterThan(
      (spent * 125n) / 100n,
    );
  });

  test("for a proof is at least what the contract asks for", () => {
    const least = computeLeastFee(TEST_PARAMETERS, version, block, true);
    expect(suggestFee(TEST_PARAMETERS, version, block, true)).toBeGreaterThanOrEqual(least);
    expect(least).toBeGreaterThan(500_000n * 1_000_000_000n);
    expect(computeLeastFee(TEST_PARAMETERS, version, block, false)).toBe(1n);
  });

  test("has two digits, rounded up", () => {
    expect(roundUp(12_001n)).toBe(13_000n);
    expect(roundUp(12_000n)).toBe(12_000n);
    expect(roundUp(7n)).toBe(7n);
  });
});

/** A browser's storage that can be looked into. */
function openStorage(): Map<string, string> {
  const held = new Map<string, string>();
  const storage = {
    getItem: (key: string) => held.get(key) ?? null,
    setItem: (key: string, value: string) => held.set(key, value),
    removeItem: (key: string) => held.delete(key),
  };
  vi.stubGlobal("localStorage", storage);
  return held;
}

describe("what a browser remembers", () => {
  afterEach(() => vi.unstubAllGlobals());

  test("comes back; what cannot be read counts as nothing", () => {
    const held = openStorage();
    remember("theme", { a: 1 });
    expect(recall("theme")).toEqual({ a: 1 });
    held.set("zkdps.theme", "{");
    expect(recall("theme")).toBeNull();
  });

  test("is nothing where storage is closed", () => {
    expect(recall("theme")).toBeNull();
    expect(() => remember("theme", 1)).not.toThrow();
    expect(listRemembered("")).toEqual([]);
  });
});

describe("a transaction on its way", () => {
  const account = "0x00000000000000000000000000000000000000aa";
  const hash = `0x${"12".repeat(32)}` as const;
  const call: Call = {
    address: "0x00000000000000000000000000000000000000bb",
    abi: [{ type: "function", name: "poke", inputs: [], outputs: [], stateMutability: "payable" }],
    functionName: "poke",
    args: [],
    value: 5n,
  };
  const missing = (name: string) => Object.assign(new Error("not found"), { name });
  const client = {
    estimateGas: vi.fn(async () => 100_000n),
    getTransactionReceipt: vi.fn(),
    getTransaction: vi.fn(),
    call: vi.fn(),
  };
  let walletChain = 31337;
  const provider = {
    request: vi.fn(
      async ({ method }: { method: string }): Promise<unknown> =>
        method === "eth_chainId" ? `0x${walletChain.toString(16)}` : hash,
    ),
  };
  const open = (chainId = 31337) => new TransactionBook(client as never, chainId);
  const send = async () => {
    const book = open();
    await book.send(provider, account, call, "job", await book.estimate(account, call));
    return book;
  };

  beforeEach(() => {
    openStorage();
    vi.clearAllMocks();
    client.getTransactionReceipt.mockRejectedValue(missing("TransactionReceiptNotFoundError"));
    client.getTransaction.mockResolvedValue({});
  });
  afterEach(() => vi.unstubAllGlobals());

  test("goes out with room in its gas", async () => {
    await send();
    expect(provider.request).toHaveBeenCalledWith({
      method: "eth_sendTransaction",
      params: [
        {
          from: account,
          to: call.address,
          data: "0x18178358",
          value: "0x5",
          gas: "0x1e848",
          chainId: "0x7a69",
        },
      ],
    });
  });

  test("does not go out where the wallet has changed its chain meanwhile", async () => {
    walletChain = 1;
    await expect(send()).rejects.toThrow("another chain than 31337");
    walletChain = 31337;
    const asked = provider.request.mock.calls.map(([{ method }]) => method);
    expect(asked).toEqual(["eth_chainId"]);
    expect(open().getAll()).toEqual([]);
  });

  test("is known again after a reload, on its own chain only", async () => {
    await send();
    expect(open().getAll()).toMatchObject([{ hash, purpose: "poke", status: "pending" }]);
    expect(open(1).getAll()).toEqual([]);
  });

  test("is mined once a block holds it, and then forgotten by the next visit", async () => {
    const book = await send();
    client.getTransactionReceipt.mockResolvedValue({ status: "success", blockNumber: 7n });
    await book.look();
    expect(book.getAll()).toMatchObject([{ status: "mined" }]);
    expect(open().getAll()).toEqual([]);
  });

  test("that reverted carries the error of the same call at its block", async () => {
    const book = await send();
    const error = new Error("BondTooSmall");
    client.getTransactionReceipt.mockResolvedValue({ status: "reverted", blockNumber: 7n });
    client.call.mockRejectedValue(error);
    await book.look();
    expect(client.call).toHaveBeenCalledWith(
      expect.objectContaining({ value: 5n, blockNumber: 7n }),
    );
    expect(book.getAll()).toMatchObject([{ status: "failed", error }]);
  });

  test("that the node forgets for long is lost, not pending for ever", async () => {
    const book = await send();
    client.getTransaction.mockRejectedValue(missing("TransactionNotFoundError"));
    for (let k = 0; k < 30; k++) await book.look();
    expect(book.getAll()).toMatchObject([{ status: "pending" }]);
    await book.look();
    expect(book.getAll()).toMatchObject([{ status: "lost" }]);
  });

  test("is not called lost because the node is away", async () => {
    const book = await send();
    client.getTransactionReceipt.mockRejectedValue(missing("HttpRequestError"));
    await expect(book.look()).rejects.toThrow();
    expect(book.getAll()).toMatchObject([{ status: "pending", misses: 0 }]);
  });
});
