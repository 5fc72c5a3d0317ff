// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {JobSteps} from "./JobSteps.sol";

/// @notice Everybody by whom a row of the access matrix is called.
abstract contract AccessRoles is JobSteps {
    uint256 internal constant ROLES = 21;
    uint256 internal constant THE_CLIENT = 1 << 0;
    uint256 internal constant THE_OWNER = 1 << 1;
    uint256 internal constant THE_WORKER = 1 << 2;
    uint256 internal constant THE_CHALLENGER = 1 << 3;
    uint256 internal constant THE_STRANGER = 1 << 4;
    uint256 internal constant THE_MARKET = 1 << 7;
    uint256 internal constant THE_GAME = 1 << 8;
    uint256 internal constant THE_GUARDIAN = 1 << 10;
    uint256 internal constant THE_MEMBER = 1 << 11;
    uint256 internal constant THE_JAILED = 1 << 12;
    uint256 internal constant THE_JAILED_WORKER = 1 << 13;
    uint256 internal constant THE_SESSIONS = 1 << 14;
    uint256 internal constant THE_ORDERS = 1 << 15;
    uint256 internal constant THE_PINPOINT = 1 << 17;
    uint256 internal constant THE_QUORUM = 1 << 18;
    uint256 internal constant THE_AUDITS = 1 << 19;
    uint256 internal constant THE_REGISTRANT = 1 << 20;
    uint256 internal constant JUDGES = THE_MARKET | THE_QUORUM;
    uint256 internal constant STAKERS = THE_OWNER | THE_JAILED;
    uint256 internal constant EVERYBODY = (1 << ROLES) - 1;

    address[ROLES] internal roles;

    address internal immutable JAILED = vm.addr(21);
    address internal immutable JAILED_WORKER = vm.addr(22);
    address internal immutable OTHER = vm.addr(23);
    address internal immutable OTHER_WORKER = vm.addr(24);

    function setRoles() internal {
        roles = [
            CLIENT,
            OWNER,
            WORKER,
            CHALLENGER,
            STRANGER,
            address(this),
            address(vault),
            address(market),
            address(game),
            address(registry),
            address(guardian),
            member(0),
            JAILED,
            JAILED_WORKER,
            address(sessions),
            address(orders),
            address(relay),
            vault.PINPOINT(),
            vault.QUORUM(),
            vault.AUDITS(),
            REGISTRANT
        ];
        fund(JAILED);
        fund(OTHER);
        giveStake(JAILED, JAILED_WORKER, STAKE);
        giveStake(OTHER, OTHER_WORKER, STAKE);
        // The vault has money of its own already: the stake.
        for (uint256 i = 0; i < ROLES; ++i) {
            if (roles[i] != address(vault)) vm.deal(roles[i], 1000 ether);
        }
    }
}
