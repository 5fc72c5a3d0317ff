//! Points as on chain: affine coordinates, big-endian, infinity all zero (EIP-196, EIP-197).

use crate::{AffineRepr, Fq, G1Affine, G1Projective, G2Affine};
use ark_bn254::Fq2;
use ark_ec::CurveGroup;
use ark_ff::PrimeField;
use thiserror::Error;

use crate::scalar::limbs;

/// Bytes of an encoded point of the first group.
pub const POINT: usize = 64;
/// Bytes of an encoded point of the second group.
pub const POINT_G2: usize = 128;

/// Why bytes are not a point.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum PointError {
    /// A coordinate is not canonical.
    #[error("point coordinate is not below the base field modulus")]
    Coordinate,
    /// The curve equation does not hold.
    #[error("point is not on the curve")]
    OffCurve,
    /// The point has the wrong order (second group only).
    #[error("point is not in the prime-order subgroup")]
    Subgroup,
}

/// Returns x ‖ y.
#[must_use]
pub fn encode(point: &G1Affine) -> [u8; POINT] {
    let mut encoded = [0; POINT];
    if let Some((x, y)) = point.xy() {
        write_coordinate(&mut encoded[..32], x);
        write_coordinate(&mut encoded[32..], y);
    }
    encoded
}

/// Returns the encodings of many points, which share one inversion.
#[must_use]
pub fn encode_all(points: &[G1Projective]) -> Vec<[u8; POINT]> {
    G1Projective::normalize_batch(points)
        .iter()
        .map(encode)
        .collect()
}

/// Decodes x ‖ y and checks the curve equation (the cofactor is 1).
///
/// # Errors
/// A coordinate is not canonical, or the point is off the curve.
pub fn decode(encoded: &[u8; POINT]) -> Result<G1Affine, PointError> {
    let (x, y) = (
        read_coordinate(&encoded[..32])?,
        read_coordinate(&encoded[32..])?,
    );
    if encoded.iter().all(|byte| *byte == 0) {
        return Ok(G1Affine::identity());
    }
    let point = G1Affine::new_unchecked(x, y);
    point
        .is_on_curve()
        .then_some(point)
        .ok_or(PointError::OffCurve)
}

/// Returns (x_c1, x_c0, y_c1, y_c0).
#[must_use]
pub fn encode_g2(point: &G2Affine) -> [u8; POINT_G2] {
    let mut encoded = [0; POINT_G2];
    if let Some((x, y)) = point.xy() {
        for (bytes, c) in encoded.chunks_exact_mut(32).zip([x.c1, x.c0, y.c1, y.c0]) {
            write_coordinate(bytes, c);
        }
    }
    encoded
}

/// Decodes (x_c1, x_c0, y_c1, y_c0) and checks curve and subgroup.
///
/// # Errors
/// A coordinate is not canonical, or the point is off the curve, at infinity or of the wrong order.
pub fn decode_g2(encoded: &[u8; POINT_G2]) -> Result<G2Affine, PointError> {
    let x = Fq2::new(
        read_coordinate(&encoded[32..64])?,
        read_coordinate(&encoded[..32])?,
    );
    let y = Fq2::new(
        read_coordinate(&encoded[96..])?,
        read_coordinate(&encoded[64..96])?,
    );
    let point = G2Affine::new_unchecked(x, y);
    if point.is_zero() || !point.is_on_curve() {
        return Err(PointError::OffCurve);
    }
    point
        .is_in_correct_subgroup_assuming_on_curve()
        .then_some(point)
        .ok_or(PointError::Subgroup)
}

fn write_coordinate(bytes: &mut [u8], coordinate: Fq) {
    for (bytes, limb) in bytes.rchunks_exact_mut(8).zip(coordinate.into_bigint().0) {
        bytes.copy_from_slice(&limb.to_be_bytes());
    }
}

fn read_coordinate(bytes: &[u8]) -> Result<Fq, PointError> {
    let word = bytes.try_into().map_err(|_| PointError::Coordinate)?;
    Fq::from_bigint(limbs(word)).ok_or(PointError::Coordinate)
}

#[cfg(test)]
mod tests {
    use super::{PointError, decode, decode_g2, encode, encode_g2};
    use crate::{AffineRepr, CurveGroup, Fr, G1Affine, G2Affine};

    #[test]
    fn points_round_trip() {
        let point = (G1Affine::generator() * Fr::from(12_345)).into_affine();
        assert_eq!(decode(&encode(&point)), Ok(point));
        assert_eq!(encode(&G1Affine::generator())[63], 2);
        assert_eq!(decode(&[0; 64]), Ok(G1Affine::identity()));
        let point = (G2Affine::generator() * Fr::from(99)).into_affine();
        assert_eq!(decode_g2(&encode_g2(&point)), Ok(point));
    }

    #[test]
    fn bad_points_are_refused() {
        assert_eq!(decode(&[0xff; 64]), Err(PointError::Coordinate));
        let mut off_curve = encode(&G1Affine::generator());
        off_curve[63] ^= 1;
        assert_eq!(decode(&off_curve), Err(PointError::OffCurve));
        assert_eq!(decode_g2(&[0; 128]), Err(PointError::OffCurve));
    }
}
