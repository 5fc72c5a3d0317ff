//! `LogUp` as one fractional GKR over all lookups and tables (proofs-spec.md 2.3, 2.4; FORMAT.md 7.1).

mod prover;
mod verifier;

pub use prover::{Layer, leaves, prove_layers, prove_logup, tree};
pub use verifier::verify_logup;

use std::collections::BTreeMap;
use zkdps_field::{Field, Fr};
use zkdps_program::Block;

/// Leaf blocks in leaf order, over 2^lambda leaves.
#[derive(Clone, Copy, Debug)]
pub struct Leaves<'a> {
    /// Variables of the leaves.
    pub lambda: usize,
    /// Blocks by decreasing size.
    pub blocks: &'a [Block],
}

/// The challenges from which denominators are made.
#[derive(Clone, Copy, Debug)]
pub struct Fingerprint {
    /// Shift of every denominator.
    pub beta: Fr,
    /// Base of the tuple's powers.
    pub alpha: Fr,
}

impl Fingerprint {
    /// Returns β − α³ · tableId, the part of a denominator that a block's cells share.
    fn shared(&self, block: &Block) -> Fr {
        self.beta - self.alpha.square() * self.alpha * Fr::from(block.table_id)
    }
}

/// Result: ζ and the value at suf_n(ζ) of every tensor in a leaf block.
#[derive(Clone, Debug)]
pub struct LeafClaims {
    /// The final point.
    pub zeta: Vec<Fr>,
    /// Values by tensor, public tensors included.
    pub values: BTreeMap<usize, Fr>,
    /// The tensors whose values were sent, in order.
    pub sent: Vec<usize>,
}

/// Returns the last `count` coordinates of a point.
#[must_use]
pub fn suffix(point: &[Fr], count: usize) -> &[Fr] {
    &point[point.len() - count..]
}
