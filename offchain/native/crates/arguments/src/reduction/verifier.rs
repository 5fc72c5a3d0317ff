//! The verifier's half.

use super::{Claim, Reduced, chunk_weights, claim_powers};
use crate::ArgumentError;
use crate::sumcheck::verify_products;
use zkdps_field::Fr;
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
    let start = claim_powers(claims, eta)
        .zip(claims)
        .map(|(power, claim)| power * claim.value)
        .sum();
    let (point, value) = verify_products(receiver, Tag::ReduceRound, start, program.c)?;
    let weights = chunk_weights(program, claims, eta, &point);
    Ok((Reduced { point, weights }, value))
}
