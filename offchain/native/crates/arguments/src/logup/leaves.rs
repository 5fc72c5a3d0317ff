//! The cells of leaf blocks. Expressions over integer tensors are evaluated in machine integers, as long as no sum
//! can overflow them.

use super::Fingerprint;
use crate::binding::Cells;
use crate::challenges::coefficient;
use crate::proving::Proving;
use crate::sumcheck::Compress;
use crate::virtuals::boolean_function;
use crate::with_cells;
use rayon::prelude::*;
use zkdps_field::kernels::{SmallInt, add_scaled, combine_small};
use zkdps_field::{Fr, One, Zero};
use zkdps_program::{Atom, Block, FactorKind, Function, Segment, Source};

/// Cells that are made at a time: their integers stay in the first-level cache.
const TILE: usize = 1 << 11;

/// Numerators and denominators of a block.
#[derive(Clone, Debug)]
pub struct BlockCells {
    /// 2^n numerators.
    pub numerator: Vec<Fr>,
    /// 2^n denominators.
    pub denominator: Vec<Fr>,
}

/// Returns a block's cells.
#[must_use]
pub fn block_cells(proving: &Proving, block: &Block, fingerprint: Fingerprint) -> BlockCells {
    let mut numerator = vec![Fr::zero(); 1 << block.n];
    let mut denominator = numerator.clone();
    fill_block(
        proving,
        block,
        fingerprint,
        &mut numerator,
        &mut denominator,
    );
    BlockCells {
        numerator,
        denominator,
    }
}

/// Writes a block's cells, tile by tile.
pub(super) fn fill_block(
    proving: &Proving,
    block: &Block,
    fingerprint: Fingerprint,
    numerator: &mut [Fr],
    denominator: &mut [Fr],
) {
    let size = numerator.len();
    let prepare = |expression| Column::new(proving, expression, size);
    let top = prepare(&block.numerator);
    let columns: Vec<Column> = block.columns.iter().map(|column| prepare(column)).collect();
    // The shared part is one more column: of ones.
    let ones = vec![1_i64; TILE.min(size)];
    let mut weights = vec![fingerprint.shared(block)];
    weights.extend(
        (0..columns.len())
            .filter(|k| matches!(columns[*k], Column::Integers(_)))
            .map(|k| -fingerprint.power(k)),
    );
    numerator
        .par_chunks_mut(TILE)
        .zip(denominator.par_chunks_mut(TILE))
        .enumerate()
        .for_each(|(tile, (numerator, denominator))| {
            let (start, length) = (tile * TILE, numerator.len());
            top.write(start, numerator);
            let integers: Vec<Vec<i64>> = columns
                .iter()
                .filter_map(|column| column.integers(start, length))
                .collect();
            let mut vectors = vec![&ones[..length]];
            vectors.extend(integers.iter().map(Vec::as_slice));
            denominator.copy_from_slice(&combine_small(&vectors, &weights, length));
            for (k, column) in columns.iter().enumerate() {
                if let Column::Elements(cells) = column {
                    let cells = &cells[start..start + length];
                    add_scaled(denominator, -fingerprint.power(k), cells);
                }
            }
        });
}

/// An expression over a block's cells.
enum Column<'a> {
    /// Sums that fit machine integers.
    Integers(Vec<Part<'a>>),
    /// All cells.
    Elements(Vec<Fr>),
}

/// coefficient · slot · function.
struct Part<'a> {
    coefficient: i64,
    view: Option<View<'a>>,
    function: Option<&'a Function>,
    output: i64,
    is_identity: bool,
}

impl<'a> Column<'a> {
    fn new(proving: &Proving<'a>, expression: &[Atom], size: usize) -> Self {
        integer_parts(proving, expression, size).map_or_else(
            || Self::Elements(field_cells(proving, expression, size)),
            Self::Integers,
        )
    }

    /// Returns `length` cells from `start` on, `None` if they are no machine integers.
    fn integers(&self, start: usize, length: usize) -> Option<Vec<i64>> {
        let Self::Integers(parts) = self else {
            return None;
        };
        let mut sums = vec![0_i64; length];
        for part in parts {
            part.add_to(&mut sums, start);
        }
        Some(sums)
    }

    /// Writes the cells from `start` on.
    fn write(&self, start: usize, out: &mut [Fr]) {
        match self {
            Self::Elements(cells) => out.copy_from_slice(&cells[start..start + out.len()]),
            Self::Integers(parts) if parts.iter().all(Part::is_constant) => {
                out.fill(Fr::from(
                    parts.iter().map(|part| part.coefficient).sum::<i64>(),
                ));
            }
            Self::Integers(_) => {
                let cells = self.integers(start, out.len()).unwrap_or_default();
                out.copy_from_slice(&combine_small(&[&cells], &[Fr::one()], out.len()));
            }
        }
    }
}

impl Part<'_> {
    fn is_constant(&self) -> bool {
        self.view.is_none() && self.function.is_none()
    }

    /// Adds the part to every sum, the first one being cell `start`'s.
    fn add_to(&self, sums: &mut [i64], start: usize) {
        let weight = |x: usize| match self.function {
            None => self.coefficient,
            Some(function) => self.coefficient * boolean_function(function, self.output, x) as i64,
        };
        match &self.view {
            None => {
                for (k, sum) in sums.iter_mut().enumerate() {
                    *sum += weight(start + k);
                }
            }
            Some(view) if self.function.is_none() => {
                view.add_to(sums, start, self.is_identity, |_| self.coefficient);
            }
            Some(view) => view.add_to(sums, start, self.is_identity, weight),
        }
    }
}

/// A slot's integer in every cell of a block: index bits move, some are constant.
struct View<'a> {
    cells: Cells<'a>,
    base: usize,
    /// (bits behind, ones, complement, place in the tensor's index)
    moves: Vec<(usize, usize, usize, usize)>,
}

impl<'a> View<'a> {
    /// Returns `None` where a coordinate is no index bit.
    fn new(proving: &Proving<'a>, slot: usize) -> Option<Self> {
        let entry = &proving.program.slots[slot];
        let cells = proving.tensors[entry.tensor?];
        if matches!(cells, Cells::Field(_)) {
            return None;
        }
        let (mut base, mut moves) = (0, Vec::new());
        let mut place = cells.len().ilog2() as usize;
        for segment in &entry.point {
            place -= segment.length;
            let ones = (1 << segment.length) - 1;
            match segment.source {
                Source::Zeta => {
                    let complement = if segment.flip { ones } else { 0 };
                    moves.push((segment.end, ones, complement, place));
                }
                _ => base |= constant_bits(segment, proving.challenges.output())? << place,
            }
        }
        Some(Self { cells, base, moves })
    }

    fn index(&self, x: usize) -> usize {
        self.moves
            .iter()
            .fold(self.base, |index, (end, ones, complement, place)| {
                index | ((x >> end & ones) ^ complement) << place
            })
    }

    /// Returns whether cell x is the tensor's cell x.
    fn is_identity(&self, size: usize) -> bool {
        // Without moves the column is one constant cell, whatever the tensor's size.
        let moves_all = match self.moves.as_slice() {
            [] => size == 1,
            [(0, ones, 0, 0)] => ones + 1 == size,
            _ => false,
        };
        moves_all && self.cells.len() == size && self.base == 0
    }

    /// Returns a bound on the integers' magnitude.
    fn bound(&self) -> i128 {
        match self.cells {
            Cells::I8(_) => 1 << 7,
            Cells::I16(_) => 1 << 15,
            Cells::I32(_) => 1 << 31,
            Cells::I64(cells) => cells
                .par_iter()
                .map(|v| i128::from(v.unsigned_abs()))
                .max()
                .unwrap_or(0),
            Cells::Field(_) => i128::MAX,
        }
    }

    /// Adds coefficient · cell · weight(x) to every sum, the first one being cell `start`'s.
    fn add_to(
        &self,
        sums: &mut [i64],
        start: usize,
        is_identity: bool,
        weight: impl Fn(usize) -> i64,
    ) {
        with_cells!(
            self.cells,
            cells => {
                if is_identity {
                    for (k, (sum, v)) in sums.iter_mut().zip(&cells[start..]).enumerate() {
                        *sum += weight(start + k) * v.widen();
                    }
                } else {
                    for (k, sum) in sums.iter_mut().enumerate() {
                        *sum += weight(start + k) * cells[self.index(start + k)].widen();
                    }
                }
            },
            _cells => {}
        );
    }
}

fn constant_bits(segment: &Segment, output: i64) -> Option<usize> {
    let ones = (1 << segment.length) - 1;
    match segment.source {
        Source::Bits => Some(segment.end),
        Source::OutputBits => Some(
            output
                .checked_shr(segment.end as u32)
                .unwrap_or(0)
                .cast_unsigned() as usize
                & ones,
        ),
        _ => None,
    }
}

fn function_bound(function: &Function) -> i128 {
    function
        .factors
        .iter()
        .filter(|factor| factor.kind == FactorKind::Id)
        .fold(1_i128, |bound, factor| {
            bound.saturating_mul(1 << factor.length)
        })
}

/// Returns an expression's parts, `None` where a sum may not be a 64-bit integer.
fn integer_parts<'a>(
    proving: &Proving<'a>,
    expression: &[Atom],
    size: usize,
) -> Option<Vec<Part<'a>>> {
    let mut bound = 0_i128;
    let mut parts = Vec::with_capacity(expression.len());
    for atom in expression {
        let factor = i128::from(atom.coefficient.a)
            .checked_shl(atom.coefficient.b.into())
            .filter(|_| atom.coefficient.b < 64)?;
        let view = match atom.slot {
            None => None,
            Some(slot) => Some(View::new(proving, slot)?),
        };
        let function = atom.function.map(|k| &proving.program.functions[k]);
        bound = bound.saturating_add(
            factor
                .saturating_abs()
                .saturating_mul(view.as_ref().map_or(1, View::bound))
                .saturating_mul(function.map_or(1, function_bound)),
        );
        parts.push(Part {
            coefficient: factor as i64,
            is_identity: view.as_ref().is_some_and(|view| view.is_identity(size)),
            view,
            function,
            output: proving.challenges.output(),
        });
    }
    (bound <= i128::from(i64::MAX)).then_some(parts)
}

/// Returns an expression in all cells.
fn field_cells(proving: &Proving, expression: &[Atom], size: usize) -> Vec<Fr> {
    let output = proving.challenges.output();
    let mut sums = vec![Fr::zero(); size];
    for atom in expression {
        let factor = coefficient(atom.coefficient);
        let column = atom.slot.map(|slot| {
            let column = proving.column(slot, Source::Zeta);
            (Compress::new(column.mask), column)
        });
        let function = atom.function.map(|k| &proving.program.functions[k]);
        sums.par_iter_mut()
            .enumerate()
            .with_min_len(TILE)
            .for_each(|(x, sum)| {
                let slot = column
                    .as_ref()
                    .map_or(Fr::one(), |(index, column)| column.cells[index.index(x)]);
                let public = function.map_or(Fr::one(), |function| {
                    Fr::from(boolean_function(function, output, x))
                });
                *sum += factor * slot * public;
            });
    }
    sums
}
