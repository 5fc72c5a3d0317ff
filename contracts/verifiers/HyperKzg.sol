// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IProofVerifier} from "../interfaces/IProofVerifier.sol";
import {FQ, FR, Field, HALF} from "./Field.sol";
import {TERM_SIZE} from "./Session.sol";
import {Transcript, TranscriptLib} from "./Transcript.sol";

/// @notice What is to be opened: F = sum of scalar_i C_i over `count` terms, with F(point) = value.
struct Opening {
    uint256 terms; //       memory address of the (x, y, scalar); room for `variables` more behind them
    uint256 count;
    uint256 point; //       memory address of the point
    uint256 variables; //   l: its number of coordinates, at least 1
    uint256 value;
}

/// @title HyperKZG: opening of a multilinear polynomial (proofs-spec.md 2.10)
/// @notice P_0 = F and P_(i+1)[j] = (1 - x_(l-1-i)) P_i[2j] + x_(l-1-i) P_i[2j+1], committed as K_(i+1). The folds are
/// checked at u, -u and u^2; B = sum of q^i P_i is opened at the three points by W_0, W_1, W_2 in one pairing call.
library HyperKzg {
    using TranscriptLib for Transcript;

    uint256 private constant TAG_FOLDS = 20;
    uint256 private constant TAG_EVALUATIONS = 21;
    uint256 private constant TAG_QUOTIENTS = 22;

    uint256 private constant ECADD = 0x06;
    uint256 private constant ECMUL = 0x07;
    uint256 private constant PAIRING = 0x08;

    /// @dev [1]_2 in the order of EIP-197: x_c1, x_c0, y_c1, y_c0.
    uint256 private constant G2_X1 = 11559732032986387107991004021392285783925812861821192530917403151452391805634;
    uint256 private constant G2_X0 = 10857046999023057135944570762232829481370756359578518086990519993285655852781;
    uint256 private constant G2_Y1 = 4082367875863433681332203403145435568316851327593401208105741076214120093531;
    uint256 private constant G2_Y0 = 8495653923123431417604973247489272438418190587263600148770280649306958101930;

    /// @dev The sums of q^i P_i(z) for the three points z.
    struct Evaluations {
        uint256 atU; //         B_0, z = u
        uint256 atMinusU; //    B_1, z = -u
        uint256 atSquare; //    B_2, z = u^2
    }

    /// @notice Reads the opening from the proof and checks it.
    /// @param tau [tau]_2 in the order of EIP-197.
    function verify(Transcript memory t, Opening memory o, uint256[4] memory tau) internal view {
        uint256 folds = o.terms + o.count * TERM_SIZE;
        t.points(TAG_FOLDS, o.variables - 1, folds, TERM_SIZE);
        uint256 u = t.challenge();
        // INVARIANT: u and -u are two points.
        if (u == 0) revert IProofVerifier.ZeroChallenge();

        uint256 words = t.scalars(TAG_EVALUATIONS, 2 * o.variables + 1);
        uint256 q = t.challenge();
        Evaluations memory evaluations = fold(o, words, u, q);

        uint256 quotients;
        assembly ("memory-safe") {
            quotients := mload(0x40)
            mstore(0x40, add(quotients, mul(TERM_SIZE, 3)))
        }
        t.points(TAG_QUOTIENTS, 3, quotients, TERM_SIZE);
        uint256 d = t.challenge();
        setScalars(o, evaluations, q, d);
        check(o, quotients, u, d, tau);
    }

    /// @dev Follows the folds e_(i+1) = (1 - x)(a_i + b_i)/2 + x (a_i - b_i)/(2u) with x = x_(l-1-i) from e_0 to e_l,
    /// which must be the claimed value.
    /// @param words Memory address of e_0, a_0 .. a_(l-1), b_0 .. b_(l-1).
    function fold(Opening memory o, uint256 words, uint256 u, uint256 q)
        private
        view
        returns (Evaluations memory sums)
    {
        uint256 inverse = Field.inverse(addmod(u, u, FR));
        (uint256 first, uint256 coordinate, uint256 size) = (o.point, o.point, o.variables << 5);
        uint256 e;
        assembly ("memory-safe") {
            let f := FR
            coordinate := add(first, size)
            e := mload(words)
            let power := 1
            let at := add(words, 0x20)
            for {} gt(coordinate, first) { at := add(at, 0x20) } {
                let a := mload(at)
                let b := mload(add(at, size))
                mstore(sums, addmod(mload(sums), mulmod(power, a, f), f))
                mstore(add(sums, 0x20), addmod(mload(add(sums, 0x20)), mulmod(power, b, f), f))
                mstore(add(sums, 0x40), addmod(mload(add(sums, 0x40)), mulmod(power, e, f), f))
                power := mulmod(power, q, f)
                coordinate := sub(coordinate, 0x20)
                let x := mload(coordinate)
                let even := mulmod(add(a, b), HALF, f)
                let odd := mulmod(add(a, sub(f, b)), inverse, f)
                // Equivalent to e = (1 - x) even + x odd
                e := addmod(even, mulmod(x, add(odd, sub(f, even)), f), f)
            }
        }
        // INVARIANT: the last fold is the value of the polynomial at the point.
        if (e != o.value) revert IProofVerifier.OpeningMismatch(e, o.value);
    }

    /// @dev Scales the commitments' scalars by 1 + d + d^2, gives K_i the scalar q^i (1 + d + d^2), and appends
    /// -(B_0 + d B_1 + d^2 B_2) times the generator.
    function setScalars(Opening memory o, Evaluations memory b, uint256 q, uint256 d) private pure {
        uint256 square = mulmod(d, d, FR);
        uint256 scale = addmod(1 + d, square, FR);
        uint256 total = addmod(b.atU, mulmod(d, b.atMinusU, FR), FR);
        total = addmod(total, mulmod(square, b.atSquare, FR), FR);
        (uint256 at, uint256 count, uint256 folds) = (o.terms, o.count, o.variables - 1);
        assembly ("memory-safe") {
            let f := FR
            let end := add(at, mul(count, TERM_SIZE))
            for {} lt(at, end) { at := add(at, TERM_SIZE) } {
                let scalar := add(at, 0x40)
                mstore(scalar, mulmod(mload(scalar), scale, f))
            }
            end := add(at, mul(folds, TERM_SIZE))
            for {} lt(at, end) { at := add(at, TERM_SIZE) } {
                scale := mulmod(scale, q, f)
                mstore(add(at, 0x40), scale)
            }
            mstore(at, 1)
            mstore(add(at, 0x20), 2)
            mstore(add(at, 0x40), sub(f, total))
        }
    }

    /// @dev e(L, [1]_2) e(-R, [tau]_2) = 1 with R = W_0 + d W_1 + d^2 W_2 and
    /// L = sum of the terms + u (W_0 - d W_1 + u d^2 W_2): two multiplications by u serve three quotients.
    /// @param w Memory address of the three quotients, TERM_SIZE apart.
    function check(Opening memory o, uint256 w, uint256 u, uint256 d, uint256[4] memory tau) private view {
        // | at       | content                                             |
        // |----------|-----------------------------------------------------|
        // | m        | L          (the pairing's input begins here)        |
        // | m + 0x40 | summand of L, later [1]_2                           |
        // | m + 0xc0 | R, later -R                                         |
        // | m + 0x100| summand of R, later [tau]_2                         |
        // | m + 0x180| W_0 - d W_1 + u d^2 W_2                             |
        // | m + 0x1c0| its summand; ecMul's scalar                         |
        uint256 m;
        assembly ("memory-safe") {
            m := mload(0x40)
            mcopy(add(m, 0xc0), w, 0x40)
            mcopy(add(m, 0x180), w, 0x40)
            mstore(add(w, 0xa0), d)
            mstore(add(w, 0x100), mulmod(d, d, FR))
        }
        sumTerms(o.terms, o.count + o.variables, m);

        ecMul(w + 0x60, m + 0x100);
        ecAdd(m + 0xc0);
        negate(m + 0x100, m + 0x1c0);
        ecAdd(m + 0x180);

        ecMul(w + 0xc0, m + 0x100);
        ecAdd(m + 0xc0);
        // Equivalent to term = (d^2 W_2, u)
        assembly ("memory-safe") {
            mcopy(w, add(m, 0x100), 0x40)
            mstore(add(w, 0x40), u)
        }
        ecMul(w, m + 0x1c0);
        ecAdd(m + 0x180);

        assembly ("memory-safe") {
            mstore(add(m, 0x1c0), u)
        }
        ecMul(m + 0x180, m + 0x40);
        ecAdd(m);
        negate(m + 0xc0, m + 0xc0);
        requirePairing(m, tau);
    }

    /// @dev Writes the sum of scalar_i (x_i, y_i) to `target`; uses the 64 bytes behind it.
    function sumTerms(uint256 terms, uint256 count, uint256 target) private view {
        ecMul(terms, target);
        bool success;
        // Equivalent to: for i >= 1: ecMul(terms[i], target + 0x40); ecAdd(target)
        assembly ("memory-safe") {
            success := 1
            let last := add(terms, mul(count, TERM_SIZE))
            for { terms := add(terms, TERM_SIZE) } lt(terms, last) { terms := add(terms, TERM_SIZE) } {
                let good := staticcall(gas(), ECMUL, terms, 0x60, add(target, 0x40), 0x40)
                good := and(good, eq(returndatasize(), 0x40))
                good := and(good, staticcall(gas(), ECADD, target, 0x80, target, 0x40))
                success := and(success, and(good, eq(returndatasize(), 0x40)))
            }
        }
        // INVARIANT: a precompile that fails, out of gas included, ends the verification.
        if (!success) revert IProofVerifier.PrecompileFailed(ECMUL);
    }

    /// @dev (x, y, scalar) at `term` => scalar (x, y) at `target`. The precompile refuses points off the curve.
    function ecMul(uint256 term, uint256 target) private view {
        bool success;
        assembly ("memory-safe") {
            success := staticcall(gas(), ECMUL, term, 0x60, target, 0x40)
            success := and(success, eq(returndatasize(), 0x40))
        }
        // INVARIANT: a precompile that fails, out of gas included, ends the verification.
        if (!success) revert IProofVerifier.PrecompileFailed(ECMUL);
    }

    /// @dev The point at `target` becomes its sum with the one behind it.
    function ecAdd(uint256 target) private view {
        bool success;
        assembly ("memory-safe") {
            success := staticcall(gas(), ECADD, target, 0x80, target, 0x40)
            success := and(success, eq(returndatasize(), 0x40))
        }
        // INVARIANT: a precompile that fails, out of gas included, ends the verification.
        if (!success) revert IProofVerifier.PrecompileFailed(ECADD);
    }

    /// @dev (x, y) => (x, -y); infinity stays (0, 0).
    function negate(uint256 source, uint256 target) private pure {
        assembly ("memory-safe") {
            mstore(target, mload(source))
            mstore(add(target, 0x20), mod(sub(FQ, mload(add(source, 0x20))), FQ))
        }
    }

    /// @dev Completes the pairing's input at `m`, L | [1]_2 | -R | [tau]_2, and requires that the product is 1.
    function requirePairing(uint256 m, uint256[4] memory tau) private view {
        bool success;
        uint256 result;
        assembly ("memory-safe") {
            mstore(add(m, 0x40), G2_X1)
            mstore(add(m, 0x60), G2_X0)
            mstore(add(m, 0x80), G2_Y1)
            mstore(add(m, 0xa0), G2_Y0)
            mcopy(add(m, 0x100), tau, 0x80)
            success := staticcall(gas(), PAIRING, m, 0x180, m, 0x20)
            success := and(success, eq(returndatasize(), 0x20))
            result := mload(m)
        }
        // INVARIANT: a precompile that fails, out of gas included, ends the verification.
        if (!success) revert IProofVerifier.PrecompileFailed(PAIRING);
        // INVARIANT: the quotients divide.
        if (result != 1) revert IProofVerifier.PairingFailed();
    }

    /// @notice Whether the four words are a point of G2's subgroup of order r, infinity excluded.
    function isTau(uint256[4] memory tau) internal view returns (bool valid) {
        // Equivalent to PAIRING(infinity, tau) == 1: the precompile checks curve and subgroup.
        assembly ("memory-safe") {
            let m := mload(0x40)
            mstore(m, 0)
            mstore(add(m, 0x20), 0)
            mcopy(add(m, 0x40), tau, 0x80)
            valid := staticcall(gas(), PAIRING, m, 0xc0, m, 0x20)
            valid := and(valid, and(eq(returndatasize(), 0x20), eq(mload(m), 1)))
            valid := and(valid, iszero(iszero(or(mload(tau), mload(add(tau, 0x20))))))
        }
    }
}
