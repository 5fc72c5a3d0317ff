//! Powers of tau: reading them, and the insecure development SRS whose tau is public (FORMAT.md 2).

use crate::hash::keccak256;
use crate::point::{POINT, PointError, decode};
use crate::scalar::{powers, reduce_word};
use crate::{AffineRepr, CurveGroup, Fr, G1Affine, G1Projective, G2Affine, PrimeGroup, Zero};
use ark_ff::{BigInteger, PrimeField};
use rayon::prelude::*;
use thiserror::Error;

const INSECURE_SEED: &[u8] = b"zkdps insecure development SRS: anybody can forge proofs";
/// Bits of a fixed-base window: 32 tables of 255 multiples.
const WINDOW: usize = 8;

/// Why bytes are not a usable SRS.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum SrsError {
    /// Too few powers.
    #[error("SRS has {got} bytes, {expected} are needed")]
    Short {
        /// Bytes that are needed.
        expected: usize,
        /// Bytes that were given.
        got: usize,
    },
    /// A power is not a point.
    #[error("SRS power {index}: {source}")]
    Power {
        /// Exponent of tau.
        index: usize,
        /// What is wrong with it.
        source: PointError,
    },
}

/// Returns \[tau^i\]_1 for i < `count` from the first `count` encoded powers.
///
/// # Errors
/// There are fewer powers, or one of them is not on the curve.
pub fn read_powers(encoded: &[u8], count: usize) -> Result<Vec<G1Affine>, SrsError> {
    let short = SrsError::Short {
        expected: count.saturating_mul(POINT),
        got: encoded.len(),
    };
    let needed = count
        .checked_mul(POINT)
        .and_then(|length| encoded.get(..length))
        .ok_or(short)?;
    let (points, _) = needed.as_chunks::<POINT>();
    points
        .par_iter()
        .enumerate()
        .map(|(index, point)| decode(point).map_err(|source| SrsError::Power { index, source }))
        .collect()
}

/// Returns the publicly known tau of the development SRS.
#[must_use]
pub fn insecure_tau() -> Fr {
    reduce_word(&keccak256(&[INSECURE_SEED]))
}

/// Returns the development SRS's \[tau\]_2.
#[must_use]
pub fn insecure_tau_g2() -> G2Affine {
    (G2Affine::generator() * insecure_tau()).into_affine()
}

/// Returns \[tau^i\]_1 of the development SRS for i < 2^`log_size`.
#[must_use]
pub fn insecure_powers(log_size: u32) -> Vec<G1Affine> {
    let windows = fixed_base_windows();
    let projective: Vec<G1Projective> = powers(insecure_tau(), 1 << log_size)
        .par_iter()
        .map(|scalar| {
            let digits = scalar.into_bigint().to_bytes_le();
            let mut sum = G1Projective::zero();
            for (row, digit) in windows.iter().zip(digits) {
                if digit != 0 {
                    sum += row[usize::from(digit) - 1];
                }
            }
            sum
        })
        .collect();
    G1Projective::normalize_batch(&projective)
}

/// Returns d * 2^(8 k) * G for every digit d > 0 of every window k.
fn fixed_base_windows() -> Vec<Vec<G1Affine>> {
    let mut base = G1Projective::generator();
    (0..usize::div_ceil(Fr::MODULUS_BIT_SIZE as usize, WINDOW))
        .map(|_| {
            let multiples: Vec<_> = std::iter::successors(Some(base), |sum| Some(*sum + base))
                .take((1 << WINDOW) - 1)
                .collect();
            base += multiples[multiples.len() - 1];
            G1Projective::normalize_batch(&multiples)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{SrsError, insecure_powers, insecure_tau, read_powers};
    use crate::point::{PointError, encode};
    use crate::{AffineRepr, CurveGroup, Field, G1Affine};

    #[test]
    fn powers_are_powers_of_tau() {
        let srs = insecure_powers(5);
        for i in [0_u64, 1, 2, 31] {
            let expected = (G1Affine::generator() * insecure_tau().pow([i])).into_affine();
            assert_eq!(srs[i as usize], expected);
        }
        let encoded: Vec<u8> = srs.iter().flat_map(encode).collect();
        assert_eq!(read_powers(&encoded, 32), Ok(srs));
        assert_eq!(
            read_powers(&encoded, 33),
            Err(SrsError::Short {
                expected: 2112,
                got: 2048
            })
        );
        assert!(read_powers(&encoded, usize::MAX).is_err());
        let mut bad = encoded;
        bad[64] ^= 1;
        assert!(matches!(
            read_powers(&bad, 32),
            Err(SrsError::Power {
                index: 1,
                source: PointError::OffCurve | PointError::Coordinate
            })
        ));
    }
}
