// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Program} from "./Program.sol";
import {Session, TERM_SIZE} from "./Session.sol";
import {Transcript, TranscriptLib} from "./Transcript.sol";

/// @title The commitments to all chunks: the key's fixed ones, then the proof's own
/// @notice They become terms (x, y, scalar) of the opening's multi-scalar multiplication:
/// | terms             | points                                  |
/// |-------------------|-----------------------------------------|
/// | [0, F)            | fixed chunks                            |
/// | [F, F + P)        | the proof's chunks                      |
/// | next c - 1        | K_1 .. K_(c-1) of the opening           |
/// | last              | the generator                           |
library Commitments {
    using TranscriptLib for Transcript;

    uint256 private constant TAG_COMMITMENTS = 4;

    /// @notice Instruction 0x01: reads the P commitments and draws beta and alpha.
    function run(Session memory s) internal pure {
        Program memory program = s.program;
        uint256 chunks = program.fixedChunks + program.proofChunks;
        uint256 terms;
        uint256 size = (chunks + program.chunkLog) * TERM_SIZE;
        uint256 source = program.commitments;
        uint256 proofTerms;
        uint256 fixedSize = program.fixedChunks * TERM_SIZE;
        // Equivalent to terms = new (x, y, scalar)[chunks + c], all scalars zero; terms[i].xy = commitments[i]
        assembly ("memory-safe") {
            terms := mload(0x40)
            mstore(0x40, add(terms, size))
            calldatacopy(terms, calldatasize(), size)
            proofTerms := add(terms, fixedSize)
            for { let at := terms } lt(at, proofTerms) { at := add(at, TERM_SIZE) } {
                mcopy(at, source, 0x40)
                source := add(source, 0x40)
            }
        }
        s.terms = terms;
        // The key's commitments were absorbed with its hash; the proof's precede both challenges.
        s.transcript.points(TAG_COMMITMENTS, program.proofChunks, proofTerms, TERM_SIZE);
        s.beta = s.transcript.challenge();
        s.alpha = s.transcript.challenge();
    }
}
