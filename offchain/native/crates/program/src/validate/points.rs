//! Points, slots and functions.

use super::{Reason, ceil_log2, holds};
use crate::{
    FactorKind, Form, Function, Phase, Program, Segment, SlotKind, Source, TensorKind, interval,
};

/// Returns how many coordinates a source has, `None` for constants.
fn coordinates(program: &Program, source: Source) -> Option<usize> {
    match source {
        Source::Zeta => Some(program.lambda),
        Source::Product => Some(program.product_rounds),
        Source::Contraction => Some(program.contraction_rounds),
        Source::Link => Some(program.link_rounds),
        Source::Half | Source::Bits | Source::OutputBits => None,
    }
}

/// Returns the phase that draws a source's coordinates.
fn drawn_in(source: Source) -> Phase {
    match source {
        Source::Product => Phase::Product,
        Source::Contraction => Phase::Contraction,
        Source::Link => Phase::Link,
        _ => Phase::Leaf,
    }
}

/// Checks that a segment lies inside its source, which must be drawn in `phase` or before.
pub(super) fn validate_segment(
    program: &Program,
    segment: &Segment,
    phase: Phase,
) -> Result<(), Reason> {
    holds(
        drawn_in(segment.source) <= phase,
        "a segment uses challenges that are not drawn yet",
    )?;
    holds(
        coordinates(program, segment.source)
            .is_none_or(|count| segment.end + segment.length <= count),
        "a segment leaves its source",
    )
}

/// Checks a point of `n` coordinates.
pub(super) fn validate_point(
    program: &Program,
    point: &[Segment],
    n: usize,
    phase: Phase,
) -> Result<(), Reason> {
    point
        .iter()
        .try_for_each(|segment| validate_segment(program, segment, phase))?;
    holds(
        length(point) == n,
        "a point does not have its tensor's size",
    )
}

fn length(point: &[Segment]) -> usize {
    point.iter().map(|segment| segment.length).sum()
}

/// Returns the union of coordinate sets; refuses overlaps.
pub(super) fn disjoint(masks: impl IntoIterator<Item = u64>) -> Result<u64, Reason> {
    masks.into_iter().try_fold(0, |union, mask| {
        holds(union & mask == 0, "a coordinate is used twice")?;
        Ok(union | mask)
    })
}

/// Checks that the coordinates in a set are among the last `count`.
pub(super) fn within(mask: u64, count: usize) -> Result<(), Reason> {
    holds(
        mask & !interval(0, count) == 0,
        "uses coordinates in front of its own variables",
    )
}

/// Checks one slot: its tensor, its point, and that no coordinate of its own phase occurs twice.
pub(super) fn validate_slot(program: &Program, index: usize) -> Result<(), Reason> {
    let slot = &program.slots[index];
    let phase = program.counts.phase(index);
    match (slot.kind, slot.tensor) {
        (SlotKind::Tensor, Some(id)) => {
            let tensor = program.tensors.get(id).ok_or("is not on a tensor")?;
            holds(tensor.kind != TensorKind::Late, "is on a late tensor")?;
            validate_point(program, &slot.point, tensor.n, phase)?;
        }
        (SlotKind::Virtual, None) => {
            holds(phase != Phase::Leaf && phase != Phase::Link, "is virtual")?;
            holds(slot.point.is_empty(), "is virtual but has a point")?;
        }
        (SlotKind::OneHot, Some(id)) => {
            let input = program
                .inputs
                .iter()
                .find(|input| input.tensor == id && input.form == Form::Bytes)
                .ok_or("is not on an input given as bytes")?;
            let n = program.tensors[id].n;
            let symbols = length(&slot.point)
                .checked_sub(n)
                .ok_or("its point is too short")?;
            holds(
                input.lo >= 0 && ceil_log2(input.hi.unsigned_abs() as usize + 1) <= symbols,
                "its elements do not fit its point",
            )?;
            validate_point(program, &slot.point, n + symbols, phase)?;
        }
        _ => return Err("has no tensor, or one although it is virtual"),
    }
    disjoint(
        slot.point
            .iter()
            .filter(|segment| is_own(segment.source, phase))
            .map(|segment| interval(segment.end, segment.length)),
    )?;
    Ok(())
}

/// Returns whether a source is drawn in the phase itself and bound by its sum-check.
fn is_own(source: Source, phase: Phase) -> bool {
    matches!(
        (source, phase),
        (Source::Zeta, Phase::Leaf)
            | (Source::Product, Phase::Product)
            | (Source::Contraction, Phase::Contraction)
            | (Source::Link, Phase::Link)
    )
}

/// Checks a function's parameters and that its factors lie apart.
pub(super) fn validate_function(function: &Function) -> Result<(), Reason> {
    for factor in &function.factors {
        let size = 1_u64.checked_shl(factor.length as u32).unwrap_or(u64::MAX);
        let value = u64::from(factor.value);
        let fits = match factor.kind {
            FactorKind::Id | FactorKind::LtOutput => value == 0,
            FactorKind::Lt => value <= size,
            FactorKind::Causal => value <= size && factor.length == factor.length2,
            FactorKind::At => value < size,
        };
        holds(fits, "a factor's value does not fit its segment")?;
        holds(
            factor.kind == FactorKind::Causal || (factor.end2, factor.length2) == (0, 0),
            "a factor has a second segment",
        )?;
        holds(
            [(factor.end, factor.length), (factor.end2, factor.length2)]
                .iter()
                .all(|(end, length)| end + length <= 64 && (*length > 0 || *end == 0)),
            "a factor leaves every source",
        )?;
    }
    disjoint(function.factors.iter().flat_map(|factor| {
        [
            interval(factor.end, factor.length),
            interval(factor.end2, factor.length2),
        ]
    }))?;
    Ok(())
}

/// Checks that a function exists and uses only the last `count` coordinates; returns which.
pub(super) fn function_mask(
    program: &Program,
    function: usize,
    count: usize,
) -> Result<u64, Reason> {
    let mask = program
        .functions
        .get(function)
        .ok_or("names no function")?
        .mask();
    within(mask, count)?;
    Ok(mask)
}
