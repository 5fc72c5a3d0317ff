// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IParameters} from "../interfaces/IParameters.sol";
import {Parameters} from "../types/Parameters.sol";

/// @title What a set of parameters must satisfy
library ParameterRules {
    /// @dev Stake stays slashable for this many of the longest job lives (protocol.md 3.8, I22).
    uint256 internal constant LIVES_TO_UNBOND = 2;

    /// @dev Hundredths of a percent in a whole fee.
    uint256 internal constant BPS = 10_000;

    /// @dev Largest part of a fee that a model's owner may ask for, in hundredths of a percent (protocol.md A.16).
    uint256 internal constant MAX_ROYALTY_BPS = 2000;

    /// @dev A settlement pays every challenger: with so many it stays far below a block's gas (I18).
    uint256 internal constant MAX_CHALLENGERS = 16;

    /// @dev A reward is shared by those who looked at once: some 50 minutes of 12 s blocks.
    uint256 internal constant MAX_SHARE_BLOCKS = 256;

    /// @notice Names a set of parameters.
    function hash(Parameters memory p) internal pure returns (bytes32 result) {
        // Equivalent to result = keccak256(abi.encode(p)): 24 numbers, each a word
        assembly ("memory-safe") {
            result := keccak256(p, 0x300)
        }
    }

    /// @dev Most turns of a search that may begin with less than an extension left: nine a side, and nine moves with 32
    /// descendants each tell 2**45 leaves apart.
    uint256 internal constant MAX_EXTENSIONS = 18;

    /// @dev Parts of T_exec and W_prove: to publish a trace's root, and least time for a move of a search.
    uint256 internal constant TRACE_PART = 2;
    uint256 internal constant EXTENSION_PART = 10;

    /// @notice T_assign + T_exec + W_chal + T_deliver + T_pinpoint + 2 proveCap + airgap: no job lives longer, if
    /// somebody settles it in time. After a search begun at the window's last second the operator found is proven within
    /// one proveCap, and an operator that rather proves the whole result has another.
    function computeLongestLife(Parameters memory p) internal pure returns (uint256) {
        return uint256(p.assignSeconds) + p.execSeconds + p.challengeSeconds + p.deliverSeconds
            + computePinpointSeconds(p) + 2 * uint256(p.proveCapSeconds) + p.airgapSeconds;
    }

    /// @notice T_trace + 2 clocks + 18 extensions: longest time from the opening of a search to the operator it finds.
    function computePinpointSeconds(Parameters memory p) internal pure returns (uint256) {
        return computeTraceSeconds(p) + 2 * computeClockSeconds(p) + MAX_EXTENSIONS * computeExtensionSeconds(p);
    }

    /// @notice T_trace: how long an operator may take to publish the root of its trace, max(1, floor(T_exec / 2)).
    function computeTraceSeconds(Parameters memory p) internal pure returns (uint256) {
        return Math.max(1, p.execSeconds / TRACE_PART);
    }

    /// @notice What each side of a search has for all its moves: W_prove.
    function computeClockSeconds(Parameters memory p) internal pure returns (uint256) {
        return p.proveSeconds;
    }

    /// @notice What a side has at least for its next move, max(1, floor(W_prove / 10)).
    function computeExtensionSeconds(Parameters memory p) internal pure returns (uint256) {
        return Math.max(1, p.proveSeconds / EXTENSION_PART);
    }

    /// @notice Reverts unless a deployment can live with the parameters. Airgap, fine, proving price, the keeper's tip
    /// and delay, protocol fee and the blocks in which a reward is shared may be 0.
    function validate(Parameters memory p) internal pure {
        validateTimes(p);
        validatePrices(p);
        atLeast(18, p.missesToJail, 1);
        atMost(21, p.shareBlocks, MAX_SHARE_BLOCKS);
        atLeast(22, p.maxChallengers, 1);
        atMost(22, p.maxChallengers, MAX_CHALLENGERS);

        uint256 unbondMin = LIVES_TO_UNBOND * computeLongestLife(p);
        if (p.unbondSeconds < unbondMin) revert IParameters.UnbondTooShort(p.unbondSeconds, unbondMin);
    }

    function validateTimes(Parameters memory p) private pure {
        atLeast(0, p.assignSeconds, 1);
        atLeast(1, p.execSeconds, 1);
        atLeast(2, p.challengeSeconds, 1);
        atLeast(3, p.proveSeconds, 1);
        // One second more, so that a version's own proving time fits under the cap.
        atLeast(4, p.proveCapSeconds, uint256(p.proveSeconds) + 1);
        atLeast(13, p.deliverSeconds, 1);
        atLeast(15, p.slashJailSeconds, 1);
        atLeast(16, p.missJailSeconds, 1);
        atLeast(17, p.missWindowSeconds, 1);
    }

    function validatePrices(Parameters memory p) private pure {
        atLeast(7, p.lockFees, 1);
        // The fine is paid out of the lock.
        atLeast(7, p.lockFees, p.missFees);
        atLeast(9, p.disputeGas, 1);
        atLeast(10, p.gasPriceFloor, 1);
        atLeast(12, p.maxProofGas, 1);
        // The parts of a fee never exceed it, whatever royalty the version asks for.
        atMost(20, uint256(p.keeperTipBps) + p.protocolFeeBps, BPS - MAX_ROYALTY_BPS);
        atLeast(23, p.tokenGasPrice, 1);
    }

    function atLeast(uint256 index, uint256 got, uint256 minimum) private pure {
        if (got < minimum) revert IParameters.ParameterTooSmall(index, got, minimum);
    }

    function atMost(uint256 index, uint256 got, uint256 maximum) private pure {
        if (got > maximum) revert IParameters.ParameterTooLarge(index, got, maximum);
    }
}
