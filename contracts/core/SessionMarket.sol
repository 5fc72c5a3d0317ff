// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IJobMarket} from "../interfaces/IJobMarket.sol";
import {IModelRegistry} from "../interfaces/IModelRegistry.sol";
import {ISessionMarket} from "../interfaces/ISessionMarket.sol";
import {IStakeVault} from "../interfaces/IStakeVault.sol";
import {JobId} from "../types/Ids.sol";
import {Parameters} from "../types/Parameters.sol";
import {OpenParams, SessionState, SessionTerms, StoredSession} from "../types/Session.sol";
import {Exit} from "../types/Split.sol";
import {SessionBatches} from "./SessionBatches.sol";
import {SessionBook} from "./SessionBook.sol";

/// @title The life of a session: opened, filled, closed
contract SessionMarket is SessionBatches {
    using SafeCast for uint256;

    /* CONSTRUCTOR */

    constructor(address vault, address registry, address market, Parameters memory p)
        SessionBook(vault, registry, market, p)
    {}

    /* CLIENT */

    /// @inheritdoc ISessionMarket
    function openSession(OpenParams calldata params, uint96 deposit) external payable returns (JobId sessionId) {
        tick();
        if (params.signer == address(0)) revert NoSigner();
        if (params.operator == address(0)) revert NoOperator();
        if (params.fee == 0) revert IJobMarket.ZeroFee();
        if (deposit < params.fee) revert DepositTooSmall(deposit, params.fee);
        // The version fixes verifier and royalty too: a version never changes.
        (uint32 versionNumber, uint16 royaltyBps) = IModelRegistry(REGISTRY).getOrderTerms(params.version);
        if (versionNumber == 0) revert IJobMarket.UnknownModelVersion(params.version);
        SessionTerms memory terms = readTerms(params);
        sessionId = computeSessionId(terms);
        // INVARIANT: an id names one session for ever, also after its end.
        if (sessions[sessionId].state != SessionState.NONE) revert SessionExists(sessionId);

        sessions[sessionId] = StoredSession({
            client: msg.sender,
            // Narrowed, so that whatever comes in can be credited when it goes out.
            fee: uint256(params.fee).toUint80(),
            royaltyBps: royaltyBps,
            operator: params.operator,
            state: SessionState.OPEN,
            closesAt: 0,
            versionNumber: versionNumber,
            isToken: params.token != ETH,
            signer: params.signer,
            salt: params.salt
        });
        emit SessionOpened(sessionId, msg.sender, params.operator, terms, royaltyBps);
        takeDeposit(params.token, sessionId, deposit);
    }

    /// @inheritdoc ISessionMarket
    function addDeposit(JobId sessionId, uint96 amount) external payable {
        tick();
        StoredSession storage session = findSession(sessionId);
        requireClient(sessionId, session);
        requireState(sessionId, session, SessionState.OPEN);
        if (amount == 0) revert IStakeVault.ZeroAmount();
        takeDeposit(getToken(session), sessionId, amount);
    }

    /// @inheritdoc ISessionMarket
    function closeSession(JobId sessionId) external {
        uint40 time = tick();
        StoredSession storage session = findSession(sessionId);
        address operator = session.operator;
        if (msg.sender == operator || isWorkerOf(operator)) return closeAtOnce(sessionId, session);
        requireClient(sessionId, session);
        requireState(sessionId, session, SessionState.OPEN);

        // INVARIANT: the operator can still be paid for what it answered before it knew.
        uint40 closesAt = computeDeadline(time, EXEC_SECONDS);
        (session.state, session.closesAt) = (SessionState.CLOSING, closesAt);
        emit SessionClosing(sessionId, closesAt);
    }

    /* ANYBODY */

    /// @inheritdoc ISessionMarket
    function withdrawSession(JobId sessionId) external {
        uint40 time = tick();
        StoredSession storage session = findSession(sessionId);
        requireState(sessionId, session, SessionState.CLOSING);
        requireOverdue(sessionId, session.closesAt, time);

        session.state = SessionState.CLOSED;
        emit SessionClosed(sessionId, returnDeposit(sessionId, session, Exit.CANCELLED));
    }

    /// @inheritdoc ISessionMarket
    function voidSession(JobId sessionId) external {
        requireRefundMode();
        StoredSession storage session = findSession(sessionId);
        requireLive(sessionId, session);

        session.state = SessionState.VOIDED;
        emit SessionVoided(sessionId, returnDeposit(sessionId, session, Exit.VOIDED));
    }

    /* STEPS */

    /// @dev By the operator, whose time to post it is: nobody else loses by it.
    function closeAtOnce(JobId sessionId, StoredSession storage session) private {
        requireLive(sessionId, session);

        session.state = SessionState.CLOSED;
        emit SessionClosed(sessionId, returnDeposit(sessionId, session, Exit.CANCELLED));
    }

    function takeDeposit(address token, JobId sessionId, uint96 amount) private {
        emit DepositAdded(sessionId, amount);
        // SAFETY: the vault is this deployment's; it calls nobody but the ERC-20 that the deployment chose.
        IStakeVault(VAULT).addDeposit{value: msg.value}(token, sessionId, msg.sender, amount);
    }

    /// @dev No fee is due for what no batch took, and no keeper earns a tip: the client itself waits for its money.
    function returnDeposit(JobId sessionId, StoredSession memory session, Exit exit) private returns (uint256 rest) {
        rest = getDeposit(sessionId, session);
        settle(sessionId, session, exit, rest, 0, 0, address(0));
    }

    function requireState(JobId sessionId, StoredSession storage session, SessionState required) private view {
        if (session.state != required) revert WrongSessionState(sessionId, session.state, required);
    }

    function requireLive(JobId sessionId, StoredSession storage session) private view {
        // INVARIANT: a deposit goes back once.
        if (session.state > SessionState.CLOSING) {
            revert WrongSessionState(sessionId, session.state, SessionState.OPEN);
        }
    }

    function readTerms(OpenParams calldata params) private view returns (SessionTerms memory) {
        return SessionTerms({
            client: msg.sender,
            signer: params.signer,
            operator: params.operator,
            version: params.version,
            token: params.token,
            fee: params.fee,
            salt: params.salt
        });
    }
}
