// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IDisputeGame} from "../interfaces/IDisputeGame.sol";
import {IJobMarket} from "../interfaces/IJobMarket.sol";
import {IModelRegistry} from "../interfaces/IModelRegistry.sol";
import {IParameters} from "../interfaces/IParameters.sol";
import {IProofVerifier} from "../interfaces/IProofVerifier.sol";
import {IStakeVault} from "../interfaces/IStakeVault.sol";
import {ParameterRules} from "../libraries/ParameterRules.sol";
import {Pricing} from "../libraries/Pricing.sol";
import {Settlement} from "../libraries/Settlement.sol";
import {Dispute, DisputeState} from "../types/Dispute.sol";
import {DisputeId, JobId} from "../types/Ids.sol";
import {Job} from "../types/Job.sol";
import {Parameters} from "../types/Parameters.sol";
import {Exit} from "../types/Split.sol";
import {Statement} from "../types/Statement.sol";
import {Version} from "../types/Version.sol";

/// @title The game of prove-it
contract DisputeGame is IDisputeGame {
    using SafeCast for uint256;

    /* CONSTANTS */

    /// @dev The token of bonds.
    address private constant ETH = address(0);

    /// @dev Format of the statement and of the proofs.
    uint256 private constant STATEMENT_FORMAT = 1;
    /// @dev A job is one claim, not split into shards.
    uint256 private constant WHOLE_JOB = 0;
    /// @dev Input and output are public: they enter the verifier as calldata.
    uint256 private constant MODE_PUBLIC = 1;

    /* IMMUTABLES */

    /// @inheritdoc IDisputeGame
    address public immutable VAULT;
    /// @inheritdoc IDisputeGame
    address public immutable REGISTRY;
    /// @inheritdoc IDisputeGame
    address public immutable MARKET;
    /// @inheritdoc IParameters
    bytes32 public immutable PARAMETERS_HASH;

    uint256 private immutable PROVE_SECONDS;
    uint256 private immutable PROVE_CAP_SECONDS;
    uint256 private immutable PROVING_PRICE;
    uint256 private immutable GAS_PRICE_FLOOR;

    /* STORAGE */

    /// @dev Starts at 1: counting up a word that is never zero costs the first challenger no more than the others.
    uint256 private nextDispute = 1;
    /// @inheritdoc IDisputeGame
    mapping(JobId => DisputeId) public disputeOf;
    /// @inheritdoc IDisputeGame
    mapping(address operator => uint256) public openChallenges;

    mapping(DisputeId => Dispute) private disputes;

    /* CONSTRUCTOR */

    constructor(address vault, address registry, address market, Parameters memory p) {
        ParameterRules.validate(p);
        PARAMETERS_HASH = ParameterRules.hash(p);
        VAULT = vault;
        REGISTRY = registry;
        MARKET = market;
        PROVE_SECONDS = p.proveSeconds;
        PROVE_CAP_SECONDS = p.proveCapSeconds;
        PROVING_PRICE = p.provingPrice;
        GAS_PRICE_FLOOR = p.gasPriceFloor;
    }

    /* MOVES */

    /// @inheritdoc IDisputeGame
    function challenge(JobId jobId, bytes32 expectedOutDigest) external payable returns (DisputeId disputeId) {
        // INVARIANT: a job is disputed once: the market refuses unless it is committed, in time and as expected.
        // SAFETY: market, registry and vault are this deployment's and call nobody back.
        Job memory job = IJobMarket(MARKET).disputeJob(jobId, expectedOutDigest);
        uint256 bond = computeBond(job.version);
        if (msg.value < bond) revert BondTooSmall(jobId, msg.value, bond);

        disputeId = DisputeId.wrap(nextDispute++);
        Dispute memory dispute = Dispute({
            challenger: msg.sender,
            bond: bond.toUint96(),
            operator: job.operator,
            proveBy: (block.timestamp + computeProveSeconds(job.version, job.operator)).toUint40(),
            state: DisputeState.OPEN,
            jobId: jobId,
            challengeSeed: keccak256(abi.encode(block.prevrandao, disputeId, msg.sender))
        });
        disputes[disputeId] = dispute;
        disputeOf[jobId] = disputeId;
        ++openChallenges[job.operator];
        emit ResultChallenged(disputeId, jobId, msg.sender, job.operator, bond, dispute.proveBy, dispute.challengeSeed);
        IStakeVault(VAULT).openBond{value: msg.value}(ETH, disputeId, msg.sender, dispute.bond);
    }

    /// @inheritdoc IDisputeGame
    function prove(DisputeId disputeId, bytes calldata input, bytes calldata output, bytes calldata proof) external {
        Dispute storage dispute = expectOpen(disputeId);
        if (block.timestamp > dispute.proveBy) {
            revert ProofTooLate(disputeId, dispute.proveBy, block.timestamp);
        }
        // SAFETY: a static call to the version's verifier, outside any try: whatever makes it fail, lack of gas
        // included, reverts the transaction. There is no branch on which a failed proof decides anything.
        (Statement memory statement, address vkData) = buildStatement(disputeId, msg.sender);
        IProofVerifier(statement.verifier).verify(statement, vkData, input, output, proof);

        resolveProven(disputeId, dispute);
    }

    /// @inheritdoc IDisputeGame
    function claimDefault(DisputeId disputeId) external {
        Dispute storage dispute = expectOpen(disputeId);
        // INVARIANT: nobody defaults while a proof may still come.
        if (block.timestamp <= dispute.proveBy) {
            revert ProofStillDue(disputeId, dispute.proveBy, block.timestamp);
        }
        (JobId jobId, address challenger) = (dispute.jobId, dispute.challenger);

        dispute.state = DisputeState.DEFAULT;
        --openChallenges[dispute.operator];
        emit DefaultClaimed(disputeId, jobId, challenger);
        IJobMarket(MARKET).settleRejected(jobId, challenger);
        settleBond(disputeId, dispute, Exit.REJECTED, address(0));
    }

    /* STEPS */

    function resolveProven(DisputeId disputeId, Dispute storage dispute) private {
        (JobId jobId, address operator) = (dispute.jobId, dispute.operator);
        bool isOperator = msg.sender == operator || IStakeVault(VAULT).operatorOf(msg.sender) == operator;
        address beneficiary = isOperator ? operator : msg.sender;

        dispute.state = DisputeState.DEFENDER_PROVEN;
        --openChallenges[operator];
        emit ResultProven(disputeId, jobId, msg.sender, beneficiary);
        IJobMarket(MARKET).settleProven(jobId);
        settleBond(disputeId, dispute, Exit.PROVEN, beneficiary);
    }

    function settleBond(DisputeId disputeId, Dispute storage dispute, Exit exit, address defender) private {
        IStakeVault(VAULT)
            .settleBond(ETH, disputeId, dispute.challenger, defender, Settlement.computeBondSplit(exit, dispute.bond));
    }

    function expectOpen(DisputeId disputeId) private view returns (Dispute storage dispute) {
        dispute = disputes[disputeId];
        DisputeState state = dispute.state;
        if (state == DisputeState.NONE) revert UnknownDispute(disputeId);
        // INVARIANT: a dispute is resolved once.
        if (state != DisputeState.OPEN) revert DisputeResolved(disputeId, state);
    }

    /// @dev From storage alone; of the caller only its address enters.
    function buildStatement(DisputeId disputeId, address prover)
        private
        view
        returns (Statement memory statement, address vkData)
    {
        Dispute storage dispute = disputes[disputeId];
        Job memory job = IJobMarket(MARKET).getJob(dispute.jobId);
        Version memory version = IModelRegistry(REGISTRY).getVersion(job.version);
        vkData = version.vkData;
        statement = Statement({
            format: STATEMENT_FORMAT,
            chainId: block.chainid,
            verifier: version.verifier,
            market: MARKET,
            jobId: JobId.unwrap(dispute.jobId),
            shard: WHOLE_JOB,
            challengeSeed: dispute.challengeSeed,
            prover: prover,
            modelVersion: job.version,
            programHash: version.programHash,
            srsId: version.srsId,
            mode: MODE_PUBLIC,
            // The first operator, 0, in the upper half; how many in the lower half.
            opRange: version.opCount,
            inDigest: job.inDigest,
            outDigest: job.outDigest
        });
    }

    function getGasPrice() private view returns (uint256) {
        return Math.max(block.basefee, GAS_PRICE_FLOOR);
    }

    /* VIEWS */

    /// @inheritdoc IDisputeGame
    function disputeCount() external view returns (uint256) {
        return nextDispute - 1;
    }

    /// @inheritdoc IDisputeGame
    function getDispute(DisputeId disputeId) external view returns (Dispute memory dispute) {
        dispute = disputes[disputeId];
        if (dispute.state == DisputeState.NONE) revert UnknownDispute(disputeId);
    }

    /// @inheritdoc IDisputeGame
    function getStatement(DisputeId disputeId, address prover) external view returns (Statement memory statement) {
        if (disputes[disputeId].state == DisputeState.NONE) revert UnknownDispute(disputeId);
        (statement,) = buildStatement(disputeId, prover);
    }

    /// @inheritdoc IDisputeGame
    function requiredBond(JobId jobId) external view returns (uint256) {
        return computeBond(IJobMarket(MARKET).getJob(jobId).version);
    }

    /// @inheritdoc IDisputeGame
    function computeBond(bytes32 version) public view returns (uint256) {
        (uint256 proveSeconds, uint256 proofGas) = IModelRegistry(REGISTRY).getProvingCosts(version);
        return Pricing.computeBond(proveSeconds, PROVING_PRICE, proofGas, getGasPrice());
    }

    /// @inheritdoc IDisputeGame
    function computeProveSeconds(bytes32 version, address operator) public view returns (uint256) {
        (uint256 proveSeconds,) = IModelRegistry(REGISTRY).getProvingCosts(version);
        return Pricing.computeProveSeconds(PROVE_SECONDS, PROVE_CAP_SECONDS, proveSeconds, openChallenges[operator]);
    }
}
