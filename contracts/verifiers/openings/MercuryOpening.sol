// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IProofVerifier} from "../../interfaces/IProofVerifier.sol";
import {FR, Field, HALF} from "../Field.sol";
import {Transcript, TranscriptLib} from "../Transcript.sol";
import {Curve} from "./Curve.sol";
import {OpeningBase} from "./OpeningBase.sol";

/// @title Mercury (OPENINGS.md 3): 8 points and 6 scalars for any number of variables
/// @notice f is a matrix of B = 2^ceil(c/2) columns. h are its rows' values at the column's coordinates, g = f mod X^B -
/// alpha with quotient q, s holds the inner products' other terms, d(X) = X^(B-1) g(1/X) bounds g's degree. f's
/// division is opened at zeta by t; h, g, s, d are opened together at zeta, 1/zeta and alpha by w and w'.
contract MercuryOpening is OpeningBase {
    using TranscriptLib for Transcript;

    uint256 private constant TAG_ROWS = 30;
    uint256 private constant TAG_DIVISION = 31;
    uint256 private constant TAG_CHECKS = 32;
    uint256 private constant TAG_VALUES = 33;
    uint256 private constant TAG_QUOTIENTS = 34;
    uint256 private constant TAG_LAST = 35;

    /// @dev Offsets of the terms (x, y, scalar) whose sum, besides the opened commitment, is L.
    uint256 private constant H = 0x000;
    uint256 private constant Q = 0x060;
    uint256 private constant G = 0x0c0;
    uint256 private constant S = 0x120;
    uint256 private constant D = 0x180;
    uint256 private constant T = 0x1e0;
    uint256 private constant W = 0x240;
    uint256 private constant LAST = 0x2a0;
    uint256 private constant ONE = 0x300;
    uint256 private constant TERMS_SIZE = 0x360;
    uint256 private constant TERM_COUNT = 9;

    /// @dev What the transcript answers, and the quotients of it that need an inversion.
    struct Challenges {
        uint256 alpha;
        uint256 gamma;
        uint256 zeta;
        uint256 power; //   zeta^B
        uint256 inverse; // 1/zeta
        uint256 slope; //   1/(zeta - 1/zeta)
        uint256 scale; //   1/((alpha - zeta)(alpha - 1/zeta))
        uint256 beta;
        uint256 z;
        uint256 mix;
    }

    /// @dev What the polynomials are multiplied by in the equation at z: Z(z)/Z_p(z) times 1 for h, beta for g, beta^2
    /// for s and beta^3 for d, and -Z(z) for w. Z_p vanishes where p is opened, Z at all three points.
    struct Factors {
        uint256 g;
        uint256 s;
        uint256 d;
        uint256 w;
        uint256 pair; // (z - zeta)(z - 1/zeta)
    }

    /// @dev Each polynomial at zeta and at 1/zeta, as the proof has them.
    struct Values {
        uint256 g;
        uint256 gInverse;
        uint256 h;
        uint256 hInverse;
        uint256 s;
        uint256 sInverse;
    }

    constructor(uint256[4] memory tau) OpeningBase(tau) {}

    /// @inheritdoc OpeningBase
    function check(Transcript memory t, bytes calldata terms, uint256[] calldata point, uint256 value)
        internal
        view
        override
        returns (uint256 equation)
    {
        uint256 own = allocate(TERMS_SIZE);
        Challenges memory c;
        Values memory v;
        t.points(TAG_ROWS, 1, own + H, Curve.TERM_SIZE);
        c.alpha = t.challenge();
        t.points(TAG_DIVISION, 2, own + Q, Curve.TERM_SIZE);
        c.gamma = t.challenge();
        t.points(TAG_CHECKS, 2, own + S, Curve.TERM_SIZE);
        c.zeta = t.challenge();
        invert(c);
        uint256 words = t.scalars(TAG_VALUES, 6);
        assembly ("memory-safe") {
            mcopy(v, words, 0xc0)
        }
        c.beta = t.challenge();
        t.points(TAG_QUOTIENTS, 2, own + T, Curve.TERM_SIZE);
        c.z = t.challenge();
        t.points(TAG_LAST, 1, own + LAST, Curve.TERM_SIZE);
        c.mix = t.challenge();

        uint256 hAlpha = rowValue(c, v, point, value);
        setScalars(own, c, v, hAlpha);
        equation = allocate(0x180);
        addQuotients(equation, own, c);
        // h has the factor 1.
        assembly ("memory-safe") {
            mcopy(equation, own, 0x40)
        }
        Curve.addTerms(equation, own + Q, TERM_COUNT - 1);
        Curve.addScaled(equation, terms, c.mix);
    }

    /// @dev Sets the three inverses by one inversion.
    function invert(Challenges memory c) internal view {
        uint256 zeta = c.zeta;
        // zeta - 1/zeta and (alpha - zeta)(alpha - 1/zeta), each times zeta
        uint256 difference = addmod(mulmod(zeta, zeta, FR), FR - 1, FR);
        uint256 vanishing = addmod(mulmod(c.alpha, zeta, FR), FR - 1, FR);
        vanishing = mulmod(addmod(c.alpha, FR - zeta, FR), vanishing, FR);
        uint256 product = mulmod(zeta, mulmod(difference, vanishing, FR), FR);
        if (product == 0) {
            // INVARIANT: zeta, 1/zeta and alpha are three points.
            if (zeta == 0) revert IProofVerifier.ZeroChallenge();
            revert ForbiddenChallenge(zeta);
        }
        uint256 inverse = Field.inverse(product);
        c.inverse = mulmod(inverse, mulmod(difference, vanishing, FR), FR);
        inverse = mulmod(inverse, mulmod(zeta, zeta, FR), FR);
        c.slope = mulmod(inverse, vanishing, FR);
        c.scale = mulmod(inverse, difference, FR);
    }

    /// @dev Sets every scalar but those of h, which is 1, and t, which addQuotients scales.
    function setScalars(uint256 own, Challenges memory c, Values memory v, uint256 hAlpha) private pure {
        Factors memory f = factors(c);
        setScalar(own + Q, mulmod(c.mix, addmod(c.alpha, FR - c.power, FR), FR));
        setScalar(own + G, f.g);
        setScalar(own + S, f.s);
        setScalar(own + D, f.d);
        setScalar(own + W, f.w);
        setScalar(own + LAST, c.z);
        uint256 constants = addmod(mulmod(c.mix, v.g, FR), starred(c, v, f, hAlpha), FR);
        setScalar(own + ONE, FR - constants);
        // The generator is (1, 2).
        assembly ("memory-safe") {
            mstore(add(own, ONE), 1)
            mstore(add(own, add(ONE, 0x20)), 2)
        }
    }

    function factors(Challenges memory c) private pure returns (Factors memory f) {
        uint256 pastAlpha = addmod(c.z, FR - c.alpha, FR);
        uint256 pastInverse = addmod(c.z, FR - c.inverse, FR);
        f.pair = mulmod(addmod(c.z, FR - c.zeta, FR), pastInverse, FR);
        f.g = mulmod(c.beta, pastAlpha, FR);
        f.s = mulmod(c.beta, f.g, FR);
        f.d = mulmod(mulmod(c.beta, f.s, FR), pastInverse, FR);
        f.w = mulmod(FR - pastAlpha, f.pair, FR);
    }

    /// @dev The sum of factor p*(z) over h, g, s, d, p* being of the least degree with p's values.
    function starred(Challenges memory c, Values memory v, Factors memory f, uint256 hAlpha)
        private
        pure
        returns (uint256 sum)
    {
        // h*: a line, and the multiple of (X - zeta)(X - 1/zeta) that corrects it at alpha
        uint256 missing = addmod(hAlpha, FR - line(c, v.h, v.hInverse, c.alpha), FR);
        sum = addmod(line(c, v.h, v.hInverse, c.z), mulmod(mulmod(missing, c.scale, FR), f.pair, FR), FR);
        // g* and s*, whose factors differ by beta
        uint256 atZeta = v.g + mulmod(c.beta, v.s, FR);
        uint256 atInverse = v.gInverse + mulmod(c.beta, v.sInverse, FR);
        sum = addmod(sum, mulmod(f.g, line(c, atZeta, atInverse, c.z), FR), FR);
        // INVARIANT: deg g < B, for d(zeta) = zeta^(B-1) g(1/zeta).
        uint256 dZeta = mulmod(mulmod(c.power, c.inverse, FR), v.gInverse, FR);
        sum = addmod(sum, mulmod(f.d, dZeta, FR), FR);
    }

    /// @dev h(alpha) as the two inner products have it:
    /// 2 h(alpha) = g(zeta) p_column(1/zeta) + g(1/zeta) p_column(zeta)
    ///     + gamma (h(zeta) p_row(1/zeta) + h(1/zeta) p_row(zeta) - 2 value) - zeta s(zeta) - s(1/zeta) / zeta.
    /// Sets zeta^B on the way.
    function rowValue(Challenges memory c, Values memory v, uint256[] calldata point, uint256 value)
        private
        pure
        returns (uint256 hAlpha)
    {
        uint256 rows = point.length / 2;
        uint256 sum;
        (hAlpha, c.power) = pairWeights(c, point[rows:], v.g, v.gInverse);
        (sum,) = pairWeights(c, point[:rows], v.h, v.hInverse);
        sum = addmod(sum, mulmod(FR - 2, value, FR), FR);
        hAlpha = addmod(hAlpha, mulmod(c.gamma, sum, FR), FR);
        sum = addmod(mulmod(c.zeta, v.s, FR), mulmod(c.inverse, v.sInverse, FR), FR);
        hAlpha = mulmod(addmod(hAlpha, FR - sum, FR), HALF, FR);
    }

    /// @dev a p(1/zeta) + b p(zeta) with p(X) = sum eq(u, i) X^i = prod (1 + u_k (X^(2^k) - 1)), the last coordinate's
    /// k being 0.
    /// @return sum The sum.
    /// @return power zeta^(2^n) for n coordinates.
    function pairWeights(Challenges memory c, uint256[] calldata u, uint256 a, uint256 b)
        private
        pure
        returns (uint256 sum, uint256 power)
    {
        (power, sum) = (c.zeta, c.inverse);
        assembly ("memory-safe") {
            let f := FR
            let minusOne := sub(f, 1)
            let first := u.offset
            for { let at := add(first, shl(5, u.length)) } gt(at, first) {} {
                at := sub(at, 0x20)
                let x := calldataload(at)
                b := mulmod(b, add(1, mulmod(x, add(power, minusOne), f)), f)
                a := mulmod(a, add(1, mulmod(x, add(sum, minusOne), f)), f)
                power := mulmod(power, power, f)
                sum := mulmod(sum, sum, f)
            }
            sum := addmod(a, b, f)
        }
    }

    /// @dev At `at` the line through (zeta, a) and (1/zeta, b); a and b may be sums of two scalars.
    function line(Challenges memory c, uint256 a, uint256 b, uint256 at) private pure returns (uint256) {
        // SAFETY: a + 2r - b is positive and below 4r < 2^256.
        uint256 rise;
        unchecked {
            rise = mulmod(a + 2 * FR - b, c.slope, FR);
        }
        return addmod(b, mulmod(rise, addmod(at, FR - c.inverse, FR), FR), FR);
    }

    function setScalar(uint256 term, uint256 scalar) private pure {
        assembly ("memory-safe") {
            mstore(add(term, 0x40), scalar)
        }
    }

    /// @dev R = mix t + w', at `m + 0xc0`; the term of t becomes (mix t, zeta).
    function addQuotients(uint256 m, uint256 own, Challenges memory c) private view {
        setScalar(own + T, c.mix);
        Curve.ecMul(own + T, m + 0xc0);
        setScalar(own + T, c.zeta);
        assembly ("memory-safe") {
            mcopy(add(own, T), add(m, 0xc0), 0x40)
            mcopy(add(m, 0x100), add(own, LAST), 0x40)
        }
        Curve.ecAdd(m + 0xc0);
    }
}
