//! Claim reduction: claims on committed tensors become one opening of one combination of chunks
//! (proofs-spec.md 2.9; FORMAT.md 7.4).

mod prover;
mod verifier;

pub use prover::prove_reduction;
pub use verifier::verify_reduction;

use zkdps_field::{Fr, One, Zero};
use zkdps_poly::{bits, eq, eq_table};
use zkdps_program::Program;

/// tensor~(point) = value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Tensor id.
    pub tensor: usize,
    /// As many coordinates as the tensor has variables.
    pub point: Vec<Fr>,
    /// The claimed value.
    pub value: Fr,
}

/// The opening that remains: Σ_i weights_i chunk_i at `point` is `value`.
#[derive(Clone, Debug)]
pub struct Reduced {
    /// c coordinates.
    pub point: Vec<Fr>,
    /// κ_i for all F + P chunks.
    pub weights: Vec<Fr>,
}

/// Returns (1, η, η², …), one for each claim.
fn claim_powers(claims: &[Claim], eta: Fr) -> impl Iterator<Item = Fr> {
    std::iter::successors(Some(Fr::one()), move |power| Some(*power * eta)).take(claims.len())
}

/// Returns κ_chunk = Σ_j η^j w_j eq(lo_j, point) for all chunks.
fn chunk_weights(program: &Program, claims: &[Claim], eta: Fr, point: &[Fr]) -> Vec<Fr> {
    let mut weights = vec![Fr::zero(); program.chunks()];
    for (power, claim) in claim_powers(claims, eta).zip(claims) {
        let tensor = &program.tensors[claim.tensor];
        if tensor.n < program.c {
            let selector = program.c - tensor.n;
            let address = eq(&bits(tensor.addr as u64, selector), &point[..selector]);
            weights[tensor.chunk] += power * address * eq(&claim.point, &point[selector..]);
        } else {
            let (high, low) = claim.point.split_at(tensor.n - program.c);
            let table = eq_table(high, power * eq(low, point));
            weights[tensor.chunk..]
                .iter_mut()
                .zip(table)
                .for_each(|(weight, w)| *weight += w);
        }
    }
    weights
}
