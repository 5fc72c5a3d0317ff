// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IAdjudicatorRegistry} from "../interfaces/IAdjudicatorRegistry.sol";
import {IDisputeGame} from "../interfaces/IDisputeGame.sol";
import {IHeldChallengers} from "../interfaces/IHeldChallengers.sol";
import {IJobMarket} from "../interfaces/IJobMarket.sol";
import {IParameters} from "../interfaces/IParameters.sol";
import {IPinpointDisputes} from "../interfaces/IPinpointDisputes.sol";
import {IProtocolClock} from "../interfaces/IProtocolClock.sol";
import {IStakeVault} from "../interfaces/IStakeVault.sol";
import {DisputeHeads} from "../libraries/DisputeHeads.sol";
import {ParameterRules} from "../libraries/ParameterRules.sol";
import {SearchMetas, Position} from "../libraries/SearchMetas.sol";
import {DisputeState, Hold} from "../types/Dispute.sol";
import {JobId} from "../types/Ids.sol";
import {Job, JobState} from "../types/Job.sol";
import {Parameters} from "../types/Parameters.sol";
import {Head, Phase, Pin, PinpointDispute, Search, StoredEntry, Trace} from "../types/Pinpoint.sol";
import {Plan} from "../types/Plan.sol";
import {Rulings} from "./Rulings.sol";
import {TraceBook} from "./TraceBook.sol";
import {TraceSearches} from "./TraceSearches.sol";

/// @title The game of pinpointing: how disputes over traces are opened and ended
contract PinpointGame is Rulings {
    using SearchMetas for Position;

    /* IMMUTABLES */

    /// @inheritdoc IPinpointDisputes
    address public immutable SEARCHES;

    /* CONSTRUCTOR */

    constructor(
        address vault,
        address registry,
        address market,
        address game,
        address adjudicators,
        Parameters memory p
    ) TraceBook(readSettings(vault, registry, market, game, adjudicators, p)) {
        ParameterRules.validate(p);
        // A game across two deployments would move money under foreign rules.
        if (
            IStakeVault(vault).PINPOINT() != address(this) || IStakeVault(vault).MARKET() != market
                || IStakeVault(vault).GAME() != game || IParameters(vault).PARAMETERS_HASH() != PARAMETERS_HASH
        ) revert ForeignModule(vault);
        if (IJobMarket(market).VAULT() != vault || IJobMarket(market).REGISTRY() != registry) {
            revert ForeignModule(market);
        }
        if (
            IAdjudicatorRegistry(adjudicators).REGISTRY() != registry
                || IAdjudicatorRegistry(adjudicators).MARKET() != market
                || IParameters(adjudicators).PARAMETERS_HASH() != PARAMETERS_HASH
        ) revert ForeignModule(adjudicators);
        SEARCHES = address(new TraceSearches(readSettings(vault, registry, market, game, adjudicators, p)));
    }

    function readSettings(
        address vault,
        address registry,
        address market,
        address game,
        address adjudicators,
        Parameters memory p
    ) private pure returns (Settings memory) {
        return Settings({
            vault: vault,
            registry: registry,
            market: market,
            game: game,
            adjudicators: adjudicators,
            parametersHash: ParameterRules.hash(p),
            traceSeconds: ParameterRules.computeTraceSeconds(p),
            clockSeconds: ParameterRules.computeClockSeconds(p),
            extensionSeconds: ParameterRules.computeExtensionSeconds(p),
            shareBlocks: p.shareBlocks,
            airgapSeconds: p.airgapSeconds,
            execAndChallengeSeconds: uint256(p.execSeconds) + p.challengeSeconds
        });
    }

    /* MOVES OF A SEARCH */

    /// @notice Has everything else done in this game's name.
    /// SAFETY: the code that runs is this deployment's, made by this contract's constructor, and its storage is laid out
    /// by the same TraceBook.
    fallback() external {
        address searches = SEARCHES;
        // Equivalent to returning, or reverting with, the result of searches.delegatecall(msg.data)
        assembly ("memory-safe") {
            let at := mload(0x40)
            calldatacopy(at, 0, calldatasize())
            let success := delegatecall(gas(), searches, at, calldatasize(), 0, 0)
            returndatacopy(at, 0, returndatasize())
            if iszero(success) { revert(at, returndatasize()) }
            return(at, returndatasize())
        }
    }

    /* CHALLENGERS */

    /// @inheritdoc IPinpointDisputes
    function openDispute(JobId jobId, bytes32 expectedOutDigest) external payable returns (bytes32 id) {
        Hold memory hold = IDisputeGame(GAME).holdFor(jobId, expectedOutDigest);
        Plan memory plan = getPlan(jobId, hold.version, hold.deadline);
        Trace memory trace = traces[jobId];
        uint256 time = tick();
        uint256 key = computeSearchKey(msg.sender);
        // Without a trace the position is all zero.
        Search memory state;
        if (trace.postedAt == 0) {
            return open(jobId, key, hold, trace, Phase.TRACE, time + TRACE_SECONDS, hashSearch(state));
        }
        (state.node, state.meta) = (trace.root, positionAtRoot(trace, plan).pack());
        uint256 deadline = time + CLOCK_SECONDS;
        id = open(jobId, key, hold, trace, Phase.REVEAL, deadline, hashSearch(state));
        emit SearchMoved(id, jobId, Phase.REVEAL, deadline, state);
    }

    /// @inheritdoc IPinpointDisputes
    function pinpoint(JobId jobId, bytes32 expectedOutDigest, bytes32 expectedTraceRoot, Pin calldata pin)
        external
        payable
        returns (bytes32 id)
    {
        Hold memory hold = IDisputeGame(GAME).holdFor(jobId, expectedOutDigest);
        Trace memory trace = findTrace(jobId);
        requireTrace(jobId, trace.root, expectedTraceRoot);
        Plan memory plan = getPlan(jobId, hold.version, hold.deadline);
        (ClaimCore memory core, OpHead memory head) = openPin(jobId, hold.version, trace, plan, pin);
        requireDecidable(pin.op, pin.elem, head);

        uint256 key = computePinKey(pin.op, pin.elem);
        core.seed = drawSeed(computeId(jobId, key));
        uint256 proveBy = tick() + hold.proveSeconds;
        id = open(jobId, key, hold, trace, Phase.LEAF, proveBy, hashClaim(core));
        emit OperatorPinned(id, jobId, pin.op, pin.elem, proveBy, core.seed);
    }

    /// @inheritdoc IPinpointDisputes
    function join(JobId jobId, uint256 key, bytes32 expectedTraceRoot) external payable {
        uint256 time = tick();
        (bytes32 id, Head memory head, StoredEntry memory entry) = findDispute(jobId, key, Phase.LEAF);
        // INVARIANT: nobody shares a search, which its challenger could lose for all.
        if (isSearch(key)) revert WrongPhase(id, head.phase);
        // Who joins has to bear the risk of a verdict.
        requireInTime(id, head.deadline, time);
        getDisputedJob(jobId);
        Trace storage trace = traces[jobId];
        requireTrace(jobId, trace.root, expectedTraceRoot);
        uint256 untilBlock = uint256(entry.openedAtBlock) + SHARE_BLOCKS;
        if (block.number > untilBlock) revert TooLateToJoin(id, untilBlock, block.number);
        requireRoom(jobId, id, head.place, entry);
        uint96 bond = getBond(entry);
        requireBond(jobId, bond);

        joiners[jobId][head.place][entry.joined] = msg.sender;
        entries[jobId][head.place].joined = entry.joined + 1;
        ++trace.places;
        emit DisputeJoined(id, jobId, msg.sender, bond);
        IStakeVault(VAULT).addBond{value: msg.value}(JobId.wrap(id), msg.sender, bond);
    }

    /* ANYBODY */

    /// @inheritdoc IPinpointDisputes
    function claimTimeout(JobId jobId, uint256 key) external {
        uint256 time = tick();
        (bytes32 id, Head memory head, StoredEntry memory entry) = findDispute(jobId, key);
        address operator = getDisputedJob(jobId).operator;
        (bool isAsserter, uint256 deadline) = findTurn(jobId, id, head);
        // INVARIANT: nobody times out while the move may still come.
        if (time <= deadline) revert ClockRunning(id, deadline, time);

        if (!isAsserter) {
            close(jobId, id, head, entry, Phase.CHALLENGER_TIMEOUT, operator);
            settleBonds(jobId, id, head.place, entry, true, operator);
            return;
        }
        address[] memory challengers = listChallengers(jobId, address(0));
        close(jobId, id, head, entry, Phase.DEFAULT, operator);
        // INVARIANT: a proof of the whole result that is due is not made up for by one of a part.
        if (IDisputeGame(GAME).getDispute(jobId).state == DisputeState.OPEN) {
            writeEnd(id, Phase.DEFAULT);
        }
        settleBonds(jobId, id, head.place, entry, false, address(0));
        IDisputeGame(GAME).rejectFor(jobId, challengers, true);
    }

    /// @inheritdoc IPinpointDisputes
    function resolve(JobId jobId, uint256 key) external {
        (bytes32 id, Head memory head, StoredEntry memory entry) = findDispute(jobId, key);
        // INVARIANT: bonds go out once.
        if (head.phase == Phase.DEFAULT) revert WrongPhase(id, Phase.DEFAULT);
        Job memory job = IJobMarket(MARKET).getJob(jobId);

        Phase phase = findEnd(id, job.state);
        close(jobId, id, head, entry, phase, job.operator);
        settleBonds(jobId, id, head.place, entry, phase == Phase.DEFENDER_PROVEN, job.operator);
    }

    /// @inheritdoc IPinpointDisputes
    function finaliseDefended(JobId jobId) external {
        uint256 disputes = traces[jobId].open;
        // INVARIANT: a job is never final while a dispute is open.
        if (disputes != 0) revert StillDisputed(jobId, disputes);
        IDisputeGame(GAME).settleDefended(jobId, msg.sender);
    }

    /// @inheritdoc IPinpointDisputes
    function voidHeld(JobId jobId) external {
        IDisputeGame(GAME).voidFor(jobId);
    }

    /* STEPS */

    /// @dev Whose turn it is, and its last second.
    function findTurn(JobId jobId, bytes32 id, Head memory head)
        private
        view
        returns (bool isAsserter, uint256 deadline)
    {
        deadline = head.deadline;
        if (head.phase == Phase.TRACE) {
            bool isPosted;
            (isPosted, deadline) = findAnswer(jobId, deadline);
            return (!isPosted, deadline);
        }
        isAsserter = head.phase == Phase.REVEAL || head.phase == Phase.LEAF;
        if (!isAsserter && head.phase != Phase.SELECT) revert WrongPhase(id, head.phase);
    }

    /// @dev How a dispute ends whose job was settled by something else.
    function findEnd(bytes32 id, JobState state) private view returns (Phase) {
        if (state == JobState.PROVEN) return Phase.DEFENDER_PROVEN;
        if (state == JobState.REJECTED) return Phase.CANCELLED;
        // A job that is disputed is voided by `voidHeld`, or with the proof that is due; no verdict comes any more.
        if (state == JobState.VOIDED || IProtocolClock(MARKET).isRefundMode()) return Phase.VOIDED;
        revert NothingToResolve(id, state);
    }

    /// @dev INVARIANT: nobody challenges twice, and the list stays short.
    function requireRoom(JobId jobId, bytes32 id, uint256 place, StoredEntry memory entry) private view {
        if (entry.joined >= MAX_JOINED || traces[jobId].places >= MAX_PLACES) revert NoPlace(jobId, MAX_PLACES);
        bool isInside = entry.challenger == msg.sender;
        for (uint256 i = 0; i < entry.joined; ++i) {
            if (joiners[jobId][place][i] == msg.sender) isInside = true;
        }
        if (isInside) revert AlreadyChallenging(id, msg.sender);
    }

    function requireTrace(JobId jobId, bytes32 root, bytes32 expected) private pure {
        if (root != expected) revert UnexpectedTrace(jobId, root, expected);
    }

    /* VIEWS */

    /// @inheritdoc IPinpointDisputes
    function getTrace(JobId jobId) external view returns (Trace memory) {
        return traces[jobId];
    }

    /// @inheritdoc IPinpointDisputes
    function getOpRoot(JobId jobId, uint256 layer) external view returns (bytes32) {
        return opRoots[jobId][layer];
    }

    /// @inheritdoc IPinpointDisputes
    function requiredBond(JobId jobId) external view returns (uint256) {
        bytes32 version = IJobMarket(MARKET).getJob(jobId).version;
        return raiseBond(IDisputeGame(GAME).computeBond(version), traces[jobId].places);
    }

    /// @inheritdoc IPinpointDisputes
    function getDispute(JobId jobId, uint256 key) external view returns (PinpointDispute memory dispute) {
        dispute.id = computeId(jobId, key);
        Head memory head = DisputeHeads.unpack(heads[dispute.id]);
        // NONE if there never was one.
        dispute.phase = head.phase;
        if (head.hash == 0) return dispute;
        StoredEntry memory entry = entries[jobId][head.place];
        (dispute.challenger, dispute.openedAtBlock) = (entry.challenger, entry.openedAtBlock);
        (dispute.deadline, dispute.head) = (uint40(head.deadline), head.hash);
        // After a default the bonds are back.
        if (head.phase != Phase.DEFAULT) dispute.bonds = sumBonds(entry);
    }

    /// @inheritdoc IPinpointDisputes
    function getChallengers(JobId jobId, uint256 key) external view returns (address[] memory challengers) {
        (, Head memory head, StoredEntry memory entry) = findDispute(jobId, key);
        challengers = new address[](1 + entry.joined);
        addChallengers(challengers, 0, jobId, head.place, entry);
    }

    /// @inheritdoc IHeldChallengers
    function getOpenChallengers(JobId jobId) external view returns (address[] memory) {
        return listChallengers(jobId, address(0));
    }

    /// @inheritdoc IPinpointDisputes
    function countOpen(JobId jobId) external view returns (uint256 count) {
        for (uint256 open_ = traces[jobId].open; open_ != 0; open_ >>= 1) {
            count += open_ & 1;
        }
    }
}
