//! The verifier's half: root and layers, or the inverses' sum-check, and the leaf check.

use super::Fingerprint;
use crate::ArgumentError;
use crate::slots::Checked;
use crate::sumcheck::verify_eq;
use zkdps_field::scalar::powers;
use zkdps_field::{Fr, One, Zero};
use zkdps_poly::{bits, eq};
use zkdps_program::{Phase, Source};
use zkdps_transcript::{Receiver, Tag};

/// Checks root and layers, receives the leaf slots and checks the leaves.
///
/// # Errors
/// A message is malformed, the root is not 0 over something, or layers, leaves and columns disagree.
pub fn verify_gkr(
    receiver: &mut Receiver,
    checked: &mut Checked,
    fingerprint: Fingerprint,
) -> Result<(), ArgumentError> {
    let (zeta, end) = verify_layers(receiver, checked.program.lambda)?;
    checked.challenges.set(Source::Zeta, zeta);
    checked.receive_slots(receiver, Phase::Leaf)?;
    let leaves = evaluate_leaves(checked, fingerprint);
    if end != leaves {
        return Err(ArgumentError::Leaves {
            expected: Box::new(end),
            got: Box::new(leaves),
        });
    }
    Ok(())
}

/// Returns ζ and the claims on the leaves' numerators and denominators there.
fn verify_layers(
    receiver: &mut Receiver,
    lambda: usize,
) -> Result<(Vec<Fr>, (Fr, Fr)), ArgumentError> {
    let [mut cp, mut cq] = receiver.receive_array(Tag::Root)?;
    // INVARIANT: 0/0 is the sum of anything, so the denominator must not vanish.
    if !cp.is_zero() || cq.is_zero() {
        return Err(ArgumentError::Root {
            numerator: cp,
            denominator: cq,
        });
    }
    let mut zeta = Vec::new();
    for layer in 0..lambda {
        let fold = receiver.challenge();
        let (mut rho, expected) = verify_eq(receiver, Tag::Round, &zeta, cp + fold * cq)?;
        let [p0, p1, q0, q1] = receiver.receive_array(Tag::Layer)?;
        let got = p0 * q1 + p1 * q0 + fold * q0 * q1;
        if expected != got {
            return Err(ArgumentError::Layer {
                layer,
                expected,
                got,
            });
        }
        let t = receiver.challenge();
        cp = p0 + t * (p1 - p0);
        cq = q0 + t * (q1 - q0);
        rho.insert(0, t);
        zeta = rho;
    }
    Ok((zeta, (cp, cq)))
}

/// Returns every block's numerator and denominator at its suffix of ζ.
fn block_values(checked: &Checked, fingerprint: Fingerprint) -> Vec<(Fr, Fr)> {
    let value = |expression| {
        checked
            .challenges
            .expression(checked.program, expression, &checked.slots)
    };
    checked
        .program
        .blocks
        .iter()
        .map(|block| {
            let mixed: Fr = block
                .columns
                .iter()
                .enumerate()
                .map(|(k, column)| fingerprint.power(k) * value(column))
                .sum();
            (value(&block.numerator), fingerprint.shared(block) - mixed)
        })
        .collect()
}

/// Returns the leaves' numerator and denominator at ζ as the slots give them.
fn evaluate_leaves(checked: &Checked, fingerprint: Fingerprint) -> (Fr, Fr) {
    let zeta = checked.challenges.vector(Source::Zeta);
    let (mut numerator, mut denominator) = (Fr::zero(), Fr::one());
    let mut start = 0_u64;
    let values = block_values(checked, fingerprint);
    for (block, (p, q)) in checked.program.blocks.iter().zip(values) {
        let selector = zeta.len() - block.n;
        let e = eq(&bits(start >> block.n, selector), &zeta[..selector]);
        numerator += e * p;
        // Unused leaves are 0 / 1.
        denominator += e * (q - Fr::one());
        start += 1 << block.n;
    }
    (numerator, denominator)
}

/// Checks the inverses' sum-check and receives the leaf slots; returns the inverses' values.
///
/// # Errors
/// A message is malformed, or the sum-check does not end in the inverses and columns.
pub fn verify_inverses(
    receiver: &mut Receiver,
    checked: &mut Checked,
    fingerprint: Fingerprint,
) -> Result<Vec<Fr>, ArgumentError> {
    let tau: Vec<Fr> = (0..checked.program.lambda)
        .map(|_| receiver.challenge())
        .collect();
    let delta = receiver.challenge();
    let (zeta, expected) = verify_eq(receiver, Tag::InverseRound, &tau, Fr::zero())?;
    let inverses = receiver.receive_scalars(Tag::Inverses, checked.program.blocks.len())?;
    checked.challenges.set(Source::Zeta, zeta);
    checked.receive_slots(receiver, Phase::Leaf)?;
    let got = block_values(checked, fingerprint)
        .iter()
        .zip(&inverses)
        .zip(powers(delta, inverses.len()))
        .map(|(((p, q), h), power)| power * (*h * q - p))
        .sum();
    if expected != got {
        return Err(ArgumentError::End {
            phase: "inverses",
            expected,
            got,
        });
    }
    Ok(inverses)
}
