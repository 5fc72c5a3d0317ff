//! The prover's half.

use super::claim;
use crate::challenges::coefficient;
use crate::proving::Proving;
use crate::sumcheck::{Column, Sum, prove_plain_batch};
use crate::virtuals::weight_column;
use zkdps_field::Fr;
use zkdps_field::scalar::powers;
use zkdps_program::{Phase, Source};
use zkdps_transcript::{Sender, Tag};

/// Runs the contraction sum-check and sends the contraction slots.
pub fn prove_contractions(sender: &mut Sender, proving: &mut Proving, relations: &[Fr]) {
    let program = proving.program;
    if program.instances.is_empty() {
        return;
    }
    let powers = powers(sender.challenge(), program.instances.len());
    let mut columns = proving.columns(Phase::Contraction, Source::Contraction);
    let own = columns.len();
    let first = program.counts.range(Phase::Contraction).start;
    let mut sums = Vec::with_capacity(program.instances.len());
    for (instance, power) in program.instances.iter().zip(powers) {
        let mut factors = Vec::with_capacity(3);
        if instance.is_weighted() {
            factors.push(columns.len());
            columns.push(weight_column(proving, instance, None));
        }
        for slot in [instance.a, instance.b] {
            factors.push(slot.checked_sub(first).unwrap_or_else(|| {
                columns.push(Column::constant(proving.slots[slot]));
                columns.len() - 1
            }));
        }
        sums.push(Sum {
            variables: instance.variables,
            claim: power * claim(instance, relations, &proving.slots),
            monomials: vec![(power * coefficient(instance.coefficient), factors)],
        });
    }
    let r_c = prove_plain_batch(
        sender,
        Tag::ContractRound,
        &sums,
        &mut columns,
        program.contraction_rounds,
        program.degree,
    );
    let values: Vec<Fr> = columns[..own].iter().map(Column::value).collect();
    proving.challenges.set(Source::Contraction, r_c);
    proving.send_slots(sender, Phase::Contraction, &values);
}
