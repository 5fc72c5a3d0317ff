// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Program} from "./Program.sol";
import {PublicTensor} from "./PublicTensor.sol";
import {Transcript} from "./Transcript.sol";

/// @notice Everything one verification knows; each instruction reads what earlier ones left.
struct Session {
    Program program;
    Transcript transcript;
    PublicTensor input;
    PublicTensor output;
    // COMMIT leaves
    uint256 terms; //        memory address of the opening's terms: (x, y, scalar), 96 bytes each; see TERM_SIZE
    uint256 beta;
    uint256 alpha;
    // LOGUP leaves
    uint256 zetaEnd; //      memory address behind the last coordinate of zeta
    uint256 lambda; //       number of its coordinates
    uint256[] values; //     tensor id => its value at the last coordinates of zeta, UNKNOWN if never claimed
    // REQUANT leaves
    uint256[] scales; //     entry => m
    uint256[] virtuals; //   entry => v, the claim on m times the accumulator
    uint256 nu;
    // CONTRACT leaves
    uint256 rounds;
    uint256 contractionEnd; // memory address behind the last coordinate of r_C
    uint256 eta;
    // every instruction before REDUCE files claims; REDUCE empties the list
    uint256 claims; //       memory address of the first claim
    uint256 claimsEnd; //    memory address behind the last one filed
    uint256 claimsLimit; //  memory address behind the last one that fits
    // REDUCE leaves
    uint256 point; //        memory address of r
    uint256 value; //        y, the opened polynomial's value at r
}

/// @dev A word no field element equals.
uint256 constant UNKNOWN = type(uint256).max;

/// @dev Bytes of a term of the opening's multi-scalar multiplication: the input of the ecMul precompile.
uint256 constant TERM_SIZE = 0x60;

/// @dev Sources of a point's coordinates: the LogUp point zeta and the contraction's point r_C.
uint256 constant SOURCE_ZETA = 0;
uint256 constant SOURCE_CONTRACTION = 1;
