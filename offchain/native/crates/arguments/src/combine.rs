//! Sums of chunks of several integer types.

use crate::binding::Cells;
use zkdps_field::kernels::{add_scaled, combine_small};
use zkdps_field::{Fr, One, Zero};

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
                add_scaled(&mut sum, Fr::one(), &combine_small(&cells, &factors, size));
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

#[cfg(test)]
mod tests {
    use super::combine;
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
}
