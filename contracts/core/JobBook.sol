// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IJobMarket} from "../interfaces/IJobMarket.sol";
import {IModelRegistry} from "../interfaces/IModelRegistry.sol";
import {IParameters} from "../interfaces/IParameters.sol";
import {IStakeVault} from "../interfaces/IStakeVault.sol";
import {JobIds} from "../libraries/JobIds.sol";
import {ParameterRules} from "../libraries/ParameterRules.sol";
import {Pricing} from "../libraries/Pricing.sol";
import {Settlement} from "../libraries/Settlement.sol";
import {JobId} from "../types/Ids.sol";
import {
    Assurance,
    Delivery,
    FLAG_DELIVERED,
    FLAG_DELIVERY_REQUESTED,
    FLAG_PROOF_REQUIRED,
    FLAG_TOKEN,
    Job,
    JobState,
    JobTerms,
    StoredJob
} from "../types/Job.sol";
import {Parameters} from "../types/Parameters.sol";
import {Dues, Exit, Parties} from "../types/Split.sol";
import {ProtocolClock} from "./ProtocolClock.sol";

/// @title The book of jobs: storage, look-ups, prices and the one way in which a job is settled
abstract contract JobBook is IJobMarket, ProtocolClock {
    using SafeCast for uint256;

    /* CONSTANTS */

    /// @dev The token of fees and stakes where it is not the ERC-20.
    address internal constant ETH = address(0);

    /* IMMUTABLES */

    /// @inheritdoc IJobMarket
    address public immutable VAULT;
    /// @inheritdoc IJobMarket
    address public immutable REGISTRY;
    /// @inheritdoc IParameters
    bytes32 public immutable PARAMETERS_HASH;
    /// @inheritdoc IJobMarket
    uint256 public immutable ASSIGN_SECONDS;
    /// @inheritdoc IJobMarket
    uint256 public immutable EXEC_SECONDS;
    /// @inheritdoc IJobMarket
    uint256 public immutable CHALLENGE_SECONDS;
    /// @inheritdoc IJobMarket
    uint256 public immutable DELIVER_SECONDS;

    /// @inheritdoc IJobMarket
    address public immutable ORDERS;

    address internal immutable GAME;
    address internal immutable SESSIONS;
    address internal immutable QUORUM;
    /// @dev The vault's ERC-20, or 0.
    address internal immutable TOKEN;
    uint256 internal immutable AIRGAP_SECONDS;

    uint256 private immutable KEEPER_DELAY_SECONDS;
    uint256 private immutable LOCK_FEES;
    uint256 private immutable MISS_FEES;
    uint256 private immutable DISPUTE_GAS;
    uint256 private immutable PROVING_PRICE;
    uint256 private immutable GAS_PRICE_FLOOR;
    uint256 private immutable TOKEN_GAS_PRICE;
    uint16 private immutable PROTOCOL_FEE_BPS;
    uint16 private immutable KEEPER_TIP_BPS;

    /* STORAGE */

    mapping(JobId => StoredJob) internal jobs;
    mapping(JobId => Delivery) internal deliveries;

    /* CONSTRUCTOR */

    constructor(address vault, address registry, address guardian, address orders, Parameters memory p)
        ProtocolClock(guardian)
    {
        ParameterRules.validate(p);
        PARAMETERS_HASH = ParameterRules.hash(p);
        // A market across two deployments would move money under foreign rules.
        if (IStakeVault(vault).MARKET() != address(this) || IParameters(vault).PARAMETERS_HASH() != PARAMETERS_HASH) {
            revert ForeignModule(vault);
        }
        if (IParameters(registry).PARAMETERS_HASH() != PARAMETERS_HASH) revert ForeignModule(registry);
        VAULT = vault;
        REGISTRY = registry;
        ORDERS = orders;
        GAME = IStakeVault(vault).GAME();
        SESSIONS = IStakeVault(vault).SESSIONS();
        QUORUM = IStakeVault(vault).QUORUM();
        TOKEN = IStakeVault(vault).TOKEN();
        ASSIGN_SECONDS = p.assignSeconds;
        EXEC_SECONDS = p.execSeconds;
        CHALLENGE_SECONDS = p.challengeSeconds;
        DELIVER_SECONDS = p.deliverSeconds;
        AIRGAP_SECONDS = p.airgapSeconds;
        KEEPER_DELAY_SECONDS = p.keeperDelaySeconds;
        LOCK_FEES = p.lockFees;
        MISS_FEES = p.missFees;
        DISPUTE_GAS = p.disputeGas;
        PROVING_PRICE = p.provingPrice;
        GAS_PRICE_FLOOR = p.gasPriceFloor;
        TOKEN_GAS_PRICE = p.tokenGasPrice;
        PROTOCOL_FEE_BPS = p.protocolFeeBps;
        KEEPER_TIP_BPS = p.keeperTipBps;
    }

    /* SETTLEMENT */

    /// @dev The last thing that happens to a job's escrow, in every exit; the caller has written the job's last state.
    function settle(JobId jobId, StoredJob storage job, Exit exit, address keeper) internal {
        (uint16 flags, address token) = (job.flags, getToken(job));
        Dues memory dues = Dues({
            fee: job.fee,
            delivery: has(flags, FLAG_DELIVERY_REQUESTED) ? deliveries[jobId].payment : 0,
            // SAFETY: the vault is this deployment's; in a settlement it calls nobody.
            lock: job.operator == address(0) ? 0 : IStakeVault(VAULT).getFunds(token, jobId).lock,
            fine: 0,
            isDelivered: has(flags, FLAG_DELIVERED),
            hasKeeper: keeper != address(0),
            royaltyBps: job.royaltyBps,
            protocolFeeBps: PROTOCOL_FEE_BPS,
            keeperTipBps: KEEPER_TIP_BPS
        });
        // The fine is at most the lock, because missFees <= lockFees.
        if (exit == Exit.FAILED) dues.fine = (MISS_FEES * dues.fee).toUint96();
        Parties memory parties = Parties({
            client: job.client,
            operator: job.operator,
            modelOwner: dues.royaltyBps == 0 ? address(0) : IModelRegistry(REGISTRY).ownerAt(job.versionNumber),
            keeper: keeper
        });
        IStakeVault(VAULT).settleJob(token, jobId, parties, Settlement.computeJobSplit(exit, dues));
    }

    /// @dev Who earns the keeper's tip: the caller, if those concerned have forgotten the job for a while.
    function findKeeper(StoredJob storage job, address caller, uint256 deadline, uint256 time)
        internal
        view
        returns (address)
    {
        if (time <= deadline + KEEPER_DELAY_SECONDS) return address(0);
        address operator = job.operator;
        if (caller == job.client || caller == operator) return address(0);
        // A job without operator has no worker either: a stranger serves owner 0 just so.
        bool isWorker = operator != address(0) && IStakeVault(VAULT).operatorOf(caller) == operator;
        return isWorker ? address(0) : caller;
    }

    /* LOOK-UPS */

    function expectJob(JobId jobId, JobState required) internal view returns (StoredJob storage job) {
        job = jobs[jobId];
        JobState state = job.state;
        if (state == required) return job;
        if (state == JobState.NONE) revert UnknownJob(jobId);
        revert WrongJobState(jobId, state, required);
    }

    /// @dev A job with a result that no verdict was given on: disputes neither spare nor cost a delivery.
    function expectResult(JobId jobId) internal view returns (StoredJob storage job) {
        job = findJob(jobId);
        if (!hasResult(job)) revert WrongJobState(jobId, job.state, JobState.COMMITTED);
    }

    function hasResult(StoredJob storage job) internal view returns (bool) {
        return job.state == JobState.COMMITTED || job.state == JobState.DISPUTED;
    }

    function findJob(JobId jobId) internal view returns (StoredJob storage job) {
        job = jobs[jobId];
        if (job.state == JobState.NONE) revert UnknownJob(jobId);
    }

    function readJob(JobId jobId, StoredJob storage job) internal view returns (Job memory) {
        return Job({
            client: job.client,
            token: getToken(job),
            fee: job.fee,
            operator: job.operator,
            state: job.state,
            deadline: job.deadline,
            version: IModelRegistry(REGISTRY).versionAt(job.versionNumber),
            outDigest: job.outDigest,
            proofRequired: has(job.flags, FLAG_PROOF_REQUIRED),
            deliverBy: isDeliveryDue(job) ? deliveries[jobId].deliverBy : 0
        });
    }

    /// @dev Only a committed job can be delivered, disputed or not.
    function isDeliveryDue(StoredJob storage job) internal view returns (bool) {
        uint16 flags = job.flags;
        return hasResult(job) && has(flags, FLAG_DELIVERY_REQUESTED) && !has(flags, FLAG_DELIVERED);
    }

    function getToken(StoredJob storage job) internal view returns (address) {
        return has(job.flags, FLAG_TOKEN) ? TOKEN : ETH;
    }

    /// @dev The worker's owner is read from the vault: only it knows who serves whom.
    function requireWorker(JobId jobId, address operator) internal view {
        if (IStakeVault(VAULT).operatorOf(msg.sender) != operator) revert NotOperator(jobId, msg.sender, operator);
    }

    function requireClient(JobId jobId, StoredJob storage job) internal view {
        if (msg.sender != job.client) revert NotClient(jobId, msg.sender, job.client);
    }

    /// @dev A deadline is the last second that counts.
    function requireInTime(JobId jobId, uint256 deadline, uint256 time) internal pure {
        if (time > deadline) revert DeadlinePassed(jobId, deadline, time);
    }

    function requireOverdue(JobId jobId, uint256 deadline, uint256 time) internal pure {
        if (time <= deadline) revert DeadlineNotReached(jobId, deadline, time);
    }

    function computeDeadline(uint256 time, uint256 duration) internal pure returns (uint40) {
        return (time + duration).toUint40();
    }

    function has(uint16 flags, uint16 flag) internal pure returns (bool) {
        return flags & flag != 0;
    }

    /// @dev `gasPrice` in the token's units; the ERC-20 has no base fee.
    function getGasPrice(address token) internal view returns (uint256) {
        return token == ETH ? Math.max(block.basefee, GAS_PRICE_FLOOR) : TOKEN_GAS_PRICE;
    }

    /* VIEWS */

    /// @inheritdoc IJobMarket
    function getJob(JobId jobId) external view returns (Job memory) {
        return readJob(jobId, findJob(jobId));
    }

    /// @inheritdoc IJobMarket
    function assurance(JobId jobId) external view returns (Assurance) {
        JobState state = jobs[jobId].state;
        if (state == JobState.FINAL) return Assurance.UNCHALLENGED;
        if (state == JobState.PROVEN) return Assurance.PROVEN;
        return Assurance.NONE;
    }

    /// @inheritdoc IJobMarket
    function computeJobId(JobTerms memory terms) public view returns (JobId) {
        return JobIds.compute(address(this), terms);
    }

    /// @inheritdoc IJobMarket
    function computeLock(address token, uint96 fee) public view returns (uint256) {
        return Pricing.computeLock(fee, LOCK_FEES, DISPUTE_GAS, getGasPrice(token));
    }

    /// @inheritdoc IJobMarket
    function computeProofFee(bytes32 version) public view returns (uint256) {
        (uint256 proveSeconds, uint256 proofGas) = IModelRegistry(REGISTRY).getProvingCosts(version);
        return Pricing.computeProofFee(proveSeconds, PROVING_PRICE, proofGas, getGasPrice(ETH));
    }

    /// @inheritdoc IJobMarket
    function computeDeliveryPayment(JobId jobId) external view returns (uint256) {
        StoredJob storage job = findJob(jobId);
        uint256 outputBytes = IModelRegistry(REGISTRY).getOutputBytes(job.versionNumber);
        return Pricing.computeDeliveryPayment(outputBytes, getGasPrice(getToken(job)));
    }
}
