//! Eight numbers modulo a 254-bit prime p, five limbs of 52 bits, limb by limb in vector registers.
//!
//! A product is a b / 2^260. Limbs of factors must lie in 0 … 2^52 − 1, the instructions ignore higher bits;
//! values may exceed p: the product of a < k p and b < l p is below (1 + k l / 83) p.

use std::arch::x86_64::{
    __m512i, __mmask8, _mm512_add_epi64, _mm512_and_si512, _mm512_cmpeq_epi64_mask,
    _mm512_cmpgt_epi64_mask, _mm512_madd52hi_epu64, _mm512_madd52lo_epu64, _mm512_mask_add_epi64,
    _mm512_mask_sub_epi64, _mm512_movepi64_mask, _mm512_or_si512, _mm512_set1_epi64,
    _mm512_setzero_si512, _mm512_shrdi_epi64, _mm512_slli_epi64, _mm512_srai_epi64,
    _mm512_srli_epi64, _mm512_sub_epi64,
};

/// Eight values, limb by limb.
pub type Lanes = [__m512i; 5];
/// Eight unreduced products: ten columns of 52 bits each, with carries not yet passed on.
pub type Wide = [__m512i; 10];
/// Eight values as four 64-bit words.
pub type Words = [__m512i; 4];

/// A limb's bits.
pub const MASK: u64 = (1 << 52) - 1;

/// A prime.
pub trait Modulus {
    /// Its limbs.
    const P: [u64; 5];
    /// −1/p modulo 2^52.
    const NEGATED_INVERSE: u64;
    /// Limbs of 2 p.
    const TWICE: [u64; 5] = multiple(Self::P, 2);
    /// Limbs of 16 p.
    const SIXTEEN: [u64; 5] = multiple(Self::P, 16);
}

/// The base field of the curve.
#[derive(Debug)]
pub struct Base;
/// The scalar field of the curve.
#[derive(Debug)]
pub struct Scalar;

impl Modulus for Base {
    const P: [u64; 5] = [
        0x8c16_d87c_fd47,
        0x9_1687_1ca8_d3c2,
        0x1_8158_5d97_816a,
        0xa_029b_8504_5b68,
        0x3064_4e72_e131,
    ];
    const NEGATED_INVERSE: u64 = 0x2_0782_e486_6389;
}

impl Modulus for Scalar {
    const P: [u64; 5] = [
        0x1_f593_f000_0001,
        0x4_879b_9709_143e,
        0x1_8158_5d28_33e8,
        0xa_029b_8504_5b68,
        0x3064_4e72_e131,
    ];
    const NEGATED_INVERSE: u64 = 0x1_f593_efff_ffff;
}

/// Returns the limbs of k p for small k.
pub const fn multiple(p: [u64; 5], k: u64) -> [u64; 5] {
    let mut out = [0; 5];
    let (mut carry, mut i) = (0, 0);
    while i < 5 {
        let value = p[i] * k + carry;
        out[i] = if i < 4 { value & MASK } else { value };
        carry = value >> 52;
        i += 1;
    }
    out
}

macro_rules! lane_fn {
    ($(#[$doc:meta])* $vis:vis fn $($rest:tt)*) => {
        $(#[$doc])*
        #[inline]
        #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma,avx512vbmi,avx512vbmi2,avx512vnni")]
        $vis fn $($rest)*
    };
}
pub(crate) use lane_fn;

lane_fn! {
    /// Returns `value` in every lane.
    pub fn splat(value: u64) -> __m512i {
        _mm512_set1_epi64(value.cast_signed())
    }
}

lane_fn! {
    /// Returns the same five limbs in every lane.
    pub fn splat_limbs(limbs: [u64; 5]) -> Lanes {
        limbs.map(|limb| splat(limb))
    }
}

lane_fn! {
    /// Passes carries on, so that all limbs but the highest lie in 0 … 2^52 − 1; limbs may be negative.
    pub fn normalize(mut t: Lanes) -> Lanes {
        let mask = splat(MASK);
        for i in 0..4 {
            t[i + 1] = _mm512_add_epi64(t[i + 1], _mm512_srai_epi64::<52>(t[i]));
            t[i] = _mm512_and_si512(t[i], mask);
        }
        t
    }
}

lane_fn! {
    /// Returns a + b, limb by limb.
    pub fn add_limbs(a: Lanes, b: Lanes) -> Lanes {
        std::array::from_fn(|i| _mm512_add_epi64(a[i], b[i]))
    }
}

lane_fn! {
    /// Returns a − b, limb by limb.
    pub fn sub_limbs(a: Lanes, b: Lanes) -> Lanes {
        std::array::from_fn(|i| _mm512_sub_epi64(a[i], b[i]))
    }
}

lane_fn! {
    /// Returns a − b + `offset`, normalised; `offset` is a multiple of p that exceeds b.
    pub fn sub(a: Lanes, b: Lanes, offset: [u64; 5]) -> Lanes {
        normalize(add_limbs(sub_limbs(a, b), splat_limbs(offset)))
    }
}

lane_fn! {
    /// Adds `limbs` to the lanes in `mask`, limb by limb.
    pub fn add_masked(t: Lanes, mask: __mmask8, limbs: [u64; 5]) -> Lanes {
        std::array::from_fn(|i| _mm512_mask_add_epi64(t[i], mask, t[i], splat(limbs[i])))
    }
}

lane_fn! {
    /// Returns the lanes that are negative; t is normalised.
    pub fn negative(t: &Lanes) -> __mmask8 {
        _mm512_movepi64_mask(t[4])
    }
}

lane_fn! {
    /// Adds 2 p to the negative lanes of −2 p < t < 2 p, and normalises.
    pub fn lift<M: Modulus>(t: Lanes) -> Lanes {
        let t = normalize(t);
        let below = negative(&t);
        normalize(add_masked(t, below, M::TWICE))
    }
}

lane_fn! {
    /// Brings 0 <= t < 3 p below p.
    pub fn settle<M: Modulus>(t: Lanes) -> Lanes {
        let t = normalize(t);
        let (once, twice) = (splat(M::P[4]), splat(M::TWICE[4]));
        // The highest limbs tell all but the rarest values apart.
        let unclear = _mm512_cmpeq_epi64_mask(t[4], once) | _mm512_cmpeq_epi64_mask(t[4], twice);
        if unclear != 0 {
            return subtract_once::<M>(subtract_once::<M>(t));
        }
        let above = _mm512_cmpgt_epi64_mask(t[4], once);
        let far_above = _mm512_cmpgt_epi64_mask(t[4], twice);
        let p = splat_limbs(M::P);
        normalize(std::array::from_fn(|i| {
            let t = _mm512_mask_sub_epi64(t[i], above, t[i], p[i]);
            _mm512_mask_sub_epi64(t, far_above, t, p[i])
        }))
    }
}

lane_fn! {
    /// Subtracts p where t >= p; t is normalised.
    fn subtract_once<M: Modulus>(t: Lanes) -> Lanes {
        let reduced = normalize(sub_limbs(t, splat_limbs(M::P)));
        let below = negative(&reduced);
        normalize(add_masked(reduced, below, M::P))
    }
}

lane_fn! {
    /// Passes carries on, so that columns below the highest lie in 0 … 2^52 − 1.
    pub fn carry(t: &mut Wide) {
        let mask = splat(MASK);
        for i in 0..9 {
            t[i + 1] = _mm512_add_epi64(t[i + 1], _mm512_srli_epi64::<52>(t[i]));
            t[i] = _mm512_and_si512(t[i], mask);
        }
    }
}

lane_fn! {
    /// Adds the columns of a b.
    pub fn accumulate(t: &mut Wide, a: &Lanes, b: &Lanes) {
        for i in 0..5 {
            for j in 0..5 {
                t[i + j] = _mm512_madd52lo_epu64(t[i + j], a[i], b[j]);
                t[i + j + 1] = _mm512_madd52hi_epu64(t[i + j + 1], a[i], b[j]);
            }
        }
    }
}

lane_fn! {
    /// Returns columns that are all 0.
    pub fn wide_zero() -> Wide {
        [_mm512_setzero_si512(); 10]
    }
}

lane_fn! {
    /// Returns t / 2^260 modulo p, below p + t / 2^260; columns are below 2^63.
    pub fn reduce<M: Modulus>(mut t: Wide) -> Lanes {
        let mask = splat(MASK);
        let p = splat_limbs(M::P);
        let inverse = splat(M::NEGATED_INVERSE);
        for i in 0..5 {
            let m = _mm512_madd52lo_epu64(_mm512_setzero_si512(), t[i], inverse);
            // t_i + low(m p_0) is a multiple of 2^52, the next one above t_i: no product is needed for it.
            let carry = _mm512_srli_epi64::<52>(_mm512_add_epi64(t[i], mask));
            t[i + 1] = _mm512_add_epi64(t[i + 1], carry);
            t[i + 1] = _mm512_madd52hi_epu64(t[i + 1], m, p[0]);
            for j in 1..5 {
                t[i + j] = _mm512_madd52lo_epu64(t[i + j], m, p[j]);
                t[i + j + 1] = _mm512_madd52hi_epu64(t[i + j + 1], m, p[j]);
            }
        }
        normalize([t[5], t[6], t[7], t[8], t[9]])
    }
}

lane_fn! {
    /// Returns a b / 2^260 modulo p.
    pub fn mul<M: Modulus>(a: &Lanes, b: &Lanes) -> Lanes {
        let mut t = wide_zero();
        accumulate(&mut t, a, b);
        reduce::<M>(t)
    }
}

lane_fn! {
    /// Returns a² / 2^260 modulo p.
    pub fn square<M: Modulus>(a: &Lanes) -> Lanes {
        let mut t = wide_zero();
        for i in 0..5 {
            for j in i + 1..5 {
                t[i + j] = _mm512_madd52lo_epu64(t[i + j], a[i], a[j]);
                t[i + j + 1] = _mm512_madd52hi_epu64(t[i + j + 1], a[i], a[j]);
            }
        }
        t = t.map(|column| _mm512_add_epi64(column, column));
        for i in 0..5 {
            t[2 * i] = _mm512_madd52lo_epu64(t[2 * i], a[i], a[i]);
            t[2 * i + 1] = _mm512_madd52hi_epu64(t[2 * i + 1], a[i], a[i]);
        }
        reduce::<M>(t)
    }
}

lane_fn! {
    /// Returns the limbs of four words a lane.
    pub fn limbs(w: &Words) -> Lanes {
        let mask = splat(MASK);
        [
            _mm512_and_si512(w[0], mask),
            _mm512_and_si512(_mm512_shrdi_epi64::<52>(w[0], w[1]), mask),
            _mm512_and_si512(_mm512_shrdi_epi64::<40>(w[1], w[2]), mask),
            _mm512_and_si512(_mm512_shrdi_epi64::<28>(w[2], w[3]), mask),
            _mm512_srli_epi64::<16>(w[3]),
        ]
    }
}

lane_fn! {
    /// Returns the limbs of sixteen times the value: the product with it of another R = 2^256 form is one too.
    pub fn limbs_16(w: &Words) -> Lanes {
        let mask = splat(MASK);
        [
            _mm512_and_si512(_mm512_slli_epi64::<4>(w[0]), mask),
            _mm512_and_si512(_mm512_shrdi_epi64::<48>(w[0], w[1]), mask),
            _mm512_and_si512(_mm512_shrdi_epi64::<36>(w[1], w[2]), mask),
            _mm512_and_si512(_mm512_shrdi_epi64::<24>(w[2], w[3]), mask),
            _mm512_srli_epi64::<12>(w[3]),
        ]
    }
}

lane_fn! {
    /// Returns the four words of normalised lanes below 2^256.
    pub fn words(t: &Lanes) -> Words {
        [
            _mm512_or_si512(t[0], _mm512_slli_epi64::<52>(t[1])),
            _mm512_or_si512(_mm512_srli_epi64::<12>(t[1]), _mm512_slli_epi64::<40>(t[2])),
            _mm512_or_si512(_mm512_srli_epi64::<24>(t[2]), _mm512_slli_epi64::<28>(t[3])),
            _mm512_or_si512(_mm512_srli_epi64::<36>(t[3]), _mm512_slli_epi64::<16>(t[4])),
        ]
    }
}
