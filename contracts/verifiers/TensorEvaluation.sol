// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IProofVerifier} from "../interfaces/IProofVerifier.sol";
import {FR} from "./Field.sol";
import {Multilinear} from "./Multilinear.sol";
import {SessionLib} from "./Session.sol";

/// @dev What evaluates rows block by block. Assembly reads the fields by their offsets.
struct Blocks {
    uint256 source; // 0x00  calldata offset of the next row
    uint256 bits; //   0x20  of an element
    uint256 levels; // 0x40  a block has 2^levels elements
    uint256 table; //  0x60  memory address of eq over the block's coordinates
    uint256 signs; //  0x80  the sign bits of all elements of a word
    uint256 full; //   0xa0  -2^(bits - 1)
    uint256 part; //   0xc0  the same times the table's sum over the elements of a row's last, partial block
}

/// @title Multilinear evaluation of tensors in calldata: row-major, two's complement, big-endian, without padding
library TensorEvaluation {
    uint256 private constant BLOCK_LOG = 5;
    /// @dev Memory of evaluateWords, at addresses known to the compiler: a table of 32 words, a word of zeros, a word.
    uint256 private constant FORMS = 0x80;
    uint256 private constant WORDS_END = 0x4c0;

    /// @dev Merges the last axis into the one before as long as it has no padding: cells i 2^k + j of the padded tensor
    /// are then elements i 2^k + j, as in one axis.
    function mergeAxes(uint256[] memory dims) private pure {
        uint256 rank = dims.length;
        while (rank > 1 && dims[rank - 1] & (dims[rank - 1] - 1) == 0) {
            dims[rank - 2] *= dims[rank - 1];
            --rank;
        }
        assembly ("memory-safe") {
            mstore(dims, rank)
        }
    }

    /* EVALUATION */

    /// @notice The multilinear extension of the zero-padded tensor.
    /// @dev Rows are cut into blocks of up to 2^5 elements; a block's value is the inner product with a table of eq over
    /// the block's coordinates. The rest are folds. Must be called before any memory is taken.
    /// @param width Bytes of an element: 1, 2 or 4.
    /// @param shape The dimensions, none 0, whose product times `width` is the number of bytes.
    /// @param coordinates One below r for each variable.
    function evaluate(bytes calldata data, uint256 width, uint256[] calldata shape, uint256[] calldata coordinates)
        internal
        pure
        returns (uint256)
    {
        // INVARIANT: evaluateWords' memory is nobody else's.
        assert(SessionLib.allocate(WORDS_END - FORMS) == FORMS);
        uint256[] memory dims = shape;
        mergeAxes(dims);
        return evaluateAxes(data, width, dims, coordinates);
    }

    function evaluateAxes(bytes calldata data, uint256 width, uint256[] memory dims, uint256[] memory point)
        private
        pure
        returns (uint256 result)
    {
        // SAFETY: addresses and numbers of at most 40 bits.
        unchecked {
            uint256 axis = dims.length - 1;
            uint256 size = dims[axis];
            bool isWhole = width == 1 && size % (1 << BLOCK_LOG) == 0;
            Blocks memory blocks = prepareBlocks(data, width, size, point, isWhole);
            uint256 rows = data.length / width / size;
            uint256 pointEnd = endOf(point);
            // Scratch behind the free memory pointer: the rows' values, then one row's blocks.
            uint256 folded = SessionLib.allocate(0);
            uint256 levels = Multilinear.ceilLog2(size);
            for (uint256 i = 0; i < rows; ++i) {
                uint256 work = folded + (i << 5);
                uint256 count = isWhole ? evaluateWords(blocks, work, size) : evaluateBlocks(blocks, work, size);
                if (levels > blocks.levels) {
                    fold(work, count, pointEnd - (blocks.levels << 5), levels - blocks.levels);
                }
            }
            for (; axis != 0; --axis) {
                pointEnd -= levels << 5;
                size = dims[axis - 1];
                levels = Multilinear.ceilLog2(size);
                rows /= size;
                foldAxis(folded, rows, size, pointEnd, levels);
            }
            assembly ("memory-safe") {
                result := mload(folded)
            }
        }
    }

    /// @dev With `isWhole` the table is evaluateWords' own.
    function prepareBlocks(bytes calldata data, uint256 width, uint256 size, uint256[] memory point, bool isWhole)
        private
        pure
        returns (Blocks memory blocks)
    {
        uint256 bits = width << 3;
        uint256 levels = Multilinear.ceilLog2(size);
        if (levels > BLOCK_LOG) levels = BLOCK_LOG;
        uint256 low = endOf(point) - (levels << 5);
        (blocks.bits, blocks.levels) = (bits, levels);
        uint256 source;
        assembly ("memory-safe") {
            source := data.offset
        }
        blocks.source = source;
        // The sign bits of all elements of a word, and what flipping them adds: 2^(bits - 1) times the sum of the table.
        blocks.signs = (type(uint256).max / ((1 << bits) - 1)) << (bits - 1);
        blocks.full = FR - (1 << (bits - 1));
        if (isWhole) {
            fillForms(low);
            return blocks;
        }
        blocks.table = Multilinear.eqTable(low, levels, 1);
        SessionLib.allocate(32 << BLOCK_LOG);
        blocks.part = mulmod(blocks.full, Multilinear.lessThan(size & ((1 << levels) - 1), low, levels), FR);
    }

    /// @dev Memory address behind the last coordinate.
    function endOf(uint256[] memory point) private pure returns (uint256 end) {
        assembly ("memory-safe") {
            end := add(add(point, 0x20), shl(5, mload(point)))
        }
    }

    /// @dev Writes the values of the next row's blocks to `work`; returns how many there are.
    function evaluateBlocks(Blocks memory blocks, uint256 work, uint256 size) private pure returns (uint256 count) {
        // Equivalent to: for each block b of 2^levels elements: work[b] = sum of element[i] * table[i]. Elements become
        // unsigned by flipping their sign bits, which the constants `full` and `part` take back. Four products below r
        // are added without overflow.
        assembly ("memory-safe") {
            let f := FR
            let bits := mload(add(blocks, 0x20))
            let source := mload(blocks)
            let last := add(source, mul(size, shr(3, bits)))
            for {} lt(source, last) {} {
                let at := mload(add(blocks, 0x60))
                let end := add(source, shl(mload(add(blocks, 0x40)), shr(3, bits)))
                let value := mload(add(blocks, 0xa0))
                if gt(end, last) {
                    end := last
                    value := mload(add(blocks, 0xc0))
                }
                for {} lt(source, end) {} {
                    let word := xor(calldataload(source), mload(add(blocks, 0x80)))
                    source := add(source, 0x20)
                    if gt(source, end) {
                        word := and(word, not(shr(shl(3, sub(0x20, sub(source, end))), not(0))))
                        source := end
                    }
                    switch bits
                    case 8 {
                        value := addmod(
                            add(
                                add(
                                    mulmod(byte(0, word), mload(at), f),
                                    mulmod(byte(1, word), mload(add(at, 0x20)), f)
                                ),
                                add(
                                    mulmod(byte(2, word), mload(add(at, 0x40)), f),
                                    mulmod(byte(3, word), mload(add(at, 0x60)), f)
                                )
                            ),
                            value,
                            f
                        )
                        value := addmod(
                            add(
                                add(
                                    mulmod(byte(4, word), mload(add(at, 0x80)), f),
                                    mulmod(byte(5, word), mload(add(at, 0xa0)), f)
                                ),
                                add(
                                    mulmod(byte(6, word), mload(add(at, 0xc0)), f),
                                    mulmod(byte(7, word), mload(add(at, 0xe0)), f)
                                )
                            ),
                            value,
                            f
                        )
                        // Short rows end here.
                        if shl(64, word) {
                            value := addmod(
                                add(
                                    add(
                                        mulmod(byte(8, word), mload(add(at, 0x100)), f),
                                        mulmod(byte(9, word), mload(add(at, 0x120)), f)
                                    ),
                                    add(
                                        mulmod(byte(10, word), mload(add(at, 0x140)), f),
                                        mulmod(byte(11, word), mload(add(at, 0x160)), f)
                                    )
                                ),
                                value,
                                f
                            )
                            value := addmod(
                                add(
                                    add(
                                        mulmod(byte(12, word), mload(add(at, 0x180)), f),
                                        mulmod(byte(13, word), mload(add(at, 0x1a0)), f)
                                    ),
                                    add(
                                        mulmod(byte(14, word), mload(add(at, 0x1c0)), f),
                                        mulmod(byte(15, word), mload(add(at, 0x1e0)), f)
                                    )
                                ),
                                value,
                                f
                            )
                            value := addmod(
                                add(
                                    add(
                                        mulmod(byte(16, word), mload(add(at, 0x200)), f),
                                        mulmod(byte(17, word), mload(add(at, 0x220)), f)
                                    ),
                                    add(
                                        mulmod(byte(18, word), mload(add(at, 0x240)), f),
                                        mulmod(byte(19, word), mload(add(at, 0x260)), f)
                                    )
                                ),
                                value,
                                f
                            )
                            value := addmod(
                                add(
                                    add(
                                        mulmod(byte(20, word), mload(add(at, 0x280)), f),
                                        mulmod(byte(21, word), mload(add(at, 0x2a0)), f)
                                    ),
                                    add(
                                        mulmod(byte(22, word), mload(add(at, 0x2c0)), f),
                                        mulmod(byte(23, word), mload(add(at, 0x2e0)), f)
                                    )
                                ),
                                value,
                                f
                            )
                            value := addmod(
                                add(
                                    add(
                                        mulmod(byte(24, word), mload(add(at, 0x300)), f),
                                        mulmod(byte(25, word), mload(add(at, 0x320)), f)
                                    ),
                                    add(
                                        mulmod(byte(26, word), mload(add(at, 0x340)), f),
                                        mulmod(byte(27, word), mload(add(at, 0x360)), f)
                                    )
                                ),
                                value,
                                f
                            )
                            value := addmod(
                                add(
                                    add(
                                        mulmod(byte(28, word), mload(add(at, 0x380)), f),
                                        mulmod(byte(29, word), mload(add(at, 0x3a0)), f)
                                    ),
                                    add(
                                        mulmod(byte(30, word), mload(add(at, 0x3c0)), f),
                                        mulmod(byte(31, word), mload(add(at, 0x3e0)), f)
                                    )
                                ),
                                value,
                                f
                            )
                        }
                        at := add(at, 0x400)
                    }
                    case 16 {
                        value := addmod(
                            add(
                                add(
                                    mulmod(shr(240, word), mload(at), f),
                                    mulmod(and(shr(224, word), 0xffff), mload(add(at, 0x20)), f)
                                ),
                                add(
                                    mulmod(and(shr(208, word), 0xffff), mload(add(at, 0x40)), f),
                                    mulmod(and(shr(192, word), 0xffff), mload(add(at, 0x60)), f)
                                )
                            ),
                            value,
                            f
                        )
                        value := addmod(
                            add(
                                add(
                                    mulmod(and(shr(176, word), 0xffff), mload(add(at, 0x80)), f),
                                    mulmod(and(shr(160, word), 0xffff), mload(add(at, 0xa0)), f)
                                ),
                                add(
                                    mulmod(and(shr(144, word), 0xffff), mload(add(at, 0xc0)), f),
                                    mulmod(and(shr(128, word), 0xffff), mload(add(at, 0xe0)), f)
                                )
                            ),
                            value,
                            f
                        )
                        // Short rows end here.
                        if shl(128, word) {
                            value := addmod(
                                add(
                                    add(
                                        mulmod(and(shr(112, word), 0xffff), mload(add(at, 0x100)), f),
                                        mulmod(and(shr(96, word), 0xffff), mload(add(at, 0x120)), f)
                                    ),
                                    add(
                                        mulmod(and(shr(80, word), 0xffff), mload(add(at, 0x140)), f),
                                        mulmod(and(shr(64, word), 0xffff), mload(add(at, 0x160)), f)
                                    )
                                ),
                                value,
                                f
                            )
                            value := addmod(
                                add(
                                    add(
                                        mulmod(and(shr(48, word), 0xffff), mload(add(at, 0x180)), f),
                                        mulmod(and(shr(32, word), 0xffff), mload(add(at, 0x1a0)), f)
                                    ),
                                    add(
                                        mulmod(and(shr(16, word), 0xffff), mload(add(at, 0x1c0)), f),
                                        mulmod(and(shr(0, word), 0xffff), mload(add(at, 0x1e0)), f)
                                    )
                                ),
                                value,
                                f
                            )
                        }
                        at := add(at, 0x200)
                    }
                    default {
                        value := addmod(
                            add(
                                add(
                                    mulmod(shr(224, word), mload(at), f),
                                    mulmod(and(shr(192, word), 0xffffffff), mload(add(at, 0x20)), f)
                                ),
                                add(
                                    mulmod(and(shr(160, word), 0xffffffff), mload(add(at, 0x40)), f),
                                    mulmod(and(shr(128, word), 0xffffffff), mload(add(at, 0x60)), f)
                                )
                            ),
                            value,
                            f
                        )
                        value := addmod(
                            add(
                                add(
                                    mulmod(and(shr(96, word), 0xffffffff), mload(add(at, 0x80)), f),
                                    mulmod(and(shr(64, word), 0xffffffff), mload(add(at, 0xa0)), f)
                                ),
                                add(
                                    mulmod(and(shr(32, word), 0xffffffff), mload(add(at, 0xc0)), f),
                                    mulmod(and(shr(0, word), 0xffffffff), mload(add(at, 0xe0)), f)
                                )
                            ),
                            value,
                            f
                        )
                        at := add(at, 0x100)
                    }
                }
                mstore(add(work, shl(5, count)), value)
                count := add(count, 1)
            }
            mstore(blocks, last)
        }
    }

    /* WORDS OF BYTES */

    /// @dev Writes the table of evaluateWords for the five coordinates at `low`. With t the table of eq over them it is
    /// u_j = t_j - 256 t_(j + 1), where t_32 = 0, in representatives below 2 r.
    function fillForms(uint256 low) private pure {
        uint256 pairs = SessionLib.allocate(0);
        Multilinear.eqHeap(low, pairs);
        // Equivalent to: for each k < 16, with a_k of the table of eq over the first four coordinates and x the last one:
        // u_2k = a_k (1 - x) - 256 a_k x; u_(2k + 1) = a_k x - 256 a_(k + 1) (1 - x)
        assembly ("memory-safe") {
            let f := FR
            let x := mload(add(low, 0x80))
            let even := addmod(1, sub(f, mulmod(257, x, f)), f)
            let next := mulmod(256, add(x, sub(f, 1)), f)
            let source := add(pairs, 0x200)
            let last := add(pairs, 0x400)
            mstore(last, 0)
            let a := mload(source)
            for { let at := FORMS } lt(source, last) { at := add(at, 0x40) } {
                mstore(at, mulmod(a, even, f))
                source := add(source, 0x20)
                let odd := mulmod(a, x, f)
                a := mload(source)
                mstore(add(at, 0x20), add(odd, mulmod(a, next, f)))
            }
            // A word of zeros, before the word that is evaluated.
            mstore(add(FORMS, 0x400), 0)
        }
    }

    /// @dev As evaluateBlocks, for rows of one-byte elements that are whole words: 2^5 elements a block.
    function evaluateWords(Blocks memory blocks, uint256 work, uint256 size) private pure returns (uint256 count) {
        // Equivalent to: for each word b: work[b] = sum of element[i] * t[i]; see evaluateBlocks. Its first j + 1 elements
        // together are a number p_j, which memory gives at once, behind zeros: element[j] = p_j - 256 p_(j - 1), and so the
        // sum is the one of p_j u_j (fillForms). Five numbers below r are added without overflow.
        assembly ("memory-safe") {
            let f := FR
            let source := mload(blocks)
            let last := add(source, size)
            let signs := mload(add(blocks, 0x80))
            let full := mload(add(blocks, 0xa0))
            for {} lt(source, last) { source := add(source, 0x20) } {
                mstore(0x4a0, xor(calldataload(source), signs))
                let value :=
                    addmod(
                        add(
                            add(
                                add(
                                    add(full, mulmod(mload(0x481), mload(0x80), f)),
                                    mulmod(mload(0x482), mload(0xa0), f)
                                ),
                                mulmod(mload(0x483), mload(0xc0), f)
                            ),
                            mulmod(mload(0x484), mload(0xe0), f)
                        ),
                        add(
                            add(
                                add(
                                    add(mulmod(mload(0x485), mload(0x100), f), mulmod(mload(0x486), mload(0x120), f)),
                                    mulmod(mload(0x487), mload(0x140), f)
                                ),
                                mulmod(mload(0x488), mload(0x160), f)
                            ),
                            mulmod(mload(0x489), mload(0x180), f)
                        ),
                        f
                    )
                value := addmod(
                    add(
                        add(
                            add(
                                add(value, mulmod(mload(0x48a), mload(0x1a0), f)),
                                mulmod(mload(0x48b), mload(0x1c0), f)
                            ),
                            mulmod(mload(0x48c), mload(0x1e0), f)
                        ),
                        mulmod(mload(0x48d), mload(0x200), f)
                    ),
                    add(
                        add(
                            add(
                                add(mulmod(mload(0x48e), mload(0x220), f), mulmod(mload(0x48f), mload(0x240), f)),
                                mulmod(mload(0x490), mload(0x260), f)
                            ),
                            mulmod(mload(0x491), mload(0x280), f)
                        ),
                        mulmod(mload(0x492), mload(0x2a0), f)
                    ),
                    f
                )
                value := addmod(
                    add(
                        add(
                            add(
                                add(value, mulmod(mload(0x493), mload(0x2c0), f)),
                                mulmod(mload(0x494), mload(0x2e0), f)
                            ),
                            mulmod(mload(0x495), mload(0x300), f)
                        ),
                        mulmod(mload(0x496), mload(0x320), f)
                    ),
                    add(
                        add(
                            add(
                                add(mulmod(mload(0x497), mload(0x340), f), mulmod(mload(0x498), mload(0x360), f)),
                                mulmod(mload(0x499), mload(0x380), f)
                            ),
                            mulmod(mload(0x49a), mload(0x3a0), f)
                        ),
                        mulmod(mload(0x49b), mload(0x3c0), f)
                    ),
                    f
                )
                value := addmod(
                    add(
                        add(
                            add(
                                add(value, mulmod(mload(0x49c), mload(0x3e0), f)),
                                mulmod(mload(0x49d), mload(0x400), f)
                            ),
                            mulmod(mload(0x49e), mload(0x420), f)
                        ),
                        mulmod(mload(0x49f), mload(0x440), f)
                    ),
                    mulmod(mload(0x4a0), mload(0x460), f),
                    f
                )
                mstore(work, value)
                work := add(work, 0x20)
            }
            mstore(blocks, last)
            count := shr(5, size)
        }
    }

    /* FOLDS */

    /// @dev Folds `rows` groups of `size` words at `work`; group i becomes word i.
    function foldAxis(uint256 work, uint256 rows, uint256 size, uint256 pointEnd, uint256 levels) private pure {
        // SAFETY: memory addresses.
        unchecked {
            for (uint256 i = 0; i < rows; ++i) {
                uint256 value = fold(work + ((i * size) << 5), size, pointEnd, levels);
                assembly ("memory-safe") {
                    mstore(add(work, shl(5, i)), value)
                }
            }
        }
    }

    /// @dev Folds `count` words at `work`, zero-padded to 2^levels, in place by the last coordinate first:
    /// v[i] <- v[2i] + z (v[2i + 1] - v[2i]); whole fours by two coordinates at once. Words are below r.
    /// @param pointEnd Memory address behind the last coordinate.
    function fold(uint256 work, uint256 count, uint256 pointEnd, uint256 levels) private pure returns (uint256 value) {
        // SAFETY: memory addresses.
        unchecked {
            uint256 first = pointEnd - (levels << 5);
            while (pointEnd > first) {
                if (count % 4 == 0 && pointEnd - first > 0x20) {
                    pointEnd -= 0x40;
                    foldFours(work, count, pointEnd);
                    count >>= 2;
                } else {
                    pointEnd -= 0x20;
                    foldPairs(work, count, pointEnd);
                    count = (count + 1) >> 1;
                }
            }
        }
        assembly ("memory-safe") {
            value := mload(work)
        }
    }

    function foldPairs(uint256 work, uint256 count, uint256 coordinate) private pure {
        assembly ("memory-safe") {
            let f := FR
            let z := mload(coordinate)
            let source := work
            for { let last := add(source, shl(6, shr(1, count))) } lt(source, last) { source := add(source, 0x40) } {
                let v := mload(source)
                // No overflow: v1 + r - v0 < 2 r.
                let step := sub(add(mload(add(source, 0x20)), f), v)
                mstore(work, addmod(mulmod(z, step, f), v, f))
                work := add(work, 0x20)
            }
            // A last word without partner: its partner is a zero of the padding.
            if and(count, 1) { mstore(work, mulmod(sub(add(f, 1), z), mload(source), f)) }
        }
    }

    /// @dev Requires a multiple of four words.
    function foldFours(uint256 work, uint256 count, uint256 coordinates) private pure {
        assembly ("memory-safe") {
            let f := FR
            let y := mload(coordinates)
            let z := mload(add(coordinates, 0x20))
            let source := work
            for { let last := add(source, shl(5, count)) } lt(source, last) { source := add(source, 0x80) } {
                // No overflow: upper and lower are below 2 r.
                let v := mload(source)
                let lower := add(v, mulmod(z, sub(add(mload(add(source, 0x20)), f), v), f))
                v := mload(add(source, 0x40))
                let upper := add(v, mulmod(z, sub(add(mload(add(source, 0x60)), f), v), f))
                mstore(work, addmod(lower, mulmod(y, sub(add(upper, shl(1, f)), lower), f), f))
                work := add(work, 0x20)
            }
        }
    }

    /* ONE-HOT */

    /// @notice sum over t of eq(p, bits(t)) eq(q, bits(x_t)) over the elements x_t of a vector.
    /// @param point p, as many coordinates as the vector has variables, and q.
    function oneHot(bytes calldata data, uint256 width, uint256[] memory point) internal pure returns (uint256 sum) {
        uint256 count = data.length / width;
        uint256 variables = Multilinear.ceilLog2(count);
        uint256 tail = point.length - variables;
        uint256 q = endOf(point) - (tail << 5);
        uint256 table = Multilinear.eqTable(q - (variables << 5), variables, 1);
        for (uint256 t = 0; t < count; ++t) {
            uint256 value;
            // Equivalent to value = uint(data[width * t : width * (t + 1)])
            assembly ("memory-safe") {
                value := shr(sub(256, shl(3, width)), calldataload(add(data.offset, mul(width, t))))
            }
            // INVARIANT: a one has its place; a negative number has none, as its sign bit is above q's.
            if (value >> tail != 0) revert IProofVerifier.MalformedProgram(0);
            uint256 weight;
            assembly ("memory-safe") {
                weight := mload(add(table, shl(5, t)))
            }
            sum = addmod(sum, Multilinear.eqIndex(value, q, tail, weight), FR);
        }
    }
}
