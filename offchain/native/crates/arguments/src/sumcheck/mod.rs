//! Sum-check rounds with and without the eq factor (proofs-spec.md 2.2).

mod batch;
mod prover;
mod verifier;

pub(crate) use batch::Compress;
pub use batch::{Column, Sum, prove_eq_batch, prove_plain_batch};
pub use prover::{halve_weights, prove_layer};
pub use verifier::{verify_eq, verify_plain};
