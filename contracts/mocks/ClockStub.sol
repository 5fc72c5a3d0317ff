// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ProtocolClock} from "../core/ProtocolClock.sol";

/// @title A clock alone, whose steps the tests take
contract ClockStub is ProtocolClock {
    constructor(address guardian) ProtocolClock(guardian) {}

    /// @notice What a step of a job asks first.
    function step() external view returns (uint40) {
        return tick();
    }

    /// @notice What a step asks that the refund mode does not stop.
    function stepInAnyMode() external view returns (uint40) {
        return tickInAnyMode();
    }

    /// @notice What voiding asks first.
    function stepInRefundMode() external view returns (uint40) {
        return tickInRefundMode();
    }
}
