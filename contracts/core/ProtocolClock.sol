// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IProtocolClock} from "../interfaces/IProtocolClock.sol";

/// @title The protocol's clock, which a pause stops
/// @notice A pause needs no transaction to end: once it has lasted MAX_PAUSE it counts as over at that second, and the
/// next pause adds it to the total.
abstract contract ProtocolClock is IProtocolClock {
    using SafeCast for uint256;

    /* TYPES */

    /// @dev One word: whatever a step of a job has to know about pauses costs it one read.
    struct PauseState {
        /// Second of block.timestamp at which the last pause began, if nobody ended it early; 0 otherwise.
        uint40 pausedAt;
        /// Length of all pauses before that one.
        uint40 pausedTotal;
        /// Second of block.timestamp at which the last pause was ended early; counts while `pausedAt` is 0.
        uint40 pauseEndedAt;
        bool refundMode;
    }

    /* CONSTANTS */

    /// @inheritdoc IProtocolClock
    uint256 public constant MAX_PAUSE = 72 hours;
    /// @inheritdoc IProtocolClock
    uint256 public constant COOL_DOWN = 14 days;

    /* IMMUTABLES */

    /// @inheritdoc IProtocolClock
    address public immutable GUARDIAN;

    /* STORAGE */

    PauseState private pauseState;

    /* CONSTRUCTOR */

    constructor(address guardian) {
        GUARDIAN = guardian;
    }

    /* MODIFIERS */

    modifier onlyGuardian() {
        if (msg.sender != GUARDIAN) revert NotGuardian(msg.sender);
        _;
    }

    /* THE GUARDIAN */

    /// @inheritdoc IProtocolClock
    function pause() external onlyGuardian {
        PauseState memory state = pauseState;
        if (state.refundMode) revert InRefundMode();
        // INVARIANT: the clock runs for COOL_DOWN between two pauses. One that nobody ended counts at full length.
        uint256 lastEnd = state.pausedAt == 0 ? state.pauseEndedAt : state.pausedAt + MAX_PAUSE;
        uint256 allowedAt = lastEnd + COOL_DOWN;
        if (lastEnd != 0 && block.timestamp < allowedAt) revert PauseTooSoon(allowedAt, block.timestamp);

        if (state.pausedAt != 0) state.pausedTotal += MAX_PAUSE.toUint40();
        state.pausedAt = block.timestamp.toUint40();
        pauseState = state;
        emit Paused(block.timestamp + MAX_PAUSE);
    }

    /// @inheritdoc IProtocolClock
    function unpause() external onlyGuardian {
        PauseState memory state = pauseState;
        if (!isStanding(state)) revert NotPaused();

        uint256 duration = block.timestamp - state.pausedAt;
        state.pausedTotal += duration.toUint40();
        (state.pausedAt, state.pauseEndedAt) = (0, block.timestamp.toUint40());
        pauseState = state;
        emit Unpaused(duration);
    }

    /// @inheritdoc IProtocolClock
    function enterRefundMode() external onlyGuardian {
        if (pauseState.refundMode) revert InRefundMode();

        pauseState.refundMode = true;
        emit RefundModeEntered();
    }

    /* STEPS OF A JOB */

    /// @dev The present second, for every step of a job: none counts while the clock stands or after the switch to
    /// refunds. One read of storage.
    function tick() internal view returns (uint40) {
        PauseState memory state = pauseState;
        requireRunning(state);
        if (state.refundMode) revert InRefundMode();
        return computeClock(state);
    }

    /// @dev The present second, for what the refund mode does not stop: dividing a slash whose airgap is over.
    function tickInAnyMode() internal view returns (uint40) {
        PauseState memory state = pauseState;
        requireRunning(state);
        return computeClock(state);
    }

    /// @dev The present second, for voiding: in the refund mode only, whether the clock stands or not.
    function tickInRefundMode() internal view returns (uint40) {
        PauseState memory state = pauseState;
        if (!state.refundMode) revert NotInRefundMode();
        return computeClock(state);
    }

    function requireRunning(PauseState memory state) private view {
        // INVARIANT: no step is possible while the clock stands, so none can be missed.
        if (isStanding(state)) revert ProtocolPaused(state.pausedAt + MAX_PAUSE);
    }

    function isStanding(PauseState memory state) private view returns (bool) {
        return state.pausedAt != 0 && block.timestamp < state.pausedAt + MAX_PAUSE;
    }

    /// @dev timestamp - pausedTotal - min(timestamp - pausedAt, MAX_PAUSE); without the last term if no pause is left to
    /// count.
    function computeClock(PauseState memory state) private view returns (uint40) {
        uint256 stood = state.pausedAt == 0 ? 0 : Math.min(block.timestamp - state.pausedAt, MAX_PAUSE);
        return (block.timestamp - state.pausedTotal - stood).toUint40();
    }

    /* VIEWS */

    /// @inheritdoc IProtocolClock
    function stepTime() external view returns (uint40) {
        return tick();
    }

    /// @inheritdoc IProtocolClock
    function clock() external view returns (uint40) {
        return computeClock(pauseState);
    }

    /// @inheritdoc IProtocolClock
    function isPaused() external view returns (bool) {
        return isStanding(pauseState);
    }

    /// @inheritdoc IProtocolClock
    function isRefundMode() external view returns (bool) {
        return pauseState.refundMode;
    }
}
