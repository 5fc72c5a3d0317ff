// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IProofVerifier} from "../../interfaces/IProofVerifier.sol";
import {FR, Field, HALF} from "../Field.sol";
import {Transcript, TranscriptLib} from "../Transcript.sol";
import {Curve} from "./Curve.sol";
import {OpeningBase} from "./OpeningBase.sol";

/// @title HyperKZG (OPENINGS.md 2)
/// @notice P_0 = F and P_(i+1)[j] = (1 - x_(l-1-i)) P_i[2j] + x_(l-1-i) P_i[2j+1], committed as K_(i+1). The folds are
/// checked at u, -u and u^2; B = sum of q^i P_i is opened at the three points by W_0, W_1, W_2 in one pairing call.
contract HyperKzgOpening is OpeningBase {
    using TranscriptLib for Transcript;

    uint256 private constant TAG_FOLDS = 20;
    uint256 private constant TAG_EVALUATIONS = 21;
    uint256 private constant TAG_QUOTIENTS = 22;

    struct Challenges {
        uint256 u;
        uint256 q;
        uint256 half; // 1/(2u)
        uint256 d;
    }

    /// @dev The sums of q^i P_i(z) for the three points z.
    struct Evaluations {
        uint256 atU; //         B_0, z = u
        uint256 atMinusU; //    B_1, z = -u
        uint256 atSquare; //    B_2, z = u^2
        uint256 last; //        e_l
    }

    constructor(uint256[4] memory tau) OpeningBase(tau) {}

    /// @inheritdoc OpeningBase
    function check(Transcript memory t, bytes calldata terms, uint256[] calldata point, uint256 value)
        internal
        view
        override
        returns (uint256 equation)
    {
        // K_1 .. K_(l-1), then the generator; then W_0, W_1, W_2
        uint256 folds = allocate(Curve.TERM_SIZE * (point.length + 3));
        uint256 quotients = folds + Curve.TERM_SIZE * point.length;
        Challenges memory c;
        t.points(TAG_FOLDS, point.length - 1, folds, Curve.TERM_SIZE);
        c.u = t.challenge();
        // INVARIANT: u and -u are two points.
        if (c.u == 0) revert IProofVerifier.ZeroChallenge();
        Evaluations memory evaluations = readFolds(t, c, point, value);
        t.points(TAG_QUOTIENTS, 3, quotients, Curve.TERM_SIZE);
        c.d = t.challenge();

        uint256 scale = setScalars(folds, point.length, evaluations, c);
        equation = allocate(0x180);
        addQuotients(equation, quotients, c);
        Curve.addTerms(equation, folds, point.length);
        Curve.addScaled(equation, terms, scale);
    }

    /// @dev Reads the folds' values e_0, a_0 .. a_(l-1), b_0 .. b_(l-1), draws q and follows the folds.
    function readFolds(Transcript memory t, Challenges memory c, uint256[] calldata point, uint256 value)
        private
        view
        returns (Evaluations memory sums)
    {
        uint256 words = t.scalars(TAG_EVALUATIONS, 2 * point.length + 1);
        (c.q, c.half) = (t.challenge(), Field.inverse(addmod(c.u, c.u, FR)));
        sums = fold(c, words, point);
        // INVARIANT: the last fold is the value of the polynomial at the point.
        if (sums.last != value) revert IProofVerifier.OpeningMismatch(sums.last, value);
    }

    /// @dev Follows the folds e_(i+1) = (1 - x)(a_i + b_i)/2 + x (a_i - b_i)/(2u) with x = x_(l-1-i) from e_0 to e_l.
    function fold(Challenges memory c, uint256 words, uint256[] calldata point)
        private
        pure
        returns (Evaluations memory sums)
    {
        assembly ("memory-safe") {
            let f := FR
            let size := shl(5, point.length)
            let e := mload(words)
            let power := 1
            let at := add(words, 0x20)
            for { let coordinate := add(point.offset, size) } gt(coordinate, point.offset) { at := add(at, 0x20) } {
                let a := mload(at)
                let b := mload(add(at, size))
                mstore(sums, addmod(mload(sums), mulmod(power, a, f), f))
                mstore(add(sums, 0x20), addmod(mload(add(sums, 0x20)), mulmod(power, b, f), f))
                mstore(add(sums, 0x40), addmod(mload(add(sums, 0x40)), mulmod(power, e, f), f))
                power := mulmod(power, mload(add(c, 0x20)), f)
                coordinate := sub(coordinate, 0x20)
                let even := mulmod(add(a, b), HALF, f)
                let odd := mulmod(add(a, sub(f, b)), mload(add(c, 0x40)), f)
                // Equivalent to e = (1 - x) even + x odd
                e := addmod(even, mulmod(calldataload(coordinate), add(odd, sub(f, even)), f), f)
            }
            mstore(add(sums, 0x60), e)
        }
    }

    /// @dev Gives K_i the scalar q^i (1 + d + d^2), and the generator behind them -(B_0 + d B_1 + d^2 B_2).
    /// @return scale 1 + d + d^2, the factor of the opened commitment.
    function setScalars(uint256 folds, uint256 variables, Evaluations memory b, Challenges memory c)
        private
        pure
        returns (uint256 scale)
    {
        (uint256 d, uint256 q) = (c.d, c.q);
        uint256 square = mulmod(d, d, FR);
        scale = addmod(1 + d, square, FR);
        uint256 total = addmod(b.atU, mulmod(d, b.atMinusU, FR), FR);
        total = addmod(total, mulmod(square, b.atSquare, FR), FR);
        assembly ("memory-safe") {
            let f := FR
            let size := 0x60
            let power := scale
            let at := folds
            for { let end := add(at, mul(sub(variables, 1), size)) } lt(at, end) { at := add(at, size) } {
                power := mulmod(power, q, f)
                mstore(add(at, 0x40), power)
            }
            mstore(at, 1)
            mstore(add(at, 0x20), 2)
            mstore(add(at, 0x40), sub(f, total))
        }
    }

    /// @dev Writes L's part u (W_0 - d W_1 + u d^2 W_2) to `m`, where two multiplications by u serve three quotients, and
    /// R = W_0 + d W_1 + d^2 W_2 to `m + 0xc0`.
    /// @param w Memory address of the three quotients, TERM_SIZE apart; their scalars' places are free.
    function addQuotients(uint256 m, uint256 w, Challenges memory c) private view {
        // | at        | content                                  |
        // |-----------|------------------------------------------|
        // | m         | W_0 - d W_1 + u d^2 W_2, last u times it |
        // | m + 0x40  | summand, last the scalar u               |
        // | m + 0xc0  | W_0 + d W_1 + d^2 W_2                    |
        // | m + 0x100 | summand, its scalar u                    |
        (uint256 u, uint256 d) = (c.u, c.d);
        assembly ("memory-safe") {
            mcopy(m, w, 0x40)
            mcopy(add(m, 0xc0), w, 0x40)
            mstore(add(w, 0xa0), d)
            mstore(add(w, 0x100), mulmod(d, d, FR))
            mstore(add(m, 0x140), u)
        }
        Curve.ecMul(w + 0x60, m + 0x100);
        Curve.negate(m + 0x100, m + 0x40);
        Curve.ecAdd(m);
        Curve.ecAdd(m + 0xc0);

        Curve.ecMul(w + 0xc0, m + 0x100);
        Curve.ecMul(m + 0x100, m + 0x40);
        Curve.ecAdd(m);
        Curve.ecAdd(m + 0xc0);
        assembly ("memory-safe") {
            mstore(add(m, 0x40), u)
        }
        Curve.ecMul(m, m);
    }
}
