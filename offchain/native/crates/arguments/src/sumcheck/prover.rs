//! The prover's rounds. Messages are computed from the vectors, never from the claims, so that a false
//! witness gives a complete proof.

use rayon::prelude::*;
use zkdps_field::scalar::power_of_two;
use zkdps_field::{Fr, Zero};
use zkdps_poly::{eq_suffix_tables, fold};
use zkdps_transcript::{Sender, Tag};

/// Below this many cells a round is not worth splitting between threads.
const PARALLEL: usize = 1 << 11;

/// One instance of a plain batch: coefficient · Σ_x a(x) b(x) = claim over 2^variables cells.
#[derive(Clone, Debug)]
pub struct Product {
    /// Factor in the batch.
    pub coefficient: Fr,
    /// Contribution to the batch's claim while the instance waits.
    pub claim: Fr,
    /// First factor.
    pub a: Vec<Fr>,
    /// Second factor, of the same length.
    pub b: Vec<Fr>,
}

impl Product {
    fn variables(&self) -> usize {
        self.a.len().ilog2() as usize
    }

    /// Returns c_0 and c_2 of the round polynomial when `remaining` rounds are left, this one included.
    fn message(&self, remaining: usize) -> [Fr; 2] {
        let variables = self.variables();
        if variables < remaining {
            return [
                self.claim * power_of_two((remaining - 1 - variables) as u32),
                Fr::zero(),
            ];
        }
        let half = self.a.len() / 2;
        let cell = |k: usize| {
            let (a, b) = (self.a[k], self.b[k]);
            [a * b, (self.a[k + half] - a) * (self.b[k + half] - b)]
        };
        sum_cells(half, cell).map(|c| c * self.coefficient)
    }

    fn bind(&mut self, r: Fr) {
        fold(&mut self.a, r);
        fold(&mut self.b, r);
    }
}

/// Runs a plain batch of `rounds` rounds and returns the point; every product's factors are folded to one value.
pub fn prove_products(
    sender: &mut Sender,
    tag: Tag,
    products: &mut [Product],
    rounds: usize,
) -> Vec<Fr> {
    let mut point = Vec::with_capacity(rounds);
    for remaining in (1..=rounds).rev() {
        let message = products
            .iter()
            .map(|p| p.message(remaining))
            .fold([Fr::zero(); 2], add);
        sender.send_scalars(tag, &message);
        let r = sender.challenge();
        products
            .iter_mut()
            .filter(|p| p.variables() == remaining)
            .for_each(|p| p.bind(r));
        point.push(r);
    }
    point
}

/// Proves Σ_x eq(z, x) g(x) for g = p0 q1 + p1 q0 + λ q0 q1 and columns \[p0, p1, q0, q1\].
///
/// Returns the point and the columns' values there.
pub fn prove_eq(
    sender: &mut Sender,
    tag: Tag,
    z: &[Fr],
    lambda: Fr,
    columns: [Vec<Fr>; 4],
) -> (Vec<Fr>, [Fr; 4]) {
    let tables = eq_suffix_tables(z.get(1..).unwrap_or_default());
    let [mut p0, mut p1, mut q0, mut q1] = columns;
    // g = (p0 + λ q0) q1 + p1 q0 has two products instead of three; p0 is restored at the end.
    p0.iter_mut().zip(&q0).for_each(|(p, q)| *p += lambda * q);
    let mut point = Vec::with_capacity(z.len());
    for i in 0..z.len() {
        let weights = &tables[z.len() - 1 - i];
        let half = weights.len();
        let cell = |k: usize| {
            let low = p0[k] * q1[k] + p1[k] * q0[k];
            let high = p0[k + half] * q1[k + half] + p1[k + half] * q0[k + half];
            let square = (p0[k + half] - p0[k]) * (q1[k + half] - q1[k])
                + (p1[k + half] - p1[k]) * (q0[k + half] - q0[k]);
            [weights[k] * (high - low - square), weights[k] * square]
        };
        sender.send_scalars(tag, &sum_cells(half, cell));
        let r = sender.challenge();
        for column in [&mut p0, &mut p1, &mut q0, &mut q1] {
            fold(column, r);
        }
        point.push(r);
    }
    (point, [p0[0] - lambda * q0[0], p1[0], q0[0], q1[0]])
}

/// Returns the sum of `cell(k)` for k < count.
pub(crate) fn sum_cells(count: usize, cell: impl Fn(usize) -> [Fr; 2] + Sync + Send) -> [Fr; 2] {
    if count >= PARALLEL {
        (0..count)
            .into_par_iter()
            .map(cell)
            .reduce(|| [Fr::zero(); 2], add)
    } else {
        (0..count).map(cell).fold([Fr::zero(); 2], add)
    }
}

fn add(a: [Fr; 2], b: [Fr; 2]) -> [Fr; 2] {
    [a[0] + b[0], a[1] + b[1]]
}

#[cfg(test)]
mod tests {
    use super::{Product, prove_eq, prove_products};
    use crate::sumcheck::{verify_eq, verify_products};
    use zkdps_field::scalar::power_of_two;
    use zkdps_field::{Field, Fr};
    use zkdps_poly::eq_table;
    use zkdps_transcript::{Receiver, Sender, Tag};

    fn vector(length: usize, seed: u64) -> Vec<Fr> {
        (0..length as u64)
            .map(|i| Fr::from(i + 17 * seed + 2).pow([61]))
            .collect()
    }

    #[test]
    fn plain_batches_end_in_their_factors() {
        let mut products = Vec::new();
        for (k, variables) in [5_u32, 3, 0].into_iter().enumerate() {
            let (a, b) = (
                vector(1 << variables, k as u64),
                vector(1 << variables, 9 + k as u64),
            );
            let coefficient = Fr::from(k as u64 + 3);
            let claim = coefficient * a.iter().zip(&b).map(|(a, b)| *a * b).sum::<Fr>();
            products.push((
                variables,
                Product {
                    coefficient,
                    claim,
                    a,
                    b,
                },
            ));
        }
        let start = products
            .iter()
            .map(|(l, p)| p.claim * power_of_two(5 - l))
            .sum();
        let mut products: Vec<_> = products.into_iter().map(|(_, p)| p).collect();
        let mut sender = Sender::default();
        let point = prove_products(&mut sender, Tag::ReduceRound, &mut products, 5);
        let proof = sender.into_proof();
        let mut receiver = Receiver::new(&proof);
        let (verified, end) = verify_products(&mut receiver, Tag::ReduceRound, start, 5).unwrap();
        assert_eq!(verified, point);
        assert_eq!(
            end,
            products
                .iter()
                .map(|p| p.coefficient * p.a[0] * p.b[0])
                .sum()
        );
        let (_, wrong) = verify_products(
            &mut Receiver::new(&proof),
            Tag::ReduceRound,
            start + Fr::from(1),
            5,
        )
        .unwrap();
        assert_ne!(wrong, end);
    }

    #[test]
    fn eq_sum_checks_end_in_their_columns() {
        for n in [0, 1, 4, 12] {
            let (z, lambda) = (vector(n, 4), Fr::from(77));
            let columns = [1, 2, 3, 4].map(|seed| vector(1 << n, seed));
            let g = |p0: Fr, p1: Fr, q0: Fr, q1: Fr| p0 * q1 + p1 * q0 + lambda * q0 * q1;
            let weights = eq_table(&z, Fr::from(1));
            let claim: Fr = (0..1 << n)
                .map(|k| weights[k] * g(columns[0][k], columns[1][k], columns[2][k], columns[3][k]))
                .sum();
            let mut sender = Sender::default();
            let (point, [p0, p1, q0, q1]) =
                prove_eq(&mut sender, Tag::Round, &z, lambda, columns.clone());
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
