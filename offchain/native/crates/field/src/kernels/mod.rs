//! The prover's loops over vectors of field elements: call them on whole vectors, they split the work between
//! Rayon's threads and use the widest arithmetic the processor has.
//!
//! All vectors hold arkworks' field elements; a *column* of a sum-check is a vector of 2^n cells whose first half
//! has the next variable at 0 and whose second half has it at 1. Results do not depend on the machine.

mod backend;
mod scalar;
mod small;
#[cfg(test)]
mod tests;
mod tiles;

use crate::{AdditiveGroup, Field, Fr, One, Zero};
use rayon::prelude::*;
use zkdps_simd::Halves;

pub use crate::small::SmallInt;
pub use small::{bind_leading_small, bind_trailing_small, combine_small, dot_small, fold_small};

/// Cells a thread works on at a time: the columns of a round stay in its second-level cache.
const BLOCK: usize = 1 << 10;

/// Binds the first variable of a column to `r`: `v[i] + r (v[i + half] - v[i])`. A single cell is left alone.
pub fn fold(vector: &mut Vec<Fr>, r: Fr) {
    if vector.len() < 2 {
        return;
    }
    let half = vector.len() / 2;
    let (low, high) = vector.split_at_mut(half);
    low.par_chunks_mut(BLOCK)
        .zip(high.par_chunks(BLOCK))
        .for_each(|(low, high)| backend::fold(low, high, r));
    vector.truncate(half);
}

/// Binds the last variable: `v[2 i] + r (v[2 i + 1] - v[2 i])`.
#[must_use]
pub fn fold_last(vector: &[Fr], r: Fr) -> Vec<Fr> {
    let mut out = vec![Fr::ZERO; vector.len() / 2];
    out.par_chunks_mut(BLOCK)
        .zip(vector.par_chunks(2 * BLOCK))
        .for_each(|(out, pairs)| backend::fold_pairs(pairs, r, out));
    out
}

/// Returns scale · eq(point, x) for all boolean x in index order, 2^len values.
#[must_use]
pub fn eq_table(point: &[Fr], scale: Fr) -> Vec<Fr> {
    let mut table = vec![Fr::ZERO; 1 << point.len()];
    table[0] = scale;
    for (k, z) in point.iter().rev().enumerate() {
        let (low, high) = table[..2 << k].split_at_mut(1 << k);
        low.par_chunks_mut(BLOCK)
            .zip(high.par_chunks_mut(BLOCK))
            .for_each(|(low, high)| backend::expand_eq(low, high, *z));
    }
    table
}

/// Returns the tables eq(suf_l(point), ·) for l = 0 … len.
#[must_use]
pub fn eq_suffix_tables(point: &[Fr]) -> Vec<Vec<Fr>> {
    let mut tables: Vec<Vec<Fr>> = vec![vec![Fr::one()]];
    for z in point.iter().rev() {
        let last = &tables[tables.len() - 1];
        let mut table = Vec::with_capacity(2 * last.len());
        table.extend_from_slice(last);
        table.resize(2 * last.len(), Fr::ZERO);
        let (low, high) = table.split_at_mut(last.len());
        low.par_chunks_mut(BLOCK)
            .zip(high.par_chunks_mut(BLOCK))
            .for_each(|(low, high)| backend::expand_eq(low, high, *z));
        tables.push(table);
    }
    tables
}

/// Adds `k * source` to `target`, cell by cell over the common length.
pub fn add_scaled(target: &mut [Fr], k: Fr, source: &[Fr]) {
    target
        .par_chunks_mut(BLOCK)
        .zip(source.par_chunks(BLOCK))
        .for_each(|(target, source)| backend::add_scaled(target, k, source));
}

/// Multiplies `target` by `factor`, cell by cell over the common length.
pub fn multiply(target: &mut [Fr], factor: &[Fr]) {
    target
        .par_chunks_mut(BLOCK)
        .zip(factor.par_chunks(BLOCK))
        .for_each(|(target, factor)| backend::multiply(target, factor));
}

/// Replaces every value by its inverse; 0 stays 0.
pub fn invert(values: &mut [Fr]) {
    values.par_chunks_mut(4 * BLOCK).for_each(backend::invert);
}

/// Returns Σ a\[i\] b\[i\] over the common length.
#[must_use]
pub fn inner_product(a: &[Fr], b: &[Fr]) -> Fr {
    let blocks = a.par_chunks(BLOCK).zip(b.par_chunks(BLOCK));
    blocks.map(|(a, b)| backend::inner_product(a, b)).sum()
}

/// Returns Σ coefficients\[i\] at^i.
#[must_use]
pub fn evaluate(coefficients: &[Fr], at: Fr) -> Fr {
    let blocks: Vec<Fr> = coefficients
        .par_chunks(BLOCK)
        .map(|block| backend::evaluate(block, at))
        .collect();
    backend::evaluate(&blocks, at.pow([BLOCK as u64]))
}

/// Returns the quotient of (f(X) − f(root)) by (X − root), one coefficient shorter.
#[must_use]
pub fn divide_by_root(coefficients: &[Fr], root: Fr) -> Vec<Fr> {
    let mut quotient = coefficients.get(1..).unwrap_or_default().to_vec();
    // Blocks divide on their own; then every block lacks what the blocks above it carry down.
    let heads: Vec<Fr> = quotient
        .par_chunks_mut(BLOCK)
        .map(|block| {
            let mut carry = Fr::ZERO;
            for cell in block.iter_mut().rev() {
                carry = *cell + root * carry;
                *cell = carry;
            }
            carry
        })
        .collect();
    let powers = crate::scalar::powers(root, BLOCK + 1);
    let mut carries = vec![Fr::ZERO; heads.len()];
    for k in (1..heads.len()).rev() {
        carries[k - 1] = heads[k] + powers[BLOCK] * carries[k];
    }
    let mut descending = powers;
    descending.remove(0);
    descending.reverse();
    quotient
        .par_chunks_mut(BLOCK)
        .zip(carries)
        .filter(|(_, carry)| !carry.is_zero())
        .for_each(|(block, carry)| {
            backend::add_scaled(block, carry, &descending[BLOCK - block.len()..]);
        });
    quotient
}

/// Returns \[Σ a b, Σ Δa Δb\] over the cells with the next variable at 0; Δ is the difference of a column's halves.
///
/// These are c_0 and c_2 of the round polynomial of Σ a b.
#[must_use]
pub fn product_round(a: &[Fr], b: &[Fr]) -> [Fr; 2] {
    sum_blocks([a, b], |at, [a, b]| {
        _ = at;
        backend::product_round(a, b)
    })
}

/// Returns c_0, c_2 and c_3 of the round polynomial of Σ e a b.
#[must_use]
pub fn triple_round(e: &[Fr], a: &[Fr], b: &[Fr]) -> [Fr; 3] {
    sum_blocks([e, a, b], |at, [e, a, b]| {
        _ = at;
        backend::triple_round(e, a, b)
    })
}

/// Returns c_1 and c_2 of Σ_k weights\[k\] (a b)(X, k), X the next variable; `weights` has half a column's length.
#[must_use]
pub fn eq_product_round(weights: &[Fr], a: &[Fr], b: &[Fr]) -> [Fr; 2] {
    sum_blocks([a, b], |at, [a, b]| {
        backend::eq_product_round(&weights[at..at + a[0].len()], a, b)
    })
}

/// Returns c_1 and c_2 of Σ_k weights\[k\] (p0 q1 + p1 q0)(X, k) for columns \[p0, p1, q0, q1\].
#[must_use]
pub fn logup_round(weights: &[Fr], columns: [&[Fr]; 4]) -> [Fr; 2] {
    sum_blocks(columns, |at, columns| {
        backend::logup_round(&weights[at..at + columns[0][0].len()], columns)
    })
}

/// Folds both columns by `r` and returns what [`product_round`] says of the folded columns (0 for single cells).
#[must_use]
pub fn fold_product_round(a: &mut Vec<Fr>, b: &mut Vec<Fr>, r: Fr) -> [Fr; 2] {
    fold_and_sum([a, b], r, |at, [a, b]| {
        _ = at;
        backend::product_round(a, b)
    })
}

/// Folds the columns by `r` and returns what [`triple_round`] says of the folded columns (0 for single cells).
#[must_use]
pub fn fold_triple_round(e: &mut Vec<Fr>, a: &mut Vec<Fr>, b: &mut Vec<Fr>, r: Fr) -> [Fr; 3] {
    fold_and_sum([e, a, b], r, |at, [e, a, b]| {
        _ = at;
        backend::triple_round(e, a, b)
    })
}

/// Folds both columns by `r` and returns what [`eq_product_round`] says of the folded columns (0 for single cells);
/// `weights` are the next round's, a quarter of the columns' length on entry.
#[must_use]
pub fn fold_eq_product_round(weights: &[Fr], a: &mut Vec<Fr>, b: &mut Vec<Fr>, r: Fr) -> [Fr; 2] {
    fold_and_sum([a, b], r, |at, [a, b]| {
        backend::eq_product_round(&weights[at..at + a[0].len()], a, b)
    })
}

/// Folds the columns by `r` and returns what [`logup_round`] says of the folded columns (0 for single cells);
/// `weights` are the next round's, a quarter of the columns' length on entry.
#[must_use]
pub fn fold_logup_round(weights: &[Fr], columns: [&mut Vec<Fr>; 4], r: Fr) -> [Fr; 2] {
    fold_and_sum(columns, r, |at, columns| {
        backend::logup_round(&weights[at..at + columns[0][0].len()], columns)
    })
}

/// Returns the parents of a layer of a fractional sum: p0 q1 + p1 q0 and q0 q1 of the halves of `p` and `q`.
#[must_use]
pub fn logup_parents(p: &[Fr], q: &[Fr]) -> (Vec<Fr>, Vec<Fr>) {
    let half = p.len() / 2;
    let (mut p_out, mut q_out) = (vec![Fr::ZERO; half], vec![Fr::ZERO; half]);
    p_out
        .par_chunks_mut(BLOCK)
        .zip(q_out.par_chunks_mut(BLOCK))
        .enumerate()
        .for_each(|(block, (p_out, q_out))| {
            let at = block * BLOCK;
            let halves = |column| halves(column, at, p_out.len());
            let (p, q) = (halves(p), halves(q));
            backend::logup_parents(p, q, p_out, q_out);
        });
    (p_out, q_out)
}

fn halves(column: &[Fr], at: usize, length: usize) -> Halves<'_> {
    let (low, high) = column.split_at(column.len() / 2);
    [&low[at..at + length], &high[at..at + length]]
}

fn add<const N: usize>(a: [Fr; N], b: [Fr; N]) -> [Fr; N] {
    std::array::from_fn(|k| a[k] + b[k])
}

/// Sums `round(start, halves of the columns from start on)` over blocks.
fn sum_blocks<const C: usize, const N: usize>(
    columns: [&[Fr]; C],
    round: impl Fn(usize, [Halves; C]) -> [Fr; N] + Sync,
) -> [Fr; N] {
    let half = columns[0].len() / 2;
    (0..half.div_ceil(BLOCK))
        .into_par_iter()
        .map(|block| {
            let at = block * BLOCK;
            let length = BLOCK.min(half - at);
            round(at, columns.map(|column| halves(column, at, length)))
        })
        .reduce(|| [Fr::ZERO; N], add)
}

/// Folds columns block by block and sums `round` over the folded blocks while they are in the cache.
fn fold_and_sum<const C: usize, const N: usize>(
    columns: [&mut Vec<Fr>; C],
    r: Fr,
    round: impl Fn(usize, [Halves; C]) -> [Fr; N] + Sync,
) -> [Fr; N] {
    let length = columns[0].len();
    if length < 4 {
        for column in columns {
            fold(column, r);
        }
        return [Fr::ZERO; N];
    }
    let quarter = length / 4;
    let mut blocks: Vec<Vec<[&mut [Fr]; 4]>> = (0..quarter.div_ceil(BLOCK))
        .map(|_| Vec::with_capacity(C))
        .collect();
    let mut columns = columns;
    for column in &mut columns {
        let (low, high) = column.split_at_mut(length / 2);
        let (l0, l1) = low.split_at_mut(quarter);
        let (h0, h1) = high.split_at_mut(quarter);
        let parts = l0
            .chunks_mut(BLOCK)
            .zip(l1.chunks_mut(BLOCK))
            .zip(h0.chunks_mut(BLOCK).zip(h1.chunks_mut(BLOCK)));
        for (block, ((l0, l1), (h0, h1))) in blocks.iter_mut().zip(parts) {
            block.push([l0, l1, h0, h1]);
        }
    }
    let sums = blocks
        .into_par_iter()
        .enumerate()
        .map(|(block, mut parts)| {
            for [l0, l1, h0, h1] in &mut parts {
                backend::fold(l0, h0, r);
                backend::fold(l1, h1, r);
            }
            round(
                block * BLOCK,
                std::array::from_fn(|c| [&*parts[c][0], &*parts[c][1]]),
            )
        })
        .reduce(|| [Fr::ZERO; N], add);
    for column in columns {
        column.truncate(length / 2);
    }
    sums
}
