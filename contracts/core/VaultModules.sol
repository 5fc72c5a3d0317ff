// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IProtocolClock} from "../interfaces/IProtocolClock.sol";
import {IStakeVault} from "../interfaces/IStakeVault.sol";
import {Modules} from "../types/Modules.sol";

/// @title The modules that may move money inside the vault
/// @notice Their addresses are known before they exist: a creator's address and nonce fix them. Their constructors
/// check that this vault names them, so a wrong prediction ends a deployment before any money is in it.
abstract contract VaultModules is IStakeVault {
    /* IMMUTABLES */

    /// @inheritdoc IStakeVault
    address public immutable MARKET;
    /// @inheritdoc IStakeVault
    address public immutable GAME;
    /// @inheritdoc IStakeVault
    address public immutable SESSIONS;
    /// @inheritdoc IStakeVault
    address public immutable PINPOINT;
    /// @inheritdoc IStakeVault
    address public immutable QUORUM;
    /// @inheritdoc IStakeVault
    address public immutable AUDITS;

    /* CONSTRUCTOR */

    constructor(Modules memory modules) {
        MARKET = modules.market;
        GAME = modules.game;
        SESSIONS = modules.sessions;
        PINPOINT = modules.pinpoint;
        QUORUM = modules.quorum;
        AUDITS = modules.audits;
    }

    /* MODIFIERS */

    modifier onlyMarket() {
        if (msg.sender != MARKET) revert NotMarket(msg.sender);
        _;
    }

    modifier onlySessions() {
        if (msg.sender != SESSIONS) revert NotSessions(msg.sender);
        _;
    }

    /// @dev Whoever judges results: of jobs, or of replicas that never became jobs.
    modifier onlyJudge() {
        if (msg.sender != MARKET && msg.sender != QUORUM) revert NotMarket(msg.sender);
        _;
    }

    /// @dev Whoever ends what has an escrow: a job, a session or batch, a replica.
    modifier onlySettler() {
        if (msg.sender != MARKET && msg.sender != SESSIONS && msg.sender != QUORUM) revert NotMarket(msg.sender);
        _;
    }

    /// @dev Whoever moves one deposit to many results.
    modifier onlyDistributor() {
        if (msg.sender != SESSIONS && msg.sender != QUORUM) revert NotSessions(msg.sender);
        _;
    }

    /// @dev Both games take bonds: one under the ids of jobs, the other under the ids of its disputes.
    modifier onlyGames() {
        if (msg.sender != GAME && msg.sender != PINPOINT) revert NotGame(msg.sender);
        _;
    }

    /* READS */

    /// @dev The present second of the protocol's clock. It stands during a pause, and never reverts.
    function readClock() internal view returns (uint40) {
        return IProtocolClock(MARKET).clock();
    }
}
