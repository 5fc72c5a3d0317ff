//! The verifier's rounds.

use crate::ArgumentError;
use zkdps_field::{AdditiveGroup, Fr};
use zkdps_transcript::{Receiver, Tag};

/// Returns (point, final claim) of a plain batch of degree 2.
///
/// # Errors
/// A message is missing or not canonical.
pub fn verify_products(
    receiver: &mut Receiver,
    tag: Tag,
    mut claim: Fr,
    rounds: usize,
) -> Result<(Vec<Fr>, Fr), ArgumentError> {
    let mut point = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        let [c_0, c_2] = receiver.receive_array(tag)?;
        // s(0) + s(1) = claim
        let c_1 = claim - c_0.double() - c_2;
        let r = receiver.challenge();
        claim = c_0 + r * (c_1 + r * c_2);
        point.push(r);
    }
    Ok((point, claim))
}

/// Returns (point, final claim g(point)) of an eq sum-check of degree 2; no eq factor remains.
///
/// # Errors
/// A message is missing or not canonical.
pub fn verify_eq(
    receiver: &mut Receiver,
    tag: Tag,
    z: &[Fr],
    mut claim: Fr,
) -> Result<(Vec<Fr>, Fr), ArgumentError> {
    let mut point = Vec::with_capacity(z.len());
    for z_i in z {
        let [t_1, t_2] = receiver.receive_array(tag)?;
        // (1 - z_i) t(0) + z_i t(1) = claim
        let t_0 = claim - *z_i * (t_1 + t_2);
        let r = receiver.challenge();
        claim = t_0 + r * (t_1 + r * t_2);
        point.push(r);
    }
    Ok((point, claim))
}
