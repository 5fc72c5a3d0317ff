//! The verifier's half: the folds' consistency and one pairing equation.

use crate::ArgumentError;
use zkdps_field::msm::msm;
use zkdps_field::pairing::is_opening;
use zkdps_field::scalar::powers;
use zkdps_field::{
    AdditiveGroup, AffineRepr, CurveGroup, Field, Fr, G1Affine, G2Affine, One, Zero,
};
use zkdps_transcript::{Receiver, Tag};

/// Checks that the committed polynomial is `value` at `point`.
///
/// # Errors
/// A message is malformed, the challenge u is 0, the folds do not end in `value`, or the pairing fails.
pub fn verify_opening(
    receiver: &mut Receiver,
    commitment: G1Affine,
    point: &[Fr],
    value: Fr,
    tau_g2: G2Affine,
) -> Result<(), ArgumentError> {
    let length = point.len();
    let folds = receiver.receive_points(Tag::OpenFolds, length.saturating_sub(1))?;
    let u = receiver.challenge();
    let half_over_u = u.double().inverse().ok_or(ArgumentError::ZeroChallenge)?;
    let sent = receiver.receive_scalars(Tag::OpenValues, 2 * length + 1)?;
    let (a, b) = sent[1..].split_at(length);
    let squares = fold_squares(sent[0], a, b, point, half_over_u);
    if squares[length] != value {
        return Err(ArgumentError::Folds {
            expected: value,
            got: squares[length],
        });
    }
    let q = receiver.challenge();
    let quotients = receiver.receive_points(Tag::OpenQuotients, 3)?;
    let d = receiver.challenge();

    // B_0 = Σ q^i a_i, B_1 = Σ q^i b_i, B_2 = Σ q^i e_i
    let weights = powers(q, length);
    let batch = |column: &[Fr]| weights.iter().zip(column).map(|(w, v)| *w * v).sum::<Fr>();
    let (d2, u2) = (d.square(), u.square());
    let evaluation = batch(a) + d * batch(b) + d2 * batch(&squares);
    // L = (1 + d + d²)(C + Σ_{i>=1} q^i K_i) + u W_0 − d u W_1 + d² u² W_2 − (B_0 + d B_1 + d² B_2) G
    let scale = Fr::one() + d + d2;
    let mut points = vec![commitment];
    points.extend(folds);
    let mut scalars: Vec<Fr> = weights.iter().map(|w| scale * w).collect();
    scalars.truncate(points.len());
    points.extend(&quotients);
    points.push(G1Affine::generator());
    scalars.extend([u, -d * u, d2 * u2, -evaluation]);
    let left = msm(&points, &scalars).into_affine();
    // R = W_0 + d W_1 + d² W_2
    let right = msm(&quotients, &[Fr::one(), d, d2]).into_affine();
    if is_opening(left, right, tau_g2) {
        Ok(())
    } else {
        Err(ArgumentError::Pairing)
    }
}

/// Returns e_0 … e_l: e_{i+1} = (1 − x)(a_i + b_i) / 2 + x (a_i − b_i) / (2u) with x = x_{l−1−i}.
fn fold_squares(first: Fr, a: &[Fr], b: &[Fr], point: &[Fr], half_over_u: Fr) -> Vec<Fr> {
    let half = Fr::from(2_u64).inverse().unwrap_or_else(Fr::zero);
    let mut squares = vec![first];
    for ((a, b), x) in a.iter().zip(b).zip(point.iter().rev()) {
        let (even, odd) = ((*a + b) * half, (*a - b) * half_over_u);
        squares.push(even + *x * (odd - even));
    }
    squares
}
