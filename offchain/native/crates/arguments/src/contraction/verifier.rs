//! The verifier's half.

use super::{Accumulators, accumulate, instance_powers, operand_point};
use crate::ArgumentError;
use crate::logup::LeafClaims;
use crate::reduction::Claim;
use crate::sumcheck::verify_products;
use zkdps_field::scalar::power_of_two;
use zkdps_field::{Fr, Zero};
use zkdps_program::{Operand, Program};
use zkdps_transcript::{Receiver, Tag};

/// Receives the biases at z_j and returns what the contractions have to show.
///
/// # Errors
/// The message is missing or not canonical.
pub fn verify_biases(
    receiver: &mut Receiver,
    program: &Program,
    leaf: &LeafClaims,
) -> Result<Accumulators, ArgumentError> {
    let count = program
        .requants
        .iter()
        .filter(|entry| entry.bias.is_some())
        .count();
    let biases = if count == 0 {
        Vec::new()
    } else {
        receiver.receive_scalars(Tag::Direct, count)?
    };
    Ok(accumulate(program, leaf, biases))
}

/// Checks the contraction sum-check and returns the claims on its committed operands.
///
/// # Errors
/// A message is malformed, or the operands' values do not give the sum-check's end.
pub fn verify_contractions(
    receiver: &mut Receiver,
    program: &Program,
    zeta: &[Fr],
    values: &[Fr],
    public_value: impl Fn(usize, &[Fr]) -> Fr,
) -> Result<Vec<Claim>, ArgumentError> {
    let nu = receiver.challenge();
    // Σ_k ν^k 2^(rounds − l_k) v_k
    let start = instance_powers(program, nu)
        .zip(program.instances.iter().zip(values))
        .map(|(power, (instance, v))| {
            power * v * power_of_two((program.rounds - instance.variables) as u32)
        })
        .sum();
    let (r_c, expected) = verify_products(receiver, Tag::ContractRound, start, program.rounds)?;
    let is_public = |operand: &Operand| program.tensors[operand.tensor].is_public();
    let operands = || {
        program
            .instances
            .iter()
            .flat_map(|i| [(&i.a, i.variables), (&i.b, i.variables)])
    };
    let count = operands()
        .filter(|(operand, _)| !is_public(operand))
        .count();
    let mut received = if count == 0 {
        Vec::new()
    } else {
        receiver.receive_scalars(Tag::ContractFinal, count)?
    }
    .into_iter();
    let mut claims = Vec::with_capacity(count);
    let factors: Vec<Fr> = operands()
        .map(|(operand, variables)| {
            let point = operand_point(operand, variables, zeta, &r_c);
            if is_public(operand) {
                return public_value(operand.tensor, &point);
            }
            let value = received.next().unwrap_or_default();
            claims.push(Claim {
                tensor: operand.tensor,
                point,
                value,
            });
            value
        })
        .collect();
    let (pairs, _) = factors.as_chunks::<2>();
    // Σ_k ν^k m_k A_k B_k
    let got = instance_powers(program, nu)
        .zip(program.requants.iter().zip(pairs))
        .fold(Fr::zero(), |sum, (power, (entry, [a, b]))| {
            sum + power * Fr::from(entry.m) * a * b
        });
    if expected != got {
        return Err(ArgumentError::Contraction { expected, got });
    }
    Ok(claims)
}
