//! The prover's half.

use crate::challenges::{coefficient, suffix};
use crate::proving::Proving;
use crate::sumcheck::{Column, Sum, prove_eq_batch};
use crate::virtuals::function_column;
use std::collections::BTreeMap;
use zkdps_field::Fr;
use zkdps_field::scalar::powers;
use zkdps_program::{Operand, Phase, Source};
use zkdps_transcript::{Sender, Tag};

/// Runs the product sum-check and sends the product slots.
pub fn prove_products(sender: &mut Sender, proving: &mut Proving) {
    let program = proving.program;
    if program.terms.is_empty() {
        return;
    }
    let powers = powers(sender.challenge(), program.terms.len());
    let mut columns = proving.columns(Phase::Product, Source::Product);
    let own = columns.len();
    let first = program.counts.range(Phase::Product).start;
    // Slots of this phase come first; functions and constants follow as they are used.
    let mut others: BTreeMap<(bool, usize), usize> = BTreeMap::new();
    let mut index = |operand: &Operand| {
        let (key, column): (_, Box<dyn Fn() -> Column>) = match *operand {
            Operand::Slot(slot) if slot >= first => return slot - first,
            Operand::Slot(slot) => {
                let value = proving.slots[slot];
                ((false, slot), Box::new(move || Column::constant(value)))
            }
            Operand::Function(function) => {
                let output = proving.challenges.output();
                let function_of = &program.functions[function];
                let column = move || function_column(function_of, output);
                ((true, function), Box::new(column))
            }
        };
        *others.entry(key).or_insert_with(|| {
            columns.push(column());
            columns.len() - 1
        })
    };
    let sums: Vec<Sum> = program
        .terms
        .iter()
        .zip(powers)
        .map(|(term, power)| Sum {
            variables: term.n,
            claim: Fr::default(),
            monomials: term
                .monomials
                .iter()
                .map(|m| {
                    let factors = m.factors.iter().map(&mut index).collect();
                    (power * coefficient(m.coefficient), factors)
                })
                .collect(),
        })
        .collect();
    let z = suffix(
        proving.challenges.vector(Source::Zeta),
        program.product_rounds,
    );
    let r_p = prove_eq_batch(sender, Tag::ProductRound, z, &sums, &mut columns);
    let values: Vec<Fr> = columns[..own].iter().map(Column::value).collect();
    proving.challenges.set(Source::Product, r_p);
    proving.send_slots(sender, Phase::Product, &values);
}
