//! The verifier's half.

use super::{Claim, Reduced, chunk_weights};
use crate::ArgumentError;
use crate::sumcheck::verify_plain;
use zkdps_field::Fr;
use zkdps_field::scalar::powers;
use zkdps_program::Program;
use zkdps_transcript::{Receiver, Tag};

/// Runs the reduction; returns the opening that remains and its value.
///
/// # Errors
/// A message is missing or not canonical.
pub fn verify_reduction(
    receiver: &mut Receiver,
    program: &Program,
    claims: &[Claim],
) -> Result<(Reduced, Fr), ArgumentError> {
    let eta = receiver.challenge();
    let start = claims
        .iter()
        .zip(powers(eta, claims.len()))
        .map(|(claim, power)| power * claim.value)
        .sum();
    let (point, value) = verify_plain(receiver, Tag::ReduceRound, start, program.c, 2)?;
    let weights = chunk_weights(program, claims, eta, &point);
    Ok((Reduced { point, weights }, value))
}
