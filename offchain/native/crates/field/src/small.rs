//! Exact sums of field elements times small integers, reduced once.
//!
//! Tensors stay `i64` for as long as possible: a product with a 64-bit integer costs four limb products,
//! a Montgomery product four times as much.

use crate::Fr;
use ark_ff::{BigInt, BigInteger, PrimeField};

/// A machine integer that tensors are made of.
pub trait SmallInt: Copy + Default + Send + Sync + 'static {
    /// Bytes of the integer.
    const BYTES: usize;
    /// Returns the integer, widened.
    fn widen(self) -> i64;
    /// Returns byte `index` < BYTES of the two's complement, lowest first.
    fn byte(self, index: usize) -> u8;
}

macro_rules! small_ints {
    ($($integer:ty),*) => {$(
        impl SmallInt for $integer {
            const BYTES: usize = size_of::<$integer>();
            #[inline]
            fn widen(self) -> i64 {
                i64::from(self)
            }
            #[inline]
            fn byte(self, index: usize) -> u8 {
                self.to_le_bytes()[index]
            }
        }
    )*};
}
small_ints!(i8, i16, i32, i64);

const FIELD_LIMBS: usize = 4;
const SUM_LIMBS: usize = 6;

/// sum of k_i v_i for field elements k_i and integers v_i.
///
/// Positive and negative v_i are summed apart, in 384 bits each: 2^66 products cannot overflow them.
#[derive(Clone, Copy, Debug, Default)]
pub struct SmallSum {
    sums: [[u64; SUM_LIMBS]; 2],
}

impl SmallSum {
    /// Adds `k * v`.
    #[inline]
    pub fn add_product(&mut self, k: &Fr, v: i64) {
        // The sign selects the sum without a branch; signs of weights are unpredictable.
        let sum = &mut self.sums[usize::from(v < 0)];
        let factor = u128::from(v.unsigned_abs());
        let mut carry = 0_u128;
        for (limb, k_limb) in sum.iter_mut().zip(&k.0.0) {
            // Fits: (2^64 - 1)^2 + 2 (2^64 - 1) = 2^128 - 1.
            let total = factor
                .wrapping_mul(u128::from(*k_limb))
                .wrapping_add(u128::from(*limb))
                .wrapping_add(carry);
            *limb = total as u64;
            carry = total >> 64;
        }
        for limb in &mut sum[FIELD_LIMBS..] {
            let total = u128::from(*limb).wrapping_add(carry);
            *limb = total as u64;
            carry = total >> 64;
        }
    }

    /// Returns the sum as a field element.
    #[must_use]
    pub fn value(&self) -> Fr {
        reduce(&self.sums[0]) - reduce(&self.sums[1])
    }
}

/// Returns the field element whose Montgomery form is congruent to `sum`.
fn reduce(sum: &[u64; SUM_LIMBS]) -> Fr {
    let mut low = BigInt::new([sum[0], sum[1], sum[2], sum[3]]);
    while low >= Fr::MODULUS {
        low.sub_with_borrow(&Fr::MODULUS);
    }
    // The Montgomery product of the raw limbs (high, R^2) is high * 2^256 mod r.
    let high = Fr::new_unchecked(BigInt::new([sum[4], sum[5], 0, 0]));
    Fr::new_unchecked(low) + high * Fr::new_unchecked(Fr::R2)
}

/// Returns Σ sums\[d\] 2^(8 d) as the Montgomery form of a field element.
pub(crate) fn from_digit_sums(sums: &[i64]) -> Fr {
    // Two's complement: the carry is what the digits so far leave to the next limb.
    let mut limbs = [0_u64; SUM_LIMBS];
    let mut carry = 0_i128;
    for (limb, sums) in limbs
        .iter_mut()
        .zip(sums.chunks(8).chain(std::iter::repeat(&[][..])))
    {
        for (k, sum) in sums.iter().enumerate() {
            carry += i128::from(*sum) << (8 * k);
        }
        *limb = carry.cast_unsigned() as u64;
        carry >>= 64;
    }
    if carry >= 0 {
        return reduce(&limbs);
    }
    let mut borrow = true;
    for limb in &mut limbs {
        (*limb, borrow) = (!*limb).overflowing_add(u64::from(borrow));
    }
    -reduce(&limbs)
}

#[cfg(test)]
mod tests {
    use super::SmallSum;
    use crate::Fr;

    #[test]
    fn agrees_with_field_arithmetic() {
        let values = [0, 1, -1, 77, -128, i64::MAX, i64::MIN, 1 << 40];
        let mut k = -Fr::from(3);
        let (mut sum, mut expected) = (SmallSum::default(), Fr::from(0));
        for round in 0..5_000 {
            let v = values[round % values.len()];
            sum.add_product(&k, v);
            expected += k * Fr::from(v);
            k = k * k + Fr::from(5);
        }
        assert_eq!(sum.value(), expected);
        assert_eq!(SmallSum::default().value(), Fr::from(0));
    }
}
