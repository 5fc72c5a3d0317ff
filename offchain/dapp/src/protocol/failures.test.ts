import {
  type Abi,
  BaseError,
  ContractFunctionRevertedError,
  encodeErrorResult,
  type Hex,
  HttpRequestError,
} from "viem";
import { expect, test } from "vitest";
import { errorsAbi } from "./abi";
import { DESCRIBED_ERRORS, decodeRevert, describeFailure } from "./failures";

/** Errors of calls that this page never sends: of constructors, modules, operators, guardians and registrants. */
const ELSEWHERE = [
  "AlreadyDelivered",
  "AlreadyFunded",
  "AlreadySubscribed",
  "FeeOnTransfer",
  "ForeignModule",
  "GasLimitOutOfRange",
  "InsufficientEscrow",
  "InsufficientGas",
  "InvalidRamp",
  "InvalidSignature",
  "NoOperator",
  "NoResult",
  "NoSigner",
  "NonceUsed",
  "NotAContract",
  "NotAToken",
  "NotAudits",
  "NotDisputeGame",
  "NotGame",
  "NotGuardian",
  "NotJailed",
  "NotMarket",
  "NotOrders",
  "NotPaused",
  "NotPinpoint",
  "NotProposed",
  "NotSessions",
  "NotSubscribed",
  "NotWorker",
  "ParameterTooLarge",
  "ParameterTooSmall",
  "PauseTooSoon",
  "ProofGasOutOfRange",
  "ProveSecondsOutOfRange",
  "RequestExpired",
  "RoyaltyOutOfRange",
  "SessionExists",
  "Sha256Failed",
  "StillJailed",
  "Unbalanced",
  "UnbondTooShort",
  "UnknownNumber",
  "UnknownVerifier",
  "UnknownVersion",
  "UnsupportedDigestKind",
  "VersionExists",
  "WorkerIsOwner",
  "WorkerTaken",
  "WrongBatchSize",
  "WrongGraph",
  "WrongKey",
  "WrongKeyHash",
  "WrongLockStatus",
  "WrongReferenceString",
  "WrongSigner",
  "WrongVersionProgram",
  "ZeroOutputBytes",
  "ZeroWeightRoot",
];

/** Data of the error with small distinct numbers, and a hex word wherever bytes are. */
function encode(item: (typeof errorsAbi)[number]): Hex {
  const args = item.inputs.map(({ type }, k) => {
    if (type === "address") return `0x${"11".repeat(20)}`;
    if (type.startsWith("bytes")) return `0x${"22".repeat(32)}`;
    return type === "uint8" ? k : BigInt(k);
  });
  return encodeErrorResult({ abi: [item] as Abi, errorName: item.name, args });
}

test("every error of the contracts has a sentence, or cannot come from this page", () => {
  const names = new Set(errorsAbi.map(({ name }) => name as string));
  expect([...names].filter((name) => !DESCRIBED_ERRORS.includes(name)).sort()).toEqual(ELSEWHERE);
  expect(DESCRIBED_ERRORS.filter((name) => !names.has(name))).toEqual([]);
});

test.each(errorsAbi.map((item) => ({ name: item.name as string, item })))(
  "$name is decoded from bytes and put into words",
  ({ name, item }) => {
    const raw = encode(item);
    expect(decodeRevert(raw)?.name).toBe(name);
    const failure = describeFailure(Object.assign(new Error("reverted"), { data: raw }));
    expect(failure?.name).toBe(name);
    expect(failure?.sentence).not.toMatch(/undefined|NaN|null|\[object/);
    expect(failure?.sentence).toMatch(/[.?]$/);
  },
);

test("a revert that viem decoded is told with its numbers", () => {
  const item = errorsAbi.find(({ name }) => name === "BondTooSmall");
  const data = encodeErrorResult({
    abi: errorsAbi,
    errorName: "BondTooSmall",
    args: [`0x${"22".repeat(32)}`, 10n ** 15n, 2n * 10n ** 15n],
  });
  const revert = new ContractFunctionRevertedError({
    abi: item === undefined ? [] : [item],
    data,
    functionName: "challenge",
  });
  const failure = describeFailure(new BaseError("outer", { cause: revert }));
  expect(failure?.sentence).toBe(
    "The bond is 0.002 ETH now, 0.001 ETH was sent: the price of gas rose. Try again.",
  );
});

test("states are named", () => {
  const data = encodeErrorResult({
    abi: errorsAbi,
    errorName: "WrongJobState",
    args: [`0x${"22".repeat(32)}`, 5, 3],
  });
  const failure = describeFailure(Object.assign(new Error("x"), { data: { data } }));
  expect(failure?.sentence).toContain("The job is final, this step needs it to be committed.");
});

test("answers of wallets and nodes are told apart", () => {
  const rejected = Object.assign(new Error("User denied"), { code: 4001 });
  expect(describeFailure(new Error("outer", { cause: rejected }))?.name).toBe("UserRejected");
  expect(describeFailure(new Error("insufficient funds for gas"))?.name).toBe("InsufficientFunds");
  const http = new HttpRequestError({ url: "http://node", status: 502 });
  expect(describeFailure(new BaseError("outer", { cause: http }))?.name).toBe("NodeUnreachable");
  expect(describeFailure(new Error("anything"))).toBeNull();
  expect(describeFailure("text")).toBeNull();
});
