//! The prover's rounds for batches of sums of products of columns. Messages are computed from the columns, never
//! from the claims, so that a false witness gives a complete proof.
//!
//! A column need not depend on every variable: it is stored at its own size, with the set of coordinates on which
//! it depends, and is folded once however many sums use it.

use rayon::prelude::*;
use zkdps_field::kernels::{eq_product_round, eq_table, fold, product_round, triple_round};
use zkdps_field::scalar::power_of_two;
use zkdps_field::{AdditiveGroup, Fr, One, Zero};
use zkdps_transcript::{Sender, Tag};

use super::halve_weights;

/// Below this many cells a round is not worth splitting between threads.
const PARALLEL: usize = 1 << 10;

/// A multilinear function of some of a phase's coordinates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Coordinates on which it depends, bit k for the coordinate with k behind it.
    pub mask: u64,
    /// 2^|mask| values; the coordinate with the most behind it is the most significant index bit.
    pub cells: Vec<Fr>,
}

impl Column {
    /// Returns a constant.
    #[must_use]
    pub fn constant(value: Fr) -> Self {
        Self {
            mask: 0,
            cells: vec![value],
        }
    }

    /// Returns the value of a column with no coordinate left.
    #[must_use]
    pub fn value(&self) -> Fr {
        self.cells[0]
    }

    /// Binds the coordinate with `position` behind it, the first one left.
    fn bind(&mut self, position: usize, r: Fr) {
        if self.mask >> position & 1 == 1 {
            fold(&mut self.cells, r);
            self.mask &= !(1 << position);
        }
    }

    /// Returns whether it depends on all coordinates up to `position`.
    fn is_full(&self, position: usize) -> bool {
        self.cells.len() == 2 << position
    }

    /// Prepares reading pairs of cells that differ in the coordinate at `position`, the first one left.
    fn pairs(&self, position: usize) -> Pairs<'_> {
        let below = self.mask & ((1 << position) - 1);
        Pairs {
            index: Compress::new(below),
            split: (self.mask >> position & 1 == 1).then(|| 1 << below.count_ones()),
            cells: &self.cells,
        }
    }
}

/// Gathers the bits of an index that are in a set.
#[derive(Clone, Debug)]
pub(crate) struct Compress {
    runs: Vec<(u32, usize)>,
}

impl Compress {
    pub(crate) fn new(mut mask: u64) -> Self {
        let (mut runs, mut to) = (Vec::new(), 0);
        while mask != 0 {
            let start = mask.trailing_zeros();
            let length = (mask >> start).trailing_ones();
            runs.push((start - to, ((1_usize << length) - 1) << to));
            to += length;
            mask &= mask.checked_add(1 << start).unwrap_or(0);
        }
        Self { runs }
    }

    pub(crate) fn index(&self, x: usize) -> usize {
        self.runs
            .iter()
            .fold(0, |index, (shift, mask)| index | (x >> shift & mask))
    }
}

struct Pairs<'a> {
    index: Compress,
    split: Option<usize>,
    cells: &'a [Fr],
}

impl Pairs<'_> {
    /// Returns the value with the coordinate at 0 and, if there is any, the difference to that at 1.
    fn read(&self, x: usize) -> (Fr, Option<Fr>) {
        let at = self.index.index(x);
        let low = self.cells[at];
        (low, self.split.map(|half| self.cells[at + half] - low))
    }
}

/// One sum of a batch: Σ_x Σ_m coefficient_m · Π factors_m(x) over 2^variables cells.
#[derive(Clone, Debug)]
pub struct Sum {
    /// Variables.
    pub variables: usize,
    /// Contribution to the batch's claim while the sum waits (plain batches).
    pub claim: Fr,
    /// Coefficients, the batch's included, and indices of columns.
    pub monomials: Vec<(Fr, Vec<usize>)>,
}

/// Runs a plain batch and returns the point; the columns are folded to single values.
pub fn prove_plain_batch(
    sender: &mut Sender,
    tag: Tag,
    sums: &[Sum],
    columns: &mut [Column],
    rounds: usize,
    degree: usize,
) -> Vec<Fr> {
    let mut point = Vec::with_capacity(rounds);
    for position in (0..rounds).rev() {
        let mut message = [Fr::ZERO; 4];
        for sum in sums {
            if sum.variables <= position {
                message[0] += sum.claim * power_of_two((position - sum.variables) as u32);
                continue;
            }
            for (coefficient, factors) in &sum.monomials {
                let factors: Vec<&Column> = factors.iter().map(|k| &columns[*k]).collect();
                let part = plain_message(&factors, position);
                for (c, part) in message.iter_mut().zip(part) {
                    *c += *coefficient * part;
                }
            }
        }
        let sent: Vec<Fr> = [message[0]]
            .into_iter()
            .chain(message[2..].iter().copied())
            .take(degree)
            .collect();
        sender.send_scalars(tag, &sent);
        let r = sender.challenge();
        columns
            .par_iter_mut()
            .for_each(|column| column.bind(position, r));
        point.push(r);
    }
    point
}

/// Returns c_0, _, c_2, c_3 of the round polynomial of a product.
fn plain_message(factors: &[&Column], position: usize) -> [Fr; 4] {
    let is_full = factors.iter().all(|column| column.is_full(position));
    match factors {
        [a, b] if is_full => {
            let [c_0, c_2] = product_round(&a.cells, &b.cells);
            [c_0, Fr::ZERO, c_2, Fr::ZERO]
        }
        [e, a, b] if is_full => {
            let [c_0, c_2, c_3] = triple_round(&e.cells, &a.cells, &b.cells);
            [c_0, Fr::ZERO, c_2, c_3]
        }
        _ => {
            let pairs: Vec<Pairs> = factors.iter().map(|c| c.pairs(position)).collect();
            sum_cells(1 << position, |x| polynomial(&pairs, x))
        }
    }
}

/// Runs an eq batch with z and returns the point; the columns are folded to single values.
///
/// No product depends on a variable more than twice.
pub fn prove_eq_batch(
    sender: &mut Sender,
    tag: Tag,
    z: &[Fr],
    sums: &[Sum],
    columns: &mut [Column],
) -> Vec<Fr> {
    let mut point = Vec::with_capacity(z.len());
    let mut weights = eq_table(z.get(1..).unwrap_or_default(), Fr::one());
    for position in (0..z.len()).rev() {
        let mut message = [Fr::ZERO; 2];
        for sum in sums.iter().filter(|sum| sum.variables > position) {
            for (coefficient, factors) in &sum.monomials {
                let factors: Vec<&Column> = factors.iter().map(|k| &columns[*k]).collect();
                let part = eq_message(&weights, &factors, position);
                for (t, part) in message.iter_mut().zip(part) {
                    *t += *coefficient * part;
                }
            }
        }
        sender.send_scalars(tag, &message);
        let r = sender.challenge();
        columns
            .par_iter_mut()
            .for_each(|column| column.bind(position, r));
        halve_weights(&mut weights);
        point.push(r);
    }
    point
}

/// Returns t_1 and t_2 of the round polynomial of a product.
fn eq_message(weights: &[Fr], factors: &[&Column], position: usize) -> [Fr; 2] {
    if factors
        .iter()
        .all(|column| column.mask >> position & 1 == 0)
    {
        return [Fr::ZERO; 2];
    }
    match factors {
        [a, b] if a.is_full(position) && b.is_full(position) => {
            eq_product_round(weights, &a.cells, &b.cells)
        }
        _ => {
            let pairs: Vec<Pairs> = factors.iter().map(|c| c.pairs(position)).collect();
            let [_, t_1, t_2, _] = sum_cells(1 << position, |x| {
                polynomial(&pairs, x).map(|t| t * weights[x])
            });
            [t_1, t_2]
        }
    }
}

/// Returns the coefficients of Π (low + X difference) over the factors' pairs at x; at most three differ.
fn polynomial(pairs: &[Pairs], x: usize) -> [Fr; 4] {
    let mut product = [Fr::one(), Fr::ZERO, Fr::ZERO, Fr::ZERO];
    let mut degree = 0;
    for pair in pairs {
        let (low, difference) = pair.read(x);
        if let Some(difference) = difference {
            degree = (degree + 1).min(3);
            for k in (1..=degree).rev() {
                product[k] = product[k] * low + product[k - 1] * difference;
            }
            product[0] *= low;
        } else {
            for c in &mut product[..=degree] {
                *c *= low;
            }
        }
    }
    product
}

/// Returns the sum of `cell(x)` for x < count.
fn sum_cells(count: usize, cell: impl Fn(usize) -> [Fr; 4] + Sync) -> [Fr; 4] {
    let add = |a: [Fr; 4], b: [Fr; 4]| std::array::from_fn(|k| a[k] + b[k]);
    (0..count)
        .into_par_iter()
        .with_min_len(PARALLEL)
        .fold(|| [Fr::zero(); 4], |sum, x| add(sum, cell(x)))
        .reduce(|| [Fr::zero(); 4], add)
}

#[cfg(test)]
mod tests {
    use super::{Column, Compress, Sum, prove_eq_batch, prove_plain_batch};
    use crate::sumcheck::{verify_eq, verify_plain};
    use zkdps_field::scalar::power_of_two;
    use zkdps_field::{Field, Fr};
    use zkdps_poly::eq_table;
    use zkdps_transcript::{Receiver, Sender, Tag};

    fn column(mask: u64, seed: u64) -> Column {
        let cells = (0..1_u64 << mask.count_ones())
            .map(|i| Fr::from(i + 17 * seed + 2).pow([61]))
            .collect();
        Column { mask, cells }
    }

    #[test]
    fn bits_are_gathered() {
        for mask in [0, 1, 0b1011, 0b1000, 0xf0f0, u64::MAX >> 1] {
            let compress = Compress::new(mask);
            let all = mask as usize;
            assert_eq!(compress.index(all), (1 << mask.count_ones()) - 1);
        }
        let compress = Compress::new(0b101_0110);
        assert_eq!(compress.index(0b100_0010), 0b1001);
        assert_eq!(compress.index(0b001_0101), 0b0110);
    }

    /// Sums of sizes 12, 3 and 0 whose columns depend on all, some and none of the coordinates.
    fn batch() -> (Vec<Column>, Vec<Sum>) {
        let columns = vec![
            column(0xfff, 1),
            column(0xfff, 2),
            column(0xf0f, 3),
            column(0b101, 4),
            column(0b111, 5),
            column(0, 6),
        ];
        let sum = |variables, monomials: &[(u64, &[usize])]| Sum {
            variables,
            claim: Fr::from(0),
            monomials: monomials
                .iter()
                .map(|(c, factors)| (Fr::from(*c), factors.to_vec()))
                .collect(),
        };
        let sums = vec![
            sum(12, &[(3, &[0, 1]), (5, &[2]), (7, &[5, 2, 1])]),
            sum(3, &[(1, &[3, 4])]),
            sum(0, &[(2, &[5, 5])]),
        ];
        (columns, sums)
    }

    fn cell(columns: &[Column], sum: &Sum, x: usize) -> Fr {
        let factor = |k: &usize| columns[*k].cells[Compress::new(columns[*k].mask).index(x)];
        sum.monomials
            .iter()
            .map(|(c, factors)| *c * factors.iter().map(factor).product::<Fr>())
            .sum()
    }

    fn end(columns: &[Column], sums: &[Sum]) -> Fr {
        let value = |(c, factors): &(Fr, Vec<usize>)| {
            *c * factors.iter().map(|k| columns[*k].value()).product::<Fr>()
        };
        sums.iter().flat_map(|sum| &sum.monomials).map(value).sum()
    }

    #[test]
    fn plain_batches_end_in_their_columns() {
        for (degree, extra) in [(2, None), (3, Some((Fr::from(11), vec![0, 1, 2])))] {
            let (mut columns, mut sums) = batch();
            sums[0].monomials.extend(extra);
            let mut start = Fr::from(0);
            for sum in &mut sums {
                sum.claim = (0..1 << sum.variables)
                    .map(|x| cell(&columns, sum, x))
                    .sum();
                start += sum.claim * power_of_two(12 - sum.variables as u32);
            }
            if degree == 2 {
                // Three factors, but only two of them depend on any variable.
                assert_eq!(sums[0].monomials[2].1.len(), 3);
            }
            let mut sender = Sender::default();
            let point = prove_plain_batch(
                &mut sender,
                Tag::ReduceRound,
                &sums,
                &mut columns,
                12,
                degree,
            );
            let proof = sender.into_proof();
            let verify = |start| {
                verify_plain(
                    &mut Receiver::new(&proof),
                    Tag::ReduceRound,
                    start,
                    12,
                    degree,
                )
            };
            assert_eq!(verify(start), Ok((point, end(&columns, &sums))));
            assert_ne!(verify(start + Fr::from(1)).unwrap().1, end(&columns, &sums));
        }
    }

    #[test]
    fn eq_batches_end_in_their_columns() {
        let (mut columns, sums) = batch();
        let z: Vec<Fr> = (0..12_u64).map(|i| Fr::from(i + 9).pow([51])).collect();
        let mut start = Fr::from(0);
        for sum in &sums {
            let weights = eq_table(&z[12 - sum.variables..], Fr::from(1));
            start += (0..1 << sum.variables)
                .map(|x| weights[x] * cell(&columns, sum, x))
                .sum::<Fr>();
        }
        let mut sender = Sender::default();
        let point = prove_eq_batch(&mut sender, Tag::ProductRound, &z, &sums, &mut columns);
        let proof = sender.into_proof();
        let verified = verify_eq(&mut Receiver::new(&proof), Tag::ProductRound, &z, start).unwrap();
        assert_eq!(verified, (point, end(&columns, &sums)));
    }
}
