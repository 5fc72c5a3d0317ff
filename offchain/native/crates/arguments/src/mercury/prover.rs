//! The prover's half: two multi-scalar multiplications of about the polynomial's size, six of about its root.

use super::{Challenges, invert_zeta, split};
use crate::ArgumentError;
use rayon::prelude::*;
use zkdps_field::kernels::{add_scaled, divide_by_root, eq_table, evaluate, inner_product};
use zkdps_field::msm::msm;
use zkdps_field::{Field, Fr, G1Affine, One, Zero};
use zkdps_transcript::{Sender, Tag};

/// Opens `polynomial` (2^len evaluations, committed as coefficients) at `point`; `srs` has as many powers.
///
/// # Errors
/// ζ, drawn from the transcript, is 0, or ζ, 1/ζ and α are not three points.
pub fn prove_opening(
    sender: &mut Sender,
    srs: &[G1Affine],
    polynomial: Vec<Fr>,
    point: &[Fr],
) -> Result<(), ArgumentError> {
    let (u_row, u_column) = split(point);
    let weights = eq_table(u_column, Fr::one());
    let width = weights.len();
    let h: Vec<Fr> = polynomial
        .par_chunks_exact(width)
        .map(|row| inner_product(row, &weights))
        .collect();
    sender.send_points(Tag::MercuryRows, &[msm(srs, &h)]);
    let alpha = sender.challenge();

    let (q, g) = divide_by_binomial(&polynomial, width, alpha);
    let (q_point, g_point) = rayon::join(|| msm(srs, &q), || msm(srs, &g));
    sender.send_points(Tag::MercuryDivision, &[q_point, g_point]);
    let gamma = sender.challenge();

    let mut s = cross_terms(&g, u_column);
    for (cell, term) in s.iter_mut().zip(cross_terms(&h, u_row)) {
        *cell += gamma * term;
    }
    let d: Vec<Fr> = g.iter().rev().copied().collect();
    sender.send_points(Tag::MercuryChecks, &[msm(srs, &s), msm(srs, &d)]);
    let zeta = sender.challenge();
    let inverse_zeta = invert_zeta(zeta, alpha)?;

    let values: Vec<Fr> = [&g, &h, &s]
        .iter()
        .flat_map(|p| [zeta, inverse_zeta].map(|at| evaluate(p, at)))
        .collect();
    sender.send_scalars(Tag::MercuryValues, &values);
    let challenges = Challenges {
        alpha,
        gamma,
        zeta,
        inverse_zeta,
        beta: sender.challenge(),
    };

    let t = open_division(polynomial, &q, width, &challenges);
    let w = batch_quotient([&h, &g, &s, &d], &challenges);
    let (t_point, w_point) = rayon::join(|| msm(srs, &t), || msm(srs, &w));
    sender.send_points(Tag::MercuryQuotients, &[t_point, w_point]);
    let z = sender.challenge();

    let ([one, of_g, of_s, of_d], of_w) = challenges.batch_factors(z);
    let mut last = vec![Fr::zero(); width];
    let terms = [(one, &h), (of_g, &g), (of_s, &s), (of_d, &d), (-of_w, &w)];
    for (factor, terms) in terms {
        add_scaled(&mut last, factor, terms);
    }
    replace_by_quotient(&mut last, z);
    sender.send_points(Tag::MercuryLast, &[msm(srs, &last)]);
    sender.challenge();
    Ok(())
}

/// Returns quotient and remainder by X^width − alpha: Horner's rule whose digits are rows.
fn divide_by_binomial(polynomial: &[Fr], width: usize, alpha: Fr) -> (Vec<Fr>, Vec<Fr>) {
    let mut quotient = polynomial[width..].to_vec();
    let mut remainder = polynomial[..width].to_vec();
    for at in (width..quotient.len()).step_by(width).rev() {
        let (lower, higher) = quotient.split_at_mut(at);
        add_scaled(&mut lower[at - width..], alpha, &higher[..width]);
    }
    if let Some(lowest) = quotient.get(..width) {
        add_scaled(&mut remainder, alpha, lowest);
    }
    (quotient, remainder)
}

/// Returns s with a(X) p(1/X) + a(1/X) p(X) = 2⟨a, p⟩ + X s(X) + s(1/X) / X for p = Π (1 − u_k + u_k X^(2^k)).
fn cross_terms(a: &[Fr], u: &[Fr]) -> Vec<Fr> {
    // p(1/X) is multiplied factor by factor: 2 n log n products and no transform.
    let middle = a.len() - 1;
    let mut product = vec![Fr::zero(); middle];
    product.extend(a);
    for (k, u) in u.iter().rev().enumerate() {
        for i in 0..product.len() {
            let shifted = product.get(i + (1 << k)).copied().unwrap_or_default();
            product[i] = product[i] + *u * (shifted - product[i]);
        }
    }
    (1..=middle)
        .map(|k| product[middle + k] + product[middle - k])
        .collect()
}

/// Returns the quotient of f − (ζ^width − α) q by (X − ζ).
fn open_division(mut f: Vec<Fr>, q: &[Fr], width: usize, c: &Challenges) -> Vec<Fr> {
    add_scaled(&mut f, c.alpha - c.zeta.pow([width as u64]), q);
    divide_by_root(&f, c.zeta)
}

/// Returns Σ β^i (p_i − p_i*) / Z_i for h, g, s, d: see [`Challenges::batch_factors`].
fn batch_quotient([h, g, s, d]: [&[Fr]; 4], c: &Challenges) -> Vec<Fr> {
    // Quotients are linear and compose, so the common roots are divided out last.
    let mut sum = vec![Fr::zero(); g.len()];
    add_scaled(&mut sum, Fr::one(), h);
    replace_by_quotient(&mut sum, c.alpha);
    add_scaled(&mut sum, c.beta, g);
    add_scaled(&mut sum, c.beta.square(), s);
    replace_by_quotient(&mut sum, c.inverse_zeta);
    add_scaled(&mut sum, c.beta.square() * c.beta, d);
    replace_by_quotient(&mut sum, c.zeta);
    sum
}

/// Divides by (X − root) and drops the remainder; the length stays.
fn replace_by_quotient(polynomial: &mut Vec<Fr>, root: Fr) {
    *polynomial = divide_by_root(polynomial, root);
    polynomial.push(Fr::zero());
}
