// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {FR, TWO_FR_PLUS_ONE} from "./Field.sol";

/// @title Multilinear extensions the verifier evaluates itself
/// @notice A point is a memory address with one word a coordinate; coordinate 0 is the most significant index bit.
/// All coordinates are canonical (below r).
library Multilinear {
    /// @notice eq(a, b) = product of (a_k b_k + (1 - a_k)(1 - b_k)) over `count` coordinates, times `factor`.
    function eq(uint256 a, uint256 b, uint256 count, uint256 factor) internal pure returns (uint256 result) {
        // Equivalent to: for k: factor *= 1 - a_k - b_k + 2 a_k b_k
        assembly ("memory-safe") {
            let f := FR
            let base := TWO_FR_PLUS_ONE
            result := factor
            for { let last := add(a, shl(5, count)) } lt(a, last) { a := add(a, 0x20) } {
                let x := mload(a)
                let y := mload(b)
                // No overflow: 2 x y + 2 r + 1 - x - y < 4 r + 1 < 2^256.
                result := mulmod(result, sub(add(base, shl(1, mulmod(x, y, f))), add(x, y)), f)
                b := add(b, 0x20)
            }
        }
    }

    /// @notice eq(bits(index), point) over `count` coordinates, the index's most significant bit first, times `factor`.
    /// @dev Requires index < 2^count.
    function eqIndex(uint256 index, uint256 point, uint256 count, uint256 factor)
        internal
        pure
        returns (uint256 result)
    {
        // Equivalent to: for k: factor *= bit_{count - 1 - k}(index) == 1 ? point_k : 1 - point_k
        assembly ("memory-safe") {
            let f := FR
            let complement := add(f, 1)
            result := factor
            for { let bit := count } bit { point := add(point, 0x20) } {
                bit := sub(bit, 1)
                let z := mload(point)
                if iszero(and(shr(bit, index), 1)) { z := sub(complement, z) }
                result := mulmod(result, z, f)
            }
        }
    }

    /// @notice Suffix products of eq: the word l of the result is eq over the last l coordinates, 0 <= l <= count.
    /// @param aEnd Memory address behind a's last coordinate.
    /// @param bEnd Memory address behind b's last coordinate.
    /// @return products Memory address of count + 1 words.
    function eqSuffixes(uint256 aEnd, uint256 bEnd, uint256 count) internal pure returns (uint256 products) {
        // Equivalent to: products[0] = 1; products[l] = products[l - 1] * eq(a_{-l}, b_{-l})
        assembly ("memory-safe") {
            let f := FR
            let base := TWO_FR_PLUS_ONE
            products := mload(0x40)
            let at := products
            let product := 1
            for { let last := sub(aEnd, shl(5, count)) } lt(last, aEnd) {} {
                mstore(at, product)
                at := add(at, 0x20)
                aEnd := sub(aEnd, 0x20)
                bEnd := sub(bEnd, 0x20)
                let x := mload(aEnd)
                let y := mload(bEnd)
                // No overflow: as in eq.
                product := mulmod(product, sub(add(base, shl(1, mulmod(x, y, f))), add(x, y)), f)
            }
            mstore(at, product)
            mstore(0x40, add(at, 0x20))
        }
    }

    /// @notice The products factor * eq(bits(i), point) for all 2^count indices i.
    /// @return table Memory address of 2^count words, valid until memory is allocated.
    function eqTable(uint256 point, uint256 count, uint256 factor) internal pure returns (uint256 table) {
        // Equivalent to: table = [factor]; for z in point: table = [t (1 - z), t z for t in table]
        assembly ("memory-safe") {
            let f := FR
            table := mload(0x40)
            mstore(table, factor)
            let size := 0x20
            for { let last := add(point, shl(5, count)) } lt(point, last) { point := add(point, 0x20) } {
                let z := mload(point)
                // From the end, as two words take the place of one.
                for { let i := size } i {} {
                    i := sub(i, 0x20)
                    let t := mload(add(table, i))
                    let upper := mulmod(t, z, f)
                    let at := add(table, shl(1, i))
                    mstore(at, addmod(t, sub(f, upper), f))
                    mstore(add(at, 0x20), upper)
                }
                size := shl(1, size)
            }
        }
    }

    /// @notice The products of eq(bits(i), point) for all indices i of up to four coordinates: word 2^k + i, i < 2^k, is the
    /// one over the first k.
    /// @param heap Memory address of 32 words, of which the first stays as it is.
    function eqHeap(uint256 point, uint256 heap) internal pure {
        // Equivalent to t[1] = 1; for each k < 4 and i in [2^k, 2^(k + 1)): t[2 i] = t[i] (1 - z_k); t[2 i + 1] = t[i] z_k
        assembly ("memory-safe") {
            let f := FR
            mstore(add(heap, 0x20), 1)
            let z := mload(point)
            mstore(add(heap, 0x40), addmod(1, sub(f, z), f))
            mstore(add(heap, 0x60), z)
            let t
            let upper
            z := mload(add(point, 0x20))
            t := mload(add(heap, 0x40))
            upper := mulmod(t, z, f)
            mstore(add(heap, 0x80), addmod(t, sub(f, upper), f))
            mstore(add(heap, 0xa0), upper)
            t := mload(add(heap, 0x60))
            upper := mulmod(t, z, f)
            mstore(add(heap, 0xc0), addmod(t, sub(f, upper), f))
            mstore(add(heap, 0xe0), upper)
            z := mload(add(point, 0x40))
            t := mload(add(heap, 0x80))
            upper := mulmod(t, z, f)
            mstore(add(heap, 0x100), addmod(t, sub(f, upper), f))
            mstore(add(heap, 0x120), upper)
            t := mload(add(heap, 0xa0))
            upper := mulmod(t, z, f)
            mstore(add(heap, 0x140), addmod(t, sub(f, upper), f))
            mstore(add(heap, 0x160), upper)
            t := mload(add(heap, 0xc0))
            upper := mulmod(t, z, f)
            mstore(add(heap, 0x180), addmod(t, sub(f, upper), f))
            mstore(add(heap, 0x1a0), upper)
            t := mload(add(heap, 0xe0))
            upper := mulmod(t, z, f)
            mstore(add(heap, 0x1c0), addmod(t, sub(f, upper), f))
            mstore(add(heap, 0x1e0), upper)
            z := mload(add(point, 0x60))
            t := mload(add(heap, 0x100))
            upper := mulmod(t, z, f)
            mstore(add(heap, 0x200), addmod(t, sub(f, upper), f))
            mstore(add(heap, 0x220), upper)
            t := mload(add(heap, 0x120))
            upper := mulmod(t, z, f)
            mstore(add(heap, 0x240), addmod(t, sub(f, upper), f))
            mstore(add(heap, 0x260), upper)
            t := mload(add(heap, 0x140))
            upper := mulmod(t, z, f)
            mstore(add(heap, 0x280), addmod(t, sub(f, upper), f))
            mstore(add(heap, 0x2a0), upper)
            t := mload(add(heap, 0x160))
            upper := mulmod(t, z, f)
            mstore(add(heap, 0x2c0), addmod(t, sub(f, upper), f))
            mstore(add(heap, 0x2e0), upper)
            t := mload(add(heap, 0x180))
            upper := mulmod(t, z, f)
            mstore(add(heap, 0x300), addmod(t, sub(f, upper), f))
            mstore(add(heap, 0x320), upper)
            t := mload(add(heap, 0x1a0))
            upper := mulmod(t, z, f)
            mstore(add(heap, 0x340), addmod(t, sub(f, upper), f))
            mstore(add(heap, 0x360), upper)
            t := mload(add(heap, 0x1c0))
            upper := mulmod(t, z, f)
            mstore(add(heap, 0x380), addmod(t, sub(f, upper), f))
            mstore(add(heap, 0x3a0), upper)
            t := mload(add(heap, 0x1e0))
            upper := mulmod(t, z, f)
            mstore(add(heap, 0x3c0), addmod(t, sub(f, upper), f))
            mstore(add(heap, 0x3e0), upper)
        }
    }

    /// @notice id(z) = sum of z_k 2^(count - 1 - k): the extension of the index itself.
    function identity(uint256 point, uint256 count) internal pure returns (uint256 result) {
        // Equivalent to: for k: result = 2 result + point_k
        assembly ("memory-safe") {
            let f := FR
            for { let last := add(point, shl(5, count)) } lt(point, last) { point := add(point, 0x20) } {
                result := addmod(shl(1, result), mload(point), f)
            }
        }
    }

    /// @notice lt(n; z): the extension of [index < n] over `count` coordinates.
    /// @dev Requires n <= 2^count. With n's bits n_k: the sum over k with n_k = 1 of
    /// (product over j < k of eq(n_j, z_j)) (1 - z_k).
    function lessThan(uint256 n, uint256 point, uint256 count) internal pure returns (uint256 result) {
        if (n >> count != 0) return 1;
        // Equivalent to: for k: if n_k: result += prefix (1 - z_k), prefix *= z_k; else prefix *= 1 - z_k
        assembly ("memory-safe") {
            let f := FR
            let complement := add(f, 1)
            let prefix := 1
            for { let bit := count } bit { point := add(point, 0x20) } {
                bit := sub(bit, 1)
                let z := mload(point)
                let rest := mulmod(prefix, sub(complement, z), f)
                switch and(shr(bit, n), 1)
                case 0 { prefix := rest }
                default {
                    result := addmod(result, rest, f)
                    prefix := mulmod(prefix, z, f)
                }
            }
        }
    }

    /// @notice The extension of [j <= i < n] at (j, i), `count` coordinates each.
    /// @dev Requires n <= 2^count. An automaton over the bits, most significant first; its states say how the bits so far
    /// compare: equal = [j = i, i = n], below = [j = i, i < n], behind = [j < i, i = n], done = [j < i, i < n].
    function causal(uint256 n, uint256 j, uint256 i, uint256 count) internal pure returns (uint256) {
        (uint256 equal, uint256 below, uint256 behind, uint256 done) = (1, 0, 0, 0);
        if (n >> count != 0) (equal, below) = (0, 1);
        for (uint256 bit = count; bit != 0; --bit) {
            uint256 x;
            uint256 y;
            assembly ("memory-safe") {
                x := mload(j)
                y := mload(i)
                j := add(j, 0x20)
                i := add(i, 0x20)
            }
            uint256 both = mulmod(x, y, FR);
            uint256 less = addmod(y, FR - both, FR); //                            j's bit is 0, i's is 1
            uint256 neither = addmod(1 + FR - x, FR - less, FR);
            done = addmod(done, mulmod(below, less, FR), FR);
            below = mulmod(below, both + neither, FR);
            if ((n >> (bit - 1)) & 1 == 1) {
                // i's bit 1 keeps i = n, its bit 0 makes i < n.
                below = addmod(below, mulmod(equal, neither, FR), FR);
                done = addmod(done, mulmod(behind, 1 + FR - y, FR), FR);
                behind = addmod(mulmod(behind, y, FR), mulmod(equal, less, FR), FR);
                equal = mulmod(equal, both, FR);
            } else {
                behind = mulmod(behind, 1 + FR - y, FR);
                equal = mulmod(equal, neither, FR);
            }
        }
        return addmod(below, done, FR);
    }

    /// @notice ceil(log2(n)) for 0 < n <= 2^64.
    function ceilLog2(uint256 n) internal pure returns (uint256 log) {
        // Equivalent to: the number of bits of n - 1, of which each step finds whether the upper half holds any
        assembly ("memory-safe") {
            n := sub(n, 1)
            log := shl(5, gt(n, 0xffffffff))
            n := shr(log, n)
            let half := shl(4, gt(n, 0xffff))
            n := shr(half, n)
            log := add(log, half)
            half := shl(3, gt(n, 0xff))
            n := shr(half, n)
            log := add(log, half)
            half := shl(2, gt(n, 0xf))
            n := shr(half, n)
            log := add(log, half)
            // Of four bits.
            log := add(log, add(add(gt(n, 0), gt(n, 1)), add(gt(n, 3), gt(n, 7))))
        }
    }
}
