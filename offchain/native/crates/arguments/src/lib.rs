//! The arguments of which a proof consists, each with a prover's and a verifier's half:
//!
//! | module | shows | specification |
//! |---|---|---|
//! | [`sumcheck`] | Σ eq(z, x) g(x) or Σ e(x) a(x) b(x) equals a claim, given values at one point | proofs-spec.md 2.2 |
//! | [`logup`] | every looked-up tuple is a row of its table | FORMAT.md 7.1 |
//! | [`product`] | relations' values are sums of products under eq | 7.3 |
//! | [`contraction`] | accumulators are products of activations and weights | 7.4 |
//! | [`link`] | windows are sums over the tensors they look at | 7.5 |
//! | [`reduction`] | many claims on committed tensors follow from one opening | 7.6 |
//! | [`hyperkzg`] | a committed polynomial has a value at a point | OPENINGS.md 2 |
//! | [`mercury`] | the same, by a proof of constant size | OPENINGS.md 3 |
//!
//! Around them: [`challenges`] turns segments, functions and expressions into values, [`slots`] is the verifier's and
//! [`proving`] the prover's side of slots, [`binding`] evaluates integer tensors partially, [`virtuals`] makes the
//! columns that are no tensor's, [`combine`](combine::combine) adds chunks up.
//!
//! A verifier's half is a pure function of key, transcript and public values. A prover's half follows the protocol
//! without judging the witness.
#![forbid(unsafe_code)]

pub mod binding;
pub mod challenges;
pub mod combine;
pub mod contraction;
pub mod hyperkzg;
pub mod link;
pub mod logup;
pub mod mercury;
pub mod product;
pub mod proving;
pub mod reduction;
pub mod slots;
pub mod sumcheck;
pub mod virtuals;

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
    /// A phase's sum-check and the values sent after it disagree.
    #[error("{phase}: sum-check does not end in the sent values: expected {expected}, got {got}")]
    End {
        /// Name of the phase.
        phase: &'static str,
        /// What the sum-check ends in.
        expected: Fr,
        /// What the values give.
        got: Fr,
    },
    /// A relation that leaves no residual does not hold.
    #[error("relation {index} does not hold: its value is {value}")]
    Relation {
        /// Its position.
        index: usize,
        /// Its value, which is not 0.
        value: Fr,
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
