// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title The protocol's clock, which a pause stops
/// @notice All deadlines are seconds of this clock: block.timestamp less all time spent paused. While it stands no
/// step of a job or dispute is possible, so no deadline can pass that somebody was kept from meeting (I19).
interface IProtocolClock {
    /* ERRORS */

    /// @notice Thrown when somebody else than the guardian calls a function of the guardian.
    error NotGuardian(address caller);
    /// @notice Thrown by every step of a job while the protocol is paused; it goes on by itself at `until` at the latest.
    error ProtocolPaused(uint256 until);
    /// @notice Thrown by every step of a job but voiding, once the refund mode is on.
    error InRefundMode();
    /// @notice Thrown when something that only the refund mode allows is asked for without it.
    error NotInRefundMode();
    /// @notice Thrown when the last pause ended too short a time ago.
    error PauseTooSoon(uint256 allowedAt, uint256 time);
    /// @notice Thrown when there is no pause to end.
    error NotPaused();

    /* EVENTS */

    /// @notice The clock stands, until `until` (block.timestamp) at most.
    event Paused(uint256 until);
    /// @notice The clock runs again; it stood for `duration` seconds.
    event Unpaused(uint256 duration);
    /// @notice From now on jobs can only be voided. For ever.
    event RefundModeEntered();

    /* THE GUARDIAN */

    /// @notice Stops the clock for MAX_PAUSE at most, not before COOL_DOWN after the last pause. Only the guardian.
    function pause() external;
    /// @notice Ends a pause early. Only the guardian.
    function unpause() external;
    /// @notice Turns the refund mode on. Only the guardian.
    function enterRefundMode() external;

    /* VIEWS */

    /// @notice The present second of the protocol's clock.
    function clock() external view returns (uint40);
    /// @notice The same for a step of a neighbouring module: reverts while the clock stands and in the refund mode, as
    /// every step of a job does.
    function stepTime() external view returns (uint40);
    /// @notice Whether the clock stands.
    function isPaused() external view returns (bool);
    /// @notice Whether jobs can only be voided.
    function isRefundMode() external view returns (bool);
    /// @notice The one account that may pause.
    function GUARDIAN() external view returns (address);
    /// @notice Longest pause, in seconds (72 hours).
    function MAX_PAUSE() external view returns (uint256);
    /// @notice Shortest time between two pauses, in seconds (14 days).
    function COOL_DOWN() external view returns (uint256);
}
