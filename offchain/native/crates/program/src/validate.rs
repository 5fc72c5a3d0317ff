//! Consistency of a decoded program: sizes, ids and points that the arguments rely on.

mod contraction;
mod lookups;
mod points;
mod product;
mod tensors;

use crate::{Phase, Program, ProgramError, SlotKind};
use std::ops::RangeInclusive;

const CHUNK_LOGS: RangeInclusive<usize> = 1..=24;
/// Leaves and rounds of the largest models stay far below this.
///
/// Coordinates of two phases together fit one word of bits.
const MAX_VARIABLES: usize = 32;

pub(crate) fn validate(program: &Program) -> Result<(), ProgramError> {
    in_range("chunk size", program.c, CHUNK_LOGS, "1 to 24")?;
    for (field, rounds) in [
        ("lambda", program.lambda),
        ("product rounds", program.product_rounds),
        ("contraction rounds", program.contraction_rounds),
        ("link rounds", program.link_rounds),
    ] {
        in_range(field, rounds, 0..=MAX_VARIABLES, "at most 32")?;
    }
    tensors::validate_tensors(program)?;
    tensors::validate_public(program)?;
    each("function", &program.functions, |_, function| {
        points::validate_function(function)
    })?;
    each("slot", &program.slots, |index, _| {
        points::validate_slot(program, index)
    })?;
    lookups::validate_blocks(program)?;
    each("relation", &program.relations, |_, relation| {
        lookups::validate_relation(program, relation)
    })?;
    product::validate_terms(program)?;
    contraction::validate_instances(program)?;
    contraction::validate_links(program)?;
    validate_virtual(program)
}

/// Every virtual slot is the claim of exactly one instance or link.
fn validate_virtual(program: &Program) -> Result<(), ProgramError> {
    let mut proofs = vec![0_usize; program.slots.len()];
    for slot in contraction::proven_slots(program) {
        proofs[slot] += 1;
    }
    each("slot", &program.slots, |index, slot| {
        let expected = usize::from(slot.kind == SlotKind::Virtual);
        holds(
            proofs[index] == expected,
            "is not proven exactly once, or proven but not virtual",
        )
    })
}

/// Returns whether a phase that has nothing to show has neither slots nor rounds.
fn is_empty_phase(program: &Program, phase: Phase, rounds: usize) -> bool {
    rounds == 0 && program.counts.range(phase).is_empty()
}

/// Why a part of a program contradicts the rest.
type Reason = &'static str;

fn each<T>(
    part: &'static str,
    items: &[T],
    check: impl Fn(usize, &T) -> Result<(), Reason>,
) -> Result<(), ProgramError> {
    items.iter().enumerate().try_for_each(|(index, item)| {
        check(index, item).map_err(|reason| ProgramError::Inconsistent {
            part,
            index,
            reason,
        })
    })
}

fn holds(condition: bool, reason: Reason) -> Result<(), Reason> {
    if condition { Ok(()) } else { Err(reason) }
}

fn in_range(
    field: &'static str,
    got: usize,
    allowed: RangeInclusive<usize>,
    expected: &'static str,
) -> Result<(), ProgramError> {
    if allowed.contains(&got) {
        return Ok(());
    }
    Err(ProgramError::Value {
        field,
        got: got as u64,
        expected,
    })
}

/// Returns the number of variables that index `size` > 0 cells.
pub(crate) fn ceil_log2(size: usize) -> usize {
    (usize::BITS - (size - 1).leading_zeros()) as usize
}
