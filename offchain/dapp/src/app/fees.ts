// A fee that operators take: what a job costs them in gas, with room for its price to rise.
import {
  type BlockStamp,
  computeGasPrice,
  computeProofFee,
  ETH,
  type Parameters,
  raiseBaseFee,
  type Version,
} from "../protocol";

// Of an operator's own steps: offchain/roles/money.py.
const JOB_GAS = 80_000n + 90_000n + 120_000n;
const REQUEST_PROOF_GAS = 250_000n;
const TIP_WEI = 1_000_000_000n;
const WHOLE_BPS = 10_000n;
const MARGIN_PERCENT = 150n; // an operator asks for 125

/** Least fee that the contract accepts of a job with a proof, with room for a few blocks of rising prices. */
export function computeLeastFee(
  parameters: Parameters,
  version: Version,
  block: BlockStamp,
  isProofRequired: boolean,
): bigint {
  if (!isProofRequired) return 1n;
  const gasPrice = computeGasPrice(parameters, ETH, raiseBaseFee(block));
  return computeProofFee(parameters, version, gasPrice);
}

/** Pays for an operator's gas, and for its proof if one is required; two digits, rounded up. */
export function suggestFee(
  parameters: Parameters,
  version: Version,
  block: BlockStamp,
  isProofRequired: boolean,
): bigint {
  const gas = JOB_GAS + (isProofRequired ? REQUEST_PROOF_GAS + version.proofGas : 0n);
  const spent = (gas * (raiseBaseFee(block) + TIP_WEI) * MARGIN_PERCENT) / 100n;
  const taken = parameters.protocolFeeBps + parameters.keeperTipBps + version.royaltyBps;
  const fee = (spent * WHOLE_BPS) / (WHOLE_BPS - BigInt(taken));
  const least = computeLeastFee(parameters, version, block, isProofRequired);
  return roundUp(fee > least ? fee : least);
}

/** The next number of two digits and zeros: nobody reads more of a suggestion. */
export function roundUp(amount: bigint): bigint {
  const step = 10n ** BigInt(Math.max(0, amount.toString().length - 2));
  return ((amount + step - 1n) / step) * step;
}
