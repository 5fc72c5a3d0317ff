// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Verdict} from "../types/Claim.sol";
import {JobId} from "../types/Ids.sol";
import {JobState} from "../types/Job.sol";
import {Phase, Search, Tree} from "../types/Pinpoint.sol";
import {IParameters} from "./IParameters.sol";

/// @title What goes wrong, what is told and what is fixed in disputes over traces
interface IPinpointBook is IParameters {
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

    /* CONSTANTS OF THE DEPLOYMENT */

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
    /// @notice The id of a dispute, under which its bonds lie in the vault: keccak256(abi.encode(jobId, key)).
    function computeId(JobId jobId, uint256 key) external pure returns (bytes32);
}
