// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {JobId} from "../types/Ids.sol";
import {AuditState} from "../types/Quorum.sol";
import {IParameters} from "./IParameters.sol";

/// @title Audits by proof, drawn by the beacon (protocol.md A.13)
/// @notice Somebody asks for a committed job, once; DELAY blocks later the beacon decides whether its operator has to
/// prove the result. It needs no second operator, so it holds for versions that nobody else can execute. Nobody stakes
/// a bond; silence costs the lock, and of the operator's other stake up to 300 fees: who cheats often cannot count on
/// one small lock being all there is to lose.
///
/// A result in a session's batch is no job: its client has to take it out first.
///
/// Assumptions on what surrounds it:
/// - clients or keepers ask for audits, of all jobs alike, and draw them within the job's window;
/// - an operator that is drawn pays for its proof itself: at the deployment's rate that is a part of its prices.
interface IAudits is IParameters {
    /// @notice Thrown by the constructor when a neighbour was built for another deployment.
    error ForeignModule(address module);
    /// @notice Thrown by the constructor when the probability of an audit exceeds one.
    error BadAuditRate(uint256 auditBps);
    /// @notice Thrown when an audit of the job has been asked for.
    error AuditExists(JobId jobId);
    /// @notice Thrown when there is no audit of the job to draw.
    error NoAuditPending(JobId jobId, AuditState state);

    /// @notice The beacon decides about the job.
    event AuditRequested(JobId indexed jobId);
    /// @notice The job's operator has to prove its result, or has not.
    event AuditDrawn(JobId indexed jobId, bool isDrawn);

    /// @notice Asks the beacon about a COMMITTED or DISPUTED job that may still be challenged and does not require a proof
    /// anyway. Anybody may; once a job.
    function requestAudit(JobId jobId) external;

    /// @notice Takes the beacon's answer, while the job may be challenged. A seed that was missed counts as drawn.
    function drawAudit(JobId jobId) external;

    /// @notice How far the audit of a job is.
    function auditOf(JobId jobId) external view returns (AuditState);
    /// @notice Probability of an audit that was asked for, in hundredths of a percent.
    function PROOF_AUDIT_BPS() external view returns (uint256);
    /// @notice The market of jobs.
    function MARKET() external view returns (address);
    /// @notice The game.
    function GAME() external view returns (address);
    /// @notice The beacon.
    function BEACON() external view returns (address);
}
