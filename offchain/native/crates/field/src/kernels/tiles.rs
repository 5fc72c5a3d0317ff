//! Integer tensors times scalars, byte by byte of both: tiles of the tensor for the byte products of the processor.
//!
//! An integer of b bytes is Σ_p 256^p (c_p + 128 \[p < b − 1\]) with signed bytes c_p: one pass for every p, and
//! what the constants add is a multiple of the scalars' sum.

use crate::Fr;
use crate::small::{SmallInt, from_digit_sums};
use rayon::prelude::*;
use zkdps_simd::{COLUMNS, DIGITS, Digits, Ifma, LIMIT, ROWS};

/// Rows or columns of one task; a 32-bit sum holds their products.
const SPAN: usize = 1 << 12;
const _: () = assert!(SPAN <= LIMIT);
/// Digit sums of an integer's bytes and a scalar's.
const SUMS: usize = DIGITS + 8;

/// Returns signed byte p of an integer of which `bytes` are used.
fn signed_byte<T: SmallInt>(value: T, p: usize, bytes: usize) -> i8 {
    let flip = if p + 1 < bytes { 0x80 } else { 0 };
    (value.byte(p) ^ flip).cast_signed()
}

/// Returns the bytes that every integer fits.
fn used_bytes<T: SmallInt>(vector: &[T]) -> usize {
    if T::BYTES == 1 {
        return 1;
    }
    let any = vector
        .par_chunks(1 << 14)
        .map(|block| {
            block
                .iter()
                .fold(0, |any, v| any | (v.widen() ^ v.widen() >> 63))
        })
        .reduce(|| 0, |a, b| a | b);
    (65 - any.leading_zeros() as usize).div_ceil(8)
}

/// Returns what the constants of all bytes add up to.
fn constants(scalars: &[Fr], bytes: usize) -> Fr {
    let sum: Fr = scalars.iter().sum();
    let factor = (0..bytes - 1).fold(0_u64, |factor, p| factor + (128 << (8 * p)));
    sum * Fr::from(factor)
}

/// Returns Σ_o weights\[o\] vector\[o inner + i\] for every i.
pub fn bind_leading<T: SmallInt>(ifma: Ifma, vector: &[T], weights: &[Fr]) -> Vec<Fr> {
    let inner = vector.len() / weights.len();
    let bytes = used_bytes(vector);
    let mut digits = Digits::default();
    ifma.cut(weights, &mut digits);
    let tiles = inner.div_ceil(COLUMNS);
    let spans: Vec<usize> = (0..weights.len()).step_by(SPAN).collect();
    let sums: Vec<Vec<Fr>> = (0..tiles * spans.len())
        .into_par_iter()
        .map(|task| {
            let from = COLUMNS * (task % tiles);
            let width = COLUMNS.min(inner - from);
            let start = spans[task / tiles];
            let rows = SPAN.min(weights.len() - start);
            let mut totals = vec![[0_i64; SUMS]; width];
            let mut tile = vec![[0; COLUMNS]; rows.next_multiple_of(4)];
            for p in 0..bytes {
                for (o, tile) in tile[..rows].iter_mut().enumerate() {
                    let row = &vector[(start + o) * inner + from..][..width];
                    for (byte, value) in tile.iter_mut().zip(row) {
                        *byte = signed_byte(*value, p, bytes);
                    }
                }
                let mut sums = [[0; COLUMNS]; DIGITS];
                ifma.add_columns(&tile, &digits, start, &mut sums);
                for (d, sums) in sums.iter().enumerate() {
                    for (total, sum) in totals.iter_mut().zip(sums) {
                        total[d + p] += i64::from(*sum);
                    }
                }
            }
            totals.iter().map(|total| from_digit_sums(total)).collect()
        })
        .collect();
    let shared = constants(weights, bytes);
    let mut out = vec![shared; inner];
    for (task, sums) in sums.iter().enumerate() {
        for (out, sum) in out[COLUMNS * (task % tiles)..].iter_mut().zip(sums) {
            *out += sum;
        }
    }
    out
}

/// Returns Σ_i weights\[i\] vector\[o weights.len() + i\] for every o.
pub fn bind_trailing<T: SmallInt>(ifma: Ifma, vector: &[T], weights: &[Fr]) -> Vec<Fr> {
    let inner = weights.len();
    let bytes = used_bytes(vector);
    let groups = (vector.len() / inner).div_ceil(ROWS);
    let cut: Vec<Digits> = weights
        .par_chunks(SPAN)
        .map(|weights| {
            let mut digits = Digits::default();
            ifma.cut(weights, &mut digits);
            digits
        })
        .collect();
    let sums: Vec<Vec<Fr>> = (0..groups * cut.len())
        .into_par_iter()
        .map_init(Vec::new, |buffer, task| {
            let digits = &cut[task / groups];
            let from = SPAN * (task / groups);
            let width = SPAN.min(inner - from);
            let rows = vector[task % groups * ROWS * inner..]
                .chunks_exact(inner)
                .take(ROWS);
            let mut totals = vec![[0_i64; SUMS]; rows.len()];
            for p in 0..bytes {
                buffer.clear();
                buffer.resize(ROWS * digits.len(), 0);
                for (bytes_of, row) in buffer.chunks_exact_mut(digits.len()).zip(rows.clone()) {
                    for (byte, value) in bytes_of.iter_mut().zip(&row[from..from + width]) {
                        *byte = signed_byte(*value, p, bytes);
                    }
                }
                let mut sums = [[0; DIGITS]; ROWS];
                let row = |k: usize| &buffer[k * digits.len()..(k + 1) * digits.len()];
                ifma.add_rows(std::array::from_fn(row), digits, &mut sums);
                for (total, sums) in totals.iter_mut().zip(&sums) {
                    for (d, sum) in sums.iter().enumerate() {
                        total[d + p] += i64::from(*sum);
                    }
                }
            }
            totals.iter().map(|total| from_digit_sums(total)).collect()
        })
        .collect();
    let mut out = vec![constants(weights, bytes); vector.len() / inner];
    for (task, sums) in sums.iter().enumerate() {
        for (out, sum) in out[ROWS * (task % groups)..].iter_mut().zip(sums) {
            *out += sum;
        }
    }
    out
}

/// Returns Σ weights\[i\] vector\[i\] of vectors of one length.
pub fn dot<T: SmallInt>(ifma: Ifma, weights: &[Fr], vector: &[T]) -> Fr {
    let bytes = used_bytes(vector);
    let spans = weights.par_chunks(SPAN).zip(vector.par_chunks(SPAN));
    spans
        .map_init(Digits::default, |digits, (weights, vector)| match bytes {
            1 => dot_span::<T, 1>(ifma, weights, vector, bytes, digits),
            2 => dot_span::<T, 2>(ifma, weights, vector, bytes, digits),
            3 | 4 => dot_span::<T, 4>(ifma, weights, vector, bytes, digits),
            _ => dot_span::<T, 8>(ifma, weights, vector, bytes, digits),
        })
        .sum()
}

/// As [`dot`]; the R >= `bytes` bytes of the integers are the rows of a matrix.
fn dot_span<T: SmallInt, const R: usize>(
    ifma: Ifma,
    weights: &[Fr],
    vector: &[T],
    bytes: usize,
    digits: &mut Digits,
) -> Fr {
    /// Cells whose bytes stay in the first-level cache.
    const CELLS: usize = 1 << 9;
    let mut totals = [0_i64; SUMS];
    let mut rows = [[0_i8; CELLS]; R];
    for (weights, vector) in weights.chunks(CELLS).zip(vector.chunks(CELLS)) {
        ifma.cut(weights, digits);
        for (p, row) in rows[..bytes].iter_mut().enumerate() {
            for (byte, value) in row.iter_mut().zip(vector) {
                *byte = signed_byte(*value, p, bytes);
            }
        }
        let mut sums = [[0; DIGITS]; R];
        ifma.add_rows(
            rows.each_ref().map(|row| &row[..digits.len()]),
            digits,
            &mut sums,
        );
        for (p, sums) in sums[..bytes].iter().enumerate() {
            for (d, sum) in sums.iter().enumerate() {
                totals[d + p] += i64::from(*sum);
            }
        }
    }
    let sum = from_digit_sums(&totals);
    if bytes == 1 {
        sum
    } else {
        sum + constants(weights, bytes)
    }
}
