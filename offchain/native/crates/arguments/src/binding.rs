//! Partial evaluation of integer tensors: known coordinates are bound with exact sums, one pass over the cells.

use crate::challenges::Challenges;
use crate::sumcheck::Column;
use rayon::prelude::*;
use zkdps_field::kernels::{
    SmallInt, add_scaled, bind_leading_small, bind_trailing_small, combine_small, dot_small,
    eq_table, inner_product,
};
use zkdps_field::{Fr, One, Zero};
use zkdps_program::{Segment, Source};

/// Last coordinates that are bound with one table; the table stays in the first-level cache.
const TRAILING: usize = 9;

/// The cells of a tensor or a chunk.
#[derive(Clone, Copy, Debug)]
pub enum Cells<'a> {
    /// Bytes.
    I8(&'a [i8]),
    /// Half words.
    I16(&'a [i16]),
    /// Words.
    I32(&'a [i32]),
    /// Double words.
    I64(&'a [i64]),
    /// Field elements.
    Field(&'a [Fr]),
}

/// Runs an expression on a tensor's integers, or another one on its field elements.
#[macro_export]
macro_rules! with_cells {
    ($cells:expr, $integers:ident => $small:expr, $elements:ident => $field:expr) => {
        match $cells {
            $crate::binding::Cells::I8($integers) => $small,
            $crate::binding::Cells::I16($integers) => $small,
            $crate::binding::Cells::I32($integers) => $small,
            $crate::binding::Cells::I64($integers) => $small,
            $crate::binding::Cells::Field($elements) => $field,
        }
    };
}

impl Cells<'_> {
    /// Returns the number of cells.
    #[must_use]
    pub fn len(&self) -> usize {
        with_cells!(self, cells => cells.len(), cells => cells.len())
    }

    /// Returns whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns `length` cells from `start` on.
    #[must_use]
    pub fn slice(&self, start: usize, length: usize) -> Self {
        let range = start..start + length;
        match self {
            Self::I8(cells) => Self::I8(&cells[range]),
            Self::I16(cells) => Self::I16(&cells[range]),
            Self::I32(cells) => Self::I32(&cells[range]),
            Self::I64(cells) => Self::I64(&cells[range]),
            Self::Field(cells) => Self::Field(&cells[range]),
        }
    }

    /// Returns one integer; 0 for what is none.
    #[must_use]
    pub fn integer(&self, index: usize) -> i64 {
        with_cells!(self, cells => cells[index].widen(), _cells => 0)
    }

    /// Returns the cells in the field.
    #[must_use]
    pub fn embed(&self) -> Vec<Fr> {
        with_cells!(
            self,
            cells => combine_small(&[cells], &[Fr::one()], cells.len()),
            cells => cells.to_vec()
        )
    }
}

/// Consecutive index bits of a tensor: bound, or kept.
#[derive(Clone, Debug)]
enum Bits {
    Known(Vec<Fr>),
    Free(usize),
}

impl Bits {
    fn len(&self) -> usize {
        match self {
            Self::Known(point) => point.len(),
            Self::Free(length) => *length,
        }
    }
}

/// Returns the tensor's value at a point.
#[must_use]
pub fn evaluate(cells: Cells, point: &[Fr]) -> Fr {
    let mut known = vec![Bits::Known(point.to_vec())];
    bind_bits(cells, &mut known)[0]
}

/// Returns a tensor at a point as a function of the coordinates of the sources in `free`; a source's coordinate
/// with k behind it becomes the column's coordinate `shift` + k.
#[must_use]
pub fn bind(
    cells: Cells,
    point: &[Segment],
    challenges: &Challenges,
    free: &[(Source, usize)],
) -> Column {
    let (mut bits, mut axes): (Vec<Bits>, Vec<Free>) = (Vec::new(), Vec::new());
    for segment in point {
        let shift = free.iter().find(|(source, _)| *source == segment.source);
        if let Some((_, shift)) = shift {
            axes.push(Free {
                at: shift + segment.end,
                length: segment.length,
                flip: segment.flip,
            });
            match bits.last_mut() {
                Some(Bits::Free(length)) => *length += segment.length,
                _ => bits.push(Bits::Free(segment.length)),
            }
        } else {
            let coordinates = challenges.segment(segment);
            match bits.last_mut() {
                Some(Bits::Known(known)) => known.extend(coordinates),
                _ => bits.push(Bits::Known(coordinates)),
            }
        }
    }
    arrange(bind_bits(cells, &mut bits), &axes)
}

/// Coordinates of a column in the order of its cells' index bits: `at` + length − 1 down to `at`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Free {
    /// Least coordinate.
    pub at: usize,
    /// How many.
    pub length: usize,
    /// Whether the index bits are complemented.
    pub flip: bool,
}

/// Sorts index bits by coordinate, the greatest first.
pub(crate) fn arrange(cells: Vec<Fr>, axes: &[Free]) -> Column {
    let mask = axes.iter().fold(0_u64, |mask, axis| {
        mask | (((1 << axis.length) - 1) << axis.at)
    });
    let is_sorted = axes.windows(2).all(|pair| pair[0].at > pair[1].at);
    if is_sorted && axes.iter().all(|axis| !axis.flip) {
        return Column { mask, cells };
    }
    // Where every axis lies in an index of the sorted column, and in one of `cells`.
    let mut from = cells.len().ilog2() as usize;
    let moves: Vec<(usize, usize, usize, usize)> = axes
        .iter()
        .map(|axis| {
            from -= axis.length;
            let to = (mask & ((1 << axis.at) - 1)).count_ones() as usize;
            let ones = (1 << axis.length) - 1;
            (to, ones, if axis.flip { ones } else { 0 }, from)
        })
        .collect();
    let source = |x: usize| {
        moves.iter().fold(0, |index, (to, ones, flip, from)| {
            index | ((x >> to & ones) ^ flip) << from
        })
    };
    let sorted = (0..cells.len()).map(|x| cells[source(x)]).collect();
    Column {
        mask,
        cells: sorted,
    }
}

/// Binds the known bits; the free ones stay in their order.
fn bind_bits(mut cells: Cells, bits: &mut Vec<Bits>) -> Vec<Fr> {
    cells = skip_constants(cells, bits);
    match bits.as_mut_slice() {
        [.., Bits::Known(point)] => {
            let weights = eq_table(
                &point.split_off(point.len().saturating_sub(TRAILING)),
                Fr::one(),
            );
            if point.is_empty() {
                bits.pop();
            }
            let bound = if weights.len() == cells.len() {
                vec![with_cells!(
                    cells,
                    cells => dot_small(&weights, cells),
                    cells => inner_product(&weights, cells)
                )]
            } else {
                with_cells!(
                    cells,
                    cells => bind_trailing_small(cells, &weights),
                    cells => cells
                        .par_chunks_exact(weights.len())
                        .map(|row| inner_product(&weights, row))
                        .collect()
                )
            };
            bind_bits(Cells::Field(&bound), bits)
        }
        [.., Bits::Known(point), Bits::Free(length)] => {
            let (weights, inner) = (eq_table(point, Fr::one()), *length);
            let size = weights.len() << inner;
            let outer: usize = bits[..bits.len() - 2].iter().map(Bits::len).sum();
            let bound: Vec<Fr> = (0..1_usize << outer)
                .into_par_iter()
                .flat_map_iter(|block| bind_leading(cells.slice(block * size, size), &weights))
                .collect();
            bits.truncate(bits.len() - 2);
            match bits.last_mut() {
                Some(Bits::Free(length)) => *length += inner,
                _ => bits.push(Bits::Free(inner)),
            }
            bind_bits(Cells::Field(&bound), bits)
        }
        // Neighbours of one kind are merged: nothing is known.
        _ => cells.embed(),
    }
}

/// Drops leading coordinates that are 0 or 1: they choose a half of the cells.
fn skip_constants<'a>(mut cells: Cells<'a>, bits: &mut Vec<Bits>) -> Cells<'a> {
    while let Some(Bits::Known(point)) = bits.first_mut() {
        let constants = point
            .iter()
            .take_while(|x| x.is_zero() || x.is_one())
            .count();
        for x in point.drain(..constants) {
            let half = cells.len() / 2;
            cells = cells.slice(if x.is_one() { half } else { 0 }, half);
        }
        if !point.is_empty() {
            break;
        }
        bits.remove(0);
    }
    cells
}

fn bind_leading(cells: Cells, weights: &[Fr]) -> Vec<Fr> {
    with_cells!(
        cells,
        cells => bind_leading_small(cells, weights),
        cells => {
            let inner = cells.len() / weights.len();
            let mut sums = vec![Fr::zero(); inner];
            for (weight, row) in weights.iter().zip(cells.chunks_exact(inner)) {
                add_scaled(&mut sums, *weight, row);
            }
            sums
        }
    )
}

#[cfg(test)]
mod tests {
    use super::{Cells, bind, evaluate};
    use crate::challenges::Challenges;
    use zkdps_field::kernels::fold;
    use zkdps_field::{Field, Fr};
    use zkdps_poly::eq_table;
    use zkdps_program::{Segment, Source};

    fn segment(source: Source, end: usize, length: usize, flip: bool) -> Segment {
        Segment {
            source,
            end,
            length,
            flip,
        }
    }

    fn challenges() -> Challenges {
        let mut challenges = Challenges::new(5);
        for (k, source) in [Source::Zeta, Source::Product, Source::Contraction]
            .into_iter()
            .enumerate()
        {
            let vector = (0..12_u64).map(|i| Fr::from(i + 3 + 40 * k as u64).pow([57]));
            challenges.set(source, vector.collect());
        }
        challenges
    }

    #[test]
    fn bound_tensors_are_the_tensors_at_their_points() {
        use Source::{Bits, Contraction, Half, OutputBits, Product, Zeta};
        let challenges = challenges();
        let points = [
            vec![segment(Zeta, 0, 12, false)],
            vec![segment(Contraction, 0, 12, false)],
            vec![segment(Zeta, 2, 5, true), segment(Contraction, 0, 7, false)],
            vec![
                segment(Contraction, 3, 4, false),
                segment(Zeta, 0, 8, false),
            ],
            vec![
                segment(Bits, 0b10, 2, false),
                segment(Contraction, 5, 2, true),
                segment(Half, 0, 3, false),
                segment(Contraction, 0, 1, false),
                segment(Product, 4, 2, false),
                segment(Contraction, 2, 2, false),
            ],
            vec![
                segment(OutputBits, 0, 3, false),
                segment(Contraction, 0, 4, false),
                segment(Contraction, 6, 5, false),
            ],
        ];
        let bytes: Vec<i8> = (0..4096).map(|i| (i * 37 % 251) as i8).collect();
        let shorts: Vec<i16> = bytes.iter().map(|v| i16::from(*v)).collect();
        let elements: Vec<Fr> = bytes.iter().map(|v| Fr::from(*v)).collect();
        for point in points {
            let expected: Fr = eq_table(&challenges.point(&point), Fr::from(1))
                .iter()
                .zip(&elements)
                .map(|(w, v)| *w * v)
                .sum();
            for cells in [
                Cells::I8(&bytes),
                Cells::I16(&shorts),
                Cells::Field(&elements),
            ] {
                assert_eq!(evaluate(cells, &challenges.point(&point)), expected);
                let mut column = bind(cells, &point, &challenges, &[(Contraction, 0)]);
                assert_eq!(column.cells.len(), 1 << column.mask.count_ones());
                for (k, r) in challenges.vector(Contraction).iter().enumerate() {
                    if column.mask >> (11 - k) & 1 == 1 {
                        fold(&mut column.cells, *r);
                    }
                }
                assert_eq!(column.cells, [expected]);
            }
        }
    }
}
