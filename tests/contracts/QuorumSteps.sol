// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {JobId} from "../../contracts/types/Ids.sol";
import {JobTerms} from "../../contracts/types/Job.sol";
import {
    QuorumAssurance,
    QuorumParams,
    QuorumState,
    QuorumView,
    Replica,
    ReplicaState
} from "../../contracts/types/Quorum.sol";
import {LockStatus} from "../../contracts/types/Stake.sol";
import {JobSteps} from "./JobSteps.sol";

/// @notice Quorums of preset `local`: operators to draw from, and the steps from the order to the end.
abstract contract QuorumSteps is JobSteps {
    uint256 internal constant OPERATORS = 8;
    uint256 internal constant OWNER_KEY = 100;
    uint256 internal constant WORKER_KEY = 200;
    uint256 internal constant EXEC = 20;
    uint256 internal constant WINDOW = 15;
    uint256 internal constant ASSIGN = 60;
    uint256 internal constant DELAY = 2;
    uint96 internal constant MISS = FEE; // S_miss is one fee
    bytes32 internal constant WRONG = keccak256("wrong");

    JobId[] internal orders_; // every quorum made here
    mapping(address operator => address) internal workerOfOperator;
    uint64 private nextQuorumSalt;

    function setUp() public virtual override {
        super.setUp();
        for (uint256 i = 0; i < OPERATORS; ++i) {
            addOperator(i, STAKE);
            enlist(i);
        }
        vm.roll(block.number + 1);
    }

    /* OPERATORS */

    function ownerAt(uint256 i) internal pure returns (address) {
        return vm.addr(OWNER_KEY + i);
    }

    function workerAt(uint256 i) internal pure returns (address) {
        return vm.addr(WORKER_KEY + i);
    }

    function addOperator(uint256 i, uint256 stake) internal {
        fund(ownerAt(i));
        giveStake(ownerAt(i), workerAt(i), stake);
        workerOfOperator[ownerAt(i)] = workerAt(i);
    }

    function enlist(uint256 i) internal {
        vm.startPrank(workerAt(i));
        pool.enlist(version, ETH, ownerAt(i), 0);
        pool.enlist(version, address(token), ownerAt(i), 0);
        vm.stopPrank();
    }

    /* STEPS */

    function orderParams(uint8 count, bool isAudited) internal returns (QuorumParams memory) {
        return QuorumParams({
            version: version,
            inDigest: IN_DIGEST,
            token: ETH,
            fee: FEE,
            count: count,
            insured: 0,
            isAudited: isAudited,
            salt: ++nextQuorumSalt,
            inputUri: "file:input"
        });
    }

    function order(uint8 count) internal returns (JobId) {
        return orderAs(CLIENT, orderParams(count, false));
    }

    function orderAudited() internal returns (JobId) {
        return orderAs(CLIENT, orderParams(1, true));
    }

    function orderAs(address client, QuorumParams memory params) internal returns (JobId quorumId) {
        uint256 amount = params.fee * (params.isAudited ? 2 : params.count);
        vm.prank(client);
        quorumId = quorum.createQuorum{value: params.token == ETH ? amount : 0}(params);
        orders_.push(quorumId);
    }

    function passBlocks() internal {
        vm.roll(block.number + DELAY + 1);
    }

    /// @notice A quorum whose replicas are drawn.
    function drawn(uint8 count) internal returns (JobId quorumId) {
        quorumId = order(count);
        passBlocks();
        quorum.draw(quorumId);
    }

    function operatorOf(JobId quorumId, uint256 index) internal view returns (address) {
        return quorum.getReplicas(quorumId)[index].operator;
    }

    function workerOf(JobId quorumId, uint256 index) internal view returns (address) {
        return workerOfOperator[operatorOf(quorumId, index)];
    }

    function saltOf(uint256 index) internal pure returns (bytes32) {
        return keccak256(abi.encode("salt", index));
    }

    function blind(JobId quorumId, uint256 index, bytes32 outDigest) internal view returns (bytes32) {
        JobId jobId = quorum.computeReplicaJobId(quorumId, index);
        return quorum.hashCommitment(jobId, operatorOf(quorumId, index), outDigest, saltOf(index));
    }

    function commitTo(JobId quorumId, uint256 index, bytes32 outDigest) internal {
        bytes32 commitment = blind(quorumId, index, outDigest);
        vm.prank(workerOf(quorumId, index));
        quorum.commitBlinded(quorumId, commitment);
    }

    function revealTo(JobId quorumId, uint256 index, bytes32 outDigest) internal {
        quorum.reveal(quorumId, index, outDigest, saltOf(index));
    }

    /// @notice Draws, commits and reveals: replica i says what stands at place i; zero says nothing at all.
    function revealed(bytes32[] memory digests) internal returns (JobId quorumId) {
        quorumId = drawn(uint8(digests.length));
        sayAll(quorumId, digests);
    }

    function sayAll(JobId quorumId, bytes32[] memory digests) internal {
        for (uint256 i = 0; i < digests.length; ++i) {
            if (digests[i] != 0) commitTo(quorumId, i, digests[i]);
        }
        if (stateOfQuorum(quorumId) == QuorumState.COMMITTING) {
            warpPast(quorum.getQuorum(quorumId).deadline);
            quorum.closeCommits(quorumId);
        }
        if (stateOfQuorum(quorumId) != QuorumState.REVEALING) return;
        for (uint256 i = 0; i < digests.length; ++i) {
            if (digests[i] != 0) revealTo(quorumId, i, digests[i]);
        }
    }

    function tallied(bytes32[] memory digests) internal returns (JobId quorumId) {
        quorumId = revealed(digests);
        quorum.tally(quorumId);
    }

    function endRound(JobId quorumId) internal {
        warpPast(quorum.getQuorum(quorumId).deadline);
        vm.prank(CLIENT);
        quorum.settle(quorumId);
    }

    function extract(JobId quorumId, uint256 index) internal returns (JobId jobId) {
        jobId = quorum.extract(quorumId, index);
        noteReplica(quorumId, index);
    }

    function challengeReplica(JobId quorumId, uint256 index) internal returns (JobId jobId) {
        uint256 bond = game.computeBond(version);
        vm.prank(CHALLENGER);
        jobId = quorum.challenge{value: bond}(quorumId, index);
        noteReplica(quorumId, index);
    }

    /// @notice Challenges a replica, which nobody proves, and divides its slash.
    function beat(JobId quorumId, uint256 index) internal returns (JobId jobId) {
        jobId = challengeReplica(quorumId, index);
        defaultJob(jobId);
        distribute(jobId);
    }

    function noteReplica(JobId quorumId, uint256 index) private {
        JobId jobId = quorum.computeReplicaJobId(quorumId, index);
        QuorumView memory q = quorum.getQuorum(quorumId);
        uint256 salt = uint256(keccak256(abi.encode(quorumId, index)));
        remember(jobId, JobTerms(q.terms.client, version, q.terms.inDigest, q.terms.token, q.terms.fee, 0, 0, salt));
    }

    /* DATA */

    function say(bytes32 a) internal pure returns (bytes32[] memory list) {
        list = new bytes32[](1);
        list[0] = a;
    }

    function say(bytes32 a, bytes32 b, bytes32 c) internal pure returns (bytes32[] memory list) {
        list = new bytes32[](3);
        (list[0], list[1], list[2]) = (a, b, c);
    }

    function say(bytes32 a, bytes32 b, bytes32 c, bytes32 d, bytes32 e) internal pure returns (bytes32[] memory list) {
        list = new bytes32[](5);
        (list[0], list[1], list[2], list[3], list[4]) = (a, b, c, d, e);
    }

    /* EXPECTATIONS */

    function stateOfQuorum(JobId quorumId) internal view returns (QuorumState) {
        return quorum.getQuorum(quorumId).state;
    }

    function assertQuorum(JobId quorumId, QuorumState expected) internal view {
        assertEq(uint256(stateOfQuorum(quorumId)), uint256(expected), "quorum's state");
    }

    function assertReplica(JobId quorumId, uint256 index, ReplicaState expected) internal view {
        assertEq(uint256(quorum.getReplicas(quorumId)[index].state), uint256(expected), "replica's state");
    }

    function assertAssurance(JobId quorumId, QuorumAssurance expected) internal view {
        assertEq(uint256(quorum.assuranceOf(quorumId)), uint256(expected), "assurance");
    }

    /// @notice What an operator gained, in free stake and credit, since it deposited its stake.
    function assertGain(address operator, int256 expected, string memory what) internal view {
        uint256 has = uint256(accountOf(operator).free) + accountOf(operator).credit;
        assertEq(has, uint256(int256(STAKE) + expected), what);
    }

    /// @notice Nothing of a quorum is left in the vault, nor of its replicas, and the ledger balances.
    function assertAllSettled(JobId quorumId) internal view {
        assertEq(sumJob(ETH, quorumId) + sumJob(address(token), quorumId), 0, "left under the quorum");
        uint256 size = quorum.getReplicas(quorumId).length;
        for (uint256 i = 0; i < size; ++i) {
            JobId jobId = quorum.computeReplicaJobId(quorumId, i);
            assertEq(sumJob(ETH, jobId) + sumJob(address(token), jobId), 0, "left under a replica");
            assertTrue(vault.getFunds(ETH, jobId).status != LockStatus.ACTIVE, "lock is over");
            assertTrue(vault.getFunds(address(token), jobId).status != LockStatus.ACTIVE, "token lock is over");
        }
        assertAllConserved();
    }

    /// @notice The vault holds exactly what its books say (I1).
    function assertAllConserved() internal view {
        assertEq(address(vault).balance, sumQuorums(ETH), "ETH against ledger");
        assertEq(token.balanceOf(address(vault)), sumQuorums(address(token)), "tokens against ledger");
    }

    function sumQuorums(address asset) private view returns (uint256 sum) {
        sum = sumLedger(asset);
        for (uint256 i = 0; i < OPERATORS; ++i) {
            sum += sumAccount(asset, ownerAt(i));
        }
        for (uint256 k = 0; k < orders_.length; ++k) {
            sum += sumJob(asset, orders_[k]);
            Replica[] memory list = quorum.getReplicas(orders_[k]);
            for (uint256 i = 0; i < list.length; ++i) {
                sum += sumJob(asset, quorum.computeReplicaJobId(orders_[k], i));
            }
        }
    }

    /// @notice A refused step leaves every quorum, replica and account as it was.
    function checkQuorumRefused(JobId quorumId, address caller, uint256 value, bytes memory call, bytes memory reason)
        internal
    {
        bytes32 before = snapshotQuorum(quorumId);
        vm.prank(caller);
        (bool success, bytes memory got) = address(quorum).call{value: value}(call);
        assertTrue(!success, "refused");
        assertEq(keccak256(got), keccak256(reason), "reason");
        assertEq(snapshotQuorum(quorumId), before, "nothing changed");
    }

    function snapshotQuorum(JobId quorumId) internal view returns (bytes32 hash) {
        (bool success, bytes memory state) = address(quorum).staticcall(abi.encodeCall(quorum.getQuorum, (quorumId)));
        (, bytes memory list) = address(quorum).staticcall(abi.encodeCall(quorum.getReplicas, (quorumId)));
        hash = keccak256(abi.encode(success, state, list, vault.burned(ETH), address(vault).balance, accountOf(CLIENT)));
        for (uint256 i = 0; i < OPERATORS; ++i) {
            hash = keccak256(abi.encode(hash, accountOf(ownerAt(i)), vault.getStanding(ownerAt(i))));
        }
    }
}
