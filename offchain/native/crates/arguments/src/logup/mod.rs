//! `LogUp`: every looked-up tuple is a row of its table (FORMAT.md 7.1), as one fractional GKR over all blocks
//! (proofs-spec.md 2.3, 2.4) or with committed inverses.

mod gkr;
mod inverses;
mod leaves;
mod verifier;

pub use gkr::{Layer, prove_gkr, prove_layers, tree};
pub use inverses::{compute_inverses, prove_inverses};
pub use leaves::{BlockCells, block_cells};
pub use verifier::{verify_gkr, verify_inverses};

use zkdps_field::{Field, Fr};
use zkdps_program::Block;

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

    /// Returns α^k.
    fn power(&self, k: usize) -> Fr {
        self.alpha.pow([k as u64])
    }
}
