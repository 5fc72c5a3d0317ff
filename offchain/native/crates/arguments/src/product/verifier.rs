//! The verifier's half.

use crate::ArgumentError;
use crate::challenges::{coefficient, suffix};
use crate::slots::Checked;
use crate::sumcheck::verify_eq;
use zkdps_field::Fr;
use zkdps_field::scalar::powers;
use zkdps_program::{Monomial, Operand, Phase, Residual, Source};
use zkdps_transcript::{Receiver, Tag};

/// Checks the product terms, whose values are those of their `relations`, and receives the product slots.
///
/// # Errors
/// A message is malformed, or the slots do not give the sum-check's end.
pub fn verify_products(
    receiver: &mut Receiver,
    checked: &mut Checked,
    relations: &[Fr],
) -> Result<(), ArgumentError> {
    let program = checked.program;
    if program.terms.is_empty() {
        return Ok(());
    }
    let powers = powers(receiver.challenge(), program.terms.len());
    let start = program
        .relations_with(Residual::Product)
        .zip(&powers)
        .map(|(relation, power)| *power * relations[relation])
        .sum();
    let z = suffix(
        checked.challenges.vector(Source::Zeta),
        program.product_rounds,
    )
    .to_vec();
    let (r_p, expected) = verify_eq(receiver, Tag::ProductRound, &z, start)?;
    checked.challenges.set(Source::Product, r_p);
    checked.receive_slots(receiver, Phase::Product)?;
    let got = program
        .terms
        .iter()
        .zip(&powers)
        .map(|(term, power)| {
            let value: Fr = term.monomials.iter().map(|m| evaluate(checked, m)).sum();
            *power * value
        })
        .sum();
    if expected != got {
        return Err(ArgumentError::End {
            phase: "product",
            expected,
            got,
        });
    }
    Ok(())
}

fn evaluate(checked: &Checked, monomial: &Monomial) -> Fr {
    let factor = |operand: &Operand| match operand {
        Operand::Slot(slot) => checked.slots[*slot],
        Operand::Function(function) => checked
            .challenges
            .function(&checked.program.functions[*function], Source::Product),
    };
    coefficient(monomial.coefficient) * monomial.factors.iter().map(factor).product::<Fr>()
}
