// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IJobMarket} from "../../contracts/interfaces/IJobMarket.sol";
import {JobId} from "../../contracts/types/Ids.sol";
import {JobParams, JobState, PROOF_REQUIRED} from "../../contracts/types/Job.sol";
import {HandlerBase} from "./HandlerBase.sol";

/// @notice Random steps of jobs. Numbers are those of preset `local` and of the version in Deployment.
abstract contract JobHandler is HandlerBase {
    enum Step {
        CANCEL,
        ACCEPT,
        REJECT,
        COMMIT,
        REQUEST_DELIVERY,
        DELIVER,
        FINALISE,
        EXPIRE,
        FAIL,
        VOID,
        CHALLENGE,
        REQUEST_PROOF,
        PROVE,
        DEFAULT,
        CURE,
        DISTRIBUTE,
        EQUIVOCATE,
        VOID_DISPUTE
    }

    uint256 private constant LIVE_JOBS = 3; // few at a time, so that many reach their end
    uint64 private salt;

    /* CREATION */

    function createJob(uint256 who, uint256 fee_, uint256 kind) external {
        if (live.length >= LIVE_JOBS) return;
        bool isToken = kind % 4 == 0;
        bool proofRequired = kind % 4 == 1;
        // Small fees lie below the floor of the lock, odd ones leave remainders in every split.
        uint96 fee = uint96(fee_ % 3 == 0 ? bound(fee_, 1, 1000) : bound(fee_, 1, 0.01 ether));
        JobParams memory params = JobParams({
            version: world.version,
            inDigest: keccak256("input"),
            token: isToken ? address(world.token) : ETH,
            fee: fee,
            verifyMask: proofRequired ? PROOF_REQUIRED : 0,
            privacyMask: 0,
            salt: ++salt,
            inputUri: ""
        });
        bool legal = running() && !(proofRequired && fee < computeProofFee());
        bytes memory call = abi.encodeCall(IJobMarket.createJob, (params));
        if (!expect(legal, address(world.market), personOf(who), isToken ? 0 : fee, call)) return;
        if (isToken) paidIn[address(world.token)][personOf(who)] += fee;
        bytes32 id = ids[ids.length - 1];
        live.push(id);
        // The same order once more is the same job.
        if (kind % 16 < 4) {
            expect(false, address(world.market), personOf(who), isToken ? 0 : fee, call);
        }
    }

    /* STEPS */

    function takeJobStep(bytes32 id, Step step, address person) internal {
        GhostJob memory job = ghostJobs[id];
        address m = address(world.market);
        JobId jobId = JobId.wrap(id);
        bool late = ghostClock() > job.deadline;
        if (step == Step.CANCEL) {
            bool legal = running() && job.state == JobState.OPEN && person == job.terms.client;
            expect(legal, m, person, 0, abi.encodeCall(IJobMarket.cancelJob, (jobId)));
        } else if (step == Step.ACCEPT) {
            acceptAs(job, jobId, person);
        } else if (step == Step.REJECT) {
            bool early = ghostClock() <= job.deadline - 20 + 5;
            bool legal = running() && job.state == JobState.ASSIGNED && early && serves(person, job.operator);
            expect(legal, m, workerOrPerson(person), 0, abi.encodeCall(IJobMarket.rejectJob, (jobId)));
        } else if (step == Step.COMMIT) {
            bool legal = running() && job.state == JobState.ASSIGNED && !late && serves(person, job.operator);
            bytes memory call = abi.encodeCall(IJobMarket.commitResult, (jobId, outDigestOf(id), ""));
            expect(legal, m, workerOrPerson(person), 0, call);
        } else if (step == Step.FINALISE) {
            bool free = job.terms.verifyMask == 0 && (job.deliverBy == 0 || job.delivered);
            bool legal = running() && job.state == JobState.COMMITTED && late && free;
            expect(legal, m, person, 0, abi.encodeCall(IJobMarket.finalise, (jobId)));
        } else if (step == Step.EXPIRE) {
            bool legal = running() && job.state == JobState.OPEN && late;
            expect(legal, m, person, 0, abi.encodeCall(IJobMarket.expireJob, (jobId)));
        } else if (step == Step.FAIL) {
            expect(mayFail(job), m, person, 0, abi.encodeCall(IJobMarket.failJob, (jobId)));
        } else {
            bool legal = ghostRefund && job.state != JobState.NONE && job.state <= JobState.COMMITTED;
            expect(legal, m, person, 0, abi.encodeCall(IJobMarket.voidJob, (jobId)));
        }
    }

    function acceptAs(GhostJob memory job, JobId jobId, address person) private {
        uint256 free = ghostAccounts[job.terms.token][person].free;
        bool ready =
            workerOf(person) != address(0) && !isJailed(person) && free >= lockOf(job.terms.token, job.terms.fee);
        bool legal = running() && job.state == JobState.OPEN && ghostClock() <= job.deadline && ready;
        bytes memory call = abi.encodeCall(IJobMarket.acceptJob, (jobId));
        expect(legal, address(world.market), workerOrPerson(person), 0, call);
    }

    function mayFail(GhostJob memory job) private view returns (bool) {
        if (!running()) return false;
        if (job.state == JobState.ASSIGNED) return ghostClock() > job.deadline;
        if (job.state != JobState.COMMITTED) return false;
        bool noProof = job.terms.verifyMask == PROOF_REQUIRED && ghostClock() > job.deadline;
        bool noOutput = job.deliverBy != 0 && !job.delivered && ghostClock() > job.deliverBy;
        return noProof || noOutput;
    }

    /* DELIVERY */

    function hasResult(GhostJob memory job) private pure returns (bool) {
        return job.state == JobState.COMMITTED || job.state == JobState.DISPUTED;
    }

    function takeDeliveryStep(bytes32 id, Step step, address person, bool honest) internal {
        GhostJob memory job = ghostJobs[id];
        address m = address(world.market);
        if (step == Step.REQUEST_DELIVERY) {
            bool isEth = job.terms.token == ETH;
            uint256 payment = (60_000 + 60 * 64) * (isEth ? price() : 1e9);
            // In ETH more than asked for is more paid.
            uint256 value = isEth ? payment + uint160(person) % 3 : 0;
            bool inTime = hasResult(job) && ghostClock() <= job.deadline && job.deliverBy == 0;
            bool legal = running() && inTime && person == job.terms.client;
            bytes memory call = abi.encodeCall(IJobMarket.requestDelivery, (JobId.wrap(id)));
            if (expect(legal, m, person, value, call) && !isEth) paidIn[job.terms.token][person] += payment;
        } else {
            bool due = hasResult(job) && job.deliverBy != 0 && !job.delivered;
            bool legal = running() && due && ghostClock() <= job.deliverBy && honest;
            uint32[] memory dims = new uint32[](2);
            (dims[0], dims[1]) = (1, 64);
            bytes memory output = outputOf(honest ? id : keccak256(abi.encode(id)));
            bytes memory call = abi.encodeCall(IJobMarket.deliverOutput, (JobId.wrap(id), 1, dims, output));
            expect(legal, m, person, 0, call);
        }
    }

    function outputOf(bytes32 id) internal pure returns (bytes memory) {
        return abi.encodePacked(id, id);
    }

    /// @dev The digest of outputOf(id) as a tensor of 1 x 64 bytes (protocol.md 3.2), written out: one tile.
    function outDigestOf(bytes32 id) internal pure returns (bytes32) {
        bytes memory tile = abi.encodePacked(id, id, new bytes(960));
        bytes32 leaf = keccak256(abi.encodePacked(uint8(0), uint64(0), sha256(tile)));
        return keccak256(abi.encodePacked(uint8(2), uint8(1), uint8(2), uint32(1), uint32(64), leaf));
    }

    /* WHO AND HOW MUCH */

    function serves(address person, address operator) internal view returns (bool) {
        return workerOf(person) != address(0) && person == operator;
    }

    /// @dev A person acts through its worker, where it has one.
    function workerOrPerson(address person) internal view returns (address) {
        address worker = workerOf(person);
        return worker == address(0) ? person : worker;
    }

    /// @dev max(35 fees, ceil(3 * 600000 gas * price * 100 / 35)).
    function lockOf(address token, uint256 fee) internal view returns (uint256) {
        uint256 floor = (3 * 600_000 * (token == ETH ? price() : 1e9) * 100 + 34) / 35;
        return 35 * fee > floor ? 35 * fee : floor;
    }

    /// @dev 5 s * 1000 gwei + 800000 gas * price.
    function computeProofFee() private view returns (uint256) {
        return 5 * 1000 gwei + 800_000 * price();
    }
}
