//! The link phase: a window of a convolution is a sum over the tensor that it looks at (proofs-spec.md 2.8;
//! FORMAT.md 7.5).

mod prover;
mod verifier;

pub use prover::prove_links;
pub use verifier::verify_links;
