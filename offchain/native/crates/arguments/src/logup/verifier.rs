//! The verifier's half: root, layers, leaf check.

use super::{Fingerprint, LeafClaims, Leaves, suffix};
use crate::ArgumentError;
use crate::sumcheck::verify_eq;
use std::collections::BTreeMap;
use zkdps_field::{Fr, One, Zero};
use zkdps_poly::{bits, eq, identity};
use zkdps_program::committed_columns;
use zkdps_transcript::{Receiver, Tag};

/// Checks root, layers and leaves; `public_value(tensor, point)` evaluates public tensors, and only these.
///
/// # Errors
/// A message is malformed, the root is not 0 over something, or layers, leaves and columns disagree.
pub fn verify_logup(
    receiver: &mut Receiver,
    description: Leaves,
    is_public: impl Fn(usize) -> bool,
    public_value: impl Fn(usize, &[Fr]) -> Fr,
    fingerprint: Fingerprint,
) -> Result<LeafClaims, ArgumentError> {
    let (zeta, end) = verify_layers(receiver, description.lambda)?;
    let sent = committed_columns(description.blocks, &is_public);
    let received = receiver.receive_scalars(Tag::Leaves, sent.len())?;
    let mut values: BTreeMap<usize, Fr> = sent.iter().copied().zip(received).collect();
    for block in description.blocks {
        for column in block
            .columns
            .iter()
            .filter(|column| is_public(column.tensor))
        {
            values
                .entry(column.tensor)
                .or_insert_with(|| public_value(column.tensor, suffix(&zeta, block.n)));
        }
    }
    let leaves = evaluate_leaves(description, &zeta, &values, fingerprint);
    if end != leaves {
        return Err(ArgumentError::Leaves {
            expected: Box::new(end),
            got: Box::new(leaves),
        });
    }
    Ok(LeafClaims { zeta, values, sent })
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

/// Returns the leaves' numerator and denominator at ζ as the columns' values give them (FORMAT.md 7.1).
fn evaluate_leaves(
    description: Leaves,
    zeta: &[Fr],
    values: &BTreeMap<usize, Fr>,
    fingerprint: Fingerprint,
) -> (Fr, Fr) {
    let (mut numerator, mut denominator) = (Fr::zero(), Fr::one());
    let mut start = 0_u64;
    for block in description.blocks {
        let selector = description.lambda - block.n;
        let e = eq(&bits(start >> block.n, selector), &zeta[..selector]);
        let column = |k: usize| {
            block
                .columns
                .get(k)
                .map_or(Fr::zero(), |c| values[&c.tensor] + Fr::from(c.addend))
        };
        let key = if block.is_table {
            numerator -= e * column(0);
            identity(suffix(zeta, block.n))
        } else {
            numerator += e;
            column(0)
        };
        let den = fingerprint.shared(block) - key - fingerprint.alpha * column(1);
        // Unused leaves are 0 / 1.
        denominator += e * (den - Fr::one());
        start += 1 << block.n;
    }
    (numerator, denominator)
}
