// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IAdjudicatorRegistry} from "../interfaces/IAdjudicatorRegistry.sol";
import {IDisputeGame} from "../interfaces/IDisputeGame.sol";
import {IJobMarket} from "../interfaces/IJobMarket.sol";
import {IParameters} from "../interfaces/IParameters.sol";
import {IPinpointBook} from "../interfaces/IPinpointBook.sol";
import {IProtocolClock} from "../interfaces/IProtocolClock.sol";
import {IStakeVault} from "../interfaces/IStakeVault.sol";
import {DisputeHeads} from "../libraries/DisputeHeads.sol";
import {ParameterRules} from "../libraries/ParameterRules.sol";
import {Settlement} from "../libraries/Settlement.sol";
import {Hold} from "../types/Dispute.sol";
import {JobId} from "../types/Ids.sol";
import {Job, JobState} from "../types/Job.sol";
import {Head, Phase, StoredEntry, Trace} from "../types/Pinpoint.sol";
import {Plan} from "../types/Plan.sol";
import {BondSplit} from "../types/Split.sol";

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
    /// @dev In which bonds are kept.
    uint256 private constant GWEI = 1 gwei;
    /// @dev Of a search: asserter and challenger.
    uint256 private constant SIDES = 2;

    uint256 private constant SEARCH = 1 << 255;

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
    /// @dev What moves of a dispute (Head); of one that is over its last phase alone. A claim that went undecided keeps
    /// place and hash: it may be cured.
    mapping(bytes32 id => uint256) internal heads;
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
        bytes32 id;
        // Equivalent to id = keccak256(abi.encode(jobId, key))
        assembly ("memory-safe") {
            mstore(0x00, jobId)
            mstore(0x20, key)
            id := keccak256(0x00, 0x40)
        }
        return id;
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

    /// @dev What moves of an open dispute, or of one whose claim went undecided.
    function findHead(JobId jobId, uint256 key) internal view returns (bytes32 id, Head memory head) {
        id = computeId(jobId, key);
        uint256 word = heads[id];
        if (word == 0) revert UnknownDispute(id);
        head = DisputeHeads.unpack(word);
        // INVARIANT: no action after resolution.
        if (head.hash == 0) revert WrongPhase(id, head.phase);
    }

    /// @dev The same with what stays of it.
    function findDispute(JobId jobId, uint256 key)
        internal
        view
        returns (bytes32 id, Head memory head, StoredEntry memory entry)
    {
        (id, head) = findHead(jobId, key);
        entry = entries[jobId][head.place];
    }

    function findDispute(JobId jobId, uint256 key, Phase required)
        internal
        view
        returns (bytes32 id, Head memory head, StoredEntry memory entry)
    {
        (id, head, entry) = findDispute(jobId, key);
        if (head.phase != required) revert WrongPhase(id, head.phase);
    }

    function requireInTime(bytes32 id, uint256 deadline, uint256 time) internal pure {
        if (time > deadline) revert ClockOver(id, deadline, time);
    }

    /// @dev INVARIANT: a move answers the position, and evidence the claim, that the dispute is about now.
    function requireHash(bytes32 id, Head memory head, bytes32 hash) internal pure {
        if (DisputeHeads.cut(hash) != head.hash) revert StaleMove(id, head.hash, hash);
    }

    function writeHead(bytes32 id, uint256 place, Phase phase, uint256 deadline, bytes32 hash) internal {
        heads[id] = DisputeHeads.pack(place, phase, deadline.toUint40(), hash);
    }

    /// @dev Nothing can be done in it any more.
    function writeEnd(bytes32 id, Phase phase) internal {
        heads[id] = DisputeHeads.packEnd(phase);
    }

    /// @dev One write, where the fields one by one would be four.
    function writeEntry(JobId jobId, uint256 place, uint96 bond) private {
        StoredEntry storage stored = entries[jobId][place];
        uint256 word = uint256(uint160(msg.sender)) | uint256(block.number.toUint40()) << 160;
        word |= uint256((bond / GWEI).toUint48()) << 200;
        // Equivalent to stored = StoredEntry(msg.sender, block.number, bond / GWEI, 0)
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
        writeEntry(jobId, place, bond);
        writeHead(id, place, phase, deadline, hash);
        emit DisputeOpened(id, jobId, msg.sender, key, hold.operator, bond, phase, deadline);
        // SAFETY: the vault is this deployment's and calls nobody back.
        IStakeVault(VAULT).addBond{value: msg.value}(JobId.wrap(id), msg.sender, bond);
    }

    /// @dev Ends a dispute, whatever it was about: gives its place back and settles its bonds.
    /// @param defender Whom a lost bond goes to, but for what is burned.
    function close(
        JobId jobId,
        bytes32 id,
        Head memory head,
        StoredEntry memory entry,
        Phase phase,
        address operator,
        address defender
    ) internal {
        Trace storage trace = traces[jobId];
        uint256 place = head.place;
        uint16 others = trace.open & ~uint16(1 << place);
        (trace.open, trace.places) = (others, trace.places - 1 - entry.joined);
        // A claim that went undecided may still be cured. INVARIANT: not while others doubt the result: an accomplice's claim
        // about something right would spare a cheater most of the slash.
        if (phase == Phase.DEFAULT && head.phase == Phase.LEAF && others == 0) {
            writeHead(id, place, phase, 0, head.hash);
        } else {
            writeEnd(id, phase);
            delete entries[jobId][place];
        }
        emit DisputeResolved(id, jobId, phase);
        IDisputeGame(GAME).releaseFor(jobId, operator);
        bool isLost = phase == Phase.DEFENDER_PROVEN || phase == Phase.CHALLENGER_TIMEOUT;
        settleBonds(jobId, id, place, entry, isLost, defender);
    }

    /* BONDS */

    /// @dev Whole gwei, rounded up: then it fits beside the challenger.
    function raiseBond(uint256 bond, uint256 places) internal pure returns (uint96) {
        return (Math.ceilDiv(bond << places / PLACES_PER_DOUBLING, GWEI) * GWEI).toUint96();
    }

    function requireBond(JobId jobId, uint256 bond) internal view {
        if (msg.value < bond) revert BondTooSmall(jobId, msg.value, bond);
    }

    /// @dev What each challenger of an open dispute staked.
    function getBond(StoredEntry memory entry) internal pure returns (uint96) {
        // No overflow: 2^48 gwei are below 2^78 wei.
        return uint96(entry.bond * GWEI);
    }

    /// @dev What all challengers of an open dispute staked.
    function sumBonds(StoredEntry memory entry) internal pure returns (uint96) {
        // No overflow: at most 1 + MAX_JOINED times a bond.
        return getBond(entry) * (1 + entry.joined);
    }

    /// @param isLost Whether the bonds go to `defender`, but for what is burned; otherwise they go back.
    function settleBonds(
        JobId jobId,
        bytes32 id,
        uint256 place,
        StoredEntry memory entry,
        bool isLost,
        address defender
    ) private {
        address[] memory challengers = new address[](1 + entry.joined);
        addChallengers(challengers, 0, jobId, place, entry);
        BondSplit memory split = Settlement.computeBondSplit(sumBonds(entry), isLost);
        IStakeVault(VAULT).settleBonds(JobId.wrap(id), challengers, defender, split);
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
