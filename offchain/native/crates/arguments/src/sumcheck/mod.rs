//! Sum-check rounds of degree 2, with and without the eq factor (proofs-spec.md 2.2).

mod prover;
mod verifier;

pub use prover::{Product, prove_eq, prove_products};
pub use verifier::{verify_eq, verify_products};
