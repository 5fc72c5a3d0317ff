//! Sums of field elements times machine integers.

use super::{BLOCK, tiles};
use crate::small::{SmallInt, SmallSum};
use crate::{AdditiveGroup, Fr, One};
use rayon::prelude::*;
use zkdps_simd::Ifma;

/// Cells of a register.
const LANES: usize = 8;
/// Summands of one sum from which byte products pay: a sum of 32 digit sums is put together at the end.
const WIDE: usize = 32;

/// Binds the first variable of an integer column to `r`.
#[must_use]
pub fn fold_small<T: SmallInt>(vector: &[T], r: Fr) -> Vec<Fr> {
    let (low, high) = vector.split_at(vector.len() / 2);
    combine_small(&[low, high], &[Fr::one() - r, r], low.len())
}

/// Returns Σ weights\[i\] · vector\[i\] over the common length.
#[must_use]
pub fn dot_small<T: SmallInt>(weights: &[Fr], vector: &[T]) -> Fr {
    let length = weights.len().min(vector.len());
    let (weights, vector) = (&weights[..length], &vector[..length]);
    if let Some(ifma) = Ifma::detect().filter(|_| length >= WIDE) {
        return tiles::dot(ifma, weights, vector);
    }
    weights
        .par_chunks(BLOCK)
        .zip(vector.par_chunks(BLOCK))
        .map(|(weights, vector)| {
            let mut sum = SmallSum::default();
            for (k, v) in weights.iter().zip(vector) {
                sum.add_product(k, v.widen());
            }
            sum.value()
        })
        .sum()
}

/// Binds the first variables of an integer tensor: out\[i\] = Σ_o weights\[o\] · vector\[o · inner + i\], where
/// `weights` is the eq table of the bound coordinates and inner = vector.len() / weights.len().
#[must_use]
pub fn bind_leading_small<T: SmallInt>(vector: &[T], weights: &[Fr]) -> Vec<Fr> {
    let inner = vector.len() / weights.len();
    if let Some(ifma) = Ifma::detect().filter(|_| weights.len() >= WIDE) {
        return tiles::bind_leading(ifma, vector, weights);
    }
    let width = inner
        .div_ceil(2 * rayon::current_num_threads())
        .clamp(1, BLOCK);
    let mut out = vec![Fr::ZERO; inner];
    out.par_chunks_mut(width)
        .enumerate()
        .for_each(|(block, out)| {
            let mut sums = vec![SmallSum::default(); out.len()];
            for (weight, row) in weights.iter().zip(vector.chunks_exact(inner)) {
                for (sum, v) in sums.iter_mut().zip(&row[block * width..]) {
                    sum.add_product(weight, v.widen());
                }
            }
            for (out, sum) in out.iter_mut().zip(&sums) {
                *out = sum.value();
            }
        });
    out
}

/// Binds the last variables of an integer tensor: out\[o\] = Σ_i weights\[i\] · vector\[o · weights.len() + i\].
#[must_use]
pub fn bind_trailing_small<T: SmallInt>(vector: &[T], weights: &[Fr]) -> Vec<Fr> {
    if let Some(ifma) = Ifma::detect().filter(|_| weights.len() >= WIDE) {
        return tiles::bind_trailing(ifma, vector, weights);
    }
    vector
        .par_chunks_exact(weights.len())
        .map(|row| {
            let mut sum = SmallSum::default();
            for (k, v) in weights.iter().zip(row) {
                sum.add_product(k, v.widen());
            }
            sum.value()
        })
        .collect()
}

/// Returns Σ weights\[k\] · vectors\[k\] cell by cell, `size` cells.
#[must_use]
pub fn combine_small<T: SmallInt>(vectors: &[&[T]], weights: &[Fr], size: usize) -> Vec<Fr> {
    let mut out = vec![Fr::ZERO; size];
    out.par_chunks_mut(BLOCK / 2)
        .enumerate()
        .for_each_init(Vec::new, |wide, (block, out)| {
            let from = block * (BLOCK / 2);
            wide.clear();
            for vector in vectors {
                wide.extend(vector[from..from + out.len()].iter().map(|v| v.widen()));
            }
            let columns: Vec<&[i64]> = wide.chunks_exact(out.len()).collect();
            let fits = wide
                .iter()
                .all(|v| v.unsigned_abs() < Ifma::COMBINED.unsigned_abs());
            let mut done = 0;
            if let Some(ifma) = Ifma::detect().filter(|_| fits && out.len() >= LANES) {
                done = out.len() / LANES * LANES;
                ifma.combine(&columns, weights, &mut out[..done]);
            }
            for (i, out) in out.iter_mut().enumerate().skip(done) {
                let mut sum = SmallSum::default();
                for (k, column) in weights.iter().zip(&columns) {
                    sum.add_product(k, column[i]);
                }
                *out = sum.value();
            }
        });
    out
}
