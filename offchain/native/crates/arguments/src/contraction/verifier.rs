//! The verifier's half.

use super::claim;
use crate::ArgumentError;
use crate::challenges::{coefficient, cut};
use crate::slots::Checked;
use crate::sumcheck::verify_plain;
use zkdps_field::scalar::{power_of_two, powers};
use zkdps_field::{Fr, One};
use zkdps_poly::eq;
use zkdps_program::{Instance, Phase, Source};
use zkdps_transcript::{Receiver, Tag};

/// Checks the contraction instances and receives the contraction slots.
///
/// # Errors
/// A message is malformed, or the slots do not give the sum-check's end.
pub fn verify_contractions(
    receiver: &mut Receiver,
    checked: &mut Checked,
    relations: &[Fr],
) -> Result<(), ArgumentError> {
    let program = checked.program;
    if program.instances.is_empty() {
        return Ok(());
    }
    let powers = powers(receiver.challenge(), program.instances.len());
    let rounds = program.contraction_rounds;
    // Σ_k ν^k 2^(rounds − l_k) v_k
    let start = program
        .instances
        .iter()
        .zip(&powers)
        .map(|(instance, power)| {
            let waiting = power_of_two((rounds - instance.variables) as u32);
            *power * claim(instance, relations, &checked.slots) * waiting
        })
        .sum();
    let (r_c, expected) =
        verify_plain(receiver, Tag::ContractRound, start, rounds, program.degree)?;
    checked.challenges.set(Source::Contraction, r_c);
    checked.receive_slots(receiver, Phase::Contraction)?;
    let got = program
        .instances
        .iter()
        .zip(&powers)
        .map(|(instance, power)| *power * evaluate(checked, instance))
        .sum();
    if expected != got {
        return Err(ArgumentError::End {
            phase: "contraction",
            expected,
            got,
        });
    }
    Ok(())
}

/// Returns coefficient · E A B at `r_C`.
fn evaluate(checked: &Checked, instance: &Instance) -> Fr {
    let challenges = &checked.challenges;
    let r_c = challenges.vector(Source::Contraction);
    let function = instance.function.map_or(Fr::one(), |function| {
        challenges.function(&checked.program.functions[function], Source::Contraction)
    });
    let ties: Fr = instance
        .ties
        .iter()
        .map(|tie| {
            let bound = challenges.segment(&tie.segment);
            eq(&bound, cut(r_c, tie.end, bound.len()))
        })
        .product();
    let product = checked.slots[instance.a] * checked.slots[instance.b];
    coefficient(instance.coefficient) * function * ties * product
}
