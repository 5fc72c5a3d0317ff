// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IDisputeGame} from "../interfaces/IDisputeGame.sol";
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
    mapping(address operator => uint256) public openChallenges;

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

    function getClock() internal view returns (uint256) {
        return IJobMarket(MARKET).clock();
    }

    function getGasPrice() private view returns (uint256) {
        return Math.max(block.basefee, GAS_PRICE_FLOOR);
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
    function requiredBond(JobId jobId) external view returns (uint256) {
        Dispute storage dispute = disputes[jobId];
        if (dispute.state == DisputeState.OPEN) return dispute.bond;
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
