// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IDisputeGame} from "../interfaces/IDisputeGame.sol";
import {SearchMetas} from "../libraries/SearchMetas.sol";
import {JobIds} from "../libraries/JobIds.sol";
import {TraceTree} from "../libraries/TraceTree.sol";
import {Claim} from "../types/Claim.sol";
import {JobId} from "../types/Ids.sol";
import {JobTerms} from "../types/Job.sol";
import {LayerEnd, Pin, Search, SearchMeta, Trace, WHOLE} from "../types/Pinpoint.sol";
import {Plan} from "../types/Plan.sol";
import {TraceBook} from "./TraceBook.sol";

/// @title What is opened of plans and traces
abstract contract TraceOpenings is TraceBook {
    /* TYPES */

    /// @dev The head of a descriptor (SPEC of contracts/adjudication/OpDesc.sol).
    struct OpHead {
        uint256 inputs;
        uint256 layer;
        uint256 position;
        uint256 layerOps;
        bytes32 opKey;
        uint8 bytesPerElement;
        uint32 rows;
        uint32 cols;
    }

    /// @dev What a claim's hash commits to: all but its prover.
    struct ClaimCore {
        bytes32 version;
        JobId jobId;
        bytes32 seed;
        uint32 op;
        uint64 elem;
        bytes32 outDigest;
        /// Hash of the inputs' digests.
        bytes32 inputs;
        /// Hash of the descriptor.
        bytes32 desc;
    }

    /// @dev What is opened, and how many of the siblings that came along have been used.
    struct Opening {
        Trace trace;
        Plan plan;
        bytes32 opRoot;
        /// Where the siblings lie in the calldata, how many there are, and how many of them have been used.
        uint256 offset;
        uint256 count;
        uint256 at;
    }

    /* CONSTANTS */

    /// @dev Bytes before the descriptor's inputs, and of each of them.
    uint256 private constant HEAD_BYTES = 85;
    uint256 private constant INPUT_BYTES = 11;
    /// @dev Reference of an input that is the layer's.
    uint256 private constant LAYER_INPUT = 0xffff;

    /* OPENINGS */

    function findTrace(JobId jobId) internal view returns (Trace memory trace) {
        trace = traces[jobId];
        if (trace.postedAt == 0) revert NoTrace(jobId);
    }

    /// @dev Opens the leaves of a layer and of its last operator.
    function checkEnd(Trace memory trace, Plan memory plan, LayerEnd calldata end)
        internal
        pure
        returns (OpHead memory head)
    {
        head = readHead(end.desc);
        if (head.position + 1 != head.layerOps) revert NotLast(head.position, head.layerOps);
        Opening memory opening = beginOpening(trace, plan, end.opRoot, end.siblings);
        openOperator(opening, end.op, hashBytes(end.desc));
        openLayer(opening, head.layer, end.layerDigest, end.opRoot);
        openOutput(opening, head.position, end.lastDigest);
        requireLength(opening.count, opening.at);
    }

    /// @dev Opens all that the claim about an operator is made of.
    /// @return core With seed zero.
    function openPin(JobId jobId, bytes32 version, Trace memory trace, Plan memory plan, Pin calldata pin)
        internal
        view
        returns (ClaimCore memory core, OpHead memory head)
    {
        bytes calldata desc = pin.desc;
        head = readHead(desc);
        bytes32 opRoot = trace.isOpGranular ? pin.opRoot : opRoots[jobId][head.layer];
        if (opRoot == 0) revert NotExpanded(jobId, head.layer);
        (core.version, core.jobId, core.op, core.elem) = (version, jobId, pin.op, pin.elem);
        (core.outDigest, core.inputs, core.desc) = (pin.outDigest, hashWords(pin.inDigests), hashBytes(desc));
        Opening memory opening = beginOpening(trace, plan, opRoot, pin.siblings);
        openOperator(opening, pin.op, core.desc);
        openLayer(opening, head.layer, pin.layerDigest, opRoot);
        openOutput(opening, head.position, pin.outDigest);
        openInputs(opening, jobId, head, pin, desc);
        requireLength(opening.count, opening.at);
    }

    function beginOpening(Trace memory trace, Plan memory plan, bytes32 opRoot, bytes32[] calldata siblings)
        private
        pure
        returns (Opening memory)
    {
        uint256 offset;
        // Equivalent to a pointer to siblings, which no struct in memory can hold
        assembly ("memory-safe") {
            offset := siblings.offset
        }
        return Opening({trace: trace, plan: plan, opRoot: opRoot, offset: offset, count: siblings.length, at: 0});
    }

    function openInputs(Opening memory opening, JobId jobId, OpHead memory head, Pin calldata pin, bytes calldata desc)
        private
        view
    {
        bytes32[] calldata digests = pin.inDigests;
        requireLength(digests.length, head.inputs);
        bool isOpen;
        bytes32 layerInput;
        for (uint256 i = 0; i < head.inputs; ++i) {
            bytes32 digest = digests[i];
            uint256 ref = readUint(desc, HEAD_BYTES + i * INPUT_BYTES, 2);
            if (ref != LAYER_INPUT) {
                openOutput(opening, ref, digest);
                continue;
            }
            if (!isOpen) {
                (layerInput, isOpen) = (digest, true);
                if (head.layer == 0) layerInput = readInput(jobId, pin.terms);
                else openLayer(opening, head.layer - 1, digest, pin.inputOpRoot);
            }
            if (digest != layerInput) revert WrongInput(i, digest, layerInput);
        }
    }

    function openOperator(Opening memory opening, uint32 op, bytes32 descHash) private pure {
        Plan memory plan = opening.plan;
        if (op >= plan.ops) revert OutOfRange(op, plan.ops);
        openLeaf(opening, TraceTree.hashPlan(op, descHash), op, plan.planDepth, plan.planRoot);
    }

    /// @param opRoot Counts if the trace is of OP granularity: else a layer's leaf holds 0.
    function openLayer(Opening memory opening, uint256 layer, bytes32 digest, bytes32 opRoot) private pure {
        Trace memory trace = opening.trace;
        bytes32 leaf = TraceTree.hashLayer(layer, digest, trace.isOpGranular ? opRoot : bytes32(0));
        openLeaf(opening, leaf, layer, opening.plan.layerDepth, trace.root);
    }

    function openOutput(Opening memory opening, uint256 position, bytes32 digest) private pure {
        bytes32 leaf = TraceTree.hashOp(position, digest);
        openLeaf(opening, leaf, position, opening.plan.opDepth, opening.opRoot);
    }

    function openLeaf(Opening memory opening, bytes32 leaf, uint256 index, uint256 depth, bytes32 root) private pure {
        bytes32[] calldata siblings;
        (uint256 offset, uint256 count) = (opening.offset, opening.count);
        // What beginOpening was given
        assembly ("memory-safe") {
            siblings.offset := offset
            siblings.length := count
        }
        opening.at = TraceTree.check(leaf, index, siblings, opening.at, depth, root);
    }

    /// @dev INVARIANT: the model's input is the one that the client ordered: the job's id is the hash of its terms.
    function readInput(JobId jobId, JobTerms calldata terms) private view returns (bytes32) {
        JobId got = JobIds.compute(MARKET, terms);
        if (JobId.unwrap(got) != JobId.unwrap(jobId)) revert IDisputeGame.WrongTerms(jobId, got);
        return terms.inDigest;
    }

    /* DESCRIPTORS */

    function readHead(bytes calldata desc) private pure returns (OpHead memory head) {
        if (desc.length < HEAD_BYTES) revert MalformedDescriptor();
        head.inputs = readUint(desc, 2, 1);
        if (desc.length < HEAD_BYTES + head.inputs * INPUT_BYTES) revert MalformedDescriptor();
        head.layer = readUint(desc, 4, 4);
        head.position = readUint(desc, 8, 2);
        head.layerOps = readUint(desc, 10, 2);
        head.opKey = bytes32(readUint(desc, 12, 32));
        head.bytesPerElement = uint8(readUint(desc, 76, 1));
        head.rows = uint32(readUint(desc, 77, 4));
        head.cols = uint32(readUint(desc, 81, 4));
    }

    /// @dev The big-endian number of `size` bytes at `offset`, which the caller has checked to lie within.
    function readUint(bytes calldata desc, uint256 offset, uint256 size) private pure returns (uint256 value) {
        // Equivalent to uint256(bytes32(desc[offset : offset + 32])) >> (256 - 8 * size)
        assembly ("memory-safe") {
            value := shr(sub(256, shl(3, size)), calldataload(add(desc.offset, offset)))
        }
    }

    /// @dev INVARIANT: an honest asserter can decide every claim: about an element that exists, or about an operator for
    /// which there is a key to prove it with.
    function requireDecidable(uint32 op, uint64 elem, OpHead memory head) internal pure {
        if (elem != WHOLE) requireElement(elem, head.rows, head.cols);
        else if (head.opKey == 0) revert NotProvable(op);
    }

    function requireElement(uint64 elem, uint32 rows, uint32 cols) internal pure {
        uint256 count = uint256(rows) * cols;
        if (elem >= count) revert OutOfRange(elem, count);
    }

    function requireLength(uint256 got, uint256 expected) internal pure {
        if (got != expected) revert WrongLength(got, expected);
    }

    /* CLAIMS AND SEARCHES */

    function readCore(Claim calldata claim) internal pure returns (ClaimCore memory) {
        return ClaimCore({
            version: claim.version,
            jobId: claim.jobId,
            seed: claim.seed,
            op: claim.op,
            elem: claim.elem,
            outDigest: claim.outDigest,
            inputs: hashWords(claim.inDigests),
            desc: hashBytes(claim.desc)
        });
    }

    /// @dev The hash of a claim, whoever proves it; a head keeps its upper bytes.
    function hashClaim(ClaimCore memory core) internal pure returns (bytes32 hash) {
        // Equivalent to keccak256(abi.encode(core)): eight words
        assembly ("memory-safe") {
            hash := keccak256(core, 0x100)
        }
    }

    /// @dev The hash of a search's position.
    function hashSearch(Search memory state) internal pure returns (bytes32 hash) {
        // Equivalent to keccak256(abi.encode(state)): three words
        assembly ("memory-safe") {
            hash := keccak256(state, 0x60)
        }
    }

    function hashBytes(bytes calldata data) private pure returns (bytes32 hash) {
        // Equivalent to keccak256(data)
        assembly ("memory-safe") {
            let at := mload(0x40)
            calldatacopy(at, data.offset, data.length)
            hash := keccak256(at, data.length)
        }
    }

    function hashWords(bytes32[] calldata words) private pure returns (bytes32 hash) {
        // Equivalent to keccak256(abi.encodePacked(words))
        assembly ("memory-safe") {
            let at := mload(0x40)
            calldatacopy(at, words.offset, shl(5, words.length))
            hash := keccak256(at, shl(5, words.length))
        }
    }

    /// @dev Fixed after weights, input and trace are (protocol.md A.11).
    function drawSeed(bytes32 id) internal view returns (bytes32) {
        return keccak256(abi.encode(block.prevrandao, id, msg.sender));
    }

    /// @dev Whether the trace came in time, and the last second of whoever is on turn.
    function findAnswer(JobId jobId, uint256 dueBy) internal view returns (bool isPosted, uint256 deadline) {
        uint256 postedAt = traces[jobId].postedAt;
        isPosted = postedAt != 0 && postedAt <= dueBy;
        deadline = isPosted ? postedAt + CLOCK_SECONDS : dueBy;
    }

    /// @dev Where a search of a trace begins, on the asserter's turn.
    function positionAtRoot(Trace memory trace, Plan memory plan) internal view returns (SearchMeta) {
        return SearchMetas.begin(CLOCK_SECONDS, plan.layerDepth, plan.opDepth, trace.isOpGranular, plan.layers);
    }
}
