//! The prover's half.

use crate::proving::Proving;
use crate::sumcheck::{Column, Sum, prove_plain_batch};
use crate::virtuals::axis_weights;
use zkdps_field::Fr;
use zkdps_field::scalar::powers;
use zkdps_program::{Phase, Source};
use zkdps_transcript::{Sender, Tag};

/// Runs the link sum-check and sends the link slots.
pub fn prove_links(sender: &mut Sender, proving: &mut Proving) {
    let program = proving.program;
    if program.links.is_empty() {
        return;
    }
    let powers = powers(sender.challenge(), program.links.len());
    let mut columns = proving.columns(Phase::Link, Source::Link);
    let own = columns.len();
    let first = program.counts.range(Phase::Link).start;
    let mut sums = Vec::with_capacity(program.links.len());
    for (link, power) in program.links.iter().zip(powers) {
        // S_H ⊗ S_W: two columns that share no coordinate.
        let width = link.width.log_in;
        let weights = [(&link.height, width), (&link.width, 0)].map(|(axis, end)| Column {
            mask: ((1 << axis.log_in) - 1) << end,
            cells: axis_weights(axis, &proving.challenges),
        });
        let factors = vec![columns.len(), columns.len() + 1, link.tensor - first];
        columns.extend(weights);
        sums.push(Sum {
            variables: link.variables(),
            claim: power * proving.slots[link.window],
            monomials: vec![(power, factors)],
        });
    }
    let r_l = prove_plain_batch(
        sender,
        Tag::LinkRound,
        &sums,
        &mut columns,
        program.link_rounds,
        2,
    );
    let values: Vec<Fr> = columns[..own].iter().map(Column::value).collect();
    proving.challenges.set(Source::Link, r_l);
    proving.send_slots(sender, Phase::Link, &values);
}
