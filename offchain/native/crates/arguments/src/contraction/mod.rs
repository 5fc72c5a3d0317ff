//! Contractions: every accumulator is Σ_x A(x) B(x) at one point (proofs-spec.md 2.7; FORMAT.md 7.2, 7.3).
//!
//! The accumulator itself is virtual: requantization defines the claim `m · Σ A B = v`.

mod prover;
mod verifier;

pub use prover::{prove_biases, prove_contractions};
pub use verifier::{verify_biases, verify_contractions};

use crate::logup::{LeafClaims, suffix};
use crate::reduction::Claim;
use zkdps_field::scalar::power_of_two;
use zkdps_field::{Fr, One};
use zkdps_poly::less_than;
use zkdps_program::{Operand, Program, Requant};

/// What requantizations leave to be shown: v_k for every one, and the claims on biases.
#[derive(Clone, Debug)]
pub struct Accumulators {
    /// v_k = m_k · Σ A B.
    pub values: Vec<Fr>,
    /// Claims on the bias tensors.
    pub claims: Vec<Claim>,
}

/// Returns v = 2^s (q + qAddend) + Σ_d 2^shift_d ρ_d − 2^(s−1) − m · bias · lt(rows; z_i).
fn requant_value(entry: &Requant, leaf: &LeafClaims, bias: Fr) -> Fr {
    let z_o = suffix(&leaf.zeta, entry.rows_log + entry.cols_log);
    let quotient = leaf.values[&entry.q_tensor] + Fr::from(entry.q_addend);
    let remainder: Fr = entry
        .digits
        .iter()
        .map(|(tensor, shift)| leaf.values[tensor] * power_of_two(*shift))
        .sum();
    let selected = bias * less_than(entry.rows.into(), &z_o[..entry.rows_log]);
    quotient * power_of_two(entry.s) + remainder
        - power_of_two(entry.s - 1)
        - Fr::from(entry.m) * selected
}

/// Pairs the received or computed bias values with their claims.
fn accumulate(program: &Program, leaf: &LeafClaims, biases: Vec<Fr>) -> Accumulators {
    let mut next = biases.into_iter();
    let (mut values, mut claims) = (Vec::new(), Vec::new());
    for entry in &program.requants {
        let bias = entry
            .bias
            .and_then(|tensor| next.next().map(|value| (tensor, value)));
        values.push(requant_value(
            entry,
            leaf,
            bias.map_or_else(Fr::default, |(_, value)| value),
        ));
        claims.extend(bias.map(|(tensor, value)| Claim {
            tensor,
            point: suffix(&leaf.zeta, entry.cols_log).to_vec(),
            value,
        }));
    }
    Accumulators { values, claims }
}

/// Returns the coordinates of an operand that are fixed before the contraction.
fn leading_point(operand: &Operand, zeta: &[Fr]) -> Vec<Fr> {
    operand
        .leading
        .iter()
        .flat_map(|(end, length)| suffix(&zeta[..zeta.len() - end], *length))
        .copied()
        .collect()
}

/// Returns the whole point of an operand: its leading coordinates and the last `variables` of r_C.
fn operand_point(operand: &Operand, variables: usize, zeta: &[Fr], r_c: &[Fr]) -> Vec<Fr> {
    let mut point = leading_point(operand, zeta);
    point.extend_from_slice(suffix(r_c, variables));
    point
}

/// Returns (1, ν, ν², …), one for each instance.
fn instance_powers(program: &Program, nu: Fr) -> impl Iterator<Item = Fr> {
    std::iter::successors(Some(Fr::one()), move |power| Some(*power * nu))
        .take(program.instances.len())
}
