//! Product terms.

use super::contraction::virtual_mask;
use super::points::{function_mask, within};
use super::{Reason, each, holds, in_range, is_empty_phase};
use crate::{Monomial, Operand, Phase, Program, ProgramError, Residual};

pub(super) fn validate_terms(program: &Program) -> Result<(), ProgramError> {
    let relations = program.relations_with(Residual::Product).count();
    in_range(
        "product terms",
        program.terms.len(),
        relations..=relations,
        "one for each relation with a product",
    )?;
    let rounds = program.terms.iter().map(|term| term.n).max().unwrap_or(0);
    in_range(
        "product rounds",
        program.product_rounds,
        rounds..=rounds.min(program.lambda),
        "the largest term's, at most lambda",
    )?;
    each("term", &program.terms, |_, term| {
        term.monomials
            .iter()
            .try_for_each(|monomial| validate_monomial(program, monomial, term.n))
    })?;
    each("phase", &[Phase::Product], |_, phase| {
        holds(
            !program.terms.is_empty() || is_empty_phase(program, *phase, rounds),
            "has slots but no product term",
        )
    })
}

/// Checks that all factors lie inside the term and at most two of them depend on one variable.
fn validate_monomial(program: &Program, monomial: &Monomial, n: usize) -> Result<(), Reason> {
    let (mut once, mut twice) = (0, 0);
    for factor in &monomial.factors {
        let mask = match factor {
            Operand::Function(function) => function_mask(program, *function, n)?,
            Operand::Slot(slot) => {
                holds(
                    *slot < program.counts.until(Phase::Product),
                    "uses a slot that is not sent yet",
                )?;
                product_mask(program, *slot)?
            }
        };
        within(mask, n)?;
        holds(mask & twice == 0, "has a degree above two")?;
        twice |= once & mask;
        once |= mask;
    }
    Ok(())
}

/// Returns the coordinates of `r_P` on which a slot of the product phase depends; no other slot depends on any.
fn product_mask(program: &Program, slot: usize) -> Result<u64, Reason> {
    if program.counts.phase(slot) != Phase::Product {
        return Ok(0);
    }
    virtual_mask(program, slot)
}
