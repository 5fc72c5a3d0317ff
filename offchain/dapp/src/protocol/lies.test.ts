// A gateway that lies in what hashes do not show at first sight: other labels, another input below an honest leaf.
import { encodeAbiParameters, encodeEventTopics, sha256, toBytes } from "viem";
import { describe, expect, test } from "vitest";
import { modelRegistryAbi } from "./abi";
import { unpackItems } from "./batches";
import { ChainReader } from "./chain";
import { DigestMismatch, MalformedDocument } from "./errors";
import { DEPLOYMENT, FakeNode, REGISTRY, word } from "./fakeNode";
import { GatewayClient } from "./gateway";
import { readPin, readUri } from "./registration";
import { type ChainBatch, verifyLeaves } from "./sessions";
import { VECTORS } from "./vectors";

const BUNDLE = JSON.stringify({ format: "zkdps-bundle/1", files: [] });
const PIN = sha256(toBytes(BUNDLE));

describe("a bundle", () => {
  const serve = (body: string) =>
    new GatewayClient("http://gateway", async () => new Response(body));

  test("that its registration names is taken, any other refused", async () => {
    await expect(serve(BUNDLE).getBundle("k", undefined, PIN)).resolves.toMatchObject({
      files: [],
    });
    const relabelled = serve(`${BUNDLE} `);
    await expect(relabelled.getBundle("k")).resolves.toMatchObject({ files: [] });
    await expect(relabelled.getBundle("k", undefined, PIN)).rejects.toThrow(DigestMismatch);
    await expect(serve("").getBundle("k")).rejects.toThrow(MalformedDocument);
  });

  test("is named by the end of the registered address, as the chain's log has it", async () => {
    const node = new FakeNode();
    const uri = `https://models.example/bundle.json#sha256=${PIN.slice(2)}`;
    const version = word(3);
    const owner = "0x2000000000000000000000000000000000000001";
    const event = modelRegistryAbi.find(
      (item) => item.type === "event" && item.name === "VersionRegistered",
    );
    if (event?.type !== "event") throw new Error("no such event");
    const params = {
      ...{ graphHash: word(1), weightRoot: word(1), programHash: word(1), vkHash: word(1) },
      ...{ vkData: owner, verifier: owner, srsId: word(1), proveSeconds: 1, proofGas: 1n },
      ...{ digestKind: 1, outputBytes: 1, royaltyBps: 0, uri },
    };
    node.logs.push({
      address: REGISTRY,
      topics: encodeEventTopics({
        abi: modelRegistryAbi,
        eventName: "VersionRegistered",
        args: { versionId: version, owner },
      }) as `0x${string}`[],
      data: encodeAbiParameters(
        event.inputs.filter((input) => !input.indexed),
        [params, 1n] as never,
      ),
      block: 0,
    });
    const reader = new ChainReader(node.client, DEPLOYMENT);
    expect(await readUri(reader, version)).toBe(uri);
    expect(readPin(uri)).toBe(PIN);
    expect(readPin("https://models.example/bundle.json")).toBeNull();
    node.logs = [];
    await expect(readUri(reader, version)).rejects.toThrow("no record");
  });
});

describe("the results of a batch", () => {
  const vector = VECTORS.sessions.find(({ batch }) => batch.items.length > 2);
  if (vector === undefined) throw new Error("no vectors");
  const { batch } = vector;
  const contracts = { ...DEPLOYMENT.contracts, JobMarket: vector.market };
  const reader = { deployment: { ...DEPLOYMENT, chainId: vector.chainId, contracts } };
  const { terms } = vector;
  const chain: ChainBatch = {
    session: vector.id,
    terms: { ...terms, fee: BigInt(terms.fee), salt: BigInt(terms.salt) },
    state: "committed",
    count: batch.items.length,
    extractedBits: 0n,
    challengeUntil: 0,
    lockEach: 1n,
  };
  const honest = unpackItems(batch.packed).map((leaf, k) => {
    return { ...leaf, job: batch.items[k]?.jobId ?? word(0), extracted: false };
  });
  const tell =
    (leaves: typeof honest, found = chain) =>
    () =>
      verifyLeaves(reader, batch.id, found, leaves);

  test("are taken as the chain has them", () => {
    expect(tell(honest)()).toHaveLength(chain.count);
  });

  test("are refused with another input, place, answer or session", () => {
    const change = (changes: object) =>
      honest.map((leaf, k) => (k === 1 ? { ...leaf, ...changes } : leaf));
    for (const lie of [
      { inDigest: word(5) },
      { nonce: 77_777 },
      { index: 0 },
      { job: word(5) },
      { outDigest: word(5) },
    ]) {
      expect(tell(change(lie))).toThrow(DigestMismatch);
    }
    expect(tell(honest.slice(1))).toThrow(DigestMismatch);
    const other = { ...chain, terms: { ...chain.terms, version: word(8) } };
    expect(tell(honest, other)).toThrow(DigestMismatch);
  });
});
