// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IProtocolClock} from "../interfaces/IProtocolClock.sol";
import {IStakeVault} from "../interfaces/IStakeVault.sol";

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

    /* CONSTRUCTOR */

    constructor(address market, address game, address sessions) {
        MARKET = market;
        GAME = game;
        SESSIONS = sessions;
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

    /// @dev Whoever ends what has an escrow: a job, or a session or batch.
    modifier onlySettler() {
        if (msg.sender != MARKET && msg.sender != SESSIONS) revert NotMarket(msg.sender);
        _;
    }

    modifier onlyGame() {
        if (msg.sender != GAME) revert NotGame(msg.sender);
        _;
    }

    /* READS */

    /// @dev The present second of the protocol's clock. It stands during a pause, and never reverts.
    function readClock() internal view returns (uint40) {
        return IProtocolClock(MARKET).clock();
    }
}
