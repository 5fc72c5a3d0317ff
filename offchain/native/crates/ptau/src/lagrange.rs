//! Sections 12 to 15: the same polynomials in the Lagrange bases of every size 2^0, 2^1, ... up to the power.
//!
//! With L_j = (1/n) sum_i w^(-ij) P_i, random c_j give sum_j c_j L_j = sum_i IFFT(c)_i P_i. All sizes of a section
//! are combined at once: the left side in one pass over it, the right side with one weight for each power.

use crate::chain::same_ratio;
use crate::container::Ptau;
use crate::error::{PtauError, Result, Section};
use crate::observe::Watch;
use crate::points::Point;
use crate::powers::{Coefficients, Weighted, visit_points};
use ark_bn254::{Fr, G1Affine, G2Affine};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::Zero;
use ark_poly::{EvaluationDomain, Radix2EvaluationDomain};

/// Returns the weight of every power for a Lagrange section whose largest size is 2^`top`; one more than there
/// are points in section 2, where the largest size has no power for its last weight.
///
/// # Panics
/// `top` is above 28, where the field has no such root of unity.
#[must_use]
pub fn weights(seed: &[u8; 32], lagrange: Section, top: u32) -> Vec<Fr> {
    let mut coefficients = Coefficients::new(seed, lagrange);
    let mut weights = vec![Fr::zero(); 1 << top];
    for level in 0..=top {
        let size = 1_usize << level;
        let domain = Radix2EvaluationDomain::<Fr>::new(size).expect("2^28 divides r - 1");
        let mut drawn = coefficients.take(size);
        domain.ifft_in_place(&mut drawn);
        for (weight, drawn) in weights.iter_mut().zip(drawn) {
            *weight += drawn;
        }
    }
    weights
}

/// Returns sum of c_j L_j over a whole Lagrange section, minus what its section of powers gave.
///
/// # Errors
/// A byte string that is no point.
pub fn difference<P: Point>(
    ptau: &mut Ptau,
    seed: &[u8; 32],
    lagrange: Section,
    powers: &Weighted<P>,
    watch: &mut Watch<'_>,
) -> Result<P::Group> {
    let mut coefficients = Coefficients::new(seed, lagrange);
    let mut sum = -powers.sum;
    visit_points(ptau, lagrange, watch, |_, points: &[P]| {
        sum += P::combine(points, &coefficients.take(points.len()));
        Ok(())
    })?;
    Ok(sum)
}

/// Refuses a section whose difference is not zero.
///
/// # Errors
/// It is not.
pub fn expect_equal<G: Zero>(lagrange: Section, difference: &G) -> Result<()> {
    if difference.is_zero() {
        return Ok(());
    }
    Err(PtauError::inconsistent(lagrange, NOT_LAGRANGE))
}

/// Refuses section 12 of a file cut from a larger one unless its largest size is either padded with infinity or
/// takes the one power that was cut off, tau times the last of section 2.
///
/// # Errors
/// Neither holds.
pub fn expect_equal_but_last(
    difference: &<G1Affine as AffineRepr>::Group,
    last_weight: Fr,
    last: &G1Affine,
    tau_g2: &G2Affine,
) -> Result<()> {
    if difference.is_zero() {
        return Ok(());
    }
    let expected = (*last * last_weight).into_affine();
    let found = difference.into_affine();
    if same_ratio(&expected, &found, &G2Affine::generator(), tau_g2) {
        return Ok(());
    }
    Err(PtauError::inconsistent(
        Section::LagrangeTauG1,
        NOT_LAGRANGE,
    ))
}

const NOT_LAGRANGE: &str = "the points are not the powers in Lagrange bases";
