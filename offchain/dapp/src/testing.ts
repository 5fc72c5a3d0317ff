// What tests of several folders share.
import { ETH, type Job, type Parameters, type ProtocolTime } from "./protocol";

/** The parameters of a local chain (offchain/params/presets.py). */
export const TEST_PARAMETERS: Parameters = {
  assignSeconds: 60,
  execSeconds: 20,
  challengeSeconds: 15,
  proveSeconds: 30,
  proveCapSeconds: 60,
  airgapSeconds: 10,
  unbondSeconds: 380,
  lockFees: 35,
  missFees: 1,
  disputeGas: 600_000n,
  gasPriceFloor: 1_000_000_000n,
  provingPrice: 1_000_000_000_000n,
  maxProofGas: 10_000_000n,
  deliverSeconds: 15,
  keeperDelaySeconds: 10,
  slashJailSeconds: 60,
  missJailSeconds: 20,
  missWindowSeconds: 120,
  missesToJail: 3,
  keeperTipBps: 50,
  protocolFeeBps: 100,
  shareBlocks: 5,
  maxChallengers: 8,
  tokenGasPrice: 1_000_000_000n,
};

export function makeTime(clock: number, change: Partial<ProtocolTime> = {}): ProtocolTime {
  const block = { number: 100n, hash: "0x01" as const, timestamp: clock, baseFee: 1_000_000_000n };
  return { block, clock, isPaused: false, isRefundMode: false, ...change };
}

export function makeJob(change: Partial<Job> = {}): Job {
  return {
    id: `0x${"11".repeat(32)}`,
    client: "0x00000000000000000000000000000000000000Aa",
    token: ETH,
    fee: 10n ** 15n,
    operator: null,
    state: "OPEN",
    deadline: 1000,
    version: `0x${"22".repeat(32)}`,
    outDigest: null,
    proofRequired: false,
    deliverBy: null,
    ...change,
  };
}
