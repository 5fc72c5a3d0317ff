// What a version's registration says beside its digests. Only its event holds it: the version's id is over digests alone.
import { encodeEventTopics, type Log, parseEventLogs } from "viem";
import { modelRegistryAbi } from "./abi";
import type { ChainReader } from "./chain";
import { MalformedDocument } from "./errors";
import type { Hex, VersionId } from "./types";

const MAX_RANGE = 5_000n; // blocks that public nodes give in one answer
const PIN = /#sha256=([0-9a-f]{64})$/;

/** The address of the version's bundle as it was registered. Throws MalformedDocument where the log is not found. */
export async function readUri(reader: ChainReader, id: VersionId): Promise<string> {
  const { client, deployment } = reader;
  const abi = modelRegistryAbi;
  const topics = encodeEventTopics({
    abi,
    eventName: "VersionRegistered",
    args: { versionId: id },
  });
  const { number: head } = await reader.getHead();
  for (let from = deployment.firstBlock; from <= head; from += MAX_RANGE) {
    const to = from + MAX_RANGE - 1n < head ? from + MAX_RANGE - 1n : head;
    const range = { fromBlock: toHex(from), toBlock: toHex(to) };
    const address = deployment.contracts.ModelRegistry;
    const logs = await client.request({
      method: "eth_getLogs",
      params: [{ address, topics: topics as Hex[], ...range }],
    });
    const [event] = parseEventLogs({
      abi,
      eventName: "VersionRegistered",
      logs: logs as unknown as Log[],
    });
    if (event !== undefined) return event.args.params.uri;
  }
  throw new MalformedDocument("the chain has no record of this version's registration");
}

/** The SHA-256 of bundle.json that a registered address ends in, or null where it names none. */
export function readPin(uri: string): Hex | null {
  const digits = PIN.exec(uri)?.[1];
  return digits === undefined ? null : `0x${digits}`;
}

function toHex(number: bigint): Hex {
  return `0x${number.toString(16)}`;
}
