//! The verifier's rounds.

use crate::ArgumentError;
use zkdps_field::{AdditiveGroup, Fr};
use zkdps_transcript::{Receiver, Tag};

/// Returns (point, final claim) of a plain batch of degree 2 or 3.
///
/// # Errors
/// A message is missing or not canonical.
pub fn verify_plain(
    receiver: &mut Receiver,
    tag: Tag,
    mut claim: Fr,
    rounds: usize,
    degree: usize,
) -> Result<(Vec<Fr>, Fr), ArgumentError> {
    let mut point = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        let sent = receiver.receive_scalars(tag, degree)?;
        let (c_0, higher) = (sent[0], &sent[1..]);
        // s(0) + s(1) = claim
        let c_1 = claim - c_0.double() - higher.iter().sum::<Fr>();
        let r = receiver.challenge();
        let tail = higher.iter().rev().fold(Fr::ZERO, |sum, c| (sum + c) * r);
        claim = c_0 + r * (c_1 + tail);
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
