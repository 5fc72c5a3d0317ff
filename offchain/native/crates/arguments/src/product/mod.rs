//! The product phase: sums of products of columns under eq(ζ, ·) (proofs-spec.md 2.6; FORMAT.md 7.3).

mod prover;
mod verifier;

pub use prover::prove_products;
pub use verifier::verify_products;
