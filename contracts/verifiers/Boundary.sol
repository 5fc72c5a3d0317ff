// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IProofVerifier} from "../interfaces/IProofVerifier.sol";
import {Statement} from "../types/Statement.sol";
import {ProgramLib, Program} from "./Program.sol";
import {PublicTensor, PublicTensorLib} from "./PublicTensor.sol";
import {Session, SessionLib} from "./Session.sol";

/// @title Inputs and output: lengths, ranges and digests (FORMAT.md 8)
library Boundary {
    using ProgramLib for Program;
    using PublicTensorLib for PublicTensor;

    uint256 private constant COMMITMENT_SIZE = 64;
    uint256 private constant TERM_SIZE = 96;
    string private constant COMMITTED = "zkdps/committed/2";

    /// @notice u8 inputs | inputs x spec | spec of the output: reads what the public tensors are, checks the bytes' length
    /// and range.
    function read(Session memory s, bytes calldata input, bytes calldata output) internal pure {
        Program memory program = s.program;
        uint256 inputs = program.take(1) >> 248;
        if (inputs == 0) program.revertMalformed();
        s.publics = new PublicTensor[](inputs + 1);
        uint256 source;
        assembly ("memory-safe") {
            source := input.offset
        }
        uint256 size;
        for (uint256 i = 0; i < inputs; ++i) {
            PublicTensor memory tensor = PublicTensorLib.take(program, ProgramLib.KIND_INPUT);
            tensor.source = source + size;
            size += tensor.byteLength();
            s.publics[i] = tensor;
        }
        // INVARIANT: nothing behind the bytes that were given is read.
        if (input.length != size) revert IProofVerifier.WrongInputLength(input.length, size);
        PublicTensor memory last = PublicTensorLib.take(program, ProgramLib.KIND_OUTPUT);
        size = last.byteLength();
        if (output.length != size) revert IProofVerifier.WrongOutputLength(output.length, size);
        assembly ("memory-safe") {
            source := output.offset
        }
        last.source = source;
        s.publics[inputs] = last;
        if (!last.isCommitted) s.firstOutput = last.first();
    }

    /// @notice Requires the statement's digests. One input: its own; several: the hash of theirs.
    function checkDigests(Session memory s, Statement calldata statement) internal view {
        // SAFETY: memory addresses, and numbers of at most 32 bits.
        unchecked {
            uint256 inputs = s.publics.length - 1;
            uint256 digests = SessionLib.allocate(inputs << 5);
            bytes32 digest;
            for (uint256 i = 0; i < inputs; ++i) {
                digest = computeDigest(s, i);
                assembly ("memory-safe") {
                    mstore(add(digests, shl(5, i)), digest)
                }
            }
            if (inputs > 1) {
                assembly ("memory-safe") {
                    digest := keccak256(digests, shl(5, inputs))
                }
            }
            if (digest != statement.inDigest) revert IProofVerifier.WrongInputDigest(digest, statement.inDigest);
            digest = computeDigest(s, inputs);
            if (digest != statement.outDigest) revert IProofVerifier.WrongOutputDigest(digest, statement.outDigest);
        }
    }

    /// @dev The digest of public tensor `index`; of one given by bytes the inspector checks the range on the way.
    function computeDigest(Session memory s, uint256 index) private view returns (bytes32) {
        PublicTensor memory tensor = s.publics[index];
        if (tensor.isCommitted) return hashCommitments(s, tensor);
        uint256 cols = tensor.dims[tensor.dims.length - 1];
        bool isOutput = index == s.publics.length - 1;
        return
            s.inspector
            .digest(tensor.content(), tensor.width, tensor.count / cols, cols, tensor.lo, tensor.hi, isOutput);
    }

    /// @dev keccak("zkdps/committed/2" || the commitments to its chunks)
    function hashCommitments(Session memory s, PublicTensor memory tensor) private pure returns (bytes32) {
        // SAFETY: memory addresses, and numbers of at most 32 bits.
        unchecked {
            Program memory program = s.program;
            uint256 first = (program.tensorWord(tensor.id) >> 224) & 0xffff;
            uint256 count = tensor.variables > program.chunkLog ? 1 << (tensor.variables - program.chunkLog) : 1;
            // INVARIANT: the chunks are the proof's, read by now.
            bool valid = first >= program.fixedChunks && first + count <= program.fixedChunks + program.proofChunks;
            if (!valid) program.revertMalformed();
            bytes memory points = new bytes(count * COMMITMENT_SIZE);
            bytes memory terms = s.terms;
            // Equivalent to points[b] = terms[first + b].xy
            assembly ("memory-safe") {
                let source := add(add(terms, 0x40), mul(first, TERM_SIZE))
                let target := add(points, 0x20)
                for { let end := add(target, mul(count, COMMITMENT_SIZE)) } lt(target, end) {
                    target := add(target, COMMITMENT_SIZE)
                } {
                    mcopy(target, source, COMMITMENT_SIZE)
                    source := add(source, TERM_SIZE)
                }
            }
            return keccak256(abi.encodePacked(COMMITTED, points));
        }
    }
}
