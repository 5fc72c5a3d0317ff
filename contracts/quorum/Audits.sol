// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IAudits} from "../interfaces/IAudits.sol";
import {IBeacon} from "../interfaces/IBeacon.sol";
import {IDisputeGame} from "../interfaces/IDisputeGame.sol";
import {IJobMarket} from "../interfaces/IJobMarket.sol";
import {IParameters} from "../interfaces/IParameters.sol";
import {IProtocolClock} from "../interfaces/IProtocolClock.sol";
import {IStakeVault} from "../interfaces/IStakeVault.sol";
import {Economics} from "../libraries/Economics.sol";
import {ParameterRules} from "../libraries/ParameterRules.sol";
import {JobId} from "../types/Ids.sol";
import {Job, JobState} from "../types/Job.sol";
import {Parameters} from "../types/Parameters.sol";
import {AuditState, SeedState} from "../types/Quorum.sol";

/// @title Which jobs have to be proven without anybody's challenge
contract Audits is IAudits {
    /* IMMUTABLES */

    /// @inheritdoc IAudits
    address public immutable MARKET;
    /// @inheritdoc IAudits
    address public immutable GAME;
    /// @inheritdoc IAudits
    address public immutable BEACON;
    /// @inheritdoc IAudits
    uint256 public immutable PROOF_AUDIT_BPS;
    /// @inheritdoc IParameters
    bytes32 public immutable PARAMETERS_HASH;

    /* STORAGE */

    /// @inheritdoc IAudits
    mapping(JobId => AuditState) public auditOf;

    /* CONSTRUCTOR */

    constructor(address vault, address market, address beacon, uint16 proofAuditBps, Parameters memory p) {
        PARAMETERS_HASH = ParameterRules.hash(p);
        if (
            IStakeVault(vault).AUDITS() != address(this) || IStakeVault(vault).MARKET() != market
                || IParameters(vault).PARAMETERS_HASH() != PARAMETERS_HASH
        ) revert ForeignModule(vault);
        if (beacon.code.length == 0) revert ForeignModule(beacon);
        if (proofAuditBps > Economics.BPS) revert BadAuditRate(proofAuditBps);
        (MARKET, GAME, BEACON) = (market, IStakeVault(vault).GAME(), beacon);
        PROOF_AUDIT_BPS = proofAuditBps;
    }

    /* ANYBODY */

    /// @inheritdoc IAudits
    function requestAudit(JobId jobId) external {
        uint40 time = IProtocolClock(MARKET).stepTime();
        Job memory job = IJobMarket(MARKET).getJob(jobId);
        // INVARIANT: the result is fixed before the seed is asked for. An operator cannot have an accomplice dispute a part
        // of it to be spared.
        if (job.state != JobState.COMMITTED && job.state != JobState.DISPUTED) {
            revert IJobMarket.WrongJobState(jobId, job.state, JobState.COMMITTED);
        }
        if (job.proofRequired) revert IJobMarket.ProofRequired(jobId);
        if (time > job.deadline) revert IJobMarket.DeadlinePassed(jobId, job.deadline, time);
        // INVARIANT: a job is drawn for once: nobody asks until the answer pleases.
        if (auditOf[jobId] != AuditState.NONE) revert AuditExists(jobId);

        auditOf[jobId] = AuditState.REQUESTED;
        emit AuditRequested(jobId);
        IBeacon(BEACON).request(JobId.unwrap(jobId));
    }

    /// @inheritdoc IAudits
    function drawAudit(JobId jobId) external {
        AuditState state = auditOf[jobId];
        if (state != AuditState.REQUESTED) revert NoAuditPending(jobId, state);
        bytes32 key = JobId.unwrap(jobId);
        // INVARIANT: nobody escapes by letting the seed pass.
        bool isMissed = IBeacon(BEACON).stateOf(address(this), key) == SeedState.MISSED;
        bool isDrawn = isMissed || uint256(IBeacon(BEACON).fix(address(this), key)) % Economics.BPS < PROOF_AUDIT_BPS;

        auditOf[jobId] = isDrawn ? AuditState.DRAWN : AuditState.SPARED;
        emit AuditDrawn(jobId, isDrawn);
        if (!isDrawn) return;
        // The game refuses a job that is over, disputed, or past its window; then nothing was drawn.
        // SAFETY: game and market are this deployment's and call nobody outside of it.
        IDisputeGame(GAME).auditFor(jobId, IJobMarket(MARKET).getJob(jobId).outDigest);
    }
}
