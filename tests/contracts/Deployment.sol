// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {AdjudicatorRegistry} from "../../contracts/adjudication/AdjudicatorRegistry.sol";
import {ContractionAdjudicator} from "../../contracts/adjudication/ContractionAdjudicator.sol";
import {ProofAdjudicator} from "../../contracts/adjudication/ProofAdjudicator.sol";
import {RowAdjudicator} from "../../contracts/adjudication/RowAdjudicator.sol";
import {Guardian} from "../../contracts/core/Guardian.sol";
import {JobMarket} from "../../contracts/core/JobMarket.sol";
import {ModelRegistry} from "../../contracts/core/ModelRegistry.sol";
import {OrderBook} from "../../contracts/core/OrderBook.sol";
import {ResultRelay} from "../../contracts/core/ResultRelay.sol";
import {SessionMarket} from "../../contracts/core/SessionMarket.sol";
import {StakeVault} from "../../contracts/core/StakeVault.sol";
import {DisputeGame} from "../../contracts/dispute/DisputeGame.sol";
import {IGuardian} from "../../contracts/interfaces/IGuardian.sol";
import {MockVerifier} from "../../contracts/mocks/MockVerifier.sol";
import {PlainToken} from "../../contracts/mocks/PlainToken.sol";
import {Audits} from "../../contracts/quorum/Audits.sol";
import {Beacon} from "../../contracts/quorum/Beacon.sol";
import {CandidatePool} from "../../contracts/quorum/CandidatePool.sol";
import {Quorum} from "../../contracts/quorum/Quorum.sol";
import {PinpointGame} from "../../contracts/trace/PinpointGame.sol";
import {JobId} from "../../contracts/types/Ids.sol";
import {Job, JobParams, JobState, JobTerms, PROOF_REQUIRED} from "../../contracts/types/Job.sol";
import {Modules} from "../../contracts/types/Modules.sol";
import {Parameters} from "../../contracts/types/Parameters.sol";
import {Account, JobFunds, LockStatus} from "../../contracts/types/Stake.sol";
import {VersionParams} from "../../contracts/types/Version.sol";
import {Presets} from "./Presets.sol";

/// @notice A deployment with preset `local`, one version, one operator with stake in both tokens, and the steps of a
/// job. All jobs made here are remembered, so the ledger can be summed.
abstract contract Deployment is Presets {
    address internal constant ETH = address(0);
    bytes32 internal constant IN_DIGEST = keccak256("input");
    bytes32 internal constant OUT_DIGEST = keccak256("output");
    uint96 internal constant FEE = 0.002 ether;
    uint256 internal constant STAKE = 10 ether;
    uint256 internal constant START = 1_000_000;
    uint32 internal constant PROVE_SECONDS = 5;
    uint64 internal constant PROOF_GAS = 800_000;
    uint32 internal constant OUTPUT_BYTES = 64;
    uint16 internal constant AUDIT_BPS = 5000;
    uint16 internal constant PROOF_AUDIT_BPS = 2500;
    uint256 internal constant ACTORS = 6;
    uint256 internal constant MEMBER_KEY = 11; // the guardian's members have this key and the next two

    address internal immutable CLIENT = vm.addr(1);
    address internal immutable OWNER = vm.addr(2);
    address internal immutable WORKER = vm.addr(3);
    address internal immutable CHALLENGER = vm.addr(4);
    address internal immutable STRANGER = vm.addr(5);
    /// Owner of the registered version.
    address internal immutable REGISTRANT = vm.addr(6);

    StakeVault internal vault;
    ModelRegistry internal registry;
    Guardian internal guardian;
    JobMarket internal market;
    DisputeGame internal game;
    SessionMarket internal sessions;
    OrderBook internal orders;
    ResultRelay internal relay;
    AdjudicatorRegistry internal adjudicators;
    Beacon internal beacon;
    CandidatePool internal pool;
    Quorum internal quorum;
    Audits internal audits;
    address internal pinpoint;
    MockVerifier internal verifier;
    PlainToken internal token;
    address internal vkData;
    bytes32 internal version;

    JobId[] internal jobs;
    mapping(JobId => JobTerms) private termsById;
    uint64 private nextSalt;

    function setUp() public virtual {
        vm.warp(START);
        vm.roll(START / 10);
        vm.fee(0);
        deploy(localPreset());
        for (uint256 key = 1; key <= ACTORS; ++key) {
            fund(vm.addr(key));
        }
        version = registerVersion(versionParams());
        giveStake(OWNER, WORKER, STAKE);
    }

    /* DEPLOYMENT */

    /// @notice The order of scripts/deploy: guardian and vault know the addresses that the contracts after them will have.
    function deploy(Parameters memory p) internal {
        verifier = new MockVerifier();
        token = newToken();
        vkData = address(uint160(uint256(keccak256("vk"))));
        vm.etch(vkData, hex"00aa");
        address[] memory verifiers = new address[](1);
        verifiers[0] = address(verifier);
        registry = new ModelRegistry(verifiers, p);

        Modules memory modules = predictModules();
        address ordersAddress = predict(5);
        guardian = new Guardian([member(0), member(1), member(2)], modules.market);
        vault = new StakeVault(modules, address(token), p);
        market = new JobMarket(address(vault), address(registry), address(guardian), ordersAddress, p);
        game = new DisputeGame(address(vault), address(registry), address(market), p);
        sessions = new SessionMarket(address(vault), address(registry), address(market), p);
        orders = new OrderBook(address(market));
        relay = new ResultRelay(address(market));
        deployAdjudicators(p);
        deployQuorums(p);
    }

    /// @notice With the rates of preset `local`.
    function deployQuorums(Parameters memory p) private {
        beacon = new Beacon(2);
        pool = new CandidatePool(address(vault), address(registry));
        quorum = new Quorum(
            address(vault), address(registry), address(market), address(beacon), address(pool), AUDIT_BPS, p
        );
        audits = new Audits(address(vault), address(market), address(beacon), PROOF_AUDIT_BPS, p);
        pinpoint = address(
            new PinpointGame(
                address(vault), address(registry), address(market), address(game), address(adjudicators), p
            )
        );
    }

    function deployAdjudicators(Parameters memory p) private {
        address[] memory list = new address[](3);
        list[0] = address(new ContractionAdjudicator());
        list[1] = address(new RowAdjudicator());
        list[2] = address(new ProofAdjudicator(address(registry)));
        adjudicators = new AdjudicatorRegistry(address(registry), address(market), list, p);
    }

    /// @notice Where the modules come to lie, with the guardian next and the vault after it.
    function predictModules() private view returns (Modules memory) {
        return Modules({
            market: predict(2),
            game: predict(3),
            sessions: predict(4),
            pinpoint: predict(15),
            quorum: predict(13),
            audits: predict(14)
        });
    }

    /// @notice The address of the contract that this test makes after `skip` others.
    function predict(uint256 skip) internal view returns (address) {
        return vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + skip);
    }

    /// @notice The ERC-20 beside ETH.
    function newToken() internal virtual returns (PlainToken) {
        return new PlainToken();
    }

    /// @notice Gives an actor ETH, and the token with an allowance to the vault.
    function fund(address account) internal {
        vm.deal(account, 1000 ether);
        token.mint(account, 1000 ether);
        vm.prank(account);
        token.approve(address(vault), type(uint256).max);
    }

    /// @notice Deposits the same stake in both tokens and binds a worker.
    function giveStake(address owner, address worker, uint256 amount) internal {
        vm.startPrank(owner);
        vault.deposit{value: amount}(ETH, amount);
        vault.deposit(address(token), amount);
        vault.proposeWorker(worker);
        vm.stopPrank();
        vm.prank(worker);
        vault.acceptOwner(owner);
    }

    function registerVersion(VersionParams memory params) internal returns (bytes32) {
        vm.prank(REGISTRANT);
        return registry.registerVersion(params);
    }

    /* DATA */

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
            outputBytes: OUTPUT_BYTES,
            royaltyBps: 0,
            uri: "file:model"
        });
    }

    /// @notice An order that no other of this test equals.
    function jobParams(uint96 fee) internal returns (JobParams memory) {
        return JobParams({
            version: version,
            inDigest: IN_DIGEST,
            token: ETH,
            fee: fee,
            verifyMask: 0,
            privacyMask: 0,
            salt: ++nextSalt,
            inputUri: "file:input"
        });
    }

    /// @notice The terms of a job made here.
    function termsOf(JobId jobId) internal view returns (JobTerms memory) {
        return termsById[jobId];
    }

    /// @notice Notes the terms of a job that no test ordered: it came out of a batch.
    function remember(JobId jobId, JobTerms memory terms) internal {
        termsById[jobId] = terms;
    }

    /* STEPS OF A JOB */

    function createJob() internal returns (JobId) {
        return createJob(FEE);
    }

    function createJob(uint96 fee) internal returns (JobId) {
        return createJobAs(CLIENT, jobParams(fee));
    }

    function createTokenJob(uint96 fee) internal returns (JobId) {
        JobParams memory params = jobParams(fee);
        params.token = address(token);
        return createJobAs(CLIENT, params);
    }

    function createProofJob(uint96 fee) internal returns (JobId) {
        JobParams memory params = jobParams(fee);
        params.verifyMask = PROOF_REQUIRED;
        return createJobAs(CLIENT, params);
    }

    function createJobAs(address client, JobParams memory params) internal returns (JobId jobId) {
        vm.prank(client);
        jobId = market.createJob{value: params.token == ETH ? params.fee : 0}(params);
        jobs.push(jobId);
        termsById[jobId] = JobTerms({
            client: client,
            version: params.version,
            inDigest: params.inDigest,
            token: params.token,
            fee: params.fee,
            verifyMask: params.verifyMask,
            privacyMask: params.privacyMask,
            salt: params.salt
        });
    }

    function accept(JobId jobId) internal {
        vm.prank(WORKER);
        market.acceptJob(jobId);
    }

    function acceptedJob() internal returns (JobId jobId) {
        jobId = createJob();
        accept(jobId);
    }

    function committedJob() internal returns (JobId jobId) {
        jobId = acceptedJob();
        commit(jobId);
    }

    function commit(JobId jobId) internal {
        vm.prank(WORKER);
        market.commitResult(jobId, OUT_DIGEST, "file:output");
    }

    function challengedJob() internal returns (JobId jobId) {
        jobId = committedJob();
        challenge(jobId);
    }

    function challenge(JobId jobId) internal {
        challengeAs(CHALLENGER, jobId);
    }

    function challengeAs(address challenger, JobId jobId) internal {
        uint256 bond = game.requiredBond(jobId);
        vm.prank(challenger);
        game.challenge{value: bond}(jobId, OUT_DIGEST);
    }

    function proveAs(address prover, JobId jobId) internal {
        JobTerms memory terms = termsById[jobId];
        vm.prank(prover);
        game.prove(jobId, terms, "input", "output", "proof");
    }

    function defaultedJob() internal returns (JobId jobId) {
        jobId = challengedJob();
        warpPast(game.getDispute(jobId).proveBy);
        game.claimDefault(jobId);
    }

    /* THE CLOCK */

    /// @notice Moves to the second after a second of the protocol's clock; for tests without a pause.
    function warpPast(uint256 deadline) internal {
        vm.warp(deadline + 1);
    }

    /// @notice Moves past the job's present deadline.
    function warpPastJob(JobId jobId) internal {
        warpPast(market.getJob(jobId).deadline);
    }

    /// @notice A member of the guardian: 0, 1 or 2.
    function member(uint256 index) internal pure returns (address) {
        return vm.addr(MEMBER_KEY + index);
    }

    /// @notice Two members approve.
    function actAsGuardian(IGuardian.Action action) internal {
        vm.prank(member(0));
        guardian.approve(action);
        vm.prank(member(1));
        guardian.approve(action);
    }

    /* READS */

    function accountOf(address account) internal view returns (Account memory) {
        return vault.getAccount(ETH, account);
    }

    function tokenAccountOf(address account) internal view returns (Account memory) {
        return vault.getAccount(address(token), account);
    }

    function stateOf(JobId jobId) internal view returns (JobState) {
        return market.getJob(jobId).state;
    }

    function assertState(JobId jobId, JobState expected) internal view {
        assertEq(uint256(stateOf(jobId)), uint256(expected), "job state");
    }

    /// @notice What the vault owes to the test's actors, and holds for jobs and disputes so far.
    function sumLedger(address asset) internal view returns (uint256 sum) {
        for (uint256 key = 1; key <= ACTORS; ++key) {
            sum += sumAccount(asset, vm.addr(key));
        }
        for (uint256 i = 0; i < jobs.length; ++i) {
            sum += sumJob(asset, jobs[i]);
        }
        sum += vault.burned(asset);
    }

    function sumAccount(address asset, address account) internal view returns (uint256) {
        Account memory a = vault.getAccount(asset, account);
        return uint256(a.free) + a.locked + a.unbonding + a.credit;
    }

    /// @notice Escrow, bonds and slashed lock; an active lock is still counted with its owner.
    function sumJob(address asset, JobId jobId) internal view returns (uint256 sum) {
        JobFunds memory f = vault.getFunds(asset, jobId);
        sum = f.escrow;
        if (f.status == LockStatus.SLASHED) sum += f.lock;
        if (asset == ETH) sum += vault.bondsOf(jobId);
    }

    function assertConserved() internal view {
        assertEq(address(vault).balance, sumLedger(ETH), "vault's ETH against ledger");
        assertEq(token.balanceOf(address(vault)), sumLedger(address(token)), "vault's tokens against ledger");
    }
}
