// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {JobId} from "../types/Ids.sol";
import {Adoption, Assurance, Job, JobParams, JobState, JobTerms} from "../types/Job.sol";
import {IParameters} from "./IParameters.sol";
import {IProtocolClock} from "./IProtocolClock.sol";

/// @title The life of a job
/// @notice A client escrows a fee for one inference; a worker takes it with its owner's stake, commits the result's
/// digest in clear, and is paid when the window passes without objection or a proof is accepted.
///
///   OPEN -> ASSIGNED -> COMMITTED -> FINAL
///    |         |           |`-----> DISPUTED -> PROVEN | REJECTED | FINAL (withstood) | FAILED (withheld)
///    |         |           `-> FAILED (asked for the output, did not deliver; or required proof never begun)
///    |         |`-> FAILED | REFUSED
///    |         `-> REJECTED (signed two results; also COMMITTED, where an operator of the model is shown to be wrong)
///    `-> EXPIRED | CANCELLED                    any of the first five -> VOIDED (refund mode)
///
/// A job may also begin as ASSIGNED (a signed order that a worker takes) or as COMMITTED (a result out of a session's
/// batch, or of a quorum's replica); from there on it is a job as any other.
///
/// A job's id is the hash of chain, market and terms: whoever names a job names its client, version, input, fee and
/// salt, whatever a reorganisation does. A deadline is the last second at which the awaited step counts; one second
/// later the step that punishes its absence does. Both never count together. Deadlines never move.
///
/// Assumptions on what surrounds it:
/// - vault, registry and game are those of one deployment;
/// - operators fetch and check an input before they take a job: the chain cannot see a missing one.
///
/// WARNING: FINAL says only that nobody objected, and a client may be its own operator. Contracts that use a result
/// ask `assurance`.
interface IJobMarket is IParameters, IProtocolClock {
    /* ERRORS */

    /// @notice Thrown by the constructor when a neighbour was built for another deployment.
    error ForeignModule(address module);
    /// @notice Thrown when there is no such job.
    error UnknownJob(JobId jobId);
    /// @notice Thrown when the client has already ordered exactly this, salt included.
    error JobExists(JobId jobId);
    /// @notice Thrown when the job is not in the state that the step needs.
    error WrongJobState(JobId jobId, JobState state, JobState required);
    /// @notice Thrown when the step comes after its last second.
    error DeadlinePassed(JobId jobId, uint256 deadline, uint256 time);
    /// @notice Thrown when the step comes while the awaited one may still come.
    error DeadlineNotReached(JobId jobId, uint256 deadline, uint256 time);
    /// @notice Thrown when the model version is not registered.
    error UnknownModelVersion(bytes32 version);
    /// @notice Thrown when a job asks for a way of checking that does not exist here.
    error UnsupportedVerifyMask(uint8 verifyMask);
    /// @notice Thrown when a job asks for privacy that does not exist here.
    error UnsupportedPrivacyMask(uint8 privacyMask);
    /// @notice Thrown when the fee is in a token that this deployment does not know, or a proof is required of a job
    /// that is not paid in ETH.
    error UnsupportedFeeToken(address token);
    /// @notice Thrown when the fee is zero.
    error ZeroFee();
    /// @notice Thrown when the ETH sent along is not what is asked for (nothing, for a fee in the ERC-20).
    error WrongFee(uint256 sent, uint256 fee);
    /// @notice Thrown when the fee does not pay for the proof that the job requires.
    error FeeBelowProof(uint256 fee, uint256 required);
    /// @notice Thrown when a digest is zero.
    error ZeroDigest();
    /// @notice Thrown when somebody else than the client does what is the client's.
    error NotClient(JobId jobId, address caller, address client);
    /// @notice Thrown when the caller is not the worker of the job's operator.
    error NotOperator(JobId jobId, address caller, address operator);
    /// @notice Thrown when somebody else than the game calls a function of the game.
    error NotDisputeGame(address caller);
    /// @notice Thrown when somebody else than the order book calls a function of the order book.
    error NotOrders(address caller);
    /// @notice Thrown when neither the sessions' market nor the quorums' calls a function of theirs.
    error NotSessions(address caller);
    /// @notice Thrown when the committed result is not the one the challenger saw.
    error UnexpectedResult(JobId jobId, bytes32 committed, bytes32 expected);
    /// @notice Thrown when a job that requires a proof would become final without.
    error ProofRequired(JobId jobId);
    /// @notice Thrown when a proof is asked for without a bond on a job that does not require one.
    error ProofNotRequired(JobId jobId);
    /// @notice Thrown when an input is called unusable later than a quarter of T_exec after the job was taken.
    error RefusalTooLate(JobId jobId, uint256 until, uint256 time);
    /// @notice Thrown when an output was asked for before.
    error DeliveryAlreadyRequested(JobId jobId);
    /// @notice Thrown when no output is asked for, or it was delivered.
    error NoDeliveryDue(JobId jobId);
    /// @notice Thrown when a job would become final while its output is due.
    error DeliveryDue(JobId jobId, uint256 deliverBy);
    /// @notice Thrown when the version's outputs are too large to be posted on chain.
    error OutputTooLarge(uint256 outputBytes, uint256 maximum);
    /// @notice Thrown when the bytes posted are not as many as width and dimensions say: the digest pads with zeros.
    error WrongOutputLength(JobId jobId, uint256 got, uint256 declared);
    /// @notice Thrown when the bytes posted are not the committed output.
    error WrongOutput(JobId jobId, bytes32 got, bytes32 committed);

    /* EVENTS */

    /// @notice OPEN until `assignUntil`; with these terms everybody can recompute the id.
    event JobCreated(
        JobId indexed jobId,
        address indexed client,
        bytes32 indexed version,
        JobTerms terms,
        uint256 assignUntil,
        string inputUri
    );
    /// @notice CANCELLED.
    event JobCancelled(JobId indexed jobId);
    /// @notice EXPIRED.
    event JobExpired(JobId indexed jobId);
    /// @notice ASSIGNED; the result is due at `commitUntil`.
    event JobAccepted(JobId indexed jobId, address indexed operator, uint256 commitUntil);
    /// @notice REFUSED: the operator could not use the input.
    event JobRefused(JobId indexed jobId, address indexed operator);
    /// @notice FAILED.
    event JobFailed(JobId indexed jobId, address indexed operator);
    /// @notice COMMITTED; anybody may challenge until `challengeUntil`.
    event ResultCommitted(
        JobId indexed jobId, address indexed operator, bytes32 outDigest, uint256 challengeUntil, string outputUri
    );
    /// @notice The client paid `payment` for the output's bytes on chain until `deliverBy`.
    event DeliveryRequested(JobId indexed jobId, address indexed operator, uint256 payment, uint256 deliverBy);
    /// @notice The output, as committed.
    event OutputDelivered(JobId indexed jobId, bytes output);
    /// @notice FINAL.
    event JobFinalised(JobId indexed jobId, address indexed operator);
    /// @notice DISPUTED.
    event JobDisputed(JobId indexed jobId);
    /// @notice PROVEN.
    event JobProven(JobId indexed jobId, address indexed operator);
    /// @notice REJECTED; the lock is held until `airgapUntil`.
    event JobRejected(JobId indexed jobId, address indexed operator, uint256 airgapUntil);
    /// @notice VOIDED.
    event JobVoided(JobId indexed jobId);

    /* CLIENT */

    /// @notice Orders one inference; the fee comes along exactly, or is taken from the client's allowance to the vault.
    function createJob(JobParams calldata params) external payable returns (JobId jobId);

    /// @notice Takes back a job that nobody has taken.
    function cancelJob(JobId jobId) external;

    /// @notice Asks for the output's bytes on chain, once, while the result may be challenged; for results whose bytes
    /// are not to be had. Pays `computeDeliveryPayment`: the operator gets it if it delivers, the client if not.
    function requestDelivery(JobId jobId) external payable;

    /* WORKER */

    /// @notice Takes a job: locks `computeLock(token, fee)` of the stake of the caller's owner.
    function acceptJob(JobId jobId) external;

    /// @notice Gives a job back whose input cannot be had, does not hash to its digest or is out of range: within a
    /// quarter of T_exec, without a fine. For inputs that vanished after the job was taken; operators look before.
    function rejectJob(JobId jobId) external;

    /// @notice Commits the digest of the result, in clear and once.
    /// @param outputUri Where the output can be fetched; only emitted.
    function commitResult(JobId jobId, bytes32 outDigest, string calldata outputUri) external;

    /// @notice Posts the output that the client asked for; anybody may, the operator is paid.
    /// @param bytesPerElement Width of an element.
    /// @param dims Dimensions of the tensor.
    /// @param output Its bytes, at most MAX_DELIVERY_BYTES.
    function deliverOutput(JobId jobId, uint8 bytesPerElement, uint32[] calldata dims, bytes calldata output) external;

    /* ANYBODY */

    /// @notice Pays the operator of a result that nobody challenged in time.
    function finalise(JobId jobId) external;

    /// @notice Refunds the client of a job that nobody took in time.
    function expireJob(JobId jobId) external;

    /// @notice Refunds the client and fines the operator: no result, or no output that was asked for, or no attempt at
    /// the proof that the job requires, in time.
    function failJob(JobId jobId) external;

    /// @notice In the refund mode: gives everybody its money back from a job that nobody disputes.
    function voidJob(JobId jobId) external;

    /* OTHER MODULES: only the one named may call these */

    /// @notice The order book: opens a job of these terms and assigns it at once. The fee is charged to the client's
    /// credit in the vault, the lock to the stake of the owner whom `worker` serves.
    /// @return jobId The job.
    /// @return operator The owner.
    function openOrder(JobTerms calldata terms, address worker, string calldata inputUri)
        external
        returns (JobId jobId, address operator);

    /// @notice The sessions' market, or the quorums': makes a result of a batch, or of a replica, a job of its own,
    /// COMMITTED since its batch was, or its quorum counted. Its escrow and its lock are in the vault already.
    function adoptJob(JobTerms calldata terms, Adoption calldata adoption) external returns (JobId jobId);

    /* THE GAME: only it may call these */

    /// @notice Marks a job as disputed, or finds it so, if it may still be challenged and has the expected result.
    /// @param onlyIfRequired Whether the job must be one that requires a proof.
    function disputeJob(JobId jobId, bytes32 expectedOutDigest, bool onlyIfRequired) external returns (Job memory job);

    /// @notice The present second for a step of a dispute: reverts unless the job is DISPUTED, while the clock stands, and in
    /// the refund mode.
    function stepDisputed(JobId jobId) external view returns (uint40 time);

    /// @notice Returns a disputed job whose dispute may still be joined as far as the market knows: it has the expected
    /// result, and no pause or refund mode stops the step.
    /// @return job The job.
    /// @return time The present second of the protocol's clock.
    function expectDisputed(JobId jobId, bytes32 expectedOutDigest) external view returns (Job memory job, uint40 time);

    /// @notice Settles a disputed job in the operator's favour.
    function settleProven(JobId jobId) external;

    /// @notice Pays the operator of a disputed job whose window is over and that nobody refuted; FAILED where its output
    /// was asked for and did not come in time.
    /// @param caller Who settles it; it may earn the keeper's tip.
    function settleDefended(JobId jobId, address caller) external;

    /// @notice Settles a job against its operator: refunds the client, holds the lock for the airgap, jails.
    /// @param stakeBps Part of the operator's free and unbonding stake, in hundredths of a percent, that is burned beside
    /// the lock. Only where there is one can an ASSIGNED job be rejected: for two signed results.
    /// @return airgapUntil Last second in which a proof cures a default.
    function settleRejected(JobId jobId, uint256 stakeBps) external returns (uint40 airgapUntil);

    /// @notice Divides the lock of a REJECTED job: after the airgap, or within it if it was cured.
    function divideSlash(JobId jobId, address[] calldata challengers, bool isCured) external;

    /// @notice In the refund mode: VOIDED for a DISPUTED job; for a REJECTED one within its airgap the lock goes back.
    function settleVoided(JobId jobId) external;

    /* VIEWS */

    /// @notice The vault of this deployment.
    function VAULT() external view returns (address);
    /// @notice The registry of this deployment.
    function REGISTRY() external view returns (address);
    /// @notice The order book of this deployment.
    function ORDERS() external view returns (address);
    /// @notice T_assign.
    function ASSIGN_SECONDS() external view returns (uint256);
    /// @notice T_exec.
    function EXEC_SECONDS() external view returns (uint256);
    /// @notice W_chal.
    function CHALLENGE_SECONDS() external view returns (uint256);
    /// @notice T_deliver.
    function DELIVER_SECONDS() external view returns (uint256);
    /// @notice Largest output that can be delivered on chain (8 KiB).
    function MAX_DELIVERY_BYTES() external view returns (uint256);
    /// @notice The id of a job with these terms on this chain and market.
    function computeJobId(JobTerms calldata terms) external view returns (JobId);
    /// @notice Returns a job; reverts with UnknownJob if there is none.
    function getJob(JobId jobId) external view returns (Job memory);
    /// @notice How much a consumer may rely on the job's result.
    function assurance(JobId jobId) external view returns (Assurance);
    /// @notice Lock of a job taken now (protocol.md A.14):
    ///
    ///   max(lockFees * fee, ceil(3 * disputeGas * gasPrice * 100 / 35))
    ///
    /// In English: enough that cheating never pays, and that the challenger's 35 % are worth three times its gas. The
    /// price of gas is max(basefee, floor) in ETH, and a parameter in the ERC-20.
    function computeLock(address token, uint96 fee) external view returns (uint256 amount);
    /// @notice Least fee of a job of this version that requires a proof: what one proof costs its maker now.
    function computeProofFee(bytes32 version) external view returns (uint256);
    /// @notice What a delivery requested now costs the client:
    ///
    ///   (60,000 + 60 * outputBytes) * gasPrice
    ///
    /// In English: the transaction's gas, each byte at the floor of EIP-7623 and emitted once, at today's price.
    function computeDeliveryPayment(JobId jobId) external view returns (uint256);
}
