//! The verifier's half: two values that follow from the others and one pairing equation.

use super::{Challenges, invert_zeta, split, weight_value};
use crate::ArgumentError;
use zkdps_field::msm::msm;
use zkdps_field::pairing::is_opening;
use zkdps_field::{AdditiveGroup, AffineRepr, CurveGroup, Field, Fr, G1Affine, G2Affine, Zero};
use zkdps_transcript::{Receiver, Tag};

/// Checks that the committed polynomial is `value` at `point`.
///
/// # Errors
/// A message is malformed, ζ is 0, ζ, 1/ζ and α are not three points, or the pairing fails.
pub fn verify_opening(
    receiver: &mut Receiver,
    commitment: G1Affine,
    point: &[Fr],
    value: Fr,
    tau_g2: G2Affine,
) -> Result<(), ArgumentError> {
    let h = receiver.receive_points(Tag::MercuryRows, 1)?;
    let alpha = receiver.challenge();
    let division = receiver.receive_points(Tag::MercuryDivision, 2)?;
    let gamma = receiver.challenge();
    let checks = receiver.receive_points(Tag::MercuryChecks, 2)?;
    let zeta = receiver.challenge();
    let inverse_zeta = invert_zeta(zeta, alpha)?;
    let values = Values(receiver.receive_array(Tag::MercuryValues)?);
    let challenges = Challenges {
        alpha,
        gamma,
        zeta,
        inverse_zeta,
        beta: receiver.challenge(),
    };
    let quotients = receiver.receive_points(Tag::MercuryQuotients, 2)?;
    let z = receiver.challenge();
    let last = receiver.receive_points(Tag::MercuryLast, 1)?;
    let mix = receiver.challenge();

    let below_width = zeta.pow([(1_u64 << split(point).1.len()) - 1]);
    let ([one, of_g, of_s, of_d], of_w) = challenges.batch_factors(z);
    let [h_z, g_z, s_z] =
        values.interpolate(values.row_value(point, value, &challenges), &challenges, z)?;
    // d(X) = X^(B−1) g(1/X)
    let d_zeta = below_width * values.0[1];
    let starred = h_z + of_g * g_z + of_s * s_z + of_d * d_zeta;
    // mix (C − (ζ^B − α) q + ζ t − g(ζ) G) + h + … + z w' − (h*(z) + …) G
    let terms = [
        (commitment, mix),
        (division[0], mix * (alpha - below_width * zeta)),
        (quotients[0], mix * zeta),
        (h[0], one),
        (division[1], of_g),
        (checks[0], of_s),
        (checks[1], of_d),
        (quotients[1], -of_w),
        (last[0], z),
        (G1Affine::generator(), -mix * values.0[0] - starred),
    ];
    let (points, scalars): (Vec<_>, Vec<_>) = terms.into_iter().unzip();
    let left = msm(&points, &scalars).into_affine();
    let right = (quotients[0] * mix + last[0]).into_affine();
    if is_opening(left, right, tau_g2) {
        Ok(())
    } else {
        Err(ArgumentError::Pairing)
    }
}

/// g, h and s, each at ζ and at 1/ζ.
struct Values([Fr; 6]);

impl Values {
    /// Returns h(α) as the two inner products have it:
    /// 2 h(α) = g(ζ) p_column(1/ζ) + g(1/ζ) p_column(ζ) + γ (h(ζ) p_row(1/ζ) + h(1/ζ) p_row(ζ) − 2 value) − ζ s(ζ) − s(1/ζ) / ζ.
    fn row_value(&self, point: &[Fr], value: Fr, c: &Challenges) -> Fr {
        let [g, g_inverse, h, h_inverse, s, s_inverse] = self.0;
        let (u_row, u_column) = split(point);
        let pair = |u, at, at_inverse| {
            at * weight_value(u, c.inverse_zeta) + at_inverse * weight_value(u, c.zeta)
        };
        let products =
            pair(u_column, g, g_inverse) + c.gamma * (pair(u_row, h, h_inverse) - value.double());
        let half = Fr::from(2_u64).inverse().unwrap_or_else(Fr::zero);
        (products - c.zeta * s - c.inverse_zeta * s_inverse) * half
    }

    /// Returns at z the polynomials of least degree through the values of h (α included), g and s.
    fn interpolate(&self, h_alpha: Fr, c: &Challenges, z: Fr) -> Result<[Fr; 3], ArgumentError> {
        let [g, g_inverse, h, h_inverse, s, s_inverse] = self.0;
        let slope = (c.zeta - c.inverse_zeta).inverse();
        let slope = slope.ok_or(ArgumentError::ForbiddenChallenge)?;
        let line = |a: Fr, b: Fr, at: Fr| b + (a - b) * slope * (at - c.inverse_zeta);
        let vanishing = |at: Fr| (at - c.zeta) * (at - c.inverse_zeta);
        let scale = vanishing(c.alpha).inverse();
        let scale = scale.ok_or(ArgumentError::ForbiddenChallenge)?;
        // A line, and the multiple of (X − ζ)(X − 1/ζ) that corrects it at α.
        let correction = (h_alpha - line(h, h_inverse, c.alpha)) * scale;
        Ok([
            line(h, h_inverse, z) + correction * vanishing(z),
            line(g, g_inverse, z),
            line(s, s_inverse, z),
        ])
    }
}
