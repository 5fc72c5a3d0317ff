// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @notice The protocol's parameters: one set for a deployment, given to every constructor, immutable afterwards.
/// All times are in seconds of block.timestamp.
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
    /// How long the proceeds of a slash are held back.
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
}
