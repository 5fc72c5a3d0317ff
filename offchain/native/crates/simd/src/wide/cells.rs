//! Scalars in memory, eight cells at a time, and sums of their products.

use super::lanes::{
    Lanes, Modulus, Scalar, Wide, Words, accumulate, carry, lane_fn, limbs, limbs_16, reduce,
    splat, sub, wide_zero, words,
};
use crate::Halves;
use ark_bn254::Fr;
use ark_ff::{BigInt, BigInteger, PrimeField};
use std::arch::x86_64::{
    __m512i, _mm512_loadu_si512, _mm512_permutex2var_epi64, _mm512_reduce_add_epi64,
    _mm512_set_epi64, _mm512_shuffle_i64x2, _mm512_storeu_si512, _mm512_unpackhi_epi64,
    _mm512_unpacklo_epi64,
};

// Elements are read as four words each.
const _: () = assert!(size_of::<Fr>() == 32);

/// Cells of a register.
pub const LANES: usize = 8;
/// Products that are added up before carries are passed on: columns stay below 2^63.
pub const BATCH: usize = 64;

/// Unreduced sums of products, lane by lane.
pub struct Sums<const N: usize>(pub [Wide; N]);

impl<const N: usize> Sums<N> {
    lane_fn! {
        pub fn zero() -> Self {
            Self([wide_zero(); N])
        }
    }

    lane_fn! {
        /// Passes carries on from time to time; called for every register k.
        pub fn tick(&mut self, k: usize) {
            if k % BATCH == BATCH - 1 {
                for sum in &mut self.0 {
                    carry(sum);
                }
            }
        }
    }

    lane_fn! {
        pub fn values(self) -> [Fr; N] {
            self.0.map(|sum| total(&reduce::<Scalar>(sum)))
        }
    }
}

lane_fn! {
    /// Returns the sum of all lanes, whose limbs are below 2^60.
    pub fn total(t: &Lanes) -> Fr {
        // Limbs of 52 bits into words of 64, the carries of the lanes' sums included.
        let (mut words, mut carry) = ([0_u64; 6], 0_u128);
        let sums = t.map(|limb| _mm512_reduce_add_epi64(limb).cast_unsigned());
        let (mut bits, mut at) = (0, 0);
        for sum in sums {
            carry += u128::from(sum) << bits;
            bits += 52;
            if bits >= 64 {
                words[at] = carry as u64;
                carry >>= 64;
                bits -= 64;
                at += 1;
            }
        }
        words[at] = carry as u64;
        words[at + 1] = (carry >> 64) as u64;
        let mut low = BigInt::new([words[0], words[1], words[2], words[3]]);
        while low >= Fr::MODULUS {
            low.sub_with_borrow(&Fr::MODULUS);
        }
        // The Montgomery product of the raw words (high, R^2) is high * 2^256 mod p.
        let high = Fr::new_unchecked(BigInt::new([words[4], words[5], 0, 0]));
        Fr::new_unchecked(low) + high * Fr::new_unchecked(Fr::R2)
    }
}

lane_fn! {
    /// Returns Σ a b / 2^260 modulo p.
    pub fn sum_of_products<const N: usize>(pairs: [(&Lanes, &Lanes); N]) -> Lanes {
        let mut t = wide_zero();
        for (a, b) in pairs {
            accumulate(&mut t, a, b);
        }
        reduce::<Scalar>(t)
    }
}

lane_fn! {
    /// Returns the factor that multiplies by `k`, in all lanes.
    pub fn constant(k: Fr) -> Lanes {
        splat_words(k * Fr::from(16_u64))
    }
}

pub fn cells(column: &[Fr]) -> &[[Fr; LANES]] {
    column.as_chunks().0
}

pub fn cells_mut(column: &mut [Fr]) -> &mut [[Fr; LANES]] {
    column.as_chunks_mut().0
}

lane_fn! {
    /// Loads cells; the order of the lanes is that of [`store`].
    pub fn load(cells: &[Fr; LANES]) -> Words {
        let at = cells.as_ptr().cast::<u64>();
        // SAFETY: the cells are 256 readable bytes.
        let rows = std::array::from_fn(|k| unsafe { _mm512_loadu_si512(at.add(8 * k).cast()) });
        transpose(rows)
    }
}

lane_fn! {
    /// Words 0 … 3 of the two cells in each of four registers.
    pub fn transpose([a, b, c, d]: [__m512i; 4]) -> Words {
        let [low, high] = [
            (_mm512_unpacklo_epi64(a, b), _mm512_unpacklo_epi64(c, d)),
            (_mm512_unpackhi_epi64(a, b), _mm512_unpackhi_epi64(c, d)),
        ];
        [
            _mm512_shuffle_i64x2::<0x88>(low.0, low.1),
            _mm512_shuffle_i64x2::<0x88>(high.0, high.1),
            _mm512_shuffle_i64x2::<0xdd>(low.0, low.1),
            _mm512_shuffle_i64x2::<0xdd>(high.0, high.1),
        ]
    }
}

lane_fn! {
    /// Loads the even and the odd ones of sixteen cells.
    pub fn split_pairs(cells: &[Fr; 2 * LANES]) -> [Words; 2] {
        let at = cells.as_ptr().cast::<u64>();
        // SAFETY: the cells are 512 readable bytes.
        let rows: [__m512i; 8] =
            std::array::from_fn(|k| unsafe { _mm512_loadu_si512(at.add(8 * k).cast()) });
        let even = std::array::from_fn(|k| _mm512_shuffle_i64x2::<0x44>(rows[2 * k], rows[2 * k + 1]));
        let odd = std::array::from_fn(|k| _mm512_shuffle_i64x2::<0xee>(rows[2 * k], rows[2 * k + 1]));
        [transpose(even), transpose(odd)]
    }
}

lane_fn! {
    /// Stores values below p.
    pub fn store(cells: &mut [Fr; LANES], t: Lanes) {
        let w = words(&t);
        let [low, high] = [
            (_mm512_unpacklo_epi64(w[0], w[1]), _mm512_unpacklo_epi64(w[2], w[3])),
            (_mm512_unpackhi_epi64(w[0], w[1]), _mm512_unpackhi_epi64(w[2], w[3])),
        ];
        let near = _mm512_set_epi64(11, 10, 3, 2, 9, 8, 1, 0);
        let far = _mm512_set_epi64(15, 14, 7, 6, 13, 12, 5, 4);
        let rows = [
            _mm512_permutex2var_epi64(low.0, near, low.1),
            _mm512_permutex2var_epi64(high.0, near, high.1),
            _mm512_permutex2var_epi64(low.0, far, low.1),
            _mm512_permutex2var_epi64(high.0, far, high.1),
        ];
        let at = cells.as_mut_ptr().cast::<u64>();
        for (k, row) in rows.into_iter().enumerate() {
            // SAFETY: the cells are 256 writable bytes, and the words of a value below p are an element.
            unsafe { _mm512_storeu_si512(at.add(8 * k).cast(), row) };
        }
    }
}

lane_fn! {
    pub fn plain(cells: &[Fr; LANES]) -> Lanes {
        limbs(&load(cells))
    }
}

lane_fn! {
    /// Sixteen times the values: one factor of every product is such, see [`limbs_16`].
    pub fn sixteen(cells: &[Fr; LANES]) -> Lanes {
        limbs_16(&load(cells))
    }
}

lane_fn! {
    /// Returns the low half's register k and the difference of the halves.
    pub fn plain_pair(column: Halves, k: usize) -> (Lanes, Lanes) {
        let [low, high] = column.map(|side| plain(&cells(side)[k]));
        (low, sub(high, low, Scalar::P))
    }
}

lane_fn! {
    /// As [`plain_pair`], times sixteen.
    pub fn sixteen_pair(column: Halves, k: usize) -> (Lanes, Lanes) {
        let [low, high] = column.map(|side| sixteen(&cells(side)[k]));
        (low, sub(high, low, Scalar::SIXTEEN))
    }
}

lane_fn! {
    /// Returns the limbs of a Montgomery form in all lanes.
    pub fn splat_words(k: Fr) -> Lanes {
        limbs(&k.0.0.map(|word| splat(word)))
    }
}
