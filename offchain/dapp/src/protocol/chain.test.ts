import { encodeAbiParameters, encodeEventTopics } from "viem";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { jobMarketAbi } from "./abi";
import { ChainReader } from "./chain";
import { DEPLOYMENT, FakeNode, GAME, MARKET, REGISTRY, Revert, VAULT, word } from "./fakeNode";
import { hashParameters } from "./parameters";
import { Timeline } from "./timeline";
import { type Address, ETH, ZERO_WORD } from "./types";
import { type HeadChange, watchHead } from "./watch";

const JOB = word(77);
const SESSIONS: Address = "0x1000000000000000000000000000000000000005";
const ORDERS: Address = "0x1000000000000000000000000000000000000006";
const CLIENT: Address = "0x2000000000000000000000000000000000000001";
const OPERATOR: Address = "0x2000000000000000000000000000000000000002";

const STORED = {
  client: CLIENT,
  token: ETH,
  fee: 5n,
  operator: ETH,
  state: 1,
  deadline: 1234,
  version: word(3),
  outDigest: ZERO_WORD,
  proofRequired: false,
  deliverBy: 0,
};
const NO_DISPUTE = {
  challenger: ETH,
  bond: 0n,
  operator: ETH,
  proveBy: 0,
  state: 0,
  openedAtBlock: 0,
  challengeSeed: ZERO_WORD,
};

const always = (value: unknown) => () => value;

function makeNode(): FakeNode {
  const node = new FakeNode();
  node.views = {
    clock: () => 990,
    isPaused: () => false,
    isRefundMode: () => false,
    getJob: () => STORED,
    assurance: () => 0,
    getDispute: () => NO_DISPUTE,
    getChallengers: () => [],
    getFunds: () => ({ escrow: 5n, lock: 0n, status: 0 }),
    VAULT: always(VAULT),
    REGISTRY: always(REGISTRY),
    MARKET: always(MARKET),
    TOKEN: always(ETH),
    SESSIONS: always(SESSIONS),
    ORDERS: always(ORDERS),
    GAME: always(GAME),
    PARAMETERS_HASH: always(hashParameters(DEPLOYMENT.parameters)),
  };
  return node;
}

describe("reading a job", () => {
  test("tells names for states and null for what is not there", async () => {
    const { job, dispute, funds, assurance, time } = await new ChainReader(
      makeNode().client,
      DEPLOYMENT,
    ).readJob(JOB);
    expect(job).toMatchObject({ state: "OPEN", operator: null, outDigest: null, deliverBy: null });
    expect([dispute, assurance]).toEqual([null, "NONE"]);
    expect(funds).toEqual({ escrow: 5n, lock: 0n, status: "NONE" });
    expect(time).toMatchObject({ clock: 990, isPaused: false, block: { timestamp: 1000 } });
  });

  test("tells a dispute with its challengers", async () => {
    const node = makeNode();
    node.views.getJob = () => ({ ...STORED, state: 4, operator: OPERATOR, outDigest: word(9) });
    node.views.getDispute = () => ({ ...NO_DISPUTE, state: 1, challenger: CLIENT, bond: 9n });
    node.views.getChallengers = () => [CLIENT, OPERATOR];
    const { job, dispute } = await new ChainReader(node.client, DEPLOYMENT).readJob(JOB);
    expect(job).toMatchObject({ state: "DISPUTED", operator: OPERATOR, outDigest: word(9) });
    expect(dispute).toMatchObject({ state: "OPEN", challenger: CLIENT, bond: 9n });
    expect(dispute?.challengers).toEqual([CLIENT, OPERATOR]);
  });

  test("finds none where the market knows none, and throws what is another error", async () => {
    const node = makeNode();
    node.views.getJob = () => {
      throw new Revert("UnknownJob", [JOB]);
    };
    const reader = new ChainReader(node.client, DEPLOYMENT);
    expect((await reader.readJob(JOB)).job).toBeNull();
    node.views.getJob = () => {
      throw new Revert("InRefundMode", []);
    };
    await expect(reader.readJob(JOB)).rejects.toThrow("InRefundMode");
  });
});

describe("a deployment", () => {
  test("that the contracts confirm is accepted", async () => {
    await new ChainReader(makeNode().client, DEPLOYMENT).verifyDeployment();
  });

  test("on another chain, of other contracts or with other parameters is refused", async () => {
    const other = makeNode();
    other.chainId = 1;
    const verify = (node: FakeNode) => new ChainReader(node.client, DEPLOYMENT).verifyDeployment();
    await expect(verify(other)).rejects.toThrow("follows chain 1, not 31337");
    const foreign = makeNode();
    foreign.views.GAME = always(CLIENT);
    await expect(verify(foreign)).rejects.toThrow("another DisputeGame");
    const cheaper = { ...DEPLOYMENT.parameters, lockFees: 34 };
    const reader = new ChainReader(makeNode().client, { ...DEPLOYMENT, parameters: cheaper });
    await expect(reader.verifyDeployment()).rejects.toThrow("another parameters");
    const named = (changes: object) =>
      new ChainReader(makeNode().client, { ...DEPLOYMENT, ...changes }).verifyDeployment();
    const whole = { ...DEPLOYMENT.contracts, SessionMarket: SESSIONS, OrderBook: ORDERS };
    await named({ contracts: whole });
    const thief = { ...whole, SessionMarket: CLIENT };
    await expect(named({ contracts: thief })).rejects.toThrow("another SessionMarket");
    const book = { ...whole, OrderBook: CLIENT };
    await expect(named({ contracts: book })).rejects.toThrow("another OrderBook");
    await expect(named({ token: CLIENT })).rejects.toThrow("another token");
    const nothing = { ...DEPLOYMENT.contracts, JobMarket: CLIENT };
    const lost = new ChainReader(makeNode().client, { ...DEPLOYMENT, contracts: nothing });
    await expect(lost.verifyDeployment()).rejects.toThrow("there is no deployment");
  });
});

describe("watching the head", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test("tells each head once, says when a block was replaced, and stops", async () => {
    const node = makeNode();
    const seen: HeadChange[] = [];
    const stop = watchHead(node.client, { onHead: (change) => seen.push(change), intervalMs: 10 });
    await vi.advanceTimersByTimeAsync(25);
    expect(seen.map(({ head }) => head.number)).toEqual([0n]);
    node.hashes.push(word(2));
    await vi.advanceTimersByTimeAsync(15);
    node.hashes[1] = word(99);
    await vi.advanceTimersByTimeAsync(15);
    node.hashes.pop();
    await vi.advanceTimersByTimeAsync(15);
    expect(seen.map(({ isReorganised }) => isReorganised)).toEqual([false, false, true, true]);
    stop();
    node.hashes.push(word(5));
    await vi.advanceTimersByTimeAsync(50);
    expect(seen).toHaveLength(4);
  });

  test("reports a node that is down, waits longer, and goes on when it is back", async () => {
    const node = makeNode();
    node.isDown = true;
    const [heads, errors] = [vi.fn(), vi.fn()];
    const stop = watchHead(node.client, { onHead: heads, onError: errors, intervalMs: 10 });
    await vi.advanceTimersByTimeAsync(100);
    expect(errors.mock.calls.length).toBeGreaterThan(1);
    expect(errors.mock.calls.length).toBeLessThan(6);
    node.isDown = false;
    await vi.advanceTimersByTimeAsync(100);
    expect(heads).toHaveBeenCalledTimes(1);
    stop();
  });
});

describe("a job's timeline", () => {
  const accepted = (block: number) => ({
    address: MARKET,
    topics: encodeEventTopics({
      abi: jobMarketAbi,
      eventName: "JobAccepted",
      args: { jobId: JOB, operator: OPERATOR },
    }) as `0x${string}`[],
    data: encodeAbiParameters([{ type: "uint256" }], [55n]),
    block,
  });
  const headAt = (number: number) => ({
    number: BigInt(number),
    hash: word(number + 1),
    timestamp: 0,
    baseFee: 0n,
  });

  test("drops an event that a reorganisation took, and keeps settled ones without asking again", async () => {
    const node = makeNode();
    node.logs = [accepted(3), accepted(95)];
    const timeline = new Timeline(node.client, DEPLOYMENT.contracts, JOB, 0n);
    const first = await timeline.read(headAt(100));
    expect(first.map(({ name, block }) => [name, block])).toEqual([
      ["JobAccepted", 3n],
      ["JobAccepted", 95n],
    ]);
    expect(first[0]?.args).toEqual({ jobId: JOB, operator: OPERATOR, commitUntil: 55n });
    node.logs = [accepted(97)];
    const second = await timeline.read(headAt(101));
    expect(second.map(({ block }) => block)).toEqual([3n, 97n]);
    expect(node.ranges).toEqual([
      [0, 100],
      [37, 101],
    ]);
  });

  test("asks for long ranges in parts", async () => {
    const node = makeNode();
    const timeline = new Timeline(node.client, DEPLOYMENT.contracts, JOB, 10n);
    await timeline.read(headAt(12_000));
    expect(node.ranges).toEqual([
      [10, 5009],
      [5010, 10009],
      [10010, 12000],
    ]);
  });
});
