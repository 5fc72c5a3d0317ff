//! Mercury: opens one multilinear polynomial at one point by 8 points and 6 scalars (OPENINGS.md 3; Eagen and
//! Gabizon, ePrint 2025/385).
//!
//! The polynomial is a matrix f of 2^⌊c/2⌋ rows and B = 2^⌈c/2⌉ columns, row by row. Opened together (Boneh,
//! Drake, Fisch, Gabizon, ePrint 2020/081, section 4) are
//!
//! | polynomial | is | at |
//! |---|---|---|
//! | h | Σ_column eq(u_column, column) f, a coefficient for every row | ζ, 1/ζ, α |
//! | g | f mod X^B − α, the matrix' columns at α | ζ, 1/ζ |
//! | s | the inner products' terms besides the constant one | ζ, 1/ζ |
//! | d | X^(B−1) g(1/X), a polynomial only if deg g < B | ζ |

mod prover;
mod verifier;

pub use prover::prove_opening;
pub use verifier::verify_opening;

use crate::ArgumentError;
use zkdps_field::{Field, Fr, One};

/// What the transcript answers before the quotients.
#[derive(Clone, Copy)]
struct Challenges {
    alpha: Fr,
    gamma: Fr,
    zeta: Fr,
    inverse_zeta: Fr,
    beta: Fr,
}

impl Challenges {
    /// Returns β^i Z(z) / Z_i(z) for h, g, s and d, Z_i vanishing where polynomial i is opened, and Z(z).
    fn batch_factors(&self, z: Fr) -> ([Fr; 4], Fr) {
        let past_alpha = z - self.alpha;
        let past_pair = past_alpha * (z - self.inverse_zeta);
        let (beta, square) = (self.beta, self.beta.square());
        let factors = [
            Fr::one(),
            beta * past_alpha,
            square * past_alpha,
            square * beta * past_pair,
        ];
        (factors, past_pair * (z - self.zeta))
    }
}

/// Splits a point into the coordinates of the row and of the column.
fn split(point: &[Fr]) -> (&[Fr], &[Fr]) {
    point.split_at(point.len() / 2)
}

/// Returns 1/ζ.
///
/// # Errors
/// ζ, 1/ζ and α are not three points.
fn invert_zeta(zeta: Fr, alpha: Fr) -> Result<Fr, ArgumentError> {
    let inverse = zeta.inverse().ok_or(ArgumentError::ZeroChallenge)?;
    if zeta == inverse || zeta == alpha || inverse == alpha {
        return Err(ArgumentError::ForbiddenChallenge);
    }
    Ok(inverse)
}

/// Returns Σ_i eq(u, i) at^i = Π (1 − u_k + u_k at^(2^k)), the last coordinate's k being 0.
fn weight_value(u: &[Fr], at: Fr) -> Fr {
    let powers = std::iter::successors(Some(at), |power| Some(power.square()));
    u.iter()
        .rev()
        .zip(powers)
        .map(|(u, power)| Fr::one() + *u * (power - Fr::one()))
        .product()
}

#[cfg(test)]
mod tests;
