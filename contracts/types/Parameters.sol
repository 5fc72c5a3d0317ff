// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice The protocol's parameters: one set for a deployment, given to every constructor, immutable afterwards.
/// All times are in seconds.
struct Parameters {
    /// T_assign: how long a job waits for an operator.
    uint40 assignSeconds;
    /// T_exec: how long an operator may take to commit a result.
    uint40 execSeconds;
    /// W_chal: how long a committed result may be challenged.
    uint40 challengeSeconds;
    /// W_prove: time to prove, before the version's own proving time is added.
    uint40 proveSeconds;
    /// Longest time to prove, however many challenges an operator has open.
    uint40 proveCapSeconds;
    /// How long a slashed lock is held before it is divided; a proof within that time still cures a default.
    uint40 airgapSeconds;
    /// How long stake stays slashable after its owner asks for it.
    uint40 unbondSeconds;
    /// Lock of a job, in fees (protocol.md A.14).
    uint16 lockFees;
    /// S_miss: fine for committing nothing, in fees.
    uint16 missFees;
    /// Gas a challenger spends to bring a dispute to a default.
    uint64 disputeGas;
    /// Wei for a unit of gas below which the formulas never go.
    uint64 gasPriceFloor;
    /// Wei for a second of proving.
    uint64 provingPrice;
    /// Largest proof gas that a version may declare: it drives the bond.
    uint64 maxProofGas;
    /// T_deliver: how long an operator may take to post an output on chain that its client asks for.
    uint40 deliverSeconds;
    /// How long after a deadline a stranger who settles a job earns the keeper's tip.
    uint40 keeperDelaySeconds;
    /// Jail after a slash.
    uint40 slashJailSeconds;
    /// Jail after too many misses.
    uint40 missJailSeconds;
    /// Misses are counted over this time.
    uint40 missWindowSeconds;
    /// So many misses within the window lead to jail.
    uint8 missesToJail;
    /// Keeper's tip in hundredths of a percent of the fee.
    uint16 keeperTipBps;
    /// Part of the fee that is burned when a job is paid, in hundredths of a percent.
    uint16 protocolFeeBps;
    /// Challenges up to so many blocks after the first share its reward.
    uint16 shareBlocks;
    /// Challengers a job has room for, its client not counted.
    uint8 maxChallengers;
    /// Units of the ERC-20 that stand for a unit of gas in the formulas; the token has no base fee.
    uint64 tokenGasPrice;
}
