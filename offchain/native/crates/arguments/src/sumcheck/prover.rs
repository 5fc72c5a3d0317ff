//! The prover's rounds for one layer of a fractional sum.

use rayon::prelude::*;
use zkdps_field::Fr;
use zkdps_field::kernels::{add_scaled, eq_table, fold, fold_logup_round, logup_round};
use zkdps_transcript::{Sender, Tag};

/// Below this many cells a loop is not worth splitting between threads.
const PARALLEL: usize = 1 << 12;

/// Turns eq(suf_l(z), ·) into eq(suf_{l−1}(z), ·): the sum over the first variable.
pub fn halve_weights(weights: &mut Vec<Fr>) {
    let half = weights.len() / 2;
    let (low, high) = weights.split_at_mut(half);
    low.par_iter_mut()
        .zip(high.par_iter())
        .with_min_len(PARALLEL)
        .for_each(|(low, high)| *low += high);
    weights.truncate(half);
}

/// Proves Σ_x eq(z, x) g(x) for g = p0 q1 + p1 q0 + λ q0 q1 and columns \[p0, p1, q0, q1\].
///
/// Messages are computed from the vectors, never from a claim. Returns the point and the columns' values there.
pub fn prove_layer(
    sender: &mut Sender,
    tag: Tag,
    z: &[Fr],
    lambda: Fr,
    columns: [Vec<Fr>; 4],
) -> (Vec<Fr>, [Fr; 4]) {
    let [mut p0, mut p1, mut q0, mut q1] = columns;
    // g = (p0 + λ q0) q1 + p1 q0 has two products instead of three; p0 is restored at the end.
    add_scaled(&mut p0, lambda, &q0);
    let mut point = Vec::with_capacity(z.len());
    if !z.is_empty() {
        let mut weights = eq_table(&z[1..], Fr::from(1_u64));
        let mut message = logup_round(&weights, [&p0, &p1, &q0, &q1]);
        for _ in 1..z.len() {
            let r = send(sender, tag, message, &mut point);
            halve_weights(&mut weights);
            message = fold_logup_round(&weights, [&mut p0, &mut p1, &mut q0, &mut q1], r);
        }
        let r = send(sender, tag, message, &mut point);
        for column in [&mut p0, &mut p1, &mut q0, &mut q1] {
            fold(column, r);
        }
    }
    (point, [p0[0] - lambda * q0[0], p1[0], q0[0], q1[0]])
}

fn send(sender: &mut Sender, tag: Tag, message: [Fr; 2], point: &mut Vec<Fr>) -> Fr {
    sender.send_scalars(tag, &message);
    let r = sender.challenge();
    point.push(r);
    r
}

#[cfg(test)]
mod tests {
    use super::prove_layer;
    use crate::sumcheck::verify_eq;
    use zkdps_field::{Field, Fr};
    use zkdps_poly::eq_table;
    use zkdps_transcript::{Receiver, Sender, Tag};

    fn vector(length: usize, seed: u64) -> Vec<Fr> {
        (0..length as u64)
            .map(|i| Fr::from(i + 17 * seed + 2).pow([61]))
            .collect()
    }

    #[test]
    fn layers_end_in_their_columns() {
        for n in [0, 1, 2, 4, 13] {
            let (z, lambda) = (vector(n, 4), Fr::from(77));
            let columns = [1, 2, 3, 4].map(|seed| vector(1 << n, seed));
            let g = |p0: Fr, p1: Fr, q0: Fr, q1: Fr| p0 * q1 + p1 * q0 + lambda * q0 * q1;
            let weights = eq_table(&z, Fr::from(1));
            let claim: Fr = (0..1 << n)
                .map(|k| weights[k] * g(columns[0][k], columns[1][k], columns[2][k], columns[3][k]))
                .sum();
            let mut sender = Sender::default();
            let (point, [p0, p1, q0, q1]) =
                prove_layer(&mut sender, Tag::Round, &z, lambda, columns.clone());
            let at = eq_table(&point, Fr::from(1));
            let evaluate = |column: &[Fr]| column.iter().zip(&at).map(|(v, w)| *v * w).sum::<Fr>();
            assert_eq!(
                [p0, p1, q0, q1],
                [0, 1, 2, 3].map(|k| evaluate(&columns[k]))
            );
            let proof = sender.into_proof();
            let (verified, end) =
                verify_eq(&mut Receiver::new(&proof), Tag::Round, &z, claim).unwrap();
            assert_eq!((verified, end), (point, g(p0, p1, q0, q1)));
        }
    }
}
