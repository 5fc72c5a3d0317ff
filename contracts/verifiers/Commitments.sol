// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ProgramLib, Program} from "./Program.sol";
import {Session, SessionLib} from "./Session.sol";
import {Transcript, TranscriptLib} from "./Transcript.sol";

/// @title The commitments to all chunks: the key's fixed ones, the proof's own, the late ones
/// @notice They become the opening's terms (scalar, x, y), in the chunks' order.
library Commitments {
    using TranscriptLib for Transcript;
    using ProgramLib for Program;

    uint256 private constant TAG_COMMITMENTS = 4;
    uint256 private constant TAG_LATE = 40;
    uint256 private constant TERM_SIZE = 96;

    /// @notice Opcode 0x01: reads the P commitments and draws beta and alpha.
    function readProof(Session memory s) internal pure {
        // SAFETY: memory addresses, and numbers of at most 32 bits.
        unchecked {
            Program memory program = s.program;
            // Before memory is taken for them: the proof must hold its commitments.
            s.transcript.requireLeft((program.proofChunks + program.lateChunks) << 6);
            uint256 size = program.chunks() * TERM_SIZE;
            uint256 terms = SessionLib.allocate(size + 0x20);
            uint256 source = program.commitments;
            uint256 fixedSize = program.fixedChunks * TERM_SIZE;
            bytes memory all;
            // Equivalent to all = new (scalar, x, y)[chunks], all scalars zero; all[i].xy = commitments[i] for the fixed ones
            assembly ("memory-safe") {
                all := terms
                mstore(terms, size)
                let at := add(terms, 0x20)
                calldatacopy(at, calldatasize(), size)
                for { let last := add(at, fixedSize) } lt(at, last) { at := add(at, TERM_SIZE) } {
                    mcopy(add(at, 0x20), source, 0x40)
                    source := add(source, 0x40)
                }
            }
            s.terms = all;
            // The key's commitments were absorbed with its hash; the proof's precede both challenges.
            read(s, TAG_COMMITMENTS, program.fixedChunks, program.proofChunks);
            s.beta = s.transcript.challenge();
            s.alpha = s.transcript.challenge();
        }
    }

    /// @notice With committed inverses: reads the L late commitments.
    function readLate(Session memory s) internal pure {
        Program memory program = s.program;
        read(s, TAG_LATE, program.fixedChunks + program.proofChunks, program.lateChunks);
    }

    function read(Session memory s, uint256 tag, uint256 first, uint256 count) private pure {
        // A message with no elements is left out.
        if (count == 0) return;
        bytes memory terms = s.terms;
        uint256 target;
        assembly ("memory-safe") {
            target := add(add(terms, 0x40), mul(first, TERM_SIZE))
        }
        s.transcript.points(tag, count, target, TERM_SIZE);
    }
}
