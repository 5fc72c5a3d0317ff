// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IJobMarket} from "../interfaces/IJobMarket.sol";
import {IModelRegistry} from "../interfaces/IModelRegistry.sol";
import {IParameters} from "../interfaces/IParameters.sol";
import {IProtocolClock} from "../interfaces/IProtocolClock.sol";
import {ISessionMarket} from "../interfaces/ISessionMarket.sol";
import {IStakeVault} from "../interfaces/IStakeVault.sol";
import {ParameterRules} from "../libraries/ParameterRules.sol";
import {Settlement} from "../libraries/Settlement.sol";
import {JobId} from "../types/Ids.sol";
import {JobTerms} from "../types/Job.sol";
import {Parameters} from "../types/Parameters.sol";
import {Session, SessionState, SessionTerms, StoredSession} from "../types/Session.sol";
import {Dues, Exit, Parties} from "../types/Split.sol";

/// @title The book of sessions: storage, look-ups, names, and the one way in which a session or batch is settled
abstract contract SessionBook is ISessionMarket {
    using SafeCast for uint256;

    /* CONSTANTS */

    /// @dev The token of fees and stakes where it is not the ERC-20.
    address internal constant ETH = address(0);

    /* IMMUTABLES */

    /// @inheritdoc ISessionMarket
    address public immutable VAULT;
    /// @inheritdoc ISessionMarket
    address public immutable REGISTRY;
    /// @inheritdoc ISessionMarket
    address public immutable MARKET;
    /// @inheritdoc ISessionMarket
    address public immutable GAME;
    /// @inheritdoc IParameters
    bytes32 public immutable PARAMETERS_HASH;

    /// @dev The vault's ERC-20, or 0.
    address internal immutable TOKEN;
    uint256 internal immutable EXEC_SECONDS;
    uint256 internal immutable CHALLENGE_SECONDS;
    uint256 internal immutable KEEPER_DELAY_SECONDS;

    uint16 private immutable PROTOCOL_FEE_BPS;
    uint16 private immutable KEEPER_TIP_BPS;

    /* STORAGE */

    mapping(JobId sessionId => StoredSession) internal sessions;

    /* CONSTRUCTOR */

    constructor(address vault, address registry, address market, Parameters memory p) {
        ParameterRules.validate(p);
        PARAMETERS_HASH = ParameterRules.hash(p);
        // Sessions across two deployments would move money under foreign rules.
        if (
            IStakeVault(vault).SESSIONS() != address(this) || IStakeVault(vault).MARKET() != market
                || IParameters(vault).PARAMETERS_HASH() != PARAMETERS_HASH
        ) revert ForeignModule(vault);
        if (
            IJobMarket(market).VAULT() != vault || IJobMarket(market).REGISTRY() != registry
                || IParameters(market).PARAMETERS_HASH() != PARAMETERS_HASH
        ) revert ForeignModule(market);
        VAULT = vault;
        REGISTRY = registry;
        MARKET = market;
        GAME = IStakeVault(vault).GAME();
        TOKEN = IStakeVault(vault).TOKEN();
        EXEC_SECONDS = p.execSeconds;
        CHALLENGE_SECONDS = p.challengeSeconds;
        KEEPER_DELAY_SECONDS = p.keeperDelaySeconds;
        PROTOCOL_FEE_BPS = p.protocolFeeBps;
        KEEPER_TIP_BPS = p.keeperTipBps;
    }

    /* SETTLEMENT */

    /// @dev The last thing that happens to the money of a session or a batch; the caller has written its last state.
    /// @param id The session, which has no lock and no royalty, or a batch of it.
    function settle(
        JobId id,
        StoredSession memory session,
        Exit exit,
        uint256 fees,
        uint256 lock,
        uint16 royaltyBps,
        address keeper
    ) internal {
        Dues memory dues;
        (dues.fee, dues.lock) = (fees.toUint96(), lock.toUint96());
        (dues.hasKeeper, dues.royaltyBps) = (keeper != address(0), royaltyBps);
        (dues.protocolFeeBps, dues.keeperTipBps) = (PROTOCOL_FEE_BPS, KEEPER_TIP_BPS);
        Parties memory parties = Parties({
            client: session.client,
            operator: session.operator,
            modelOwner: royaltyBps == 0 ? address(0) : IModelRegistry(REGISTRY).ownerAt(session.versionNumber),
            keeper: keeper
        });
        // SAFETY: the vault is this deployment's; in a settlement it calls nobody.
        IStakeVault(VAULT).settleJob(getToken(session), id, parties, Settlement.computeJobSplit(exit, dues));
    }

    /* THE CLOCK */

    /// @dev The present second, for every step: the market refuses while its clock stands, and in the refund mode.
    function tick() internal view returns (uint40) {
        return IProtocolClock(MARKET).stepTime();
    }

    function requireRefundMode() internal view {
        if (!IProtocolClock(MARKET).isRefundMode()) revert IProtocolClock.NotInRefundMode();
    }

    function computeDeadline(uint256 time, uint256 duration) internal pure returns (uint40) {
        return (time + duration).toUint40();
    }

    /// @dev A deadline is the last second that counts.
    function requireInTime(JobId id, uint256 deadline, uint256 time) internal pure {
        if (time > deadline) revert IJobMarket.DeadlinePassed(id, deadline, time);
    }

    function requireOverdue(JobId id, uint256 deadline, uint256 time) internal pure {
        if (time <= deadline) revert IJobMarket.DeadlineNotReached(id, deadline, time);
    }

    /* LOOK-UPS */

    function findSession(JobId sessionId) internal view returns (StoredSession storage session) {
        session = sessions[sessionId];
        if (session.state == SessionState.NONE) revert UnknownSession(sessionId);
    }

    function requireClient(JobId id, StoredSession storage session) internal view {
        if (msg.sender != session.client) revert IJobMarket.NotClient(id, msg.sender, session.client);
    }

    /// @dev Whether the caller is the operator's worker: only the vault knows who serves whom.
    function isWorkerOf(address operator) internal view returns (bool) {
        return IStakeVault(VAULT).operatorOf(msg.sender) == operator;
    }

    function getDeposit(JobId sessionId, StoredSession memory session) internal view returns (uint80) {
        return IStakeVault(VAULT).getFunds(getToken(session), sessionId).escrow;
    }

    function getToken(StoredSession memory session) internal view returns (address) {
        return session.isToken ? TOKEN : ETH;
    }

    /* NAMES */

    /// @dev The terms of the job that a request of the session stands for, but for what the request says.
    function buildTerms(StoredSession memory session) internal view returns (JobTerms memory terms) {
        terms.client = session.client;
        terms.version = IModelRegistry(REGISTRY).versionAt(session.versionNumber);
        (terms.token, terms.fee) = (getToken(session), session.fee);
    }

    /// @dev Adds what the request says. A salt is a hash: no client can make the job in advance, and no other module.
    function fillTerms(JobTerms memory terms, JobId sessionId, uint32 nonce, bytes32 inDigest) internal pure {
        (terms.inDigest, terms.salt) = (inDigest, uint256(keccak256(abi.encode(sessionId, nonce))));
    }

    /* VIEWS */

    /// @inheritdoc ISessionMarket
    function getSession(JobId sessionId) external view returns (Session memory) {
        StoredSession memory session = findSession(sessionId);
        return Session({
            terms: SessionTerms({
                client: session.client,
                signer: session.signer,
                operator: session.operator,
                version: IModelRegistry(REGISTRY).versionAt(session.versionNumber),
                token: getToken(session),
                fee: session.fee,
                salt: session.salt
            }),
            royaltyBps: session.royaltyBps,
            state: session.state,
            closesAt: session.closesAt,
            deposit: getDeposit(sessionId, session)
        });
    }

    /// @inheritdoc ISessionMarket
    function computeSessionId(SessionTerms memory terms) public view returns (JobId) {
        return JobId.wrap(keccak256(abi.encode("zkDPS session", block.chainid, address(this), terms)));
    }
}
