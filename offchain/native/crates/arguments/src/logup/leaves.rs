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

const PARALLEL: usize = 1 << 12;

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
    let size = 1 << block.n;
    let mut denominator = vec![fingerprint.shared(block); size];
    let (mut integers, mut weights) = (Vec::new(), Vec::new());
    for (k, column) in block.columns.iter().enumerate() {
        let weight = -fingerprint.power(k);
        match integer_cells(proving, column, size) {
            Some(cells) => {
                integers.push(cells);
                weights.push(weight);
            }
            None => add_scaled(
                &mut denominator,
                weight,
                &field_cells(proving, column, size),
            ),
        }
    }
    let vectors: Vec<&[i64]> = integers.iter().map(Vec::as_slice).collect();
    if !vectors.is_empty() {
        let sum = combine_small(&vectors, &weights, size);
        add_scaled(&mut denominator, Fr::one(), &sum);
    }
    let numerator = match integer_cells(proving, &block.numerator, size) {
        Some(cells) => cells.par_iter().map(|v| Fr::from(*v)).collect(),
        None => field_cells(proving, &block.numerator, size),
    };
    BlockCells {
        numerator,
        denominator,
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
        self.cells.len() == size
            && matches!(self.moves.as_slice(), [] | [(0, _, 0, 0)])
            && self.base == 0
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

/// Returns an expression's integers in all cells, `None` where they may not be 64-bit integers.
fn integer_cells(proving: &Proving, expression: &[Atom], size: usize) -> Option<Vec<i64>> {
    let mut bound = 0_i128;
    let mut parts = Vec::new();
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
        parts.push((factor, view, function));
    }
    if bound > i128::from(i64::MAX) {
        return None;
    }
    let output = proving.challenges.output();
    let mut sums = vec![0_i64; size];
    sums.par_chunks_mut(PARALLEL)
        .enumerate()
        .for_each(|(tile, sums)| {
            let start = tile * PARALLEL;
            for (factor, view, function) in &parts {
                let factor = *factor as i64;
                let weight = |x: usize| match function {
                    None => factor,
                    Some(function) => factor * boolean_function(function, output, x) as i64,
                };
                match view {
                    None => {
                        for (k, sum) in sums.iter_mut().enumerate() {
                            *sum += weight(start + k);
                        }
                    }
                    Some(view) if function.is_none() => {
                        view.add_to(sums, start, view.is_identity(size), |_| factor);
                    }
                    Some(view) => view.add_to(sums, start, view.is_identity(size), weight),
                }
            }
        });
    Some(sums)
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
            .with_min_len(PARALLEL)
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
