// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IDisputeGame} from "../interfaces/IDisputeGame.sol";
import {IHeldChallengers} from "../interfaces/IHeldChallengers.sol";
import {IJobMarket} from "../interfaces/IJobMarket.sol";
import {IModelRegistry} from "../interfaces/IModelRegistry.sol";
import {IParameters} from "../interfaces/IParameters.sol";
import {IStakeVault} from "../interfaces/IStakeVault.sol";
import {ParameterRules} from "../libraries/ParameterRules.sol";
import {Pricing} from "../libraries/Pricing.sol";
import {Settlement} from "../libraries/Settlement.sol";
import {Dispute, DisputeState} from "../types/Dispute.sol";
import {JobId} from "../types/Ids.sol";
import {Job, JobTerms} from "../types/Job.sol";
import {Parameters} from "../types/Parameters.sol";
import {Account} from "../types/Stake.sol";
import {Statement} from "../types/Statement.sol";
import {Version} from "../types/Version.sol";

/// @title The book of disputes: storage, look-ups, prices, statements and bonds
abstract contract DisputeBook is IDisputeGame {
    using SafeCast for uint256;

    /* CONSTANTS */

    /// @dev Format of the statement and of the proofs.
    uint256 private constant STATEMENT_FORMAT = 2;
    /// @dev A job is one claim, not split into shards.
    uint256 private constant WHOLE_JOB = 0;
    /// @dev Input and output are public: they enter the verifier as calldata.
    uint256 private constant MODE_PUBLIC = 1;
    /// @dev Those whom pinpointing brings along, beside the client and MAX_CHALLENGERS who demanded a proof: 33 accounts
    /// at most share a reward, whatever happens (I18).
    uint256 private constant PINPOINT_PLACES = 16;

    /* IMMUTABLES */

    /// @inheritdoc IDisputeGame
    address public immutable VAULT;
    /// @inheritdoc IDisputeGame
    address public immutable REGISTRY;
    /// @inheritdoc IDisputeGame
    address public immutable MARKET;
    /// @inheritdoc IParameters
    bytes32 public immutable PARAMETERS_HASH;

    address internal immutable SESSIONS;
    address internal immutable PINPOINT;
    address internal immutable QUORUM;
    address internal immutable AUDITS;
    uint256 internal immutable SHARE_BLOCKS;
    uint256 internal immutable MAX_CHALLENGERS;
    uint256 internal immutable EXEC_SECONDS;
    uint256 internal immutable CHALLENGE_SECONDS;

    uint256 private immutable PROVE_SECONDS;
    uint256 private immutable PROVE_CAP_SECONDS;
    uint256 private immutable PROVING_PRICE;
    uint256 private immutable GAS_PRICE_FLOOR;

    /* STORAGE */

    /// @inheritdoc IDisputeGame
    mapping(JobId => bool) public isAudited;

    /// @dev One more than are open, from the first on: a word that was used once costs little to use again.
    mapping(address operator => uint256) private counts;
    mapping(JobId => Dispute) internal disputes;
    /// @dev Those who challenged after the first, at most MAX_CHALLENGERS, the client included; and who reported fraud.
    mapping(JobId => address[]) internal joiners;

    /* CONSTRUCTOR */

    constructor(address vault, address registry, address market, Parameters memory p) {
        ParameterRules.validate(p);
        PARAMETERS_HASH = ParameterRules.hash(p);
        // A game across two deployments would move money under foreign rules.
        if (
            IStakeVault(vault).GAME() != address(this) || IStakeVault(vault).MARKET() != market
                || IParameters(vault).PARAMETERS_HASH() != PARAMETERS_HASH
        ) revert ForeignModule(vault);
        if (
            IJobMarket(market).VAULT() != vault || IJobMarket(market).REGISTRY() != registry
                || IParameters(market).PARAMETERS_HASH() != PARAMETERS_HASH
        ) revert ForeignModule(market);
        VAULT = vault;
        REGISTRY = registry;
        MARKET = market;
        SESSIONS = IStakeVault(vault).SESSIONS();
        PINPOINT = IStakeVault(vault).PINPOINT();
        QUORUM = IStakeVault(vault).QUORUM();
        AUDITS = IStakeVault(vault).AUDITS();
        SHARE_BLOCKS = p.shareBlocks;
        MAX_CHALLENGERS = p.maxChallengers;
        EXEC_SECONDS = p.execSeconds;
        CHALLENGE_SECONDS = p.challengeSeconds;
        PROVE_SECONDS = p.proveSeconds;
        PROVE_CAP_SECONDS = p.proveCapSeconds;
        PROVING_PRICE = p.provingPrice;
        GAS_PRICE_FLOOR = p.gasPriceFloor;
    }

    /* LOOK-UPS */

    /// @dev While a proof of the whole result is due, that decides; after a verdict nothing is left to decide.
    function expectUndisputed(JobId jobId) internal view {
        DisputeState state = disputes[jobId].state;
        if (state != DisputeState.NONE) revert WrongDisputeState(jobId, state, DisputeState.NONE);
    }

    function expectDispute(JobId jobId, DisputeState required) internal view returns (Dispute storage dispute) {
        dispute = findDispute(jobId);
        // INVARIANT: a dispute is resolved once, and its slash divided once.
        if (dispute.state != required) revert WrongDisputeState(jobId, dispute.state, required);
    }

    function findDispute(JobId jobId) internal view returns (Dispute storage dispute) {
        dispute = disputes[jobId];
        if (dispute.state == DisputeState.NONE) revert UnknownDispute(jobId);
    }

    /// @dev From storage and terms that hash to the job's id; of the caller only its address enters.
    function buildStatement(JobId jobId, JobTerms calldata terms, address prover)
        internal
        view
        returns (Statement memory statement, Version memory version)
    {
        // INVARIANT: the input of the statement is the one that the client ordered.
        JobId got = IJobMarket(MARKET).computeJobId(terms);
        if (JobId.unwrap(got) != JobId.unwrap(jobId)) revert WrongTerms(jobId, got);
        Job memory job = IJobMarket(MARKET).getJob(jobId);
        version = IModelRegistry(REGISTRY).getVersion(job.version);
        statement = Statement({
            format: STATEMENT_FORMAT,
            chainId: block.chainid,
            verifier: version.verifier,
            market: MARKET,
            jobId: uint256(JobId.unwrap(jobId)),
            shard: WHOLE_JOB,
            challengeSeed: disputes[jobId].challengeSeed,
            prover: prover,
            modelVersion: job.version,
            programHash: version.programHash,
            srsId: version.srsId,
            mode: MODE_PUBLIC,
            // The first operator, 0, in the upper half; how many in the lower half.
            opRange: version.opCount,
            inDigest: terms.inDigest,
            outDigest: job.outDigest
        });
    }

    /// @dev Nobody knows it before the block that fixes it, when weights, input and output are fixed already.
    function drawSeed(JobId jobId, address challenger) internal view returns (bytes32) {
        return keccak256(abi.encode(block.prevrandao, jobId, challenger));
    }

    function getClock() internal view returns (uint256) {
        return IJobMarket(MARKET).clock();
    }

    function getGasPrice() private view returns (uint256) {
        return Math.max(block.basefee, GAS_PRICE_FLOOR);
    }

    /// @dev Whether an account is the operator's owner or its present worker.
    function speaksNow(address account, address operator) internal view returns (bool) {
        return account == operator || IStakeVault(VAULT).operatorOf(account) == operator;
    }

    /// @dev Those who doubt the result in the game of pinpointing.
    function findDoubters(JobId jobId) internal view returns (address[] memory doubters) {
        // A deployment may have none of it.
        if (PINPOINT.code.length != 0) doubters = IHeldChallengers(PINPOINT).getOpenChallengers(jobId);
    }

    /* THE AIRGAP */

    function expectCurable(JobId jobId) internal view {
        // INVARIANT: a proof cures silence, never fraud that was shown.
        expectDispute(jobId, DisputeState.DEFAULT);
        (uint256 until, uint256 time) = getAirgap(jobId);
        if (time > until) revert AirgapOver(jobId, until, time);
    }

    function closeCured(JobId jobId, address prover) internal {
        disputes[jobId].state = DisputeState.CURED;
        emit SlashCured(jobId, prover);
        IJobMarket(MARKET).divideSlash(jobId, getChallengers(jobId), true);
    }

    function getAirgap(JobId jobId) internal view returns (uint256 until, uint256 time) {
        return (IJobMarket(MARKET).getJob(jobId).deadline, getClock());
    }

    /* COUNTS */

    function countOpen(address operator) internal {
        counts[operator] = openChallenges(operator) + 2;
    }

    function countClosed(address operator) internal {
        // INVARIANT: no challenge is closed that was not open: below zero it fails.
        uint256 left = openChallenges(operator) - 1;
        counts[operator] = left + 1;
    }

    /* REJECTION */

    /// @dev The one way in which a result falls: whoever challenged it gets its bond back, and shares the reward with
    /// `others`.
    /// @param refutedAt What the dispute tells as `proveBy`: when the result was refuted, or no proof came; 0 where the
    /// operator signed two results, which costs a part of its other stake, too.
    function reject(JobId jobId, address operator, DisputeState verdict, uint256 refutedAt, address[] memory others)
        internal
    {
        Dispute memory dispute = disputes[jobId];
        address[] memory challengers = getChallengers(jobId);
        if (dispute.state == DisputeState.OPEN) countClosed(operator);
        address first = addRewarded(jobId, challengers, others);
        uint96 bond = dispute.bond;
        bool isFraud = verdict == DisputeState.FRAUD_PROVEN;
        (dispute.challenger, dispute.operator, dispute.state) = (first, operator, verdict);
        dispute.proveBy = refutedAt.toUint40();
        if (isFraud) (dispute.bond, dispute.challengeSeed) = (0, 0);
        // A proof of the whole result may cure any silence; where none was due it has no seed yet.
        else if (dispute.challengeSeed == 0) dispute.challengeSeed = drawSeed(jobId, first);
        if (isFraud || dispute.openedAtBlock == 0) dispute.openedAtBlock = block.number.toUint48();
        disputes[jobId] = dispute;
        // INVARIANT: one verdict a job: the market refuses one that is settled, so no dispute but an OPEN one is
        // overwritten here.
        IJobMarket(MARKET).settleRejected(jobId, computeStakeBps(jobId, refutedAt == 0));
        settleBonds(jobId, challengers, bond, false, address(0));
    }

    /// @dev Those who challenged already share with the others: a cheat about to lose who has an accomplice end it
    /// another way cannot take their reward.
    function addRewarded(JobId jobId, address[] memory challengers, address[] memory others)
        private
        returns (address first)
    {
        uint256 count = challengers.length;
        uint256 places = MAX_CHALLENGERS + 1 + PINPOINT_PLACES;
        address[] memory all = new address[](count + others.length);
        for (uint256 i = 0; i < count; ++i) {
            all[i] = challengers[i];
        }
        // Whoever finds no place goes without: a long list may not keep a verdict from falling.
        for (uint256 i = 0; i < others.length && count < places; ++i) {
            if (contains(all, count, others[i])) continue;
            if (count != 0) joiners[jobId].push(others[i]);
            emit RewardShared(jobId, others[i]);
            all[count++] = others[i];
        }
        return count == 0 ? address(0) : all[0];
    }

    function contains(address[] memory list, uint256 count, address account) private pure returns (bool) {
        for (uint256 i = 0; i < count; ++i) {
            if (list[i] == account) return true;
        }
        return false;
    }

    /// @dev Part of the operator's other stake that is burned beside the lock, in hundredths of a percent.
    function computeStakeBps(JobId jobId, bool hasEquivocated) private view returns (uint256 bps) {
        if (hasEquivocated) bps = Settlement.FRAUD_STAKE_BPS;
        if (!isAudited[jobId]) return bps;
        Job memory job = IJobMarket(MARKET).getJob(jobId);
        Account memory account = IStakeVault(VAULT).getAccount(job.token, job.operator);
        uint256 stake = uint256(account.free) + account.unbonding;
        return Math.max(bps, Settlement.computeAuditBps(stake, job.fee));
    }

    /* BONDS */

    /// @dev Whoever challenged staked the same bond, so what the vault holds is their number times it. Where the job
    /// itself required the proof there is none.
    function settleBonds(JobId jobId, address[] memory challengers, uint96 bond, bool isProven, address defender)
        internal
    {
        if (bond == 0) return;
        uint96 bonds = (challengers.length * bond).toUint96();
        IStakeVault(VAULT).settleBonds(jobId, challengers, defender, Settlement.computeBondSplit(bonds, isProven));
    }

    /* VIEWS */

    /// @inheritdoc IDisputeGame
    function getDispute(JobId jobId) external view returns (Dispute memory) {
        return disputes[jobId];
    }

    /// @inheritdoc IDisputeGame
    function getChallengers(JobId jobId) public view returns (address[] memory challengers) {
        address first = disputes[jobId].challenger;
        if (first == address(0)) return challengers;
        address[] storage others = joiners[jobId];
        uint256 count = others.length;
        challengers = new address[](count + 1);
        challengers[0] = first;
        for (uint256 i = 0; i < count; ++i) {
            challengers[i + 1] = others[i];
        }
    }

    /// @inheritdoc IDisputeGame
    function getStatement(JobId jobId, JobTerms calldata terms, address prover)
        external
        view
        returns (Statement memory statement)
    {
        findDispute(jobId);
        (statement,) = buildStatement(jobId, terms, prover);
    }

    /// @inheritdoc IDisputeGame
    function openChallenges(address operator) public view returns (uint256) {
        uint256 count = counts[operator];
        return count == 0 ? 0 : count - 1;
    }

    /// @inheritdoc IDisputeGame
    function requiredBond(JobId jobId) external view returns (uint256) {
        Dispute storage dispute = disputes[jobId];
        if (dispute.state == DisputeState.OPEN) return dispute.bond;
        return computeBond(IJobMarket(MARKET).getJob(jobId).version);
    }

    /// @inheritdoc IDisputeGame
    function computeBond(bytes32 version) public view returns (uint256) {
        (uint256 proveSeconds, uint256 proofGas) = IModelRegistry(REGISTRY).getProvingCosts(version);
        return computeBond(proveSeconds, proofGas);
    }

    /// @inheritdoc IDisputeGame
    function computeProveSeconds(bytes32 version, address operator) public view returns (uint256) {
        (uint256 proveSeconds,) = IModelRegistry(REGISTRY).getProvingCosts(version);
        return computeProveSeconds(proveSeconds, operator);
    }

    /// @dev Both, for one question to the registry.
    function computeTerms(bytes32 version, address operator) internal view returns (uint256 bond, uint256 seconds_) {
        (uint256 proveSeconds, uint256 proofGas) = IModelRegistry(REGISTRY).getProvingCosts(version);
        return (computeBond(proveSeconds, proofGas), computeProveSeconds(proveSeconds, operator));
    }

    function computeBond(uint256 proveSeconds, uint256 proofGas) private view returns (uint256) {
        return Pricing.computeBond(proveSeconds, PROVING_PRICE, proofGas, getGasPrice());
    }

    function computeProveSeconds(uint256 proveSeconds, address operator) private view returns (uint256) {
        return Pricing.computeProveSeconds(PROVE_SECONDS, PROVE_CAP_SECONDS, proveSeconds, openChallenges(operator));
    }
}
