import { describe, expect, test } from "vitest";
import { hexToBytes } from "./bytes";
import { encodeTensor } from "./digest";
import { DigestMismatch, GatewayError, MalformedDocument, Unreachable } from "./errors";
import { type Fetch, GatewayClient, parseDeployment } from "./gateway";
import { VECTORS } from "./vectors";

const [DIGEST] = VECTORS.digests;
if (DIGEST === undefined) throw new Error("no vectors");

type Reply = { readonly status?: number; readonly body?: string | Uint8Array };

/** A gateway that answers by method and path; what it was asked is kept. */
function serve(replies: Readonly<Record<string, Reply>>) {
  const asked: string[] = [];
  const send: Fetch = async (input, init) => {
    const name = `${init?.method ?? "GET"} ${String(input).replace("http://gateway", "")}`;
    asked.push(name);
    const reply = replies[name];
    if (reply === undefined) return new Response("{}", { status: 404 });
    return new Response((reply.body ?? "") as BodyInit, { status: reply.status ?? 200 });
  };
  return { gateway: new GatewayClient("http://gateway", send), asked };
}

describe("content", () => {
  const tensor = { values: [1, -2, 3], shape: [3], bits: 8 };

  test("is stored under the digest that was computed here", async () => {
    const { gateway, asked } = serve({});
    await expect(gateway.putTensor(tensor)).rejects.toThrow(GatewayError);
    const [put = ""] = asked;
    expect(put).toMatch(/^PUT \/content\/0x[0-9a-f]{64}\?bits=8&shape=3$/);
    const stored = serve({ [put]: { status: 201 } });
    expect(put).toContain(await stored.gateway.putTensor(tensor));
    const lying = serve({ [put]: { body: JSON.stringify({ digest: `0x${"11".repeat(32)}` }) } });
    await expect(lying.gateway.putTensor(tensor)).rejects.toThrow(DigestMismatch);
  });

  test("is refused unless its bytes have the digest, and null where there is none", async () => {
    const name = `GET /content/${DIGEST.jobDigest}`;
    const raw = hexToBytes(DIGEST.bytes);
    const { shape, bits, jobDigest } = DIGEST;
    const honest = serve({ [name]: { body: raw } });
    expect(await honest.gateway.getContent(jobDigest, shape, bits)).toEqual(raw);
    const other = encodeTensor({ values: [5], shape, bits });
    const lying = serve({ [name]: { body: other } });
    await expect(lying.gateway.getContent(jobDigest, shape, bits)).rejects.toThrow(DigestMismatch);
    expect(await serve({}).gateway.getContent(jobDigest, shape, bits)).toBeNull();
  });
});

describe("errors", () => {
  test("carry the gateway's name, sentence and facts", async () => {
    const body = JSON.stringify({ error: "TooMany", message: "slow down", facts: { limit: 5 } });
    const { gateway } = serve({ "GET /stats": { status: 429, body } });
    await expect(gateway.get("/stats")).rejects.toMatchObject({
      kind: "TooMany",
      message: "slow down",
      status: 429,
      facts: { limit: 5 },
    });
  });

  test("of something that is no gateway are told apart", async () => {
    const page = serve({
      "GET /stats": { status: 502, body: "<html>" },
      "GET /jobs?": { body: "<html>" },
    });
    await expect(page.gateway.get("/stats")).rejects.toMatchObject({ status: 502 });
    await expect(page.gateway.listJobs({})).rejects.toThrow(MalformedDocument);
    const down = new GatewayClient("http://gateway", () => Promise.reject(new TypeError("x")));
    await expect(down.get("/stats")).rejects.toThrow(Unreachable);
  });
});

test("a list is asked for with what narrows it, and nothing else", async () => {
  const { gateway, asked } = serve({ "GET /jobs?state=open&limit=5": { body: "{}" } });
  await gateway.listJobs({ state: "open", limit: 5 });
  expect(asked).toEqual(["GET /jobs?state=open&limit=5"]);
});

describe("a deployment", () => {
  const address = "0x1000000000000000000000000000000000000001";
  const config = {
    chainId: 31337,
    contracts: {
      StakeVault: address,
      ModelRegistry: address,
      JobMarket: address,
      DisputeGame: address,
    },
    token: null,
    preset: "local",
    parameters: VECTORS.parameters[0]?.parameters,
    firstBlock: 3,
    srsInsecure: false,
  };

  test("is read", () => {
    expect(parseDeployment(config)).toMatchObject({
      chainId: 31337,
      token: null,
      firstBlock: 3n,
      srsInsecure: false,
    });
    expect(parseDeployment({ ...config, srsInsecure: undefined }).srsInsecure).toBe(true);
  });

  test("that lacks a contract, an address or a parameter is refused", () => {
    const without = { ...config, contracts: { StakeVault: address } };
    expect(() => parseDeployment(without)).toThrow("names no ModelRegistry, JobMarket");
    const wrong = { ...config, contracts: { ...config.contracts, JobMarket: "0x12" } };
    expect(() => parseDeployment(wrong)).toThrow("JobMarket is no address");
    expect(() => parseDeployment({ ...config, parameters: {} })).toThrow("assignSeconds");
    expect(() => parseDeployment(null)).toThrow("no object");
  });
});
