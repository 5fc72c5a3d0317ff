// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title Three members, two of whom can stop the protocol for a while
/// @notice They can pause (bounded, protocol.md A.8), end a pause, switch to refunds for ever, or lay their power down
/// for ever. They can move no money, and nothing to themselves: in the refund mode everybody gets its own back.
interface IGuardian {
    enum Action {
        PAUSE,
        UNPAUSE,
        REFUND,
        RENOUNCE
    }

    /* ERRORS */

    /// @notice Thrown by the constructor when a member is zero or named twice.
    error BadMember(address member);
    /// @notice Thrown when the caller is no member.
    error NotMember(address caller);
    /// @notice Thrown when a member approves the same proposal twice.
    error AlreadyApproved(address member, Action action);
    /// @notice Thrown when a member takes an approval back that it has not given, or that is too old to count.
    error NotApproved(address member, Action action);
    /// @notice Thrown when the members have laid their power down.
    error GuardianRenounced();

    /* EVENTS */

    /// @notice A member is for it; one more, until `validUntil`, and it happens.
    event ActionApproved(Action indexed action, address indexed member, uint256 validUntil);
    /// @notice A member is no longer for it.
    event ApprovalWithdrawn(Action indexed action, address indexed member);
    /// @notice Two members were for it; it happened.
    event ActionExecuted(Action indexed action);

    /* MEMBERS */

    /// @notice Approves an action; the second approval of another member within APPROVAL_SECONDS executes it. An
    /// approval that is too old counts for nothing.
    function approve(Action action) external;
    /// @notice Takes the caller's approval back.
    function withdrawApproval(Action action) external;

    /* VIEWS */

    /// @notice Whether the members have laid their power down.
    function renounced() external view returns (bool);
    /// @notice Whether the account is a member.
    function isMember(address account) external view returns (bool);
    /// @notice The market whose clock this guardian can stop.
    function MARKET() external view returns (address);
    /// @notice Seconds for which an approval counts.
    function APPROVAL_SECONDS() external view returns (uint256);
}
