//! The prover's half with committed inverses: h = numerator / denominator, and h · denominator = numerator.

use super::{BlockCells, Fingerprint, block_cells};
use crate::proving::Proving;
use crate::sumcheck::{Column, Sum, prove_eq_batch};
use zkdps_field::kernels::{invert, multiply};
use zkdps_field::scalar::powers;
use zkdps_field::{Fr, Zero};
use zkdps_transcript::{Sender, Tag};

/// Returns the inverse column of every block.
#[must_use]
pub fn compute_inverses(proving: &Proving, fingerprint: Fingerprint) -> Vec<Vec<Fr>> {
    proving
        .program
        .blocks
        .iter()
        .map(|block| {
            let mut cells = block_cells(proving, block, fingerprint);
            invert(&mut cells.denominator);
            multiply(&mut cells.denominator, &cells.numerator);
            cells.denominator
        })
        .collect()
}

/// Shows the inverses after their chunks are committed; returns ζ and the inverses' values there.
pub fn prove_inverses(
    sender: &mut Sender,
    proving: &Proving,
    fingerprint: Fingerprint,
    inverses: Vec<Vec<Fr>>,
) -> (Vec<Fr>, Vec<Fr>) {
    let tau: Vec<Fr> = (0..proving.program.lambda)
        .map(|_| sender.challenge())
        .collect();
    let delta = powers(sender.challenge(), inverses.len());
    let (mut columns, mut sums) = (Vec::new(), Vec::new());
    for ((block, inverse), power) in proving.program.blocks.iter().zip(inverses).zip(delta) {
        let BlockCells {
            numerator,
            denominator,
        } = block_cells(proving, block, fingerprint);
        let first = columns.len();
        let mask = (1 << block.n) - 1;
        columns.extend([inverse, denominator, numerator].map(|cells| Column { mask, cells }));
        sums.push(Sum {
            variables: block.n,
            claim: Fr::zero(),
            monomials: vec![(power, vec![first, first + 1]), (-power, vec![first + 2])],
        });
    }
    let zeta = prove_eq_batch(sender, Tag::InverseRound, &tau, &sums, &mut columns);
    let values: Vec<Fr> = columns.iter().step_by(3).map(Column::value).collect();
    sender.send_scalars(Tag::Inverses, &values);
    (zeta, values)
}
