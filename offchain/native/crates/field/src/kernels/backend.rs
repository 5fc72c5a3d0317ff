//! The widest arithmetic there is for as many cells as fill its registers, and scalar arithmetic for the rest.

use super::scalar;
use crate::{AdditiveGroup, Fr};
use zkdps_simd::{Halves, Ifma};

/// Cells of a register.
const LANES: usize = 8;

/// Returns the wide arithmetic and the cells that fill its registers.
fn wide(length: usize) -> Option<(Ifma, usize)> {
    let whole = length / LANES * LANES;
    Ifma::detect()
        .filter(|_| whole > 0)
        .map(|ifma| (ifma, whole))
}

fn heads<const C: usize>(columns: [Halves<'_>; C], at: usize) -> [Halves<'_>; C] {
    columns.map(|column| column.map(|side| &side[..at]))
}

fn tails<const C: usize>(columns: [Halves<'_>; C], at: usize) -> [Halves<'_>; C] {
    columns.map(|column| column.map(|side| &side[at..]))
}

fn add<const N: usize>(a: [Fr; N], b: [Fr; N]) -> [Fr; N] {
    std::array::from_fn(|k| a[k] + b[k])
}

pub fn fold(low: &mut [Fr], high: &[Fr], r: Fr) {
    let mut at = 0;
    if let Some((ifma, whole)) = wide(low.len()) {
        ifma.fold(&mut low[..whole], &high[..whole], r);
        at = whole;
    }
    scalar::fold(&mut low[at..], &high[at..], r);
}

pub fn fold_pairs(pairs: &[Fr], r: Fr, out: &mut [Fr]) {
    let mut at = 0;
    if let Some((ifma, whole)) = wide(out.len()) {
        ifma.fold_pairs(&pairs[..2 * whole], r, &mut out[..whole]);
        at = whole;
    }
    scalar::fold_pairs(&pairs[2 * at..], r, &mut out[at..]);
}

pub fn expand_eq(low: &mut [Fr], high: &mut [Fr], z: Fr) {
    let mut at = 0;
    if let Some((ifma, whole)) = wide(low.len()) {
        ifma.expand_eq(&mut low[..whole], &mut high[..whole], z);
        at = whole;
    }
    scalar::expand_eq(&mut low[at..], &mut high[at..], z);
}

pub fn add_scaled(target: &mut [Fr], k: Fr, source: &[Fr]) {
    let length = target.len().min(source.len());
    let mut at = 0;
    if let Some((ifma, whole)) = wide(length) {
        ifma.add_scaled(&mut target[..whole], k, &source[..whole]);
        at = whole;
    }
    scalar::add_scaled(&mut target[at..length], k, &source[at..length]);
}

pub fn multiply(target: &mut [Fr], factor: &[Fr]) {
    let length = target.len().min(factor.len());
    let mut at = 0;
    if let Some((ifma, whole)) = wide(length) {
        ifma.multiply(&mut target[..whole], &factor[..whole]);
        at = whole;
    }
    scalar::multiply(&mut target[at..length], &factor[at..length]);
}

pub fn inner_product(a: &[Fr], b: &[Fr]) -> Fr {
    let length = a.len().min(b.len());
    let (mut at, mut sum) = (0, Fr::ZERO);
    if let Some((ifma, whole)) = wide(length) {
        sum = ifma.inner_product(&a[..whole], &b[..whole]);
        at = whole;
    }
    sum + scalar::inner_product(&a[at..length], &b[at..length])
}

pub fn product_round(a: Halves, b: Halves) -> [Fr; 2] {
    let Some((ifma, whole)) = wide(a[0].len()) else {
        return scalar::product_round(a, b);
    };
    let ([a0, b0], [a1, b1]) = (heads([a, b], whole), tails([a, b], whole));
    add(ifma.product_round(a0, b0), scalar::product_round(a1, b1))
}

pub fn triple_round(e: Halves, a: Halves, b: Halves) -> [Fr; 3] {
    let Some((ifma, whole)) = wide(a[0].len()) else {
        return scalar::triple_round(e, a, b);
    };
    let ([e0, a0, b0], [e1, a1, b1]) = (heads([e, a, b], whole), tails([e, a, b], whole));
    add(
        ifma.triple_round(e0, a0, b0),
        scalar::triple_round(e1, a1, b1),
    )
}

pub fn eq_product_round(weights: &[Fr], a: Halves, b: Halves) -> [Fr; 2] {
    let Some((ifma, whole)) = wide(weights.len()) else {
        return scalar::eq_product_round(weights, a, b);
    };
    let ([a0, b0], [a1, b1]) = (heads([a, b], whole), tails([a, b], whole));
    add(
        ifma.eq_product_round(&weights[..whole], a0, b0),
        scalar::eq_product_round(&weights[whole..], a1, b1),
    )
}

pub fn logup_round(weights: &[Fr], columns: [Halves; 4]) -> [Fr; 2] {
    let Some((ifma, whole)) = wide(weights.len()) else {
        return scalar::logup_round(weights, columns);
    };
    add(
        ifma.logup_round(&weights[..whole], heads(columns, whole)),
        scalar::logup_round(&weights[whole..], tails(columns, whole)),
    )
}

pub fn logup_parents(p: Halves, q: Halves, p_out: &mut [Fr], q_out: &mut [Fr]) {
    let mut at = 0;
    if let Some((ifma, whole)) = wide(p_out.len()) {
        let [p, q] = heads([p, q], whole);
        ifma.logup_parents(p, q, &mut p_out[..whole], &mut q_out[..whole]);
        at = whole;
    }
    let [p, q] = tails([p, q], at);
    scalar::logup_parents(p, q, &mut p_out[at..], &mut q_out[at..]);
}

pub use scalar::{evaluate, invert};
