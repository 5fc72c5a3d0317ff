// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {JobMarket} from "../../contracts/core/JobMarket.sol";
import {ModelRegistry} from "../../contracts/core/ModelRegistry.sol";
import {StakeVault} from "../../contracts/core/StakeVault.sol";
import {DisputeGame} from "../../contracts/dispute/DisputeGame.sol";
import {MockVerifier} from "../../contracts/mocks/MockVerifier.sol";
import {DisputeId, JobId} from "../../contracts/types/Ids.sol";
import {Job, JobParams, JobState} from "../../contracts/types/Job.sol";
import {Parameters} from "../../contracts/types/Parameters.sol";
import {Account} from "../../contracts/types/Stake.sol";
import {VersionParams} from "../../contracts/types/Version.sol";
import {Cheats} from "./Cheats.sol";

/// @notice A wired deployment with preset `local`, one version, one operator with stake, and the steps of a job.
abstract contract Deployment is Cheats {
    address internal constant ETH = address(0);
    bytes32 internal constant IN_DIGEST = keccak256("input");
    bytes32 internal constant OUT_DIGEST = keccak256("output");
    uint96 internal constant FEE = 0.002 ether;
    uint256 internal constant STAKE = 10 ether;
    uint256 internal constant START = 1_000_000;
    uint32 internal constant PROVE_SECONDS = 5;
    uint64 internal constant PROOF_GAS = 800_000;

    address internal immutable CLIENT = vm.addr(1);
    address internal immutable OWNER = vm.addr(2);
    address internal immutable WORKER = vm.addr(3);
    address internal immutable CHALLENGER = vm.addr(4);
    address internal immutable STRANGER = vm.addr(5);

    StakeVault internal vault;
    ModelRegistry internal registry;
    JobMarket internal market;
    DisputeGame internal game;
    MockVerifier internal verifier;
    address internal vkData;
    bytes32 internal version;

    function setUp() public virtual {
        vm.warp(START);
        vm.fee(0);
        deploy(localPreset());
        for (uint256 key = 1; key <= 5; ++key) {
            vm.deal(vm.addr(key), 1000 ether);
        }
        version = registry.registerVersion(versionParams());
        vm.prank(OWNER);
        vault.deposit{value: STAKE}();
        vm.prank(OWNER);
        vault.setWorker(WORKER);
    }

    function deploy(Parameters memory p) internal {
        verifier = new MockVerifier();
        vkData = address(uint160(uint256(keccak256("vk"))));
        vm.etch(vkData, hex"00aa");
        address[] memory verifiers = new address[](1);
        verifiers[0] = address(verifier);
        vault = new StakeVault(p);
        registry = new ModelRegistry(verifiers, p);
        market = new JobMarket(address(vault), address(registry), p);
        game = new DisputeGame(address(vault), address(registry), address(market), p);
        vault.setModules(address(market), address(game));
    }

    /* DATA */

    /// @notice Preset `local` (protocol.md A.20); the unbonding time obeys I22.
    function localPreset() internal pure returns (Parameters memory) {
        return Parameters({
            assignSeconds: 60,
            execSeconds: 20,
            challengeSeconds: 15,
            proveSeconds: 30,
            proveCapSeconds: 60,
            airgapSeconds: 10,
            unbondSeconds: 2 * (60 + 20 + 15 + 60 + 10),
            lockFees: 35,
            missFees: 1,
            disputeGas: 600_000,
            gasPriceFloor: 1 gwei,
            provingPrice: 1000 gwei,
            maxProofGas: 10_000_000
        });
    }

    function versionParams() internal view returns (VersionParams memory) {
        return VersionParams({
            graphHash: verifier.GRAPH_HASH(),
            weightRoot: keccak256("weights"),
            programHash: verifier.PROGRAM_HASH(),
            vkHash: verifier.KEY_HASH(),
            vkData: vkData,
            verifier: address(verifier),
            srsId: verifier.SRS_ID(),
            proveSeconds: PROVE_SECONDS,
            proofGas: PROOF_GAS,
            digestKind: 1,
            uri: "file:model"
        });
    }

    function jobParams(uint96 fee) internal view returns (JobParams memory) {
        return JobParams({
            version: version, inDigest: IN_DIGEST, fee: fee, verifyMask: 0, privacyMask: 0, inputUri: "file:input"
        });
    }

    /* STEPS OF A JOB */

    function createJob() internal returns (JobId) {
        return createJob(FEE);
    }

    function createJob(uint96 fee) internal returns (JobId) {
        JobParams memory params = jobParams(fee);
        vm.prank(CLIENT);
        return market.createJob{value: fee}(params);
    }

    function acceptedJob() internal returns (JobId jobId) {
        jobId = createJob();
        vm.prank(WORKER);
        market.acceptJob(jobId);
    }

    function committedJob() internal returns (JobId jobId) {
        jobId = acceptedJob();
        commit(jobId);
    }

    function commit(JobId jobId) internal {
        vm.prank(WORKER);
        market.commitResult(jobId, OUT_DIGEST, "file:output");
    }

    function challengedJob() internal returns (JobId jobId, DisputeId disputeId) {
        jobId = committedJob();
        disputeId = challenge(jobId);
    }

    function challenge(JobId jobId) internal returns (DisputeId) {
        uint256 bond = game.requiredBond(jobId);
        vm.prank(CHALLENGER);
        return game.challenge{value: bond}(jobId, OUT_DIGEST);
    }

    function proveAs(address prover, DisputeId disputeId) internal {
        vm.prank(prover);
        game.prove(disputeId, "input", "output", "proof");
    }

    function warpPast(uint256 deadline) internal {
        vm.warp(deadline + 1);
    }

    function warpPast(JobId jobId) internal {
        warpPast(market.getJob(jobId).deadline);
    }

    function warpPast(DisputeId disputeId) internal {
        warpPast(game.getDispute(disputeId).proveBy);
    }

    /* READS */

    function accountOf(address account) internal view returns (Account memory) {
        return vault.getAccount(ETH, account);
    }

    function stateOf(JobId jobId) internal view returns (JobState) {
        return market.getJob(jobId).state;
    }

    function assertState(JobId jobId, JobState expected) internal view {
        assertEq(uint256(stateOf(jobId)), uint256(expected), "job state");
    }

    /// @notice What the vault owes to the test's actors, and holds for jobs and disputes so far.
    function sumLedger() internal view returns (uint256 sum) {
        for (uint256 key = 1; key <= 5; ++key) {
            sum += sumAccount(vm.addr(key));
        }
        for (uint256 id = 1; id <= market.jobCount(); ++id) {
            sum += vault.escrowOf(ETH, JobId.wrap(id));
        }
        for (uint256 id = 1; id <= game.disputeCount(); ++id) {
            sum += vault.bondOf(ETH, DisputeId.wrap(id));
        }
        sum += vault.burned(ETH);
    }

    function sumAccount(address account) internal view returns (uint256) {
        Account memory a = accountOf(account);
        return uint256(a.free) + a.locked + a.unbonding + a.credit + a.held;
    }

    function assertConserved() internal view {
        assertEq(address(vault).balance, sumLedger(), "vault balance against ledger");
    }
}
