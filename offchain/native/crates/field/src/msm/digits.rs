//! Signed digits of scalars and of integers.
//!
//! Adding Σ_k 2^(c−1) 2^(c k) to a number makes its digits independent of one another: digit k is c bits of the
//! sum, less 2^(c−1).

use crate::Fr;
use crate::small::SmallInt;
use ark_ff::{BigInteger, PrimeField};
use rayon::prelude::*;

/// Points that are worked on at a time.
pub const BLOCK: usize = 1 << 10;

/// A number below 2^254 in magnitude, as magnitude and sign.
pub type Number = ([u64; 4], bool);

/// The digits of many numbers.
pub trait Digits: Sync {
    /// Returns the number of windows.
    fn windows(&self) -> usize;
    /// Returns the digits of block `block`, in `buffer` or elsewhere.
    fn block<'a>(&'a self, window: usize, block: usize, buffer: &'a mut [i32; BLOCK]) -> &'a [i32];
}

/// Returns the representatives of least magnitude.
pub fn signed_numbers(scalars: &[Fr]) -> Vec<Number> {
    let half = Fr::MODULUS_MINUS_ONE_DIV_TWO;
    let number = |scalar: &Fr| {
        let value = scalar.into_bigint();
        if value > half {
            let mut magnitude = Fr::MODULUS;
            magnitude.sub_with_borrow(&value);
            (magnitude.0, true)
        } else {
            (value.0, false)
        }
    };
    scalars.par_iter().with_min_len(BLOCK).map(number).collect()
}

/// Returns integers as numbers.
pub fn signed_integers<T: SmallInt>(scalars: &[T]) -> Vec<Number> {
    let number = |v: &T| ([v.widen().unsigned_abs(), 0, 0, 0], v.widen() < 0);
    scalars.par_iter().with_min_len(BLOCK).map(number).collect()
}

/// Returns the bits of the largest magnitude.
pub fn largest_bits(numbers: &[Number]) -> usize {
    let any = numbers
        .par_iter()
        .with_min_len(BLOCK)
        .map(|number| number.0)
        .reduce(|| [0; 4], |a, b| std::array::from_fn(|k| a[k] | b[k]));
    let top = any.iter().rposition(|limb| *limb != 0);
    top.map_or(0, |k| 64 * k + 64 - any[k].leading_zeros() as usize)
}

/// Integers, whose digits are computed whenever they are needed.
#[derive(Debug)]
pub struct IntegerDigits<'a, T> {
    scalars: &'a [T],
    width: usize,
    windows: usize,
    offset: i64,
}

impl<'a, T: SmallInt> IntegerDigits<'a, T> {
    /// Bits of a magnitude to which the offset can be added.
    pub const MAX_BITS: usize = 44;

    /// Takes digits of `width` <= 17 bits.
    pub fn new(scalars: &'a [T], width: usize, windows: usize) -> Self {
        let offset = (0..windows).map(|k| 1 << (width * k + width - 1)).sum();
        Self {
            scalars,
            width,
            windows,
            offset,
        }
    }
}

impl<T: SmallInt> Digits for IntegerDigits<'_, T> {
    fn windows(&self) -> usize {
        self.windows
    }

    fn block<'a>(&'a self, window: usize, block: usize, buffer: &'a mut [i32; BLOCK]) -> &'a [i32] {
        let from = block * BLOCK;
        let scalars = &self.scalars[from..self.scalars.len().min(from + BLOCK)];
        let shift = window * self.width;
        // The highest digit takes all bits that are left.
        let mask = if window + 1 == self.windows {
            -1
        } else {
            (1 << self.width) - 1
        };
        for (digit, scalar) in buffer.iter_mut().zip(scalars) {
            let shifted = scalar.widen().wrapping_add(self.offset) >> shift & mask;
            *digit = (shifted as i32).wrapping_sub(1 << (self.width - 1));
        }
        &buffer[..scalars.len()]
    }
}

/// The digits of wide numbers: block by block, and window by window within a block.
#[derive(Debug)]
pub struct ScalarDigits {
    digits: Vec<i16>,
    count: usize,
    windows: usize,
}

impl ScalarDigits {
    /// The widest window.
    pub const MAX_WIDTH: usize = 15;

    /// Computes digits of `width` bits.
    pub fn new(numbers: &[Number], width: usize, windows: usize) -> Self {
        let mut digits = vec![0; numbers.len().div_ceil(BLOCK) * BLOCK * windows];
        let mut offset = [0; 5];
        for k in 0..windows {
            let bit = width * k + width - 1;
            offset[bit / 64] |= 1 << (bit % 64);
        }
        digits
            .par_chunks_mut(BLOCK * windows)
            .zip(numbers.par_chunks(BLOCK))
            .for_each(|(digits, numbers)| {
                for (i, number) in numbers.iter().enumerate() {
                    let shifted = add_signed(&offset, number);
                    for k in 0..windows {
                        let raw = bits(&shifted, k * width, width, k + 1 == windows);
                        digits[k * BLOCK + i] = (raw as i32 - (1 << (width - 1))) as i16;
                    }
                }
            });
        Self {
            digits,
            count: numbers.len(),
            windows,
        }
    }
}

impl Digits for ScalarDigits {
    fn windows(&self) -> usize {
        self.windows
    }

    fn block<'a>(&'a self, window: usize, block: usize, buffer: &'a mut [i32; BLOCK]) -> &'a [i32] {
        let from = (block * self.windows + window) * BLOCK;
        let length = BLOCK.min(self.count - block * BLOCK);
        for (wide, digit) in buffer.iter_mut().zip(&self.digits[from..from + length]) {
            *wide = i32::from(*digit);
        }
        &buffer[..length]
    }
}

/// Returns offset ± magnitude, which is not negative.
fn add_signed(offset: &[u64; 5], (magnitude, negative): &Number) -> [u64; 5] {
    let mut sum = *offset;
    let mut carry = false;
    for (k, limb) in sum.iter_mut().enumerate() {
        let other = magnitude.get(k).copied().unwrap_or(0);
        let (value, first, second) = if *negative {
            let (value, first) = limb.overflowing_sub(other);
            let (value, second) = value.overflowing_sub(u64::from(carry));
            (value, first, second)
        } else {
            let (value, first) = limb.overflowing_add(other);
            let (value, second) = value.overflowing_add(u64::from(carry));
            (value, first, second)
        };
        (*limb, carry) = (value, first | second);
    }
    sum
}

/// Returns `width` bits from bit `low` on, or all of them.
fn bits(limbs: &[u64; 5], low: usize, width: usize, all: bool) -> u64 {
    let (limb, shift) = (low / 64, low % 64);
    let next = limbs.get(limb + 1).copied().unwrap_or(0);
    let value = (u128::from(limbs[limb]) | u128::from(next) << 64) >> shift;
    let value = value as u64;
    if all {
        value
    } else {
        value & ((1 << width) - 1)
    }
}
