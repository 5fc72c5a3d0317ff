//! Claim reduction: all claims on committed tensors follow from one opening (proofs-spec.md 2.9; FORMAT.md 7.6).

mod prover;
mod verifier;

pub use prover::prove_reduction;
pub use verifier::verify_reduction;

use crate::challenges::{Challenges, coefficient, suffix};
use zkdps_field::scalar::power_of_two;
use zkdps_field::{Field, Fr, One, Zero};
use zkdps_poly::{bits, eq, eq_table};
use zkdps_program::{Lookup, Program, Residual, Source};

/// coefficient · tensor(point).
#[derive(Clone, Debug)]
pub struct Term {
    /// Factor.
    pub coefficient: Fr,
    /// Committed tensor.
    pub tensor: usize,
    /// Point of the tensor's size.
    pub point: Vec<Fr>,
}

/// The sum of the terms is `value`.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Terms.
    pub terms: Vec<Term>,
    /// Their sum.
    pub value: Fr,
}

impl Claim {
    fn of_tensor(tensor: usize, point: Vec<Fr>, value: Fr) -> Self {
        Self {
            terms: vec![Term {
                coefficient: Fr::one(),
                tensor,
                point,
            }],
            value,
        }
    }
}

/// The opening that is left: Σ κ_i f_i at `point`.
#[derive(Clone, Debug)]
pub struct Reduced {
    /// c coordinates.
    pub point: Vec<Fr>,
    /// κ_i for all chunks.
    pub weights: Vec<Fr>,
}

/// Returns all claims in the order of their powers of η; `relations` are the relations' values, `inverses` those of
/// committed inverses.
#[must_use]
pub fn collect_claims(
    program: &Program,
    challenges: &Challenges,
    slots: &[Fr],
    relations: &[Fr],
    inverses: &[Fr],
) -> Vec<Claim> {
    let claimed = program.claimed_slots().filter_map(|index| {
        let slot = &program.slots[index];
        let point = challenges.point(&slot.point);
        slot.tensor
            .map(|tensor| Claim::of_tensor(tensor, point, slots[index]))
    });
    let linear = program.relations_with(Residual::Linear).map(|index| Claim {
        terms: program.relations[index]
            .terms
            .iter()
            .map(|term| Term {
                coefficient: coefficient(term.coefficient),
                tensor: term.tensor,
                point: challenges.point(&term.point),
            })
            .collect(),
        value: relations[index],
    });
    let mut claims: Vec<Claim> = claimed.chain(linear).collect();
    if program.lookup == Lookup::Inverses {
        claims.extend(inverse_claims(program, challenges, inverses));
    }
    claims
}

/// Returns the claims on the inverses and, last, that they sum up to 0.
fn inverse_claims(program: &Program, challenges: &Challenges, inverses: &[Fr]) -> Vec<Claim> {
    let (late, zeta) = (program.late_tensors(), challenges.vector(Source::Zeta));
    let half = Fr::from(2_u64).inverse().unwrap_or_default();
    let blocks = || late.iter().copied().zip(&program.blocks);
    let mut claims: Vec<Claim> = blocks()
        .zip(inverses)
        .map(|((tensor, block), value)| {
            Claim::of_tensor(tensor, suffix(zeta, block.n).to_vec(), *value)
        })
        .collect();
    claims.push(Claim {
        terms: blocks()
            .map(|(tensor, block)| Term {
                coefficient: power_of_two(block.n as u32),
                tensor,
                point: vec![half; block.n],
            })
            .collect(),
        value: Fr::zero(),
    });
    claims
}

/// Returns every term with its claim's power of η times its coefficient.
fn weighted_terms(claims: &[Claim], eta: Fr) -> impl Iterator<Item = (Fr, &Term)> {
    std::iter::successors(Some(Fr::one()), move |power| Some(*power * eta))
        .zip(claims)
        .flat_map(|(power, claim)| {
            claim
                .terms
                .iter()
                .map(move |term| (power * term.coefficient, term))
        })
}

/// Returns κ_chunk = Σ_j η^j Σ coefficient · w · eq(lo, point) for all chunks.
fn chunk_weights(program: &Program, claims: &[Claim], eta: Fr, point: &[Fr]) -> Vec<Fr> {
    let mut weights = vec![Fr::zero(); program.chunks()];
    for (power, term) in weighted_terms(claims, eta) {
        let tensor = &program.tensors[term.tensor];
        if tensor.n < program.c {
            let selector = program.c - tensor.n;
            let address = eq(&bits(tensor.addr as u64, selector), &point[..selector]);
            weights[tensor.chunk] += power * address * eq(&term.point, &point[selector..]);
        } else {
            let (high, low) = term.point.split_at(tensor.n - program.c);
            let table = eq_table(high, power * eq(low, point));
            weights[tensor.chunk..]
                .iter_mut()
                .zip(table)
                .for_each(|(weight, w)| *weight += w);
        }
    }
    weights
}
