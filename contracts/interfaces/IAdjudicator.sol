// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Claim, Verdict} from "../types/Claim.sol";

/// @title An adjudicator of disputed operators
interface IAdjudicator {
    /// @notice Decides a claim from evidence that anyone may bring.
    /// @dev CONSISTENT covers claim.elem: for the whole operator it takes a proof of all elements. INCONSISTENT of the
    /// whole operator may rest on one element. Reverts, and never returns, for evidence that is malformed, truncated,
    /// too long, or for which gas or a precompile fails (I30).
    function adjudicate(Claim calldata claim, bytes calldata evidence) external view returns (Verdict);

    /// @notice Whether operators of this opcode can be decided.
    function covers(uint8 opcode) external view returns (bool);
}
