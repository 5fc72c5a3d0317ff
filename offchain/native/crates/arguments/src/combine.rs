//! Sums of chunks of several integer types.

use crate::binding::Cells;
use rayon::prelude::*;
use zkdps_field::kernels::{SmallInt, add_scaled, bind_leading_small, combine_small};
use zkdps_field::{Fr, One, Zero};

/// Cells that are summed together: what all chunks have there stays in the second-level cache.
const TILE: usize = 1 << 11;
/// Chunks of bytes from which on they are worth gathering: a sum of byte products has a price of its own.
const MANY: usize = 32;

/// Returns Σ weights\[k\] · chunks\[k\] cell by cell, `size` cells.
#[must_use]
pub fn combine(chunks: &[Cells], weights: &[Fr], size: usize) -> Vec<Fr> {
    let mut sum = vec![Fr::zero(); size];
    macro_rules! add_all {
        ($variant:ident) => {
            let (cells, factors): (Vec<_>, Vec<Fr>) = chunks
                .iter()
                .zip(weights)
                .filter_map(|(chunk, weight)| match chunk {
                    Cells::$variant(cells) => Some((*cells, *weight)),
                    _ => None,
                })
                .unzip();
            if !cells.is_empty() {
                add_integers(&mut sum, &cells, &factors);
            }
        };
    }
    add_all!(I8);
    add_all!(I16);
    add_all!(I32);
    add_all!(I64);
    for (chunk, weight) in chunks.iter().zip(weights) {
        if let Cells::Field(cells) = chunk {
            add_scaled(&mut sum, *weight, cells);
        }
    }
    sum
}

fn add_integers<T: SmallInt>(sum: &mut [Fr], chunks: &[&[T]], weights: &[Fr]) {
    if T::BYTES > 1 || chunks.len() < MANY {
        let part = combine_small(chunks, weights, sum.len());
        return add_scaled(sum, Fr::one(), &part);
    }
    sum.par_chunks_mut(TILE)
        .enumerate()
        .for_each_init(Vec::new, |rows, (tile, sum)| {
            rows.clear();
            for chunk in chunks {
                rows.extend_from_slice(&chunk[tile * TILE..][..sum.len()]);
            }
            add_scaled(sum, Fr::one(), &bind_leading_small(rows, weights));
        });
}

#[cfg(test)]
mod tests {
    use super::{MANY, TILE, combine};
    use crate::binding::Cells;
    use zkdps_field::Fr;

    #[test]
    fn chunks_of_all_types_add_up() {
        let field = [Fr::from(5), Fr::from(-7)];
        let chunks = [
            Cells::I8(&[1, -2]),
            Cells::I16(&[300, -4]),
            Cells::Field(&field),
            Cells::I8(&[0, 100]),
            Cells::I32(&[1 << 20, 3]),
            Cells::I64(&[-(1 << 40), 9]),
        ];
        let weights: Vec<Fr> = (2..8).map(|k| Fr::from(k * k)).collect();
        for x in 0..2 {
            let expected: Fr = chunks
                .iter()
                .zip(&weights)
                .map(|(chunk, weight)| *weight * chunk.embed()[x])
                .sum();
            assert_eq!(combine(&chunks, &weights, 2)[x], expected);
        }
    }

    #[test]
    fn many_chunks_of_bytes_add_up() {
        let size = TILE + 70;
        let cells: Vec<i8> = (0..(MANY + 3) * size)
            .map(|i| (i * 31 % 255) as i8)
            .collect();
        let chunks: Vec<Cells> = cells.chunks_exact(size).map(Cells::I8).collect();
        let weights: Vec<Fr> = (0..chunks.len() as u64)
            .map(|k| Fr::from(k) - Fr::from(9))
            .collect();
        let sum = combine(&chunks, &weights, size);
        for x in [0, 1, TILE - 1, TILE, size - 1] {
            let expected: Fr = chunks
                .iter()
                .zip(&weights)
                .map(|(chunk, weight)| *weight * Fr::from(chunk.integer(x)))
                .sum();
            assert_eq!(sum[x], expected);
        }
    }
}
