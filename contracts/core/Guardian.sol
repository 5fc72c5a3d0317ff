// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IGuardian} from "../interfaces/IGuardian.sol";
import {IProtocolClock} from "../interfaces/IProtocolClock.sol";

/// @title Three members, two of whom can stop the protocol for a while
contract Guardian is IGuardian {
    /* CONSTANTS */

    /// @inheritdoc IGuardian
    uint256 public constant APPROVAL_SECONDS = 1 days;

    /* IMMUTABLES */

    /// @inheritdoc IGuardian
    address public immutable MARKET;

    address private immutable FIRST;
    address private immutable SECOND;
    address private immutable THIRD;

    /* STORAGE */

    /// @inheritdoc IGuardian
    bool public renounced;

    /// @dev Last second of block.timestamp at which a member's approval counts.
    mapping(Action => mapping(address member => uint256)) private validUntil;

    /* CONSTRUCTOR */

    constructor(address[3] memory members, address market) {
        if (members[0] == address(0)) revert BadMember(members[0]);
        if (members[1] == address(0) || members[1] == members[0]) revert BadMember(members[1]);
        if (members[2] == address(0) || members[2] == members[0] || members[2] == members[1]) {
            revert BadMember(members[2]);
        }
        (FIRST, SECOND, THIRD) = (members[0], members[1], members[2]);
        MARKET = market;
    }

    /* MODIFIERS */

    modifier onlyMember() {
        if (!isMember(msg.sender)) revert NotMember(msg.sender);
        _;
    }

    /* MEMBERS */

    /// @inheritdoc IGuardian
    function approve(Action action) external onlyMember {
        if (renounced) revert GuardianRenounced();
        if (isApproving(action, msg.sender)) revert AlreadyApproved(msg.sender, action);

        uint256 until = block.timestamp + APPROVAL_SECONDS;
        validUntil[action][msg.sender] = until;
        emit ActionApproved(action, msg.sender, until);
        if (countApprovals(action) > 1) execute(action);
    }

    /// @inheritdoc IGuardian
    function withdrawApproval(Action action) external onlyMember {
        if (!isApproving(action, msg.sender)) revert NotApproved(msg.sender, action);

        delete validUntil[action][msg.sender];
        emit ApprovalWithdrawn(action, msg.sender);
    }

    /* STEPS */

    function execute(Action action) private {
        // INVARIANT: an approval serves once.
        delete validUntil[action][FIRST];
        delete validUntil[action][SECOND];
        delete validUntil[action][THIRD];
        if (action == Action.RENOUNCE) renounced = true;
        emit ActionExecuted(action);

        if (action == Action.PAUSE) IProtocolClock(MARKET).pause();
        if (action == Action.UNPAUSE) IProtocolClock(MARKET).unpause();
        if (action == Action.REFUND) IProtocolClock(MARKET).enterRefundMode();
    }

    function countApprovals(Action action) private view returns (uint256 count) {
        if (isApproving(action, FIRST)) ++count;
        if (isApproving(action, SECOND)) ++count;
        if (isApproving(action, THIRD)) ++count;
    }

    function isApproving(Action action, address member) private view returns (bool) {
        return block.timestamp <= validUntil[action][member];
    }

    /* VIEWS */

    /// @inheritdoc IGuardian
    function isMember(address account) public view returns (bool) {
        return account == FIRST || account == SECOND || account == THIRD;
    }
}
