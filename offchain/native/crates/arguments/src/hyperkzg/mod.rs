//! `HyperKZG`: opens one multilinear polynomial at one point (proofs-spec.md 2.10).

mod prover;
mod verifier;

pub use prover::prove_opening;
pub use verifier::verify_opening;
