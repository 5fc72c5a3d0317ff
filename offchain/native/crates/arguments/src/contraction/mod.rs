//! The contraction phase: accumulators and virtual slots are Σ_x E(x) A(x) B(x) (proofs-spec.md 2.7; FORMAT.md 7.4).
//!
//! The accumulators themselves are virtual: requantization defines the claim.

mod prover;
mod verifier;

pub use prover::prove_contractions;
pub use verifier::verify_contractions;

use zkdps_field::Fr;
use zkdps_program::{Instance, Origin};

/// Returns what an instance has to sum up to.
fn claim(instance: &Instance, relations: &[Fr], slots: &[Fr]) -> Fr {
    match instance.origin {
        Origin::Relation => relations[instance.index],
        Origin::Slot => slots[instance.index],
    }
}
