//! Columns that are no tensor's: one-hot rows, public functions, ties, and virtual slots computed from what proves
//! them.

use crate::binding::{Free, arrange, bind};
use crate::challenges::{Challenges, coefficient};
use crate::proving::Proving;
use crate::sumcheck::{Column, Compress};
use rayon::prelude::*;
use zkdps_field::kernels::{add_scaled, eq_table};
use zkdps_field::scalar::power_of_two;
use zkdps_field::{Fr, One, Zero};
use zkdps_program::{
    Axis, Factor, FactorKind, Function, Instance, Link, PublicTensor, Slot, SlotKind, Source,
};

/// Returns a one-hot slot as a function of the sources in `free` (see [`bind`]).
fn one_hot(proving: &Proving, slot: &Slot, free: &[(Source, usize)]) -> Column {
    let tensor = slot.tensor.unwrap_or_default();
    let n = proving.program.tensors[tensor].n;
    // Every coordinate is a known value, or a bit of the column's index.
    let (mut known, mut axes) = (Vec::new(), Vec::new());
    for segment in &slot.point {
        if let Some((_, shift)) = free.iter().find(|(source, _)| *source == segment.source) {
            known.extend(std::iter::repeat_n(None, segment.length));
            axes.push(Free {
                at: shift + segment.end,
                length: segment.length,
                flip: segment.flip,
            });
        } else {
            known.extend(proving.challenges.segment(segment).into_iter().map(Some));
        }
    }
    let mut cells = vec![Fr::zero(); 1 << known.iter().filter(|x| x.is_none()).count()];
    let elements = proving
        .program
        .inputs
        .iter()
        .find(|input| input.tensor == tensor)
        .map(element_indices)
        .unwrap_or_default();
    for (t, index) in elements.into_iter().enumerate() {
        let symbol = proving.tensors[tensor].integer(index);
        let (mut weight, mut at) = (Fr::one(), 0);
        for (k, x) in known.iter().enumerate() {
            let bit = if k < n {
                t >> (n - 1 - k) & 1
            } else {
                (symbol.cast_unsigned() >> (known.len() - 1 - k) & 1) as usize
            };
            match x {
                None => at = at << 1 | bit,
                Some(x) if bit == 1 => weight *= x,
                Some(x) => weight *= Fr::one() - x,
            }
        }
        cells[at] += weight;
    }
    arrange(cells, &axes)
}

/// Returns the padded tensor's index of every element, row-major.
#[must_use]
pub fn element_indices(public: &PublicTensor) -> Vec<usize> {
    let mut indices = vec![0];
    for (size, log) in public.shape.iter().zip(public.axes()) {
        indices = indices
            .iter()
            .flat_map(|index| (0..*size as usize).map(move |k| (index << log) + k))
            .collect();
    }
    indices
}

/// Returns a one-hot slot as a function of `source`.
pub(crate) fn one_hot_column(proving: &Proving, slot: usize, source: Source) -> Column {
    one_hot(proving, &proving.program.slots[slot], &[(source, 0)])
}

/// Returns a tensor or one-hot slot as a function of several sources.
fn slot_column(proving: &Proving, slot: usize, free: &[(Source, usize)]) -> Column {
    let entry = &proving.program.slots[slot];
    match entry.tensor {
        Some(tensor) if entry.kind == SlotKind::Tensor => bind(
            proving.tensors[tensor],
            &entry.point,
            &proving.challenges,
            free,
        ),
        _ => one_hot(proving, entry, free),
    }
}

/// Returns a function's integer at a boolean point, given as an index.
pub(crate) fn boolean_function(function: &Function, output: i64, x: usize) -> i128 {
    let index = |end: usize, length: usize| (x >> end & ((1 << length) - 1)) as i64;
    let value = |factor: &Factor| {
        let (i, limit) = (index(factor.end, factor.length), i64::from(factor.value));
        match factor.kind {
            FactorKind::Id => i128::from(i),
            FactorKind::Lt => i128::from(i < limit),
            FactorKind::LtOutput => i128::from(i < output),
            FactorKind::At => i128::from(i == limit),
            FactorKind::Causal => {
                let later = index(factor.end2, factor.length2);
                i128::from(i <= later && later < limit)
            }
        }
    };
    function.factors.iter().map(value).product()
}

/// Returns a public function as a column of its phase.
#[must_use]
pub fn function_column(function: &Function, output: i64) -> Column {
    let mask = function.mask();
    // The function is constant in the other coordinates.
    let expand = |x: usize| {
        let (mut index, mut rest, mut bits) = (0, mask, x);
        while rest != 0 {
            let at = rest.trailing_zeros();
            index |= (bits & 1) << at;
            bits >>= 1;
            rest &= rest - 1;
        }
        index
    };
    let cells = (0..1_usize << mask.count_ones())
        .into_par_iter()
        .map(|x| Fr::from(boolean_function(function, output, expand(x))))
        .collect();
    Column { mask, cells }
}

/// Returns the public factor of an instance over `r_C`; ties to `skipped` are left out.
pub(crate) fn weight_column(
    proving: &Proving,
    instance: &Instance,
    skipped: Option<Source>,
) -> Column {
    let function = instance.function.map_or_else(
        || Column::constant(Fr::one()),
        |function| {
            function_column(
                &proving.program.functions[function],
                proving.challenges.output(),
            )
        },
    );
    instance
        .ties
        .iter()
        .filter(|tie| Some(tie.segment.source) != skipped)
        .fold(function, |weights, tie| {
            let table = eq_table(&proving.challenges.segment(&tie.segment), Fr::one());
            let axis = Free {
                at: tie.end,
                length: tie.segment.length,
                flip: false,
            };
            product(&weights, &arrange(table, &[axis]))
        })
}

/// Returns the product of two columns.
fn product(a: &Column, b: &Column) -> Column {
    let mask = a.mask | b.mask;
    let (in_a, in_b) = (
        Compress::new(compress(a.mask, mask)),
        Compress::new(compress(b.mask, mask)),
    );
    let cells = (0..1_usize << mask.count_ones())
        .map(|x| a.cells[in_a.index(x)] * b.cells[in_b.index(x)])
        .collect();
    Column { mask, cells }
}

/// Returns which of the coordinates in `mask`, counted among themselves, are in `part`.
fn compress(part: u64, mask: u64) -> u64 {
    let (mut out, mut rest, mut k) = (0, mask, 0);
    while rest != 0 {
        let at = rest.trailing_zeros();
        out |= (part >> at & 1) << k;
        k += 1;
        rest &= rest - 1;
    }
    out
}

/// Returns the slot that an instance proves as a function of `source`: all sums are made.
///
/// Coordinates of `r_C` that are tied to the source are renamed to it.
pub(crate) fn virtual_column(proving: &Proving, instance: &Instance, source: Source) -> Column {
    let shift = proving.program.contraction_rounds;
    let free = [(Source::Contraction, 0), (source, shift)];
    let mut columns = [instance.a, instance.b].map(|slot| {
        let column = slot_column(proving, slot, &free);
        rename(column, instance, source, shift)
    });
    let weights = weight_column(proving, instance, Some(source));
    let tied: usize = instance
        .ties
        .iter()
        .filter(|tie| tie.segment.source == source)
        .map(|tie| tie.segment.length)
        .sum();
    let mask = columns[0].mask | columns[1].mask | weights.mask;
    let (inner, outer) = (mask & ((1 << shift) - 1), mask >> shift);
    let index = |column: &Column| Compress::new(compress(column.mask, mask));
    let [in_a, in_b] = [&columns[0], &columns[1]].map(index);
    let in_weights = index(&weights);
    // Variables on which nothing depends only multiply.
    let unused = instance.variables - tied - inner.count_ones() as usize;
    let scale = coefficient(instance.coefficient) * power_of_two(unused as u32);
    let [a, b] = &mut columns;
    let cell = |x: usize| {
        a.cells[in_a.index(x)] * b.cells[in_b.index(x)] * weights.cells[in_weights.index(x)]
    };
    let length = 1_usize << inner.count_ones();
    let cells = (0..1_usize << outer.count_ones())
        .into_par_iter()
        .map(|i| scale * (i * length..(i + 1) * length).map(cell).sum::<Fr>())
        .collect();
    Column { mask: outer, cells }
}

/// Turns coordinates of `r_C` that are tied to `source` into coordinates of the source, from `shift` on.
fn rename(column: Column, instance: &Instance, source: Source, shift: usize) -> Column {
    let target = |at: usize| {
        instance
            .ties
            .iter()
            .find(|tie| {
                tie.segment.source == source
                    && (tie.end..tie.end + tie.segment.length).contains(&at)
            })
            .map_or((at, false), |tie| {
                (shift + tie.segment.end + at - tie.end, tie.segment.flip)
            })
    };
    let axes: Vec<Free> = (0..u64::BITS as usize)
        .rev()
        .filter(|at| column.mask >> at & 1 == 1)
        .map(|at| {
            let (at, flip) = target(at);
            Free {
                at,
                length: 1,
                flip,
            }
        })
        .collect();
    arrange(column.cells, &axes)
}

/// Returns a window slot as a function of `source`: the sums over window positions are made.
pub(crate) fn window_column(proving: &Proving, link: &Link, source: Source) -> Column {
    let shift = proving.program.contraction_rounds;
    let tensor = slot_column(proving, link.tensor, &[(source, 0), (Source::Link, shift)]);
    let rest = tensor.mask & ((1 << shift) - 1);
    let mut cells = tensor.cells;
    let mut axes = Vec::new();
    // Rows first; the tensor's columns and whatever the window keeps lie inside.
    for (axis, inner) in [
        (&link.height, link.width.log_in + rest.count_ones() as usize),
        (&link.width, rest.count_ones() as usize),
    ] {
        let kept = axis.kappa.filter(|kappa| kappa.source == source);
        cells = slide(
            &cells,
            1 << inner,
            axis,
            &proving.challenges,
            kept.is_some(),
        );
        axes.extend(kept.map(|kappa| Free {
            at: kappa.end,
            length: kappa.length,
            flip: kappa.flip,
        }));
    }
    axes.extend(
        (0..shift)
            .rev()
            .filter(|at| rest >> at & 1 == 1)
            .map(|at| Free {
                at,
                length: 1,
                flip: false,
            }),
    );
    arrange(cells, &axes)
}

/// Returns Σ_h eq(z, h) X\[h · stride + k − pad\] for every k, or their sum weighted by eq(κ, k).
fn slide(cells: &[Fr], inner: usize, axis: &Axis, challenges: &Challenges, keep: bool) -> Vec<Fr> {
    let (z, kappa) = axis_tables(axis, challenges, keep);
    let rows = if keep { kappa.len() } else { 1 };
    let mut out = vec![Fr::zero(); cells.len() >> axis.log_in << rows.ilog2()];
    out.chunks_exact_mut(rows * inner)
        .zip(cells.chunks_exact(inner << axis.log_in))
        .for_each(|(out, cells)| {
            for (h, k, i) in positions(axis) {
                let row = if keep { k } else { 0 };
                add_scaled(
                    &mut out[row * inner..(row + 1) * inner],
                    z[h] * kappa[k],
                    &cells[i * inner..(i + 1) * inner],
                );
            }
        });
    out
}

/// Returns eq(z, ·) and eq(κ, ·), or ones in place of the latter.
fn axis_tables(axis: &Axis, challenges: &Challenges, keep: bool) -> (Vec<Fr>, Vec<Fr>) {
    let point = |segment: &Option<zkdps_program::Segment>| {
        segment
            .as_ref()
            .map_or_else(Vec::new, |s| challenges.segment(s))
    };
    let z = eq_table(&point(&axis.z), Fr::one());
    let kappa = if keep {
        vec![Fr::one(); axis.kappa.map_or(1, |kappa| 1 << kappa.length)]
    } else {
        eq_table(&point(&axis.kappa), Fr::one())
    };
    (z, kappa)
}

/// Returns all (h, k, i) with 0 <= i = h · stride + k − pad < size.
fn positions(axis: &Axis) -> impl Iterator<Item = (usize, usize, usize)> {
    (0..axis.out).flat_map(move |h| {
        (0..axis.kernel).filter_map(move |k| {
            (h * axis.stride + k)
                .checked_sub(axis.pad)
                .filter(|i| *i < axis.size)
                .map(|i| (h, k, i))
        })
    })
}

/// Returns S(u) for every cell u of the tensor's axis, z and κ being known.
#[must_use]
pub fn axis_weights(axis: &Axis, challenges: &Challenges) -> Vec<Fr> {
    let (z, kappa) = axis_tables(axis, challenges, false);
    let mut weights = vec![Fr::zero(); 1 << axis.log_in];
    for (h, k, i) in positions(axis) {
        weights[i] += z[h] * kappa[k];
    }
    weights
}
