// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {JobId} from "../types/Ids.sol";
import {Assurance} from "../types/Job.sol";
import {
    Batch,
    BatchItem,
    BatchState,
    Leaf,
    OpenParams,
    Session,
    SessionState,
    SessionTerms
} from "../types/Session.sol";
import {IParameters} from "./IParameters.sol";

/// @title Many inferences under one deposit (protocol.md A.22)
/// @notice A client deposits once and signs a request for each inference; the operator it named answers off chain and
/// posts up to MAX_BATCH results at once: the requests' signatures are checked, the results go under one Merkle root,
/// fees and locks of all of them into the batch. Whoever doubts one result proves that it is in the batch; it becomes
/// an ordinary job then, with its own part of fee and lock, and is disputed as every job is. The rest of the batch does
/// not notice.
///
///   session: OPEN -> CLOSING -> CLOSED          any of the first two -> VOIDED (refund mode)
///              `----------------^ (by the operator)
///   batch:   COMMITTED -> FINAL | VOIDED (refund mode)
///   result:  in its batch -> a job, COMMITTED   (challenged by anybody, or extracted by the client, within the window)
///
/// A request's job has the terms of the session, the request's input, no masks, and the salt
/// uint256(keccak256(abi.encode(sessionId, nonce))): its id is known as soon as it is signed, and nobody else can make
/// a job of that id. All deadlines are seconds of the market's clock; while it stands no step is possible.
///
/// Assumptions on what surrounds it:
/// - vault, registry, market and game are those of one deployment;
/// - a request's signer does not sign one nonce for two inputs: the operator may answer the one or the other;
/// - the operator counts what it has answered against the deposit: nothing on chain reserves it for a request;
/// - what a worker signed off chain is evidence if it served the operator within T_exec before the batch or later.
///
/// WARNING: a batch that is FINAL says of its results only that nobody objected. Contracts that use a result ask
/// `assuranceOf`.
interface ISessionMarket is IParameters {
    /* ERRORS: beside these, those of the market and the vault, with a session or batch in the place of the job */

    /// @notice Thrown by the constructor when a neighbour was built for another deployment.
    error ForeignModule(address module);
    /// @notice Thrown when there is no such session.
    error UnknownSession(JobId sessionId);
    /// @notice Thrown when the client has already opened exactly this session, salt included.
    error SessionExists(JobId sessionId);
    /// @notice Thrown when the session is not in the state that the step needs.
    error WrongSessionState(JobId sessionId, SessionState state, SessionState required);
    /// @notice Thrown when nobody could sign requests, because the signer is zero.
    error NoSigner();
    /// @notice Thrown when nobody could answer, because the operator is zero.
    error NoOperator();
    /// @notice Thrown when a session's first deposit does not pay for one result.
    error DepositTooSmall(uint256 amount, uint256 fee);
    /// @notice Thrown when there is no such batch.
    error UnknownBatch(JobId batchId);
    /// @notice Thrown when the batch is not in the state that the step needs.
    error WrongBatchState(JobId batchId, BatchState state, BatchState required);
    /// @notice Thrown when a batch holds nothing, or more than MAX_BATCH results.
    error WrongBatchSize(uint256 count, uint256 maximum);
    /// @notice Thrown when the nonce's request was answered before.
    error NonceUsed(JobId sessionId, uint256 nonce);
    /// @notice Thrown when a request is answered after its last second.
    error RequestExpired(JobId sessionId, uint256 nonce, uint256 validUntil, uint256 time);
    /// @notice Thrown when a request is not signed by the session's signer; `got` is zero for what is no signature, one
    /// whose s lies in the upper half included.
    error WrongSigner(JobId sessionId, uint256 nonce, address got, address signer);
    /// @notice Thrown when the leaf is not in the batch at that place.
    error NotInBatch(JobId batchId, uint256 index);
    /// @notice Thrown when the result became a job of its own before.
    error AlreadyExtracted(JobId batchId, uint256 index);

    /* EVENTS */

    /// @notice OPEN; with these terms everybody can recompute the id.
    event SessionOpened(
        JobId indexed sessionId,
        address indexed client,
        address indexed operator,
        SessionTerms terms,
        uint256 royaltyBps
    );
    /// @notice The session's deposit grew by `amount`.
    event DepositAdded(JobId indexed sessionId, uint256 amount);
    /// @notice CLOSING; the operator may post until `closesAt`.
    event SessionClosing(JobId indexed sessionId, uint256 closesAt);
    /// @notice CLOSED; `returned` is credited to the client.
    event SessionClosed(JobId indexed sessionId, uint256 returned);
    /// @notice VOIDED; `returned` is credited to the client.
    event SessionVoided(JobId indexed sessionId, uint256 returned);
    /// @notice COMMITTED; each result may be challenged until `challengeUntil`. `items` are the results in order, 68
    /// bytes each: nonce (4), inDigest, outDigest.
    event BatchCommitted(
        JobId indexed sessionId,
        JobId indexed batchId,
        address indexed operator,
        bytes32 root,
        uint256 count,
        uint256 challengeUntil,
        bytes items
    );
    /// @notice A result became a job, with its part of the batch's fee and lock.
    event ResultExtracted(JobId indexed batchId, JobId indexed jobId, JobId indexed sessionId, uint256 index);
    /// @notice FINAL; the operator is paid for `count` results.
    event BatchFinalised(JobId indexed batchId, address indexed operator, uint256 count);
    /// @notice VOIDED.
    event BatchVoided(JobId indexed batchId);

    /* CLIENT */

    /// @notice Opens a session; the deposit comes along exactly, or is taken from the client's allowance to the vault.
    /// @param deposit At least one fee.
    function openSession(OpenParams calldata params, uint96 deposit) external payable returns (JobId sessionId);

    /// @notice Adds to the deposit of an OPEN session.
    function addDeposit(JobId sessionId, uint96 amount) external payable;

    /// @notice The client: no batch counts later than T_exec from now. The operator's owner or worker: no batch counts
    /// any more, and the rest of the deposit is credited to the client at once.
    function closeSession(JobId sessionId) external;

    /// @notice Makes a result a job of its own, within the window: only the client may, for a delivery or for evidence.
    function extract(JobId batchId, Leaf calldata leaf, bytes32[] calldata path) external returns (JobId jobId);

    /* WORKER */

    /// @notice Posts answered requests and locks `computeLock(token, fee)` of the operator's stake for each. Only the
    /// worker of the session's operator may, while that is not in jail.
    /// @param items 1 to MAX_BATCH.
    function commitBatch(JobId sessionId, BatchItem[] calldata items) external returns (JobId batchId);

    /* ANYBODY */

    /// @notice Challenges one result of a batch: makes it a job of its own if it is none yet, and opens its dispute, or
    /// joins it, for the caller. The bond comes along (`computeBond` of the game); what is sent beyond it is credited.
    /// Leaving the batch costs some 180,000 gas beside the challenge: within the margin of the lock's floor, which is three
    /// times the gas of a dispute.
    /// @param path The leaf's neighbours, from the lowest level up.
    function challenge(JobId batchId, Leaf calldata leaf, bytes32[] calldata path)
        external
        payable
        returns (JobId jobId);

    /// @notice Credits the rest of the deposit to the client, once a session's last second to post is over.
    function withdrawSession(JobId sessionId) external;

    /// @notice Pays the operator of a batch whose window is over for all results that became no job of their own.
    function finaliseBatch(JobId batchId) external;

    /// @notice In the refund mode: gives the rest of the deposit back.
    function voidSession(JobId sessionId) external;

    /// @notice In the refund mode: gives fees and lock of the results back that became no job of their own.
    function voidBatch(JobId batchId) external;

    /* VIEWS */

    /// @notice Most results in a batch (256).
    function MAX_BATCH() external view returns (uint256);
    /// @notice The vault of this deployment.
    function VAULT() external view returns (address);
    /// @notice The registry of this deployment.
    function REGISTRY() external view returns (address);
    /// @notice The market of this deployment; its clock is the one that counts.
    function MARKET() external view returns (address);
    /// @notice The game of this deployment.
    function GAME() external view returns (address);
    /// @notice Returns a session; reverts with UnknownSession if there is none.
    function getSession(JobId sessionId) external view returns (Session memory);
    /// @notice Returns a batch; reverts with UnknownBatch if there is none.
    function getBatch(JobId batchId) external view returns (Batch memory);
    /// @notice Whether the nonce's request was answered.
    function isNonceUsed(JobId sessionId, uint32 nonce) external view returns (bool);
    /// @notice How much a consumer may rely on a result of the batch; reverts with NotInBatch for what is none.
    function assuranceOf(JobId batchId, Leaf calldata leaf, bytes32[] calldata path) external view returns (Assurance);
    /// @notice The id of a session with these terms on this chain.
    function computeSessionId(SessionTerms calldata terms) external view returns (JobId);
    /// @notice The id of the batch of a root: keccak256(abi.encode("zkDPS batch", sessionId, root)).
    function computeBatchId(JobId sessionId, bytes32 root) external pure returns (JobId);
    /// @notice The id of the job that a request stands for; reverts with UnknownSession if there is no such session.
    function computeRequestId(JobId sessionId, uint32 nonce, bytes32 inDigest) external view returns (JobId);
    /// @notice What a session's key signs: the EIP-712 digest of Request(sessionId, nonce, inDigest, validUntil).
    function hashRequest(JobId sessionId, uint32 nonce, bytes32 inDigest, uint40 validUntil)
        external
        view
        returns (bytes32);
}
