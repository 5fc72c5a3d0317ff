//! What every kernel means: plain loops over arkworks' arithmetic, on any machine.

use crate::{AdditiveGroup, Field, Fr, Zero};
use zkdps_simd::Halves;

pub fn fold(low: &mut [Fr], high: &[Fr], r: Fr) {
    for (low, high) in low.iter_mut().zip(high) {
        *low += r * (*high - *low);
    }
}

pub fn fold_pairs(pairs: &[Fr], r: Fr, out: &mut [Fr]) {
    let (pairs, _) = pairs.as_chunks::<2>();
    for (out, [even, odd]) in out.iter_mut().zip(pairs) {
        *out = *even + r * (*odd - even);
    }
}

pub fn expand_eq(low: &mut [Fr], high: &mut [Fr], z: Fr) {
    for (low, high) in low.iter_mut().zip(high) {
        *high = *low * z;
        *low -= *high;
    }
}

pub fn add_scaled(target: &mut [Fr], k: Fr, source: &[Fr]) {
    for (target, source) in target.iter_mut().zip(source) {
        *target += k * source;
    }
}

pub fn multiply(target: &mut [Fr], factor: &[Fr]) {
    for (target, factor) in target.iter_mut().zip(factor) {
        *target *= factor;
    }
}

pub fn inner_product(a: &[Fr], b: &[Fr]) -> Fr {
    a.iter().zip(b).map(|(a, b)| *a * b).sum()
}

pub fn product_round(a: Halves, b: Halves) -> [Fr; 2] {
    let mut sums = [Fr::zero(); 2];
    for k in 0..a[0].len() {
        sums[0] += a[0][k] * b[0][k];
        sums[1] += (a[1][k] - a[0][k]) * (b[1][k] - b[0][k]);
    }
    sums
}

pub fn triple_round(e: Halves, a: Halves, b: Halves) -> [Fr; 3] {
    let mut sums = [Fr::zero(); 3];
    for k in 0..a[0].len() {
        let [(e0, de), (a0, da), (b0, db)] = [e, a, b].map(|c| (c[0][k], c[1][k] - c[0][k]));
        let (low, square) = (a0 * b0, da * db);
        let cross = (a0 + da) * (b0 + db) - low - square;
        sums[0] += e0 * low;
        sums[1] += e0 * square + de * cross;
        sums[2] += de * square;
    }
    sums
}

pub fn eq_product_round(weights: &[Fr], a: Halves, b: Halves) -> [Fr; 2] {
    let mut sums = [Fr::zero(); 2];
    for (k, weight) in weights.iter().enumerate() {
        let square = (a[1][k] - a[0][k]) * (b[1][k] - b[0][k]);
        sums[0] += *weight * (a[1][k] * b[1][k] - a[0][k] * b[0][k] - square);
        sums[1] += *weight * square;
    }
    sums
}

pub fn logup_round(weights: &[Fr], [p0, p1, q0, q1]: [Halves; 4]) -> [Fr; 2] {
    let mut sums = [Fr::zero(); 2];
    for (k, weight) in weights.iter().enumerate() {
        let at = |side: usize| p0[side][k] * q1[side][k] + p1[side][k] * q0[side][k];
        let difference = |column: Halves| column[1][k] - column[0][k];
        let square = difference(p0) * difference(q1) + difference(p1) * difference(q0);
        sums[0] += *weight * (at(1) - at(0) - square);
        sums[1] += *weight * square;
    }
    sums
}

pub fn logup_parents(p: Halves, q: Halves, p_out: &mut [Fr], q_out: &mut [Fr]) {
    for k in 0..p_out.len() {
        p_out[k] = p[0][k] * q[1][k] + p[1][k] * q[0][k];
        q_out[k] = q[0][k] * q[1][k];
    }
}

pub fn invert(values: &mut [Fr]) {
    let mut prefixes = Vec::with_capacity(values.len());
    let mut product = Fr::ONE;
    for value in values.iter().filter(|value| !value.is_zero()) {
        prefixes.push(product);
        product *= value;
    }
    let mut inverse = product.inverse().unwrap_or_default();
    for value in values.iter_mut().rev().filter(|value| !value.is_zero()) {
        let result = inverse * prefixes.pop().unwrap_or(Fr::ZERO);
        inverse *= *value;
        *value = result;
    }
}

pub fn evaluate(coefficients: &[Fr], at: Fr) -> Fr {
    coefficients
        .iter()
        .rev()
        .fold(Fr::ZERO, |value, c| value * at + c)
}
