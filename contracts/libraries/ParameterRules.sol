// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IParameters} from "../interfaces/IParameters.sol";
import {Parameters} from "../types/Parameters.sol";

/// @title What a set of parameters must satisfy
library ParameterRules {
    /// @dev Stake stays slashable for this many of the longest job lives (protocol.md 3.8, I22).
    uint256 internal constant LIVES_TO_UNBOND = 2;

    /// @notice Names a set of parameters.
    function hash(Parameters memory p) internal pure returns (bytes32) {
        return keccak256(abi.encode(p));
    }

    /// @notice T_assign + T_exec + W_chal + proveCap + airgap: no job lives longer, if somebody settles it in time.
    function computeLongestLife(Parameters memory p) internal pure returns (uint256) {
        return uint256(p.assignSeconds) + p.execSeconds + p.challengeSeconds + p.proveCapSeconds + p.airgapSeconds;
    }

    /// @notice Reverts unless a deployment can live with the parameters. Airgap, fine and proving price may be 0.
    function validate(Parameters memory p) internal pure {
        atLeast(0, p.assignSeconds, 1);
        atLeast(1, p.execSeconds, 1);
        atLeast(2, p.challengeSeconds, 1);
        atLeast(3, p.proveSeconds, 1);
        // One second more, so that a version's own proving time fits under the cap.
        atLeast(4, p.proveCapSeconds, uint256(p.proveSeconds) + 1);
        atLeast(7, p.lockFees, 1);
        // The fine is paid out of the lock.
        atLeast(7, p.lockFees, p.missFees);
        atLeast(9, p.disputeGas, 1);
        atLeast(10, p.gasPriceFloor, 1);
        atLeast(12, p.maxProofGas, 1);

        uint256 unbondMin = LIVES_TO_UNBOND * computeLongestLife(p);
        if (p.unbondSeconds < unbondMin) revert IParameters.UnbondTooShort(p.unbondSeconds, unbondMin);
    }

    function atLeast(uint256 index, uint256 got, uint256 minimum) private pure {
        if (got < minimum) revert IParameters.ParameterTooSmall(index, got, minimum);
    }
}
