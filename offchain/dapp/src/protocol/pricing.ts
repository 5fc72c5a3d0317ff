// Prices of locks, bonds, proofs and deliveries, and time to prove: contracts/libraries/Pricing.sol.
//
// Computed here from a block's base fee instead of asked by eth_call: some nodes run a call without gas price at a base
// fee of zero, and would understate every price that moves with it.
import type { BlockStamp, Parameters, Version } from "./types";
import { type Address, ETH } from "./types";

const GAS_MARGIN = 3n;
const BOND_NUMERATOR = 3n;
const BOND_DENOMINATOR = 2n;
const PERCENT = 100n;
const SLASH_CHALLENGERS = 35n;
const DELIVERY_GAS = 60_000n;
const DELIVERY_BYTE_GAS = 60n;
/** A price sent with a transaction holds while the base fee grows by a quarter: two full blocks. */
const HEADROOM_PERCENT = 125n;

/** Price of a unit of gas in the token's smallest unit, as the contracts reckon it. */
export function computeGasPrice(parameters: Parameters, token: Address, baseFee: bigint): bigint {
  if (token !== ETH) return parameters.tokenGasPrice;
  return baseFee > parameters.gasPriceFloor ? baseFee : parameters.gasPriceFloor;
}

/** max(lockFees * fee, ceil(3 * disputeGas * gasPrice * 100 / 35)). */
export function computeLock(parameters: Parameters, fee: bigint, gasPrice: bigint): bigint {
  const floor = GAS_MARGIN * parameters.disputeGas * gasPrice;
  const reward = divideUp(floor * PERCENT, SLASH_CHALLENGERS);
  const lock = BigInt(parameters.lockFees) * fee;
  return lock > reward ? lock : reward;
}

/** ceil(3 * (proveSeconds * provingPrice + 3 * proofGas * gasPrice) / 2). */
export function computeBond(
  parameters: Parameters,
  version: Pick<Version, "proveSeconds" | "proofGas">,
  gasPrice: bigint,
): bigint {
  const proving = BigInt(version.proveSeconds) * parameters.provingPrice;
  const cost = proving + GAS_MARGIN * version.proofGas * gasPrice;
  return divideUp(BOND_NUMERATOR * cost, BOND_DENOMINATOR);
}

/** proveSeconds * provingPrice + proofGas * gasPrice: least fee of a job that requires a proof. */
export function computeProofFee(
  parameters: Parameters,
  version: Pick<Version, "proveSeconds" | "proofGas">,
  gasPrice: bigint,
): bigint {
  return BigInt(version.proveSeconds) * parameters.provingPrice + version.proofGas * gasPrice;
}

/** (60,000 + 60 * outputBytes) * gasPrice. */
export function computeDeliveryPayment(outputBytes: number, gasPrice: bigint): bigint {
  return (DELIVERY_GAS + DELIVERY_BYTE_GAS * BigInt(outputBytes)) * gasPrice;
}

/** min(cap, W_prove + proveSeconds * (openChallenges + 1)). */
export function computeProveSeconds(
  parameters: Parameters,
  proveSeconds: number,
  openChallenges: number,
): number {
  const asked = parameters.proveSeconds + proveSeconds * (openChallenges + 1);
  return Math.min(parameters.proveCapSeconds, asked);
}

/** The base fee to reckon with in a transaction that is mined a few blocks after this one. */
export function raiseBaseFee(block: BlockStamp): bigint {
  return divideUp(block.baseFee * HEADROOM_PERCENT, PERCENT);
}

function divideUp(numerator: bigint, denominator: bigint): bigint {
  return (numerator + denominator - 1n) / denominator;
}
