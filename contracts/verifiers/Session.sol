// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IInspector} from "../interfaces/IInspector.sol";
import {Program} from "./Program.sol";
import {PublicTensor} from "./PublicTensor.sol";
import {Transcript} from "./Transcript.sol";

/// @notice What an expression is evaluated in.
/// @dev Assembly reads the fields by their offsets, in this order.
struct Scope {
    uint256 values; //        0x00  memory address of the slots' values; the word before them is 1
    uint256 known; //         0x20  number of slots that expressions may name
    uint256 cached; //        0x40  memory address: function => its value at the phase's vector plus 1, 0 if not evaluated
    uint256 functionCount; // 0x60
    uint256 records; //       0x80  memory address: function => memory address of its record in the program
    uint256 vectorEnd; //     0xa0  memory address behind the last coordinate of the phase's vector
    uint256 vectorLength; //  0xc0
}

/// @notice How many slots each phase sends.
struct SlotCounts {
    uint256 leaf;
    uint256 direct;
    uint256 product;
    uint256 contraction;
    uint256 link;
}

/// @notice Everything one verification knows; each phase reads what earlier ones left.
struct Session {
    IInspector inspector;
    Program program;
    Transcript transcript;
    Scope scope;
    PublicTensor[] publics; //  the inputs, then the output
    int256 firstOutput; //      y, the first element of the public output; 0 if the output is committed
    uint256 vectors; //         memory address of 4 x (address behind the last coordinate, number of coordinates)
    SlotCounts counts;
    uint256 slots; //           memory address of the first slot's record
    uint256 slotCursor; //      memory address of the record of the next slot to be read
    bytes terms; //             the opening's terms: chunk => (scalar, x, y)
    uint256 beta;
    uint256 alpha;
    uint256 blockCount;
    uint256 blocks; //          memory address of the first block
    uint256 inverses; //        lookup 1: memory address of the inverse values
    uint256 relationCount;
    uint256 relations; //       memory address: relation => v
    uint256 linear; //          memory address of the linear relations' (memory address of their terms << 16 | relation)
    uint256 linearCount;
    uint256 productCount; //    relations whose residual is a product term; their numbers stand at the list's other end
    uint256[] point; //         r, the point of the opening
    uint256 value; //           y, the opened polynomial's value at r
}

/// @dev Sources of coordinates: the first four are vectors of challenges.
uint256 constant SOURCE_ZETA = 0;
uint256 constant SOURCE_PRODUCT = 1;
uint256 constant SOURCE_CONTRACTION = 2;
uint256 constant SOURCE_LINK = 3;
uint256 constant SOURCE_HALF = 4;
uint256 constant SOURCE_BITS = 5;
uint256 constant SOURCE_OUTPUT_BITS = 6;

/// @dev "No slot", "no function".
uint256 constant NONE = 0xffff;

/// @dev No vector of challenges is longer; bounds every shift by a number of variables.
uint256 constant MAX_ROUNDS = 60;

/// @title Memory of one verification
library SessionLib {
    /// @notice Takes `size` bytes of memory; what they hold is undefined.
    function allocate(uint256 size) internal pure returns (uint256 at) {
        assembly ("memory-safe") {
            at := mload(0x40)
            mstore(0x40, add(at, size))
        }
    }

    /// @notice Returns all memory behind `at`; nothing that was taken there may be used again.
    function release(uint256 at) internal pure {
        assembly ("memory-safe") {
            mstore(0x40, at)
        }
    }

    /// @notice Sets a vector of challenges.
    /// @param end Memory address behind its last coordinate.
    function setVector(Session memory s, uint256 source, uint256 end, uint256 length) internal pure {
        uint256 vectors = s.vectors;
        assembly ("memory-safe") {
            let entry := add(vectors, shl(6, source))
            mstore(entry, end)
            mstore(add(entry, 0x20), length)
        }
    }

    /// @notice A vector of challenges: memory address behind its last coordinate, and its length; length 0 before it is
    /// drawn.
    function getVector(Session memory s, uint256 source) internal pure returns (uint256 end, uint256 length) {
        uint256 vectors = s.vectors;
        assembly ("memory-safe") {
            let entry := add(vectors, shl(6, source))
            end := mload(entry)
            length := mload(add(entry, 0x20))
        }
    }

    /// @notice Lets functions be evaluated at another vector; forgets their values at the last one.
    function enterPhase(Session memory s, uint256 source) internal pure {
        Scope memory scope = s.scope;
        (scope.vectorEnd, scope.vectorLength) = getVector(s, source);
        (uint256 cached, uint256 size) = (scope.cached, scope.functionCount << 5);
        // Equivalent to cached[f] = 0 for all functions
        assembly ("memory-safe") {
            calldatacopy(cached, calldatasize(), size)
        }
    }
}
