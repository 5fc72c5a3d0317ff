// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {AdjudicatorRegistry} from "../../contracts/adjudication/AdjudicatorRegistry.sol";
import {IAdjudicator} from "../../contracts/interfaces/IAdjudicator.sol";
import {IAdjudicatorRegistry} from "../../contracts/interfaces/IAdjudicatorRegistry.sol";
import {IAudits} from "../../contracts/interfaces/IAudits.sol";
import {IBeacon} from "../../contracts/interfaces/IBeacon.sol";
import {ICandidatePool} from "../../contracts/interfaces/ICandidatePool.sol";
import {IQuorum} from "../../contracts/interfaces/IQuorum.sol";
import {IStakeVault} from "../../contracts/interfaces/IStakeVault.sol";
import {Claim, Verdict} from "../../contracts/types/Claim.sol";
import {JobId} from "../../contracts/types/Ids.sol";
import {PlanParams, Vector} from "../../contracts/types/Plan.sol";
import {QuorumParams} from "../../contracts/types/Quorum.sol";
import {VersionParams} from "../../contracts/types/Version.sol";
import {AccessTable} from "./AccessTable.sol";
import {AccessWorld} from "./AccessWorld.sol";
import {Deployment} from "./Deployment.sol";

/// @notice Decides what its evidence says twice over.
contract EchoAdjudicator is IAdjudicator {
    error Damaged();

    function adjudicate(Claim calldata, bytes calldata evidence) external pure returns (Verdict) {
        if (evidence.length != 2 || evidence[0] != evidence[1]) revert Damaged();
        return Verdict(uint8(evidence[0]));
    }

    function covers(uint8) external pure returns (bool) {
        return true;
    }
}

/// @notice The access matrix (I27) of plans, quorums, beacon and audits.
contract AccessModulesTest is AccessWorld, AccessTable {
    bytes32 private constant DESC = "descriptor";
    bytes32 private constant SALT = "salt";
    bytes32 private constant KEY = "key";
    uint256 private constant DELAY = 2;

    AdjudicatorRegistry private plans;
    /// A plan that is not tested, and one that was.
    bytes32 private planned;
    bytes32 private tested;
    JobId private ordered;
    JobId private undrawn;
    JobId private auditing;
    JobId private drawn;
    JobId private drawnAndOverdue;
    JobId private revealing;
    JobId private revealed;
    JobId private provisional;
    JobId private provisionalAndOverdue;
    JobId private asked;
    uint64 private salt;

    function setUp() public override(AccessWorld, Deployment) {
        super.setUp();
        buildPlans();
        buildQuorums();
        buildPlanRows();
        buildCandidateRows();
        buildQuorumRows();
        buildCountRows();
        buildAuditRows();
        mode = Mode.REFUND;
        add("Quorum.voidQuorum", address(quorum), abi.encodeCall(IQuorum.voidQuorum, (drawn)), EVERYBODY, 0);
    }

    /* PLANS */

    function buildPlans() private {
        address[] memory list = new address[](1);
        list[0] = address(new EchoAdjudicator());
        plans = new AdjudicatorRegistry(address(registry), address(market), list, localPreset());
        planned = newVersion("file:planned");
        tested = newVersion("file:tested");
        submitAs(REGISTRANT, planned);
        submitAs(REGISTRANT, tested);
        vm.prank(REGISTRANT);
        plans.testPlan(tested, 0, vectors(tested));
    }

    function newVersion(string memory uri) private returns (bytes32) {
        VersionParams memory params = versionParams();
        params.uri = uri;
        return registerVersion(params);
    }

    /// @dev One operator is the whole trace: its leaf is the root.
    function submitAs(address owner, bytes32 of_) private {
        PlanParams memory params = planParams(of_);
        vm.prank(owner);
        plans.submitPlan(params);
    }

    function planParams(bytes32 of_) private pure returns (PlanParams memory) {
        bytes32 root = keccak256(abi.encodePacked(uint8(0x13), uint64(0), keccak256(abi.encodePacked(DESC))));
        return PlanParams(of_, root, 1, 1, 0, 0, 0, 1, "file:plan");
    }

    function vectors(bytes32 of_) private pure returns (Vector[] memory list) {
        list = new Vector[](4);
        for (uint256 i = 0; i < 4; ++i) {
            Verdict verdict = i < 2 ? Verdict.CONSISTENT : Verdict.INCONSISTENT;
            bytes memory evidence = abi.encodePacked(uint8(verdict), uint8(verdict));
            list[i] = Vector(claim(of_, i), new bytes32[](0), evidence, verdict, 0);
        }
    }

    function claim(bytes32 of_, uint256 elem) private pure returns (Claim memory c) {
        (c.version, c.elem, c.desc) = (of_, uint64(elem), abi.encodePacked(DESC));
    }

    function buildPlanRows() private {
        address a = address(plans);
        bytes4 notOwner = IAdjudicatorRegistry.NotVersionOwner.selector;
        bytes memory call = abi.encodeCall(IAdjudicatorRegistry.submitPlan, (planParams(version)));
        add("AdjudicatorRegistry.submitPlan", a, call, THE_REGISTRANT, notOwner);
        call = abi.encodeCall(IAdjudicatorRegistry.testPlan, (planned, 0, vectors(planned)));
        add("AdjudicatorRegistry.testPlan", a, call, THE_REGISTRANT, notOwner);
        call = abi.encodeCall(IAdjudicatorRegistry.activatePlan, (tested));
        add("AdjudicatorRegistry.activatePlan", a, call, THE_REGISTRANT, notOwner);
    }

    /* QUORUMS */

    function buildQuorums() private {
        address jailed = vault.operatorOf(roles[13]);
        vm.prank(OWNER);
        pool.admit(jailed, true);
        vm.prank(WORKER);
        pool.enlist(version, ETH, OWNER, 0);
        vm.roll(block.number + 1);
        undrawn = order(false);
        drawnAndOverdue = draw(order(false));
        provisionalAndOverdue = order(false);
        count(provisionalAndOverdue);
        vm.warp(block.timestamp + 100);
        drawn = draw(order(false));
        auditing = draw(order(true));
        commitBlind(auditing);
        revealing = draw(order(false));
        commitBlind(revealing);
        revealed = draw(order(false));
        commitBlind(revealed);
        quorum.reveal(revealed, 0, OUT_DIGEST, SALT);
        provisional = order(false);
        count(provisional);
        ordered = order(false);
        asked = committedJob();
        audits.requestAudit(asked);
        beacon.request(KEY);
        passBlocks();
    }

    function order(bool isAudited) private returns (JobId) {
        QuorumParams memory params = quorumParams(isAudited);
        vm.prank(CLIENT);
        return quorum.createQuorum{value: isAudited ? 2 * params.fee : params.fee}(params);
    }

    function quorumParams(bool isAudited) private returns (QuorumParams memory) {
        return QuorumParams(version, IN_DIGEST, ETH, FEE, 1, 0, isAudited, ++salt, "file:input");
    }

    function passBlocks() private {
        vm.roll(block.number + DELAY + 1);
    }

    function draw(JobId quorumId) private returns (JobId) {
        passBlocks();
        quorum.draw(quorumId);
        return quorumId;
    }

    function commitBlind(JobId quorumId) private {
        bytes32 commitment = quorum.hashCommitment(quorum.computeReplicaJobId(quorumId, 0), OWNER, OUT_DIGEST, SALT);
        vm.prank(WORKER);
        quorum.commitBlinded(quorumId, commitment);
    }

    function count(JobId quorumId) private {
        draw(quorumId);
        commitBlind(quorumId);
        quorum.reveal(quorumId, 0, OUT_DIGEST, SALT);
        quorum.tally(quorumId);
    }

    function buildCandidateRows() private {
        address p = address(pool);
        add("CandidatePool.admit", p, abi.encodeCall(ICandidatePool.admit, (STRANGER, true)), EVERYBODY, 0);
        bytes memory call = abi.encodeCall(ICandidatePool.enlist, (version, ETH, OWNER, 0));
        uint256 serving = THE_WORKER | THE_JAILED_WORKER;
        add("CandidatePool.enlist", p, call, serving, IStakeVault.NotWorker.selector);
        call = abi.encodeCall(ICandidatePool.leave, (version, ETH));
        add("CandidatePool.leave", p, call, THE_WORKER | THE_OWNER, ICandidatePool.NotEnlisted.selector);
    }

    function buildQuorumRows() private {
        address q = address(quorum);
        bytes memory call = abi.encodeCall(IQuorum.createQuorum, (quorumParams(false)));
        addPaid("Quorum.createQuorum", q, FEE, call, EVERYBODY, 0);
        add("Quorum.draw", q, abi.encodeCall(IQuorum.draw, (ordered)), EVERYBODY, 0);
        add("Quorum.expireQuorum", q, abi.encodeCall(IQuorum.expireQuorum, (undrawn)), EVERYBODY, 0);
        call = abi.encodeCall(IQuorum.commitBlinded, (drawn, keccak256("commitment")));
        add("Quorum.commitBlinded", q, call, THE_WORKER, IQuorum.NoReplica.selector);
        call = abi.encodeCall(IQuorum.refuse, (drawn));
        add("Quorum.refuse", q, call, THE_WORKER, IQuorum.NoReplica.selector);
        add("Quorum.drawAudit", q, abi.encodeCall(IQuorum.drawAudit, (auditing)), EVERYBODY, 0);
        add("Quorum.closeCommits", q, abi.encodeCall(IQuorum.closeCommits, (drawnAndOverdue)), EVERYBODY, 0);
        call = abi.encodeCall(IQuorum.reveal, (revealing, 0, OUT_DIGEST, SALT));
        add("Quorum.reveal", q, call, EVERYBODY, 0);
    }

    function buildCountRows() private {
        address q = address(quorum);
        add("Quorum.tally", q, abi.encodeCall(IQuorum.tally, (revealed)), EVERYBODY, 0);
        add("Quorum.extract", q, abi.encodeCall(IQuorum.extract, (provisional, 0)), EVERYBODY, 0);
        bytes memory call = abi.encodeCall(IQuorum.challenge, (provisional, 0));
        addPaid("Quorum.challenge", q, game.computeBond(version), call, EVERYBODY, 0);
        add("Quorum.settle", q, abi.encodeCall(IQuorum.settle, (provisionalAndOverdue)), EVERYBODY, 0);
    }

    /* BEACON AND AUDITS */

    function buildAuditRows() private {
        address b = address(beacon);
        add("Beacon.request", b, abi.encodeCall(IBeacon.request, (bytes32("another"))), EVERYBODY, 0);
        add("Beacon.fix", b, abi.encodeCall(IBeacon.fix, (address(this), KEY)), EVERYBODY, 0);
        add(
            "Audits.requestAudit", address(audits), abi.encodeCall(IAudits.requestAudit, (committedJob())), EVERYBODY, 0
        );
        add("Audits.drawAudit", address(audits), abi.encodeCall(IAudits.drawAudit, (asked)), EVERYBODY, 0);
    }
}
