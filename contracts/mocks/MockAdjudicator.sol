// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IAdjudicator} from "../interfaces/IAdjudicator.sol";
import {Claim, Verdict} from "../types/Claim.sol";

/// @title Stand-in for an adjudicator in tests of money and state
/// @notice Judges nothing: its evidence says the verdict. Real evidence is tested against the real adjudicators.
contract MockAdjudicator is IAdjudicator {
    /// First byte of the evidence: the verdict to give.
    bytes1 public constant CONSISTENT = 0xa1;
    bytes1 public constant INCONSISTENT = 0xa2;
    bytes1 public constant NOTHING = 0xc0;
    bytes1 public constant BURN_GAS = 0xb0;

    error Refused(bytes evidence);
    error UnexpectedClaim(bytes32 got, bytes32 expected);

    /// @param evidence The verdict; then, if anything, the hash of the only claim to decide.
    function adjudicate(Claim calldata claim, bytes calldata evidence) external pure returns (Verdict) {
        if (evidence.length == 33) {
            bytes32 got = keccak256(abi.encode(claim));
            if (got != bytes32(evidence[1:])) revert UnexpectedClaim(got, bytes32(evidence[1:]));
        } else if (evidence.length != 1) {
            revert Refused(evidence);
        }
        if (evidence[0] == CONSISTENT) return Verdict.CONSISTENT;
        if (evidence[0] == INCONSISTENT) return Verdict.INCONSISTENT;
        if (evidence[0] == NOTHING) return Verdict.NONE;
        if (evidence[0] != BURN_GAS) revert Refused(evidence);
        bytes32 heat;
        while (true) heat = keccak256(abi.encode(heat));
        return Verdict.NONE;
    }

    function covers(uint8) external pure returns (bool) {
        return true;
    }
}
