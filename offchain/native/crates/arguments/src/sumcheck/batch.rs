//! The prover's rounds for batches of sums of products of columns. Messages are computed from the columns, never
//! from the claims, so that a false witness gives a complete proof.
//!
//! A column need not depend on every variable: it is stored at its own size, with the set of coordinates on which
//! it depends, and is folded once however many sums use it.

use rayon::prelude::*;
use std::ops::Range;
use zkdps_field::kernels::{
    eq_product_round, eq_table, fold, inner_product, multiply, product_round, triple_round,
};
use zkdps_field::scalar::power_of_two;
use zkdps_field::{AdditiveGroup, Fr, One};
use zkdps_transcript::{Sender, Tag};

use super::halve_weights;

/// Cells that a thread reads at a time: a few columns of them fit the second-level cache.
const TILE: usize = 1 << 9;

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
        if self.depends_on(position) {
            fold(&mut self.cells, r);
            self.mask &= !(1 << position);
        }
    }

    /// Returns whether it depends on all coordinates up to `position`.
    fn is_full(&self, position: usize) -> bool {
        self.cells.len() == 2 << position
    }

    /// Prepares reading the cells by the coordinates below `position`, the first one left.
    fn reader(&self, position: usize) -> Reader<'_> {
        let below = self.mask & ((1 << position) - 1);
        Reader {
            index: Compress::new(below),
            split: self.depends_on(position).then(|| 1 << below.count_ones()),
            cells: &self.cells,
            is_contiguous: below == (1 << position) - 1,
        }
    }

    fn depends_on(&self, position: usize) -> bool {
        self.mask >> position & 1 == 1
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

/// A column's cells in a tile of x: with the next coordinate at 0, and at 1 if the column depends on it.
struct Reader<'a> {
    index: Compress,
    split: Option<usize>,
    cells: &'a [Fr],
    is_contiguous: bool,
}

impl Reader<'_> {
    fn read(&self, from: usize, tile: Range<usize>, out: &mut Vec<Fr>) {
        let cells = &self.cells[from..];
        if self.is_contiguous {
            out.extend_from_slice(&cells[tile]);
        } else {
            out.extend(tile.map(|x| cells[self.index.index(x)]));
        }
    }

    /// Returns the cells at 0, then those at 1.
    fn both(&self, tile: &Range<usize>) -> Vec<Fr> {
        let mut out = Vec::with_capacity(2 * tile.len());
        self.read(0, tile.clone(), &mut out);
        self.read(self.split.unwrap_or(0), tile.clone(), &mut out);
        out
    }

    /// Multiplies `product` by the cells at 0.
    fn multiply_into(&self, tile: &Range<usize>, product: &mut [Fr]) {
        let mut factor = Vec::with_capacity(tile.len());
        self.read(0, tile.clone(), &mut factor);
        multiply(product, &factor);
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

/// Returns c_0, _, c_2, c_3 of the round polynomial of a product, of whose factors at most three depend on a variable.
fn plain_message(factors: &[&Column], position: usize) -> [Fr; 4] {
    let of_pair = |[c_0, c_2]: [Fr; 2]| [c_0, Fr::ZERO, c_2, Fr::ZERO];
    let of_triple = |[c_0, c_2, c_3]: [Fr; 3]| [c_0, Fr::ZERO, c_2, c_3];
    let is_full = factors.iter().all(|column| column.is_full(position));
    match factors {
        [a, b] if is_full => return of_pair(product_round(&a.cells, &b.cells)),
        [e, a, b] if is_full => {
            return of_triple(triple_round(&e.cells, &a.cells, &b.cells));
        }
        _ => (),
    }
    let (moving, still) = split(factors, position);
    sum_tiles(1 << position, |tile| {
        let mut product = vec![Fr::one(); tile.len()];
        for reader in &still {
            reader.multiply_into(&tile, &mut product);
        }
        let mut columns: Vec<Vec<Fr>> = moving.iter().map(|reader| reader.both(&tile)).collect();
        if let Some((low, high)) = columns.first_mut().map(|c| c.split_at_mut(tile.len())) {
            multiply(low, &product);
            multiply(high, &product);
        }
        match columns.as_slice() {
            [] => [product.iter().sum(), Fr::ZERO, Fr::ZERO, Fr::ZERO],
            [a] => [a[..tile.len()].iter().sum(), Fr::ZERO, Fr::ZERO, Fr::ZERO],
            [a, b] => of_pair(product_round(a, b)),
            [e, a, b, ..] => of_triple(triple_round(e, a, b)),
        }
    })
}

/// Prepares reading a product's factors: those that depend on the coordinate at `position`, and the others.
fn split<'a>(factors: &[&'a Column], position: usize) -> (Vec<Reader<'a>>, Vec<Reader<'a>>) {
    factors
        .iter()
        .map(|column| column.reader(position))
        .partition(|reader| reader.split.is_some())
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

/// Returns t_1 and t_2 of the round polynomial of a product, of whose factors at most two depend on a variable.
fn eq_message(weights: &[Fr], factors: &[&Column], position: usize) -> [Fr; 2] {
    let (moving, still) = split(factors, position);
    match factors {
        _ if moving.is_empty() => return [Fr::ZERO; 2],
        [a, b] if a.is_full(position) && b.is_full(position) => {
            return eq_product_round(weights, &a.cells, &b.cells);
        }
        _ => (),
    }
    let [t_1, t_2, ..] = sum_tiles(1 << position, |tile| {
        let mut weights = weights[tile.clone()].to_vec();
        for reader in &still {
            reader.multiply_into(&tile, &mut weights);
        }
        let columns: Vec<Vec<Fr>> = moving.iter().map(|reader| reader.both(&tile)).collect();
        let [t_1, t_2] = match columns.as_slice() {
            [a, b, ..] => eq_product_round(&weights, a, b),
            [a] => {
                let (low, high) = a.split_at(tile.len());
                let difference = inner_product(&weights, high) - inner_product(&weights, low);
                [difference, Fr::ZERO]
            }
            [] => [Fr::ZERO; 2],
        };
        [t_1, t_2, Fr::ZERO, Fr::ZERO]
    });
    [t_1, t_2]
}

/// Returns the sum of `part` over tiles of 0 .. count.
fn sum_tiles(count: usize, part: impl Fn(Range<usize>) -> [Fr; 4] + Sync) -> [Fr; 4] {
    (0..count.div_ceil(TILE))
        .into_par_iter()
        .map(|k| part(k * TILE..count.min((k + 1) * TILE)))
        .reduce(
            || [Fr::ZERO; 4],
            |a, b| std::array::from_fn(|k| a[k] + b[k]),
        )
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
