//! Multi-scalar multiplication: sum of s_i P_i by signed windows and batched affine additions.
//!
//! Scalars are split into sign and magnitude, so that small negative integers stay small and the number of
//! windows follows the largest magnitude. Within a window the points are sorted by digit and every bucket is
//! added up in a binary tree; all additions of one level share one field inversion.

use crate::{AffineRepr, Fq, Fr, G1Affine, G1Projective};
use ark_bn254::g1::Config;
use ark_ec::short_weierstrass::Bucket;
use ark_ff::{AdditiveGroup, Field, One, PrimeField, Zero};
use rayon::prelude::*;

/// Relative costs of an affine addition with its share of an inversion, and of a bucket in the final sum.
const ADDITION_COST: usize = 6;
const BUCKET_COST: usize = 24;
const MAX_WINDOW: usize = 14;
/// Points that are sorted together; bounds the working memory of a task to about 1 MiB.
const GROUP: usize = 1 << 13;

/// Returns sum of `scalars[i] * points[i]`.
///
/// # Panics
/// There are fewer points than scalars.
#[must_use]
pub fn msm(points: &[G1Affine], scalars: &[Fr]) -> G1Projective {
    let half = Fr::MODULUS_MINUS_ONE_DIV_TWO;
    let terms: Vec<_> = scalars
        .iter()
        .map(|scalar| {
            let value = scalar.into_bigint();
            if value > half {
                Term::new((-*scalar).into_bigint().0, true)
            } else {
                Term::new(value.0, false)
            }
        })
        .collect();
    sum_terms(&points[..scalars.len()], &terms)
}

/// Returns sum of `scalars[i] * points[i]` for integers.
///
/// # Panics
/// There are fewer points than scalars.
#[must_use]
pub fn msm_small(points: &[G1Affine], scalars: &[i64]) -> G1Projective {
    let terms: Vec<_> = scalars
        .iter()
        .map(|v| Term::new([v.unsigned_abs(), 0, 0, 0], *v < 0))
        .collect();
    sum_terms(&points[..scalars.len()], &terms)
}

/// A scalar as sign and magnitude (below 2^254).
struct Term {
    limbs: [u64; 4],
    negative: bool,
}

impl Term {
    fn new(limbs: [u64; 4], negative: bool) -> Self {
        Self { limbs, negative }
    }

    fn bit_length(&self) -> usize {
        let top = self.limbs.iter().rposition(|limb| *limb != 0);
        top.map_or(0, |k| 64 * k + 64 - self.limbs[k].leading_zeros() as usize)
    }

    /// Returns `width` < 64 bits from bit `low` on.
    fn bits(&self, low: usize, width: usize) -> u64 {
        let (limb, shift) = (low / 64, low % 64);
        let Some(value) = self.limbs.get(limb) else {
            return 0;
        };
        let mut bits = value >> shift;
        if shift + width > 64 && limb + 1 < self.limbs.len() {
            bits |= self.limbs[limb + 1] << (64 - shift);
        }
        bits & ((1 << width) - 1)
    }

    /// Returns the signed digit of window `k`, at most 2^(width-1) in magnitude: sum of digit_k 2^(width k) = scalar.
    fn digit(&self, k: usize, width: usize, carry: &mut bool) -> i32 {
        let raw = self.bits(k * width, width) + u64::from(*carry);
        *carry = raw > 1 << (width - 1);
        let digit = raw as i32 - if *carry { 1 << width } else { 0 };
        if self.negative { -digit } else { digit }
    }
}

fn sum_terms(points: &[G1Affine], terms: &[Term]) -> G1Projective {
    let bits = terms.iter().map(Term::bit_length).max().unwrap_or(0);
    let count = terms.iter().filter(|t| t.bit_length() > 0).count();
    if count == 0 {
        return G1Projective::zero();
    }
    let width = choose_window(count, bits);
    let windows = window_count(bits, width);
    let digits = recode(terms, width, windows);
    let group = (GROUP / points.len()).clamp(1, windows);
    let sums: Vec<Bucket<Config>> = digits
        .par_chunks(group * terms.len())
        .flat_map_iter(|digits| sum_windows(points, digits, width))
        .collect();
    let mut total = G1Projective::zero();
    for sum in sums.iter().rev() {
        for _ in 0..width {
            total.double_in_place();
        }
        total += sum;
    }
    total
}

fn choose_window(count: usize, bits: usize) -> usize {
    let cost = |width: &usize| {
        window_count(bits, *width) * (ADDITION_COST * count + (BUCKET_COST << (width - 1)))
    };
    (2..=MAX_WINDOW).min_by_key(cost).unwrap_or(2)
}

/// Returns the number of windows; with one spare bit the last digit never carries.
fn window_count(bits: usize, width: usize) -> usize {
    (bits + 1).div_ceil(width)
}

/// Returns the digits of all terms, window by window.
fn recode(terms: &[Term], width: usize, windows: usize) -> Vec<i32> {
    let mut digits = vec![0; terms.len() * windows];
    for (i, term) in terms.iter().enumerate() {
        let mut carry = false;
        for k in 0..windows {
            digits[k * terms.len() + i] = term.digit(k, width, &mut carry);
        }
    }
    digits
}

/// An affine point that is not at infinity.
type Finite = (Fq, Fq);

/// Returns the sum of digit * point for each of the windows in `digits`.
fn sum_windows(points: &[G1Affine], digits: &[i32], width: usize) -> Vec<Bucket<Config>> {
    let buckets = 1_usize << (width - 1);
    let (mut sorted, mut lengths) = sort_by_bucket(points, digits, buckets);
    while lengths.iter().any(|length| *length > 1) {
        (sorted, lengths) = add_pairs(&sorted, &lengths);
    }
    let mut at = sorted.len();
    let mut sums: Vec<_> = lengths
        .chunks(buckets)
        .rev()
        .map(|window| {
            let (mut running, mut total) = (Bucket::<Config>::ZERO, Bucket::<Config>::ZERO);
            for length in window.iter().rev() {
                if *length == 1 {
                    at -= 1;
                    running += G1Affine::new_unchecked(sorted[at].0, sorted[at].1);
                }
                total += &running;
            }
            total
        })
        .collect();
    sums.reverse();
    sums
}

/// Returns the signed points of all windows, bucket by bucket, and how many every bucket has.
fn sort_by_bucket(
    points: &[G1Affine],
    digits: &[i32],
    buckets: usize,
) -> (Vec<Finite>, Vec<usize>) {
    let windows = digits.len() / points.len();
    let mut lengths = vec![0; windows * buckets];
    let slot = |index: usize, digit: i32| {
        index / points.len() * buckets + digit.unsigned_abs() as usize - 1
    };
    let occupied = |index: usize| digits[index] != 0 && !points[index % points.len()].is_zero();
    for index in (0..digits.len()).filter(|i| occupied(*i)) {
        lengths[slot(index, digits[index])] += 1;
    }
    let mut next: Vec<usize> = lengths
        .iter()
        .scan(0, |start, length| {
            Some(std::mem::replace(start, *start + length))
        })
        .collect();
    let mut sorted = vec![(Fq::ZERO, Fq::ZERO); lengths.iter().sum()];
    for index in (0..digits.len()).filter(|i| occupied(*i)) {
        let point = &points[index % points.len()];
        let place = &mut next[slot(index, digits[index])];
        sorted[*place] = (point.x, if digits[index] < 0 { -point.y } else { point.y });
        *place += 1;
    }
    (sorted, lengths)
}

/// Adds neighbours within every bucket; about halves every length.
fn add_pairs(sorted: &[Finite], lengths: &[usize]) -> (Vec<Finite>, Vec<usize>) {
    let inverses = invert_differences(sorted, lengths);
    let mut sums = Vec::with_capacity(sorted.len() / 2 + lengths.len());
    let mut halved = Vec::with_capacity(lengths.len());
    let (mut at, mut pair) = (0, 0);
    for length in lengths {
        let before = sums.len();
        for _ in 0..length / 2 {
            sums.extend(add(sorted[at], sorted[at + 1], &inverses[pair]));
            at += 2;
            pair += 1;
        }
        if length % 2 == 1 {
            sums.push(sorted[at]);
            at += 1;
        }
        halved.push(sums.len() - before);
    }
    (sums, halved)
}

/// Returns 1 / (x_b - x_a) for every pair (1 / 2 y for a doubling) with one inversion.
fn invert_differences(sorted: &[Finite], lengths: &[usize]) -> Vec<Fq> {
    let mut prefixes = Vec::with_capacity(sorted.len() / 2);
    let mut denominators = Vec::with_capacity(sorted.len() / 2);
    let (mut at, mut product) = (0, Fq::one());
    for length in lengths {
        for pair in 0..length / 2 {
            let (a, b) = (sorted[at + 2 * pair], sorted[at + 2 * pair + 1]);
            let difference = b.0 - a.0;
            // y is never 0: the group has odd order.
            let denominator = if difference.is_zero() {
                a.1.double()
            } else {
                difference
            };
            prefixes.push(product);
            denominators.push(denominator);
            product *= denominator;
        }
        at += length;
    }
    let mut inverse = product.inverse().unwrap_or_default();
    for (prefix, denominator) in prefixes.iter_mut().zip(&denominators).rev() {
        *prefix *= inverse;
        inverse *= denominator;
    }
    prefixes
}

/// Returns a + b, `None` at infinity.
fn add(a: Finite, b: Finite, inverse: &Fq) -> Option<Finite> {
    let slope = if a.0 != b.0 {
        (b.1 - a.1) * inverse
    } else if a.1 == b.1 {
        let square = a.0.square();
        (square.double() + square) * inverse
    } else {
        return None;
    };
    let x = slope.square() - a.0 - b.0;
    Some((x, slope * (a.0 - x) - a.1))
}

#[cfg(test)]
mod tests {
    use super::{msm, msm_small};
    use crate::srs::insecure_powers;
    use crate::{AffineRepr, Fr, G1Affine, G1Projective, Zero};
    use ark_ff::Field;

    fn naive(points: &[G1Affine], scalars: &[Fr]) -> G1Projective {
        points.iter().zip(scalars).map(|(p, s)| *p * *s).sum()
    }

    #[test]
    fn full_scalars_agree_with_the_definition() {
        let points = insecure_powers(8);
        for count in [0_u64, 1, 2, 3, 17, 256] {
            let scalars: Vec<Fr> = (0..count)
                .map(|i| Fr::from(i + 3).pow([97]) - Fr::from(1))
                .collect();
            assert_eq!(msm(&points, &scalars), naive(&points, &scalars));
        }
        let edge = [
            Fr::from(0),
            Fr::from(1),
            -Fr::from(1),
            -Fr::from(2).inverse().unwrap(),
            Fr::from(2).inverse().unwrap(),
        ];
        assert_eq!(msm(&points, &edge), naive(&points, &edge));
    }

    #[test]
    fn small_scalars_agree_with_the_definition() {
        let points = insecure_powers(6);
        for scale in [1, 100, 1 << 16, 1 << 40] {
            let scalars: Vec<i64> = (0..64).map(|i| (i * i * 7 % 31 - 15) * scale).collect();
            let field: Vec<Fr> = scalars.iter().map(|v| Fr::from(*v)).collect();
            assert_eq!(msm_small(&points, &scalars), naive(&points, &field));
        }
        let edge = [i64::MIN, i64::MAX, -1, 0];
        assert_eq!(
            msm_small(&points, &edge),
            naive(&points, &edge.map(Fr::from))
        );
        assert!(msm_small(&points, &[0; 64]).is_zero());
    }

    #[test]
    fn equal_opposite_and_infinite_points_are_added() {
        let g = G1Affine::generator();
        let points = [g, g, -g, G1Affine::identity(), g, -g, -g, g];
        let scalars = [5, 5, 5, 5, 5, 5, 5, 0_i64];
        assert!(msm_small(&points, &scalars).is_zero());
        let scalars = [5, 5, 0, 7, 0, 0, 0, -2_i64];
        assert_eq!(msm_small(&points, &scalars), g * Fr::from(8));
    }
}
