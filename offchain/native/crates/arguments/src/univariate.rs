//! Univariate polynomials as coefficients, lowest degree first.

use rayon::prelude::*;
use zkdps_field::{Field, Fr, Zero};

/// Coefficients a thread divides at a time.
const BLOCK: usize = 1 << 12;

/// Returns the value of a polynomial.
pub(crate) fn horner<'a>(coefficients: impl DoubleEndedIterator<Item = &'a Fr>, at: Fr) -> Fr {
    coefficients
        .rev()
        .fold(Fr::zero(), |value, coefficient| value * at + coefficient)
}

/// Divides by (X − root) in place: the remainder becomes entry 0, the quotient the entries behind it.
pub(crate) fn divide_by_root(polynomial: &mut [Fr], root: Fr) {
    // What flows into a block is the value of all higher blocks, so blocks are divided independently.
    let values: Vec<Fr> = polynomial
        .par_chunks(BLOCK)
        .map(|block| horner(block.iter(), root))
        .collect();
    let step = root.pow([BLOCK as u64]);
    let mut carries: Vec<Fr> = values
        .iter()
        .rev()
        .scan(Fr::zero(), |carry, value| {
            let into = *carry;
            *carry = *carry * step + value;
            Some(into)
        })
        .collect();
    carries.reverse();
    polynomial
        .par_chunks_mut(BLOCK)
        .zip(carries)
        .for_each(|(block, mut carry)| {
            for cell in block.iter_mut().rev() {
                carry = carry * root + *cell;
                *cell = carry;
            }
        });
}

#[cfg(test)]
mod tests {
    use super::{BLOCK, divide_by_root, horner};
    use zkdps_field::{Field, Fr};

    #[test]
    fn quotient_and_remainder_give_the_polynomial_back() {
        let (root, at) = (Fr::from(5).pow([77]), Fr::from(3).pow([99]));
        for length in [0, 1, 2, BLOCK, BLOCK + 1, 3 * BLOCK - 1] {
            let polynomial: Vec<Fr> = (0..length as u64).map(|i| Fr::from(i * i + 7)).collect();
            let mut divided = polynomial.clone();
            divide_by_root(&mut divided, root);
            let value = |vector: &[Fr], at| horner(vector.iter(), at);
            let (remainder, quotient) = divided.split_at(length.min(1));
            assert_eq!(value(remainder, at), value(&polynomial, root));
            assert_eq!(
                value(quotient, at) * (at - root) + value(remainder, at),
                value(&polynomial, at)
            );
        }
    }
}
