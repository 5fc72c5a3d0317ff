//! The one pairing equation of an opening.

use crate::{G1Affine, G2Affine};
use ark_bn254::Bn254;
use ark_ec::AffineRepr;
use ark_ec::pairing::Pairing;
use ark_ff::Zero;

/// Returns whether e(left, \[1\]_2) = e(right, \[tau\]_2).
#[must_use]
pub fn is_opening(left: G1Affine, right: G1Affine, tau_g2: G2Affine) -> bool {
    Bn254::multi_pairing([left, -right], [G2Affine::generator(), tau_g2]).is_zero()
}
