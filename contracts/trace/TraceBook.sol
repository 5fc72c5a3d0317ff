// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IAdjudicatorRegistry} from "../interfaces/IAdjudicatorRegistry.sol";
import {IDisputeGame} from "../interfaces/IDisputeGame.sol";
import {IJobMarket} from "../interfaces/IJobMarket.sol";
import {IParameters} from "../interfaces/IParameters.sol";
import {IPinpointBook} from "../interfaces/IPinpointBook.sol";
import {IProtocolClock} from "../interfaces/IProtocolClock.sol";
import {IStakeVault} from "../interfaces/IStakeVault.sol";
import {ParameterRules} from "../libraries/ParameterRules.sol";
import {Settlement} from "../libraries/Settlement.sol";
import {Hold} from "../types/Dispute.sol";
import {JobId} from "../types/Ids.sol";
import {Job, JobState} from "../types/Job.sol";
import {Phase, PinpointDispute, StoredEntry, Trace} from "../types/Pinpoint.sol";
import {Plan} from "../types/Plan.sol";

/// @title The book of disputes over traces: storage, look-ups, places and bonds
abstract contract TraceBook is IPinpointBook {
    using SafeCast for uint256;

    /* TYPES */

    /// @dev What is fixed for both contracts of the game.
    struct Settings {
        address vault;
        address registry;
        address market;
        address game;
        address adjudicators;
        bytes32 parametersHash;
        uint256 traceSeconds;
        uint256 clockSeconds;
        uint256 extensionSeconds;
        uint256 shareBlocks;
        uint256 airgapSeconds;
        uint256 execAndChallengeSeconds;
    }

    /* CONSTANTS */

    /// @inheritdoc IPinpointBook
    uint256 public constant MAX_EXTENSIONS = ParameterRules.MAX_EXTENSIONS / SIDES;
    /// @inheritdoc IPinpointBook
    uint256 public constant MAX_PLACES = 16;
    /// @inheritdoc IPinpointBook
    uint256 public constant MAX_JOINED = 3;

    /// @dev So many challengers pay the same bond; then it doubles.
    uint256 private constant PLACES_PER_DOUBLING = 4;
    /// @dev Of a search: asserter and challenger.
    uint256 private constant SIDES = 2;

    uint256 private constant SEARCH = 1 << 255;
    /// @dev The bits of a head that name the place of an open dispute, or the last phase of one that is over.
    uint256 internal constant PLACE_MASK = 0xff;

    /* IMMUTABLES */

    /// @inheritdoc IPinpointBook
    address public immutable VAULT;
    /// @inheritdoc IPinpointBook
    address public immutable REGISTRY;
    /// @inheritdoc IPinpointBook
    address public immutable MARKET;
    /// @inheritdoc IPinpointBook
    address public immutable GAME;
    /// @inheritdoc IPinpointBook
    address public immutable ADJUDICATORS;
    /// @inheritdoc IParameters
    bytes32 public immutable PARAMETERS_HASH;
    /// @inheritdoc IPinpointBook
    uint256 public immutable TRACE_SECONDS;
    /// @inheritdoc IPinpointBook
    uint256 public immutable CLOCK_SECONDS;
    /// @inheritdoc IPinpointBook
    uint256 public immutable EXTENSION_SECONDS;

    uint256 internal immutable SHARE_BLOCKS;
    uint256 internal immutable AIRGAP_SECONDS;

    uint256 private immutable EXEC_AND_CHALLENGE_SECONDS;

    /* STORAGE */

    mapping(JobId => Trace) internal traces;
    /// @dev Roots over the operators of layers that were expanded.
    mapping(JobId => mapping(uint256 layer => bytes32)) internal opRoots;
    /// @dev The open disputes of a job, in places that are used again.
    mapping(JobId => mapping(uint256 place => StoredEntry)) internal entries;
    /// @dev Of an open dispute the upper 31 bytes of the hash of its position or claim, and its place; of one that is
    /// over its last phase. A claim that went undecided keeps its head: it may be cured.
    mapping(bytes32 id => bytes32) internal heads;
    /// @dev Those who challenge beside the first, as many as the entry says.
    mapping(JobId => mapping(uint256 place => address[MAX_JOINED])) internal joiners;

    /* CONSTRUCTOR */

    constructor(Settings memory settings) {
        VAULT = settings.vault;
        REGISTRY = settings.registry;
        MARKET = settings.market;
        GAME = settings.game;
        ADJUDICATORS = settings.adjudicators;
        PARAMETERS_HASH = settings.parametersHash;
        TRACE_SECONDS = settings.traceSeconds;
        CLOCK_SECONDS = settings.clockSeconds;
        EXTENSION_SECONDS = settings.extensionSeconds;
        SHARE_BLOCKS = settings.shareBlocks;
        AIRGAP_SECONDS = settings.airgapSeconds;
        EXEC_AND_CHALLENGE_SECONDS = settings.execAndChallengeSeconds;
    }

    /* NAMES */

    /// @inheritdoc IPinpointBook
    function computeId(JobId jobId, uint256 key) public pure returns (bytes32) {
        return keccak256(abi.encode(jobId, key));
    }

    function computePinKey(uint32 op, uint64 elem) internal pure returns (uint256) {
        return uint256(op) << 64 | elem;
    }

    function computeSearchKey(address challenger) internal pure returns (uint256) {
        return SEARCH | uint160(challenger);
    }

    function isSearch(uint256 key) internal pure returns (bool) {
        return key & SEARCH != 0;
    }

    /* THE CLOCK */

    /// @dev The present second, for every move: the market refuses while its clock stands, and in the refund mode.
    function tick() internal view returns (uint256) {
        return IProtocolClock(MARKET).stepTime();
    }

    /* JOBS */

    /// @dev A job whose result may still be disputed, or is.
    function getLiveJob(JobId jobId) internal view returns (Job memory job) {
        job = IJobMarket(MARKET).getJob(jobId);
        if (job.state != JobState.COMMITTED && job.state != JobState.DISPUTED) revert WrongJobState(jobId, job.state);
    }

    function getDisputedJob(JobId jobId) internal view returns (Job memory job) {
        job = IJobMarket(MARKET).getJob(jobId);
        // INVARIANT: nothing happens in a dispute once the job is settled: `resolve` ends it.
        if (job.state != JobState.DISPUTED) revert WrongJobState(jobId, job.state);
    }

    /// @dev INVARIANT: whoever took the job could see the plan. A committed job was taken EXEC_SECONDS before its commit at
    /// the earliest, and committed CHALLENGE_SECONDS before its deadline.
    function getPlan(JobId jobId, bytes32 version, uint256 deadline) internal view returns (Plan memory plan) {
        plan = getPlan(version);
        if (plan.activeAt == 0 || plan.activeAt + EXEC_AND_CHALLENGE_SECONDS > deadline) {
            revert NoPlan(jobId, version);
        }
    }

    function getPlan(bytes32 version) internal view returns (Plan memory) {
        return IAdjudicatorRegistry(ADJUDICATORS).getPlan(version);
    }

    /// @dev Whether the caller is the operator's owner or its worker.
    function isOperator(address operator) internal view returns (bool) {
        return msg.sender == operator || IStakeVault(VAULT).operatorOf(msg.sender) == operator;
    }

    function requireAsserter(JobId jobId, address operator) internal view {
        if (!isOperator(operator)) revert NotAsserter(jobId, msg.sender, operator);
    }

    /* DISPUTES */

    /// @dev An open dispute, or one whose claim went undecided.
    function findDispute(JobId jobId, uint256 key)
        internal
        view
        returns (bytes32 id, uint256 place, StoredEntry memory entry)
    {
        (id, place, entry,) = findHead(jobId, key);
    }

    function findHead(JobId jobId, uint256 key)
        internal
        view
        returns (bytes32 id, uint256 place, StoredEntry memory entry, bytes32 head)
    {
        id = computeId(jobId, key);
        head = heads[id];
        if (head == 0) revert UnknownDispute(id);
        place = uint256(head) & PLACE_MASK;
        // INVARIANT: no action after resolution.
        if (uint256(head) == place) revert WrongPhase(id, Phase(place));
        entry = entries[jobId][place];
    }

    function findDispute(JobId jobId, uint256 key, Phase required)
        internal
        view
        returns (bytes32 id, uint256 place, StoredEntry memory entry)
    {
        (id, place, entry) = findDispute(jobId, key);
        if (entry.phase != required) revert WrongPhase(id, entry.phase);
    }

    function requireInTime(bytes32 id, uint256 deadline, uint256 time) internal pure {
        if (time > deadline) revert ClockOver(id, deadline, time);
    }

    /// @dev INVARIANT: a move answers the position, and evidence the claim, that the dispute is about now.
    function requireHead(bytes32 id, bytes32 hash) internal view {
        requireHead(id, heads[id], hash);
    }

    function requireHead(bytes32 id, bytes32 head, bytes32 hash) internal pure {
        if (uint256(hash ^ head) > PLACE_MASK) revert StaleMove(id, head, hash);
    }

    function writeHead(bytes32 id, uint256 place, bytes32 hash) internal {
        heads[id] = bytes32(uint256(hash) & ~PLACE_MASK | place);
    }

    /// @dev One write, where the fields one by one would be five.
    function writeEntry(JobId jobId, uint256 place, StoredEntry memory entry) internal {
        StoredEntry storage stored = entries[jobId][place];
        uint256 word = uint256(uint160(entry.challenger)) | uint256(entry.deadline) << 160;
        word |= uint256(entry.openedAtBlock) << 200 | uint256(entry.phase) << 240 | uint256(entry.joined) << 248;
        // Equivalent to stored = entry
        assembly ("memory-safe") {
            sstore(stored.slot, word)
        }
    }

    /// @dev Opens a dispute in a free place and takes its bond. The hub has counted it already.
    function open(
        JobId jobId,
        uint256 key,
        Hold memory hold,
        Trace memory trace,
        Phase phase,
        uint256 deadline,
        bytes32 hash
    ) internal returns (bytes32 id) {
        id = computeId(jobId, key);
        // INVARIANT: an element is disputed once, and so is what one challenger searches.
        if (heads[id] != 0) revert DisputeExists(id);
        if (trace.places >= MAX_PLACES) revert NoPlace(jobId, MAX_PLACES);
        uint96 bond = raiseBond(hold.bond, trace.places);
        requireBond(jobId, bond);

        uint256 place;
        while (trace.open >> place & 1 == 1) ++place;
        // No overflow: place < MAX_PLACES, since an open dispute takes one place at least.
        (traces[jobId].open, traces[jobId].places) = (trace.open | uint16(1 << place), trace.places + 1);
        StoredEntry memory entry = StoredEntry({
            challenger: msg.sender,
            deadline: deadline.toUint40(),
            openedAtBlock: block.number.toUint40(),
            phase: phase,
            joined: 0
        });
        writeEntry(jobId, place, entry);
        writeHead(id, place, hash);
        emit DisputeOpened(id, jobId, msg.sender, key, hold.operator, bond, phase, deadline);
        // SAFETY: the vault is this deployment's and calls nobody back.
        IStakeVault(VAULT).addBond{value: msg.value}(JobId.wrap(id), msg.sender, bond);
    }

    /// @dev Ends a dispute, whatever it was about, and gives its place back.
    function close(JobId jobId, bytes32 id, uint256 place, StoredEntry memory entry, Phase phase, address operator)
        internal
    {
        Trace storage trace = traces[jobId];
        uint16 others = trace.open & ~uint16(1 << place);
        (trace.open, trace.places) = (others, trace.places - 1 - entry.joined);
        StoredEntry storage stored = entries[jobId][place];
        (stored.phase, stored.deadline) = (phase, 0);
        // A claim that went undecided may still be cured. INVARIANT: not while others doubt the result: an accomplice's claim
        // about something right would spare a cheater most of the slash.
        if (phase != Phase.DEFAULT || entry.phase != Phase.LEAF || others != 0) heads[id] = bytes32(uint256(phase));
        emit DisputeResolved(id, jobId, phase);
        IDisputeGame(GAME).releaseFor(jobId, operator);
    }

    /* BONDS */

    function raiseBond(uint256 bond, uint256 places) internal pure returns (uint96) {
        return (bond << places / PLACES_PER_DOUBLING).toUint96();
    }

    function requireBond(JobId jobId, uint256 bond) internal view {
        if (msg.value < bond) revert BondTooSmall(jobId, msg.value, bond);
    }

    /// @dev What each challenger of an open dispute staked.
    function getBond(bytes32 id, StoredEntry memory entry) internal view returns (uint96) {
        return (IStakeVault(VAULT).bondsOf(JobId.wrap(id)) / (1 + uint256(entry.joined))).toUint96();
    }

    /// @param isLost Whether the bonds go to `defender`, but for what is burned; otherwise they go back.
    function settleBonds(
        JobId jobId,
        bytes32 id,
        uint256 place,
        StoredEntry memory entry,
        bool isLost,
        address defender
    ) internal {
        JobId account = JobId.wrap(id);
        address[] memory challengers = new address[](1 + entry.joined);
        addChallengers(challengers, 0, jobId, place, entry);
        uint96 bonds = IStakeVault(VAULT).bondsOf(account).toUint96();
        IStakeVault(VAULT).settleBonds(account, challengers, defender, Settlement.computeBondSplit(bonds, isLost));
    }

    /// @dev Everybody who challenges in an open dispute of the job, and the reporter, if there is one; nobody twice. They
    /// share the reward, whichever dispute is won: an accomplice who wins first cannot take it from the others.
    function listChallengers(JobId jobId, address reporter) internal view returns (address[] memory list) {
        Trace storage trace = traces[jobId];
        (uint256 open_, uint256 count) = (trace.open, 0);
        list = new address[](uint256(trace.places) + 1);
        for (uint256 place = 0; open_ >> place != 0; ++place) {
            if (open_ >> place & 1 == 1) count = addChallengers(list, count, jobId, place, entries[jobId][place]);
        }
        if (reporter != address(0)) count = addOnce(list, count, reporter);
        // Equivalent to list = list[:count]
        assembly ("memory-safe") {
            mstore(list, count)
        }
    }

    function addChallengers(address[] memory list, uint256 count, JobId jobId, uint256 place, StoredEntry memory entry)
        internal
        view
        returns (uint256)
    {
        count = addOnce(list, count, entry.challenger);
        for (uint256 i = 0; i < entry.joined; ++i) {
            count = addOnce(list, count, joiners[jobId][place][i]);
        }
        return count;
    }

    function addOnce(address[] memory list, uint256 count, address account) private pure returns (uint256) {
        for (uint256 i = 0; i < count; ++i) {
            if (list[i] == account) return count;
        }
        list[count] = account;
        return count + 1;
    }

    /* REPORTS */

    /// @dev Exactly this call was announced in an earlier block: a copy from the pool comes a block too late.
    function requireAnnounced() internal view {
        bytes32 commitment = keccak256(abi.encode(msg.sender, keccak256(msg.data)));
        uint256 blockNumber = IDisputeGame(GAME).announcedAt(commitment);
        if (blockNumber == 0 || blockNumber == block.number) revert NotAnnounced(commitment);
    }

    /// @dev Rejects a job for what the caller showed; it shares the reward with those who dispute the job.
    function report(JobId jobId, uint32 op, bool isStructural) internal {
        emit FraudReported(jobId, msg.sender, op, isStructural);
        IDisputeGame(GAME).rejectFor(jobId, listChallengers(jobId, msg.sender), false);
    }
}
