// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title Sums and dot products of contiguous signed elements in calldata, a word at a time
/// @notice Elements are row-major, two's complement, big-endian, of 1 or 2 bytes.
/// @dev Elements become unsigned by flipping their sign bits: a = a' - h, so a b = a'b' - h(a' + b') + h^2. Every fourth
/// element of a word becomes a lane of four times its bits. With b's lanes in reverse order, the highest lane of the
/// product of two words is their dot product: the convolution's middle term. The other lanes never carry into it.
library DotProduct {
    /// @notice Thrown for elements of another width.
    error UnsupportedWidth(uint256 width);

    /// @dev Elements a kernel takes at once: with 8 bits, 2^16 / 8 products of highest lanes up to 8 * 255^2 fit 32 bits,
    /// and the lanes below, up to 7 * 255^2 a product, do too.
    uint256 private constant MAX_ELEMENTS = 1 << 16;

    uint256 private constant SIGNS_8 = 0x8080808080808080808080808080808080808080808080808080808080808080;
    uint256 private constant SIGNS_16 = 0x8000800080008000800080008000800080008000800080008000800080008000;
    uint256 private constant LOW_8_OF_32 = 0x000000ff000000ff000000ff000000ff000000ff000000ff000000ff000000ff;
    uint256 private constant LOW_8_OF_64 = 0x00000000000000ff00000000000000ff00000000000000ff00000000000000ff;
    uint256 private constant LOW_16_OF_64 = 0x000000000000ffff000000000000ffff000000000000ffff000000000000ffff;
    uint256 private constant LOW_32_OF_64 = 0x00000000ffffffff00000000ffffffff00000000ffffffff00000000ffffffff;
    uint256 private constant LOW_64_OF_128 = 0x0000000000000000ffffffffffffffff0000000000000000ffffffffffffffff;
    uint256 private constant ONES_32 = 0x0000000100000001000000010000000100000001000000010000000100000001;
    uint256 private constant ONES_64 = 0x0000000000000001000000000000000100000000000000010000000000000001;

    /// @notice sum over k < count of a_k b_k.
    /// @param a Calldata offset of a_0; the caller has checked that all elements lie in calldata.
    function dot(uint256 a, uint256 widthA, uint256 b, uint256 widthB, uint256 count)
        internal
        pure
        returns (int256 sum)
    {
        if (widthA > widthB) return dot(b, widthB, a, widthA, count);
        // INVARIANT: a kernel reads what it was made for.
        if (widthA == 0 || widthB > 2) revert UnsupportedWidth(widthB);
        while (count != 0) {
            uint256 size = count < MAX_ELEMENTS ? count : MAX_ELEMENTS;
            // No overflow: a partial sum is below 2^46, and calldata holds far less than 2^64 elements.
            unchecked {
                if (widthB == 1) sum += dot8(a, b, size);
                else if (widthA == 2) sum += dot16(a, b, size);
                else sum += dot8By16(a, b, size);
                (a, b, count) = (a + size * widthA, b + size * widthB, count - size);
            }
        }
    }

    /// @notice sum over k < count of a_k.
    function sumOf(uint256 a, uint256 width, uint256 count) internal pure returns (int256 sum) {
        if (width == 0 || width > 2) revert UnsupportedWidth(width);
        while (count != 0) {
            uint256 size = count < MAX_ELEMENTS ? count : MAX_ELEMENTS;
            unchecked {
                sum += width == 1 ? sum8(a, size) : sum16(a, size);
                (a, count) = (a + size * width, count - size);
            }
        }
    }

    /* KERNELS */

    function dot8(uint256 a, uint256 b, uint256 count) private pure returns (int256 result) {
        // Equivalent to result = sum of int8(a_k) * int8(b_k)
        assembly ("memory-safe") {
            // h = 2^7; from here on `count` is the calldata offset behind a's last element
            result := shl(14, count)
            count := add(a, count)
            // On the stack, because the compiler would compute them again in every turn.
            let low8 := LOW_8_OF_32
            let low64 := LOW_64_OF_128
            let low32 := LOW_32_OF_64
            let products := 0
            let sums := 0
            for {} lt(a, count) {} {
                let u := xor(calldataload(a), SIGNS_8)
                let v := xor(calldataload(b), SIGNS_8)
                if lt(sub(count, a), 0x20) {
                    let kept := not(shr(shl(3, sub(count, a)), not(0)))
                    u := and(u, kept)
                    v := and(v, kept)
                }
                // v's lanes of 32 bits in reverse order
                v := or(shr(128, v), shl(128, v))
                v := or(and(shr(64, v), low64), shl(64, and(v, low64)))
                v := or(and(shr(32, v), low32), shl(32, and(v, low32)))
                let p := and(u, low8)
                let q := and(v, low8)
                products := add(products, mul(p, q))
                sums := add(sums, add(p, q))
                p := and(shr(8, u), low8)
                q := and(shr(8, v), low8)
                products := add(products, mul(p, q))
                sums := add(sums, add(p, q))
                p := and(shr(16, u), low8)
                q := and(shr(16, v), low8)
                products := add(products, mul(p, q))
                sums := add(sums, add(p, q))
                p := and(shr(24, u), low8)
                q := and(shr(24, v), low8)
                products := add(products, mul(p, q))
                sums := add(sums, add(p, q))
                a := add(a, 0x20)
                b := add(b, 0x20)
            }
            result := add(result, sub(shr(224, products), shl(7, shr(224, mul(sums, ONES_32)))))
        }
    }

    function dot16(uint256 a, uint256 b, uint256 count) private pure returns (int256 result) {
        // Equivalent to result = sum of int16(a_k) * int16(b_k)
        assembly ("memory-safe") {
            // h = 2^15; from here on `count` is the calldata offset behind a's last element
            result := shl(30, count)
            count := add(a, shl(1, count))
            let low16 := LOW_16_OF_64
            let low64 := LOW_64_OF_128
            let products := 0
            let sums := 0
            for {} lt(a, count) {} {
                let u := xor(calldataload(a), SIGNS_16)
                let v := xor(calldataload(b), SIGNS_16)
                if lt(sub(count, a), 0x20) {
                    let kept := not(shr(shl(3, sub(count, a)), not(0)))
                    u := and(u, kept)
                    v := and(v, kept)
                }
                // v's lanes of 64 bits in reverse order
                v := or(shr(128, v), shl(128, v))
                v := or(and(shr(64, v), low64), shl(64, and(v, low64)))
                let p := and(u, low16)
                let q := and(v, low16)
                products := add(products, mul(p, q))
                sums := add(sums, add(p, q))
                p := and(shr(16, u), low16)
                q := and(shr(16, v), low16)
                products := add(products, mul(p, q))
                sums := add(sums, add(p, q))
                p := and(shr(32, u), low16)
                q := and(shr(32, v), low16)
                products := add(products, mul(p, q))
                sums := add(sums, add(p, q))
                p := and(shr(48, u), low16)
                q := and(shr(48, v), low16)
                products := add(products, mul(p, q))
                sums := add(sums, add(p, q))
                a := add(a, 0x20)
                b := add(b, 0x20)
            }
            result := add(result, sub(shr(192, products), shl(15, shr(192, mul(sums, ONES_64)))))
        }
    }

    function dot8By16(uint256 a, uint256 b, uint256 count) private pure returns (int256 result) {
        // Equivalent to result = sum of int8(a_k) * int16(b_k)
        assembly ("memory-safe") {
            // h h' = 2^7 2^15; from here on `count` is the calldata offset behind a's last element
            result := shl(22, count)
            count := add(a, count)
            let low8 := LOW_8_OF_64
            let low16 := LOW_16_OF_64
            let low64 := LOW_64_OF_128
            let products := 0
            let sums := 0 //     of 2^15 a'_k + 2^7 b'_k
            for {} lt(a, count) {} {
                let u := xor(shr(128, calldataload(a)), shr(128, SIGNS_8))
                let v := xor(calldataload(b), SIGNS_16)
                if lt(sub(count, a), 0x10) {
                    u := and(u, shr(128, not(shr(shl(3, sub(count, a)), not(0)))))
                    v := and(v, not(shr(shl(4, sub(count, a)), not(0))))
                }
                // four elements of u in each lane of 64 bits, where v has four
                u := and(or(u, shl(64, u)), low64)
                u := and(or(u, shl(32, u)), LOW_32_OF_64)
                // v's lanes of 64 bits in reverse order
                v := or(shr(128, v), shl(128, v))
                v := or(and(shr(64, v), low64), shl(64, and(v, low64)))
                let p := and(u, low8)
                let q := and(v, low16)
                products := add(products, mul(p, q))
                sums := add(sums, add(shl(15, p), shl(7, q)))
                p := and(shr(8, u), low8)
                q := and(shr(16, v), low16)
                products := add(products, mul(p, q))
                sums := add(sums, add(shl(15, p), shl(7, q)))
                p := and(shr(16, u), low8)
                q := and(shr(32, v), low16)
                products := add(products, mul(p, q))
                sums := add(sums, add(shl(15, p), shl(7, q)))
                p := and(shr(24, u), low8)
                q := and(shr(48, v), low16)
                products := add(products, mul(p, q))
                sums := add(sums, add(shl(15, p), shl(7, q)))
                a := add(a, 0x10)
                b := add(b, 0x20)
            }
            result := add(result, sub(shr(192, products), shr(192, mul(sums, ONES_64))))
        }
    }

    function sum8(uint256 a, uint256 count) private pure returns (int256 result) {
        // Equivalent to result = sum of int8(a_k)
        assembly ("memory-safe") {
            let sums := 0
            for { let end := add(a, count) } lt(a, end) { a := add(a, 0x20) } {
                let u := xor(calldataload(a), SIGNS_8)
                if lt(sub(end, a), 0x20) { u := and(u, not(shr(shl(3, sub(end, a)), not(0)))) }
                sums := add(sums, add(and(u, LOW_8_OF_32), and(shr(8, u), LOW_8_OF_32)))
                sums := add(sums, add(and(shr(16, u), LOW_8_OF_32), and(shr(24, u), LOW_8_OF_32)))
            }
            result := sub(shr(224, mul(sums, ONES_32)), shl(7, count))
        }
    }

    function sum16(uint256 a, uint256 count) private pure returns (int256 result) {
        // Equivalent to result = sum of int16(a_k)
        assembly ("memory-safe") {
            let sums := 0
            for { let end := add(a, shl(1, count)) } lt(a, end) { a := add(a, 0x20) } {
                let u := xor(calldataload(a), SIGNS_16)
                if lt(sub(end, a), 0x20) { u := and(u, not(shr(shl(3, sub(end, a)), not(0)))) }
                sums := add(sums, add(and(u, LOW_16_OF_64), and(shr(16, u), LOW_16_OF_64)))
                sums := add(sums, add(and(shr(32, u), LOW_16_OF_64), and(shr(48, u), LOW_16_OF_64)))
            }
            result := sub(shr(192, mul(sums, ONES_64)), shl(15, count))
        }
    }
}
