// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Claim, Verdict} from "../types/Claim.sol";
import {JobId} from "../types/Ids.sol";
import {JobState} from "../types/Job.sol";
import {LayerEnd, Phase, Pin, PinpointDispute, Ruling, Search, Trace, Tree} from "../types/Pinpoint.sol";
import {IParameters} from "./IParameters.sol";

/// @title The game of pinpointing
/// @notice A result is the end of a trace: the digests of the outputs of all operators, layer by layer. Whoever can
/// compute the model again names the first operator whose output is wrong, and only that operator is judged, if need
/// be in one element of its output. Where the trace or what lies under its root is withheld, it is searched: the
/// asserter (the operator whose result it is) reveals five levels of a tree a move, the challenger says where to go on.
///
///   openDispute -> TRACE -> (search) -> REVEAL <-> SELECT -> LEAF     pinpoint -> LEAF
///   LEAF: consistent -> DEFENDER_PROVEN; inconsistent -> FRAUD_PROVEN; nothing -> DEFAULT
///   TRACE, REVEAL, SELECT: who lets its clock run out loses: DEFAULT, CHALLENGER_TIMEOUT
///
/// A dispute is named by its job and a key: an operator's element has op << 64 | elem, a search 1 << 255 | challenger.
/// An element is disputed once; that one of them was consistent never keeps another of the same operator from being
/// disputed. Two openings of one element within a few blocks are one dispute with a shared reward.
///
/// Clocks: each side has CLOCK_SECONDS, which run on its own turn alone; a turn begins with EXTENSION_SECONDS at least,
/// MAX_EXTENSIONS times a side. A deadline is the last second in which the awaited move counts; one second later
/// anybody may claim the timeout. Both never count together.
///
/// Money: this game holds none. A bond lies in the vault under the dispute's id. Of a lost one 80 % go to the operator,
/// or to whoever decided the dispute in its place, and 20 % are burned; a bond comes back when the job is rejected.
///
/// Assumptions on what surrounds it:
/// - the version's plan and the adjudicators that it names are right: everybody recomputes the plan before they rely on
///   the version;
/// - adjudicators revert unless their evidence decides the claim.
interface IPinpointGame is IParameters {
    /* ERRORS */

    /// @notice Thrown by the constructor when a neighbour was built for another deployment.
    error ForeignModule(address module);
    /// @notice Thrown when the job's version has no plan that was active when the job was taken.
    error NoPlan(JobId jobId, bytes32 version);
    /// @notice Thrown when the caller is neither the operator's owner nor its worker.
    error NotAsserter(JobId jobId, address caller, address operator);
    /// @notice Thrown when the job is not in a state that the step needs.
    error WrongJobState(JobId jobId, JobState state);
    /// @notice Thrown when the job has a trace already.
    error TraceExists(JobId jobId, bytes32 root);
    /// @notice Thrown when the job has no trace.
    error NoTrace(JobId jobId);
    /// @notice Thrown when the trace is not the one the caller saw.
    error UnexpectedTrace(JobId jobId, bytes32 root, bytes32 expected);
    /// @notice Thrown when a trace that holds the operators' roots is to be expanded, or one without them is said to be
    /// contradicted by them.
    error WrongGranularity(JobId jobId, bool isOpGranular);
    /// @notice Thrown when a layer's operators are needed and it is not expanded.
    error NotExpanded(JobId jobId, uint256 layer);
    /// @notice Thrown when a layer is expanded already.
    error AlreadyExpanded(JobId jobId, uint256 layer);

    /// @notice Thrown when what is opened does not lead to the root it is said to lie under.
    error WrongOpening(bytes32 got, bytes32 expected);
    /// @notice Thrown when an opening, or a move, has another number of words than it needs.
    error WrongLength(uint256 got, uint256 expected);
    /// @notice Thrown when a number lies outside of its tree.
    error OutOfRange(uint256 index, uint256 limit);
    /// @notice Thrown when a descriptor is shorter than what it declares.
    error MalformedDescriptor();
    /// @notice Thrown when a pinned operator does not read what it is said to read.
    error WrongInput(uint256 input, bytes32 got, bytes32 expected);
    /// @notice Thrown when a whole operator is claimed for which there is no key to prove it with.
    error NotProvable(uint256 op);
    /// @notice Thrown when the operator named is not the last one of its layer.
    error NotLast(uint256 position, uint256 layerOps);
    /// @notice Thrown when a layer ends with another digest than its own.
    error WrongLayerEnd(bytes32 lastDigest, bytes32 layerDigest);
    /// @notice Thrown when a layer is said to contradict its operators and does not.
    error NoContradiction(bytes32 digest);

    /// @notice Thrown when there is no such dispute.
    error UnknownDispute(bytes32 id);
    /// @notice Thrown when there is such a dispute, or was one: an element is disputed once.
    error DisputeExists(bytes32 id);
    /// @notice Thrown when the dispute is not in the phase that the move needs: out of turn, or over.
    error WrongPhase(bytes32 id, Phase phase);
    /// @notice Thrown when a move answers another position of the search, or evidence another claim.
    error StaleMove(bytes32 id, bytes32 head, bytes32 got);
    /// @notice Thrown when the move does not fit the tree or the level that is searched.
    error WrongTree(bytes32 id, Tree tree, uint256 height);
    /// @notice Thrown when a move comes after its last second.
    error ClockOver(bytes32 id, uint256 deadline, uint256 time);
    /// @notice Thrown when a timeout is claimed while the move may still come.
    error ClockRunning(bytes32 id, uint256 deadline, uint256 time);
    /// @notice Thrown when the bond sent does not cover what is required now.
    error BondTooSmall(JobId jobId, uint256 sent, uint256 required);
    /// @notice Thrown when as many challengers as there is room for dispute the job.
    error NoPlace(JobId jobId, uint256 maximum);
    /// @notice Thrown when a challenger joins later than the reward is shared.
    error TooLateToJoin(bytes32 id, uint256 untilBlock, uint256 blockNumber);
    /// @notice Thrown when the caller disputes this already.
    error AlreadyChallenging(bytes32 id, address challenger);

    /// @notice Thrown when the plan does not name the adjudicator.
    error AdjudicatorNotNamed(uint256 adjudicator, uint256 named);
    /// @notice Thrown when there is no ruling, or one adjudicator's twice.
    error WrongRulings(uint256 count);
    /// @notice Thrown when an adjudicator decides otherwise than the step needs.
    error WrongVerdict(uint256 adjudicator, Verdict got, Verdict expected);
    /// @notice Thrown when a slash of this size, which no airgap holds, needs two adjudicators.
    error SecondRulingNeeded(uint256 lock, uint256 limit);
    /// @notice Thrown when a challenger would win in the block in which it challenged.
    error TooEarly(bytes32 id, uint256 blockNumber);
    /// @notice Thrown when evidence was not announced in an earlier block by the caller.
    error NotAnnounced(bytes32 commitment);
    /// @notice Thrown when nothing outside the dispute has decided it.
    error NothingToResolve(bytes32 id, JobState state);
    /// @notice Thrown when a job would become final while a dispute is open.
    error StillDisputed(JobId jobId, uint256 open);

    /* EVENTS */

    /// @notice The job has a trace.
    event TracePosted(JobId indexed jobId, bytes32 root, bool isOpGranular, string uri);
    /// @notice The operators of a layer lie under `opRoot`.
    event LayerExpanded(JobId indexed jobId, uint256 indexed layer, bytes32 layerDigest, bytes32 opRoot);
    /// @notice A dispute is open, in phase TRACE, REVEAL or LEAF. The operator has one more challenge open.
    event DisputeOpened(
        bytes32 indexed id,
        JobId indexed jobId,
        address indexed challenger,
        uint256 key,
        address operator,
        uint256 bond,
        Phase phase,
        uint256 deadline
    );
    /// @notice `challenger` shares the dispute, with the same bond.
    event DisputeJoined(bytes32 indexed id, JobId indexed jobId, address indexed challenger, uint256 bond);
    /// @notice The search stands at `state`, and `phase` says whose turn it is.
    event SearchMoved(bytes32 indexed id, JobId indexed jobId, Phase phase, uint256 deadline, Search state);
    /// @notice LEAF: the claim about element `elem` of operator `op` can be decided until `proveBy`. The claim has
    /// `prover` zero and this seed.
    event OperatorPinned(
        bytes32 indexed id, JobId indexed jobId, uint256 op, uint256 elem, uint256 proveBy, bytes32 seed
    );
    /// @notice An adjudicator decided the claim; the account behind the evidence is `prover`.
    event Adjudicated(
        bytes32 indexed id, JobId indexed jobId, Verdict verdict, uint256 adjudicator, address indexed prover
    );
    /// @notice The dispute is over, in this phase. Unless that is DEFAULT after LEAF, for ever.
    event DisputeResolved(bytes32 indexed id, JobId indexed jobId, Phase phase);
    /// @notice `reporter` showed without a bond that operator `op` is inconsistent, or that its layer contradicts it.
    event FraudReported(JobId indexed jobId, address indexed reporter, uint256 op, bool isStructural);

    /* THE ASSERTER */

    /// @notice Posts the trace of a committed result, once: by the operator's owner or worker. The leaf of the last layer
    /// must hold the committed output.
    /// @param isOpGranular Whether the leaves hold the roots over the layers' operators.
    /// @param lastOpRoot That root in the last layer's leaf, 0 without.
    /// @param lastPath Siblings of the last layer's leaf.
    /// @param uri Where the digests can be fetched; only emitted.
    function postTrace(
        JobId jobId,
        bytes32 root,
        bool isOpGranular,
        bytes32 lastOpRoot,
        bytes32[] calldata lastPath,
        string calldata uri
    ) external;

    /// @notice Tells the root over the operators of a layer of a trace of LAYER granularity, once: by the operator's
    /// owner or worker. The last operator's leaf must hold the layer's digest.
    function expand(JobId jobId, LayerEnd calldata end) external;

    /* ANYBODY, on the asserter's turn */

    /// @notice Reveals the 32 descendants five levels below the node of a search, or fewer right above the tiles.
    function reveal(JobId jobId, address challenger, Search calldata state, bytes32[] calldata words) external;

    /// @notice Reveals the leaves of the layers below a node that is at most five levels above them.
    /// @param digests The layers' digests, zero where there is no layer.
    /// @param opRoots The roots over their operators; of a trace of LAYER granularity none.
    function revealLeaves(
        JobId jobId,
        address challenger,
        Search calldata state,
        bytes32[] calldata digests,
        bytes32[] calldata opRoots
    ) external;

    /// @notice Reveals the digests of all operators below a node: of a layer's operators, or of the layers themselves if
    /// the trace is of OP granularity; at most five levels in all.
    /// @param digests The layers' digests, if the node is one of theirs.
    /// @param opDigests The operators' digests, as many to each layer as the widest has room for, zero where there is no
    /// operator.
    function revealOps(
        JobId jobId,
        address challenger,
        Search calldata state,
        bytes32[] calldata digests,
        bytes32[] calldata opDigests
    ) external;

    /// @notice Reveals the root of the tiles of the output that is searched; the turn goes on.
    function revealTileRoot(JobId jobId, address challenger, Search calldata state, bytes32 root) external;

    /// @notice Reveals a tile of the output that is searched: 1024 bytes.
    function revealTile(JobId jobId, address challenger, Search calldata state, bytes calldata tile) external;

    /* CHALLENGERS */

    /// @notice Disputes a committed result whose trace, or what lies under its root, is not to be had. The bond is
    /// `requiredBond`; what is sent beyond it is credited to the caller in the vault.
    /// @param expectedOutDigest The result the caller saw.
    function openDispute(JobId jobId, bytes32 expectedOutDigest) external payable returns (bytes32 id);

    /// @notice Disputes one operator of a trace in one transaction.
    /// @param expectedOutDigest The result the caller saw.
    /// @param expectedTraceRoot The trace the caller saw.
    function pinpoint(JobId jobId, bytes32 expectedOutDigest, bytes32 expectedTraceRoot, Pin calldata pin)
        external
        payable
        returns (bytes32 id);

    /// @notice Shares the dispute about an operator that was opened a few blocks ago, with the same bond.
    function join(JobId jobId, uint256 key) external payable;

    /// @notice Starts to search the trace that was posted in answer to the caller's dispute.
    function search(JobId jobId, bytes32 expectedTraceRoot) external;

    /// @notice Goes on below one of the descendants that were revealed.
    /// @param index Which one, from the left.
    /// @param siblings Its siblings up to the node.
    function select(JobId jobId, Search calldata state, uint256 index, bytes32 child, bytes32[] calldata siblings)
        external;

    /// @notice Goes on among the operators of one of the layers that were revealed.
    /// @param index Which one, from the left.
    /// @param digest The layer's digest.
    /// @param opRoot The root over its operators; of a trace of LAYER granularity 0.
    /// @param siblings Its siblings up to the node.
    function selectLayer(
        JobId jobId,
        Search calldata state,
        uint256 index,
        bytes32 digest,
        bytes32 opRoot,
        bytes32[] calldata siblings
    ) external;

    /// @notice Pins an operator on the caller's turn in its own search.
    function pinSearched(JobId jobId, Search calldata state, Pin calldata pin) external;

    /// @notice Pins an operator as a whole and goes on in the tiles of its output, which the asserter has to reveal.
    function searchTiles(JobId jobId, Search calldata state, Pin calldata pin) external;

    /// @notice Names the element of the output that was searched.
    /// @param claim The claim about the pinned operator, with the element and seed zero.
    function pinElement(JobId jobId, Search calldata state, Claim calldata claim) external;

    /* ANYBODY */

    /// @notice Decides a pinned claim; the evidence is judged in the caller's name. Several rulings, by different
    /// adjudicators, must agree. Reverts with the adjudicator's error, and changes nothing, if one of them reverts.
    /// @param claim The claim; its prover does not matter.
    function adjudicate(JobId jobId, uint256 key, Claim calldata claim, Ruling[] calldata rulings) external;

    /// @notice Shows without a bond that an operator of a trace is inconsistent, before the job is settled. The caller has
    /// announced the evidence to the game of prove-it in an earlier block:
    /// keccak256(abi.encode(msg.sender, jobId, keccak256(abi.encode(pin, rulings)), salt)).
    function proveFraud(JobId jobId, Pin calldata pin, Ruling[] calldata rulings, bytes32 salt) external;

    /// @notice Shows without a bond that a layer of a trace of OP granularity ends with another digest than its own.
    /// Announced likewise: keccak256(abi.encode(msg.sender, jobId, keccak256(abi.encode(end)), salt)).
    function proveStructural(JobId jobId, LayerEnd calldata end, bytes32 salt) external;

    /// @notice Ends a dispute in which the side on turn let its clock run out, or the asserter left a claim undecided.
    function claimTimeout(JobId jobId, uint256 key) external;

    /// @notice Decides a pinned claim as consistent after its default, within the airgap: most of the lock goes back to
    /// the operator; the result stays REJECTED.
    function cure(JobId jobId, uint256 key, Claim calldata claim, Ruling[] calldata rulings) external;

    /// @notice Ends a dispute whose job was settled by something else, or that the refund mode ends.
    function resolve(JobId jobId, uint256 key) external;

    /// @notice Pays the operator of a result that withstood every dispute, after the window.
    function finaliseDefended(JobId jobId) external;

    /* VIEWS */

    /// @notice The vault of this deployment.
    function VAULT() external view returns (address);
    /// @notice The registry of versions of this deployment.
    function REGISTRY() external view returns (address);
    /// @notice The market of this deployment.
    function MARKET() external view returns (address);
    /// @notice The game of prove-it of this deployment.
    function GAME() external view returns (address);
    /// @notice The registry of adjudicators of this deployment.
    function ADJUDICATORS() external view returns (address);
    /// @notice How long the asserter has to post a trace.
    function TRACE_SECONDS() external view returns (uint256);
    /// @notice How long either side has for all its turns of a search together.
    function CLOCK_SECONDS() external view returns (uint256);
    /// @notice What a turn begins with at least.
    function EXTENSION_SECONDS() external view returns (uint256);
    /// @notice How often a side's clock is raised to that.
    function MAX_EXTENSIONS() external view returns (uint256);
    /// @notice Challengers of all disputes that may be open about one job.
    function MAX_PLACES() external view returns (uint256);
    /// @notice Challengers that may join a dispute.
    function MAX_JOINED() external view returns (uint256);
    /// @notice The trace of a job; all zero if it has none.
    function getTrace(JobId jobId) external view returns (Trace memory);
    /// @notice Root over the operators of a layer that was expanded; 0 if it was not.
    function getOpRoot(JobId jobId, uint256 layer) external view returns (bytes32);
    /// @notice Returns a dispute; its phase is NONE if there is none.
    function getDispute(JobId jobId, uint256 key) external view returns (PinpointDispute memory);
    /// @notice Returns who challenges in an open dispute, the first one first.
    function getChallengers(JobId jobId, uint256 key) external view returns (address[] memory);
    /// @notice Bond of a dispute opened now: computeBond(version) * 2^floor(challengers of open disputes / 4).
    function requiredBond(JobId jobId) external view returns (uint256);
    /// @notice Number of open disputes about a job.
    function countOpen(JobId jobId) external view returns (uint256);
    /// @notice The id of a dispute, under which its bonds lie in the vault: keccak256(abi.encode(jobId, key)).
    function computeId(JobId jobId, uint256 key) external pure returns (bytes32);
}
