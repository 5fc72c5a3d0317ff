// The parameters of a deployment: read from the gateway, held against the hash that every contract names.
import { encodeAbiParameters, keccak256 } from "viem";
import { MalformedDocument } from "./errors";
import type { Hex, Parameters } from "./types";

type Field = readonly [keyof Parameters, "uint8" | "uint16" | "uint40" | "uint64"];

/** Fields in the order of contracts/types/Parameters.sol. */
const FIELDS: readonly Field[] = [
  ["assignSeconds", "uint40"],
  ["execSeconds", "uint40"],
  ["challengeSeconds", "uint40"],
  ["proveSeconds", "uint40"],
  ["proveCapSeconds", "uint40"],
  ["airgapSeconds", "uint40"],
  ["unbondSeconds", "uint40"],
  ["lockFees", "uint16"],
  ["missFees", "uint16"],
  ["disputeGas", "uint64"],
  ["gasPriceFloor", "uint64"],
  ["provingPrice", "uint64"],
  ["maxProofGas", "uint64"],
  ["deliverSeconds", "uint40"],
  ["keeperDelaySeconds", "uint40"],
  ["slashJailSeconds", "uint40"],
  ["missJailSeconds", "uint40"],
  ["missWindowSeconds", "uint40"],
  ["missesToJail", "uint8"],
  ["keeperTipBps", "uint16"],
  ["protocolFeeBps", "uint16"],
  ["shareBlocks", "uint16"],
  ["maxChallengers", "uint8"],
  ["tokenGasPrice", "uint64"],
];

/** keccak256(abi.encode(parameters)): PARAMETERS_HASH of every contract of the deployment. */
export function hashParameters(parameters: Parameters): Hex {
  const types = FIELDS.map(([, type]) => ({ type }));
  return keccak256(
    encodeAbiParameters(
      types,
      FIELDS.map(([name]) => BigInt(parameters[name])),
    ),
  );
}

/** Parameters from JSON; integers of 64 bits may be decimal strings there. Throws MalformedDocument. */
export function parseParameters(raw: unknown): Parameters {
  if (typeof raw !== "object" || raw === null) throw new MalformedDocument("no parameters");
  const given = raw as Record<string, unknown>;
  const read = FIELDS.map(([name, type]) => {
    const value = given[name];
    if (!(typeof value === "number" && Number.isSafeInteger(value)) && !isDecimal(value)) {
      throw new MalformedDocument(`the parameter ${name} is no integer`);
    }
    return [name, type === "uint64" ? BigInt(value) : Number(value)] as const;
  });
  return Object.fromEntries(read) as unknown as Parameters;
}

function isDecimal(value: unknown): value is string {
  return typeof value === "string" && /^\d{1,20}$/.test(value);
}
