// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IQuorum} from "../../contracts/interfaces/IQuorum.sol";
import {Economics} from "../../contracts/libraries/Economics.sol";
import {JobIds} from "../../contracts/libraries/JobIds.sol";
import {Lots} from "../../contracts/libraries/Lots.sol";
import {JobId} from "../../contracts/types/Ids.sol";
import {JobTerms} from "../../contracts/types/Job.sol";
import {QuorumTerms} from "../../contracts/types/Quorum.sol";
import {JobSteps} from "./JobSteps.sol";
import {VerifierVm} from "./VerifierFixture.sol";

/// @notice Ids, commitments, lots and locks of tests/vectors/quorums.json, which Python computed, are the contracts'.
contract QuorumVectorsTest is JobSteps {
    VerifierVm private constant json = VerifierVm(address(uint160(uint256(keccak256("hevm cheat code")))));

    string private text;

    function setUp() public override {
        super.setUp();
        text = json.readFile("tests/vectors/quorums.json");
        vm.chainId(read("", ".chainId"));
    }

    function at(string memory list, uint256 i) private pure returns (string memory) {
        return string.concat(list, "[", vm.toString(i), "]");
    }

    function read(string memory root, string memory field) private view returns (uint256) {
        return json.parseJsonUint(text, string.concat(root, field));
    }

    function readWord(string memory root, string memory field) private view returns (bytes32) {
        return json.parseJsonBytes32(text, string.concat(root, field));
    }

    function readAddress(string memory root, string memory field) private view returns (address) {
        return json.parseJsonAddress(text, string.concat(root, field));
    }

    function readBool(string memory root, string memory field) private view returns (bool) {
        return json.parseJsonBool(text, string.concat(root, field));
    }

    function countOf(string memory list) private view returns (uint256 count) {
        while (json.keyExistsJson(text, at(list, count))) ++count;
        assertTrue(count > 9, "vectors");
    }

    /* IDS */

    function test_ids_and_commitments__equal_pythons() public {
        address quorums = readAddress("", ".quorums");
        vm.etch(quorums, address(quorum).code);
        uint256 count = countOf(".ids");
        for (uint256 i = 0; i < count; ++i) {
            string memory at_ = at(".ids", i);
            JobId quorumId = IQuorum(quorums).computeQuorumId(readTerms(at_));
            assertEq(JobId.unwrap(quorumId), readWord(at_, ".quorumId"), "quorum's id");
            JobId jobId = JobIds.compute(readAddress("", ".market"), readJob(at_, quorumId));
            assertEq(JobId.unwrap(jobId), readWord(at_, ".jobId"), "replica's job");
            bytes32 commitment = IQuorum(quorums)
                .hashCommitment(
                    jobId, readAddress(at_, ".operator"), readWord(at_, ".outDigest"), readWord(at_, ".blinding")
                );
            assertEq(commitment, readWord(at_, ".commitment"), "commitment");
        }
    }

    function readTerms(string memory at_) private view returns (QuorumTerms memory t) {
        (t.client, t.token) = (readAddress(at_, ".client"), readAddress(at_, ".token"));
        (t.version, t.inDigest) = (readWord(at_, ".version"), readWord(at_, ".inDigest"));
        (t.fee, t.insured) = (uint96(read(at_, ".fee")), uint96(read(at_, ".insured")));
        (t.count, t.isAudited) = (uint8(read(at_, ".count")), readBool(at_, ".isAudited"));
        t.salt = uint64(read(at_, ".salt"));
    }

    function readJob(string memory at_, JobId quorumId) private view returns (JobTerms memory) {
        QuorumTerms memory t = readTerms(at_);
        uint256 salt = uint256(keccak256(abi.encode(quorumId, read(at_, ".replica"))));
        return JobTerms(t.client, t.version, t.inDigest, t.token, t.fee, 0, 0, salt);
    }

    /* LOTS */

    function test_lots__equal_pythons() public view {
        uint256 count = countOf(".logs");
        for (uint256 i = 0; i < count; ++i) {
            string memory at_ = at(".logs", i);
            assertEq(Lots.computeMinusLog2(read(at_, ".u")), read(at_, ".log"), "logarithm");
        }
        count = countOf(".lots");
        for (uint256 i = 0; i < count; ++i) {
            string memory at_ = at(".lots", i);
            uint256 lot = Lots.compute(readWord(at_, ".seed"), readAddress(at_, ".operator"), read(at_, ".weight"));
            assertEq(lot, read(at_, ".lot"), "lot");
        }
    }

    function test_lots__heavier__is_never_later(bytes32 seed, address operator, uint88 a, uint88 b) public pure {
        (uint256 light, uint256 heavy) = a < b ? (uint256(a), uint256(b)) : (uint256(b), uint256(a));
        if (light == 0) light = 1;
        if (heavy == 0) heavy = 1;
        uint256 first = Lots.compute(seed, operator, heavy);
        assertTrue(first <= Lots.compute(seed, operator, light), "heavier first");
    }

    /* LOCKS */

    function test_locks__equal_pythons() public view {
        uint256 count = countOf(".locks");
        for (uint256 i = 0; i < count; ++i) {
            string memory at_ = at(".locks", i);
            (uint256 fee, uint256 insured) = (read(at_, ".fee"), read(at_, ".insured"));
            (uint256 saved, uint256 rate) = (read(at_, ".saved"), read(at_, ".detectionBps"));
            uint256 slash = Economics.computeMinimumSlash(fee, insured, saved, rate);
            assertEq(slash, read(at_, ".slash"), "slash");
            assertEq(Economics.computeMinimumLock(fee, insured, saved, rate), read(at_, ".lock"), "lock");
            (uint96 bond, uint256 cost) = (uint96(read(at_, ".bond")), read(at_, ".cost"));
            bool isPaid = readBool(at_, ".isChallengePaid");
            assertTrue(Economics.isChallengePaid(bond, cost) == isPaid, "condition (2)");
            assertTrue(Economics.isDefencePaid(bond, cost) == readBool(at_, ".isDefencePaid"), "condition (3)");
        }
        count = countOf(".rates");
        for (uint256 i = 0; i < count; ++i) {
            string memory at_ = at(".rates", i);
            uint256 rate =
                Economics.computeDetectionBps(read(at_, ".count"), readBool(at_, ".isAudited"), read(at_, ".auditBps"));
            assertEq(rate, read(at_, ".rate"), "rate");
        }
    }

    /// @dev The default lock of 35 fees is what 5 % of audits and 10 % of colluders ask for (protocol.md A.14).
    function test_locks__of_the_design__is_below_35_fees() public pure {
        uint256 rate = Economics.computeDetectionBps(1, true, 500);
        assertEq(rate, 450, "q");
        assertEq(Economics.computeMinimumSlash(1 ether, 0, 1 ether, rate), 21.222_222_222_222_222_223 ether, "21.2 F");
        assertTrue(Economics.computeMinimumLock(1 ether, 0, 1 ether, rate) < 35 ether, "35 F");
    }

    function test_locks__costs_met_exactly__are_paid() public pure {
        // 35 % of a lock go to the challengers, 80 % of a bond to the defender.
        assertTrue(Economics.isChallengePaid(100, 35) && !Economics.isChallengePaid(100, 36), "challenge");
        assertTrue(Economics.isDefencePaid(100, 80) && !Economics.isDefencePaid(100, 81), "defence");
    }

    function test_locks__chance_below_a_basis_point__is_no_detection() public pure {
        assertEq(Economics.computeDetectionBps(6, false, 0), 9999, "five in collusion: one in 100,000");
    }

    function test_locks__cheating_at_the_minimum__loses(uint64 fee, uint64 insured, uint64 saved, uint16 rate)
        public
        pure
    {
        uint256 q = uint256(rate) % 10_000 + 1;
        uint256 slash = Economics.computeMinimumSlash(fee, insured, saved, q);
        // Unnoticed the cheat keeps fee and gain; noticed it loses the slash. Honest work earns the fee less its cost.
        uint256 honest = 10_000 * uint256(fee) + q * slash;
        uint256 cheat = (10_000 - q) * (uint256(fee) + insured) + 10_000 * uint256(saved);
        assertTrue(cheat <= honest, "unprofitable");
    }

    function test_locks__nobody_looks_or_more_than_surely__reverts() public {
        for (uint256 i = 0; i < 2; ++i) {
            uint256 rate = i * 10_001;
            vm.expectRevert(abi.encodeWithSelector(Economics.NoDetection.selector, rate));
            this.computeMinimumSlash(rate);
        }
    }

    function computeMinimumSlash(uint256 rate) external pure returns (uint256) {
        return Economics.computeMinimumSlash(1, 1, 1, rate);
    }
}
