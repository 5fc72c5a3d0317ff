//! Multi-scalar multiplication: sum of s_i P_i by signed windows and batched affine additions.
//!
//! Scalars are written in digits between −2^(c−1) and 2^(c−1), so that small negative integers stay small. The
//! points of a window are sorted by digit, every bucket is added up in a binary tree, and the buckets are
//! combined bit by bit of their digits: S = Σ_b 2^b (sum of the buckets whose digit has bit b). All additions of
//! one level share field inversions.

mod digits;
mod sums;

use crate::small::SmallInt;
use crate::{AdditiveGroup, Fr, G1Affine, G1Projective, Zero};
use digits::{BLOCK, Digits, IntegerDigits, ScalarDigits};
use rayon::prelude::*;
use std::ops::Range;
use sums::Summer;
use zkdps_simd::Entry;

/// Relative costs of an addition to a bucket with the sorting before it, and of a bucket in the final sum.
const ADDITION_COST: usize = 5;
const BUCKET_COST: usize = 12;
/// Windows of few points are worked on together, up to so many summands.
const TOGETHER: usize = 1 << 14;
/// From so many points on a window may be split between threads.
const SPLIT: usize = 1 << 12;

/// Returns sum of `scalars[i] * points[i]`.
///
/// # Panics
/// There are fewer points than scalars.
#[must_use]
pub fn msm(points: &[G1Affine], scalars: &[Fr]) -> G1Projective {
    let numbers = digits::signed_numbers(scalars);
    sum_windows(&points[..scalars.len()], numbers, Summer::detect)
}

/// Returns sum of `scalars[i] * points[i]` for integers.
///
/// # Panics
/// There are fewer points than scalars.
#[must_use]
pub fn msm_small<T: SmallInt>(points: &[G1Affine], scalars: &[T]) -> G1Projective {
    sum_integers(&points[..scalars.len()], scalars, Summer::detect)
}

fn sum_integers<T: SmallInt>(
    points: &[G1Affine],
    scalars: &[T],
    summer: impl Fn() -> Summer + Sync,
) -> G1Projective {
    let largest = scalars
        .par_chunks(BLOCK)
        .map(|block| {
            block
                .iter()
                .map(|v| v.widen().unsigned_abs())
                .max()
                .unwrap_or(0)
        })
        .max()
        .unwrap_or(0);
    let bits = 64 - largest.leading_zeros() as usize;
    if bits > IntegerDigits::<T>::MAX_BITS {
        let numbers = digits::signed_integers(scalars);
        return sum_windows(points, numbers, summer);
    }
    let width = choose_window(points.len(), bits, 17);
    let digits = IntegerDigits::new(scalars, width, window_count(bits, width));
    sum_digits(points, &digits, largest as usize, width, summer)
}

fn sum_windows(
    points: &[G1Affine],
    numbers: Vec<digits::Number>,
    summer: impl Fn() -> Summer + Sync,
) -> G1Projective {
    let bits = digits::largest_bits(&numbers);
    let width = choose_window(points.len(), bits, ScalarDigits::MAX_WIDTH);
    let digits = ScalarDigits::new(&numbers, width, window_count(bits, width));
    drop(numbers);
    sum_digits(points, &digits, usize::MAX, width, summer)
}

fn choose_window(count: usize, bits: usize, limit: usize) -> usize {
    let cost = |width: &usize| {
        let buckets = 1 << (width - 1).min(bits);
        window_count(bits, *width) * (ADDITION_COST * count + BUCKET_COST * buckets)
    };
    (2..=limit).min_by_key(cost).unwrap_or(2)
}

/// Returns the number of windows; with one spare bit the last digit never carries.
fn window_count(bits: usize, width: usize) -> usize {
    (bits + 1).div_ceil(width)
}

/// Windows and points that one thread adds up.
struct Task {
    windows: Range<usize>,
    blocks: Range<usize>,
}

/// Returns tasks that keep all threads busy.
fn plan(count: usize, windows: usize) -> Vec<Task> {
    let threads = rayon::current_num_threads();
    let blocks = count.div_ceil(BLOCK);
    let together = (TOGETHER / count.max(1)).clamp(1, windows.div_ceil(threads));
    let whole = if count < SPLIT {
        windows
    } else {
        windows - windows % threads
    };
    let mut tasks: Vec<Task> = (0..whole)
        .step_by(together)
        .map(|first| Task {
            windows: first..whole.min(first + together),
            blocks: 0..blocks,
        })
        .collect();
    // The windows that are left over are cut into as many pieces as there are threads.
    let piece = blocks.div_ceil(threads);
    for window in whole..windows {
        tasks.extend((0..blocks).step_by(piece.max(1)).map(|first| Task {
            windows: window..window + 1,
            blocks: first..blocks.min(first + piece),
        }));
    }
    tasks
}

fn sum_digits<D: Digits>(
    points: &[G1Affine],
    digits: &D,
    largest: usize,
    width: usize,
    summer: impl Fn() -> Summer + Sync,
) -> G1Projective {
    let windows = digits.windows();
    let buckets = largest.min(1 << (width - 1));
    if points.is_empty() || buckets == 0 {
        return G1Projective::zero();
    }
    let sums: Vec<(usize, Vec<G1Projective>)> = plan(points.len(), windows)
        .into_par_iter()
        .with_max_len(1)
        .map_init(&summer, |summer, task| {
            let sorted = sort(points, digits, &task, buckets);
            (
                task.windows.start,
                summer.sum_buckets(points, sorted, task.windows.len()),
            )
        })
        .collect();
    let mut totals = vec![G1Projective::zero(); windows];
    for (first, sums) in &sums {
        for (total, sum) in totals[*first..].iter_mut().zip(sums) {
            *total += sum;
        }
    }
    totals
        .iter()
        .rev()
        .fold(G1Projective::zero(), |mut total, window| {
            for _ in 0..width {
                total.double_in_place();
            }
            total + window
        })
}

/// The summands of all buckets, one bucket after another.
struct Sorted {
    entries: Vec<Entry>,
    /// Window in the task, digit and number of summands of every bucket that has any.
    buckets: Vec<Bucket>,
}

#[derive(Clone, Copy)]
struct Bucket {
    window: u32,
    digit: u32,
    length: u32,
}

/// Sorts the points of a task by window and digit; zero digits are left out.
fn sort<D: Digits>(points: &[G1Affine], digits: &D, task: &Task, buckets: usize) -> Sorted {
    let slots = buckets + 1;
    let mut next = vec![0_u32; task.windows.len() * slots];
    let mut buffer = [0; BLOCK];
    for (k, window) in task.windows.clone().enumerate() {
        let lengths = &mut next[k * slots..(k + 1) * slots];
        for block in task.blocks.clone() {
            for digit in digits.block(window, block, &mut buffer) {
                lengths[digit.unsigned_abs() as usize] += 1;
            }
        }
        lengths[0] = 0;
    }
    let mut total = 0;
    let mut filled = Vec::with_capacity(next.len());
    for (slot, length) in next.iter_mut().enumerate() {
        if *length > 0 {
            filled.push(Bucket {
                window: (slot / slots) as u32,
                digit: (slot % slots) as u32,
                length: *length,
            });
        }
        total += std::mem::replace(length, total);
    }
    let mut entries = vec![Entry::default(); total as usize];
    for (k, window) in task.windows.clone().enumerate() {
        let next = &mut next[k * slots..(k + 1) * slots];
        for block in task.blocks.clone() {
            let block_digits = digits.block(window, block, &mut buffer);
            for (i, digit) in block_digits.iter().enumerate() {
                if *digit != 0 {
                    let place = &mut next[digit.unsigned_abs() as usize];
                    entries[*place as usize] = Entry::point(block * BLOCK + i, *digit < 0);
                    *place += 1;
                }
            }
        }
    }
    assert!(points.len() <= Entry::LIMIT, "too many points");
    Sorted {
        entries,
        buckets: filled,
    }
}

#[cfg(test)]
mod tests {
    use super::sums::Summer;
    use super::{digits, msm, msm_small, sum_integers, sum_windows};
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
    fn wide_and_scalar_additions_agree() {
        // Many points a bucket, buckets across ranges, windows cut between threads.
        let points = insecure_powers(14);
        let scalars: Vec<Fr> = (0..points.len() as u64)
            .map(|i| Fr::from(i % 5000 + 2).pow([i % 3 * 40]))
            .collect();
        let portable = sum_windows(&points, digits::signed_numbers(&scalars), Summer::portable);
        assert_eq!(msm(&points, &scalars), portable);
        for bits in [1, 8, 12, 17, 24, 43, 44, 60] {
            let integers: Vec<i64> = (0..points.len() as i64)
                .map(|i| i.wrapping_mul(0x5851_f42d_4c95_7f2d) >> (64 - bits))
                .collect();
            let portable = sum_integers(&points, &integers, Summer::portable);
            assert_eq!(msm_small(&points, &integers), portable);
            let top = 1_i64 << (bits - 1);
            let largest = [top, -top, top - 1];
            assert_eq!(
                msm_small(&points, &largest),
                naive(&points, &largest.map(Fr::from))
            );
        }
        let narrow: Vec<i8> = (0..points.len()).map(|i| (i * 37) as i8).collect();
        let wide: Vec<i64> = narrow.iter().map(|v| i64::from(*v)).collect();
        assert_eq!(msm_small(&points, &narrow), msm_small(&points, &wide));
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
