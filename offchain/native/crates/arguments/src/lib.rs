//! The arguments of which a proof consists, each with a prover's and a verifier's half:
//!
//! | module | shows | specification |
//! |---|---|---|
//! | [`sumcheck`] | Σ eq(z, x) g(x) or Σ a(x) b(x) equals a claim, given values at one point | proofs-spec.md 2.2 |
//! | [`logup`] | every looked-up tuple is a row of its table | 2.3, 2.4; FORMAT.md 7.1 |
//! | [`contraction`] | accumulators are products of activations and weights | 2.7; FORMAT.md 7.2, 7.3 |
//! | [`reduction`] | many claims on committed tensors follow from one opening | 2.9; FORMAT.md 7.4 |
//! | [`hyperkzg`] | a committed polynomial has a value at a point | 2.10; OPENINGS.md 2 |
//! | [`mercury`] | the same, by a proof of constant size | OPENINGS.md 3 |
//!
//! A verifier's half is a pure function of key, transcript and public values.
#![forbid(unsafe_code)]

pub mod contraction;
pub mod hyperkzg;
pub mod logup;
pub mod mercury;
pub mod reduction;
pub mod sumcheck;
mod univariate;

use thiserror::Error;
use zkdps_field::Fr;
use zkdps_transcript::TranscriptError;

/// Why an argument does not show its claim.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ArgumentError {
    /// The bytes are not messages.
    #[error(transparent)]
    Transcript(#[from] TranscriptError),
    /// The fractional sum of all lookups is not 0, or undefined.
    #[error(
        "LogUp root: the numerator must be 0 and the denominator must not, got {numerator} / {denominator}"
    )]
    Root {
        /// Sent numerator.
        numerator: Fr,
        /// Sent denominator.
        denominator: Fr,
    },
    /// A layer's sum-check and the layer's values disagree.
    #[error(
        "LogUp layer {layer}: sum-check does not end in the sent values: expected {expected}, got {got}"
    )]
    Layer {
        /// Layer, from the root.
        layer: usize,
        /// What the sum-check ends in.
        expected: Fr,
        /// What the sent values give.
        got: Fr,
    },
    /// The leaves and the columns disagree.
    #[error(
        "LogUp leaves: the claims do not match the columns: expected {expected:?}, got {got:?}"
    )]
    Leaves {
        /// Numerator and denominator in which the layers end.
        expected: Box<(Fr, Fr)>,
        /// Numerator and denominator that the columns give.
        got: Box<(Fr, Fr)>,
    },
    /// The contraction's sum-check and the factors disagree.
    #[error(
        "contraction: sum-check does not end in the sent values: expected {expected}, got {got}"
    )]
    Contraction {
        /// What the sum-check ends in.
        expected: Fr,
        /// What the factors give.
        got: Fr,
    },
    /// The evaluation point of the opening is 0.
    #[error("opening challenge is zero")]
    ZeroChallenge,
    /// The points at which polynomials are opened coincide.
    #[error("opening challenge is forbidden: zeta, 1 / zeta and alpha are not three points")]
    ForbiddenChallenge,
    /// The folds of the opening do not lead to the claimed value.
    #[error("the opening's folds do not end in the claimed value: expected {expected}, got {got}")]
    Folds {
        /// The claimed value.
        expected: Fr,
        /// The last fold.
        got: Fr,
    },
    /// The opening's pairing equation does not hold.
    #[error("the pairing check of the opening fails")]
    Pairing,
}
