//! BN254 arithmetic on eight lanes at once, for processors with AVX-512 IFMA.
//!
//! Everything starts from an [`Ifma`], which exists only where the instructions do. Numbers enter and leave in
//! arkworks' Montgomery form (R = 2^256); inside they are five limbs of 52 bits, one vector register a limb.
//! The scalar code of the callers is the meaning of every function here.
//!
//! This is the only crate with unsafe code: calls into functions that need the instructions, and loads and
//! stores through pointers.

// `--cfg zkdps_portable` builds what other processors get, so that it can be tested here.
#[cfg(not(all(target_arch = "x86_64", not(zkdps_portable))))]
mod portable;
#[cfg(all(target_arch = "x86_64", not(zkdps_portable)))]
mod wide;

#[cfg(not(all(target_arch = "x86_64", not(zkdps_portable))))]
pub use portable::{Adder, Digits, Ifma};
#[cfg(all(target_arch = "x86_64", not(zkdps_portable)))]
pub use wide::{Adder, Digits, Ifma};

use ark_bn254::{Fq, Fr, G1Affine};
use ark_ff::{BigInt, BigInteger, PrimeField};

/// Halves of a column: the cells with the bound variable 0 and 1.
pub type Halves<'a> = [&'a [Fr]; 2];

/// Bytes of a scalar.
pub const DIGITS: usize = 32;
/// Columns of a tile of bytes.
pub const COLUMNS: usize = 64;
/// Rows of bytes that are worked on together.
pub const ROWS: usize = 8;
/// Products of bytes that a 32-bit sum holds: 255 · 128 each.
pub const LIMIT: usize = 1 << 16;

/// A point as x ‖ y in Montgomery form, each below twice the modulus; infinity is all zero.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C, align(64))]
pub struct RawPoint(pub [u64; 8]);

impl From<&G1Affine> for RawPoint {
    fn from(point: &G1Affine) -> Self {
        let mut words = [0; 8];
        words[..4].copy_from_slice(&point.x.0.0);
        words[4..].copy_from_slice(&point.y.0.0);
        Self(words)
    }
}

impl From<&RawPoint> for G1Affine {
    fn from(point: &RawPoint) -> Self {
        let [x, y] = [0, 4].map(|at| {
            let mut value = BigInt::new(std::array::from_fn(|k| point.0[at + k]));
            if value >= Fq::MODULUS {
                value.sub_with_borrow(&Fq::MODULUS);
            }
            Fq::new_unchecked(value)
        });
        G1Affine::new_unchecked(x, y)
    }
}

/// A summand: a point's index, whether it lies among the sums, and whether it is negated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Entry(pub u32);

impl Entry {
    /// Points and sums that can be told apart.
    pub const LIMIT: usize = 1 << 30;
    const NEGATED: u32 = 1 << 31;
    const SUM: u32 = 1 << 30;
    const INDEX: u32 = Self::SUM - 1;

    /// Returns ± point `index`.
    #[inline]
    #[must_use]
    pub fn point(index: usize, negated: bool) -> Self {
        Self(index as u32 | u32::from(negated) << 31)
    }

    /// Returns sum `index`.
    #[inline]
    #[must_use]
    pub fn sum(index: usize) -> Self {
        Self(index as u32 | Self::SUM)
    }

    /// Returns the index.
    #[inline]
    #[must_use]
    pub fn index(self) -> usize {
        (self.0 & Self::INDEX) as usize
    }

    /// Returns whether the summand is one of the sums.
    #[inline]
    #[must_use]
    pub fn is_sum(self) -> bool {
        self.0 & Self::SUM != 0
    }

    /// Returns whether the summand is negated.
    #[inline]
    #[must_use]
    pub fn is_negated(self) -> bool {
        self.0 & Self::NEGATED != 0
    }

    /// Returns the summand.
    #[must_use]
    pub fn load(self, points: &[G1Affine], sums: &[RawPoint]) -> G1Affine {
        let point = if self.is_sum() {
            G1Affine::from(&sums[self.index()])
        } else {
            points[self.index()]
        };
        if self.is_negated() { -point } else { point }
    }
}
