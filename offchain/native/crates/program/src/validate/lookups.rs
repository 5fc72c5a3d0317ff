//! Leaf blocks and relations.

use super::points::{function_mask, validate_point, within};
use super::{Reason, each, holds, in_range};
use crate::{
    Block, Expression, Lookup, Phase, Program, ProgramError, Relation, Residual, SlotKind, Source,
};

pub(super) fn validate_blocks(program: &Program) -> Result<(), ProgramError> {
    let mut total = 0_u64;
    each("block", &program.blocks, |index, block| {
        validate_block(program, block)?;
        holds(
            index == 0 || block.n <= program.blocks[index - 1].n,
            "is larger than the one before it",
        )
    })?;
    for block in &program.blocks {
        total += 1_u64 << block.n;
    }
    let lambda = match program.lookup {
        Lookup::Gkr => (u64::BITS - total.saturating_sub(1).leading_zeros()) as usize,
        Lookup::Inverses => program.blocks.first().map_or(0, |block| block.n),
    };
    let lambda = lambda.max(1);
    in_range(
        "lambda",
        program.lambda,
        lambda..=lambda,
        "that of the blocks",
    )?;
    let late = program.late_tensors();
    let expected = match program.lookup {
        Lookup::Gkr => 0,
        Lookup::Inverses => program.blocks.len(),
    };
    in_range(
        "late tensors",
        late.len(),
        expected..=expected,
        "one for each block, if inverses are committed",
    )?;
    each("block", &late, |index, id| {
        holds(
            program.tensors[*id].n == program.blocks[index].n,
            "its late tensor has another size",
        )
    })
}

fn validate_block(program: &Program, block: &Block) -> Result<(), Reason> {
    holds(block.n <= program.lambda, "is larger than the leaves")?;
    holds(
        (1..=3).contains(&block.columns.len()),
        "has neither one, two nor three columns",
    )?;
    for expression in block.columns.iter().chain([&block.numerator]) {
        validate_expression(program, expression, Phase::Leaf, block.n)?;
        for atom in expression {
            if let Some(slot) = atom.slot.map(|slot| &program.slots[slot]) {
                holds(slot.kind == SlotKind::Tensor, "looks up what is no tensor")?;
                within(slot.mask(Source::Zeta), block.n)?;
            }
        }
    }
    Ok(())
}

/// Checks that an expression uses slots sent until `phase` and functions of the last `n` coordinates of ζ.
fn validate_expression(
    program: &Program,
    expression: &Expression,
    phase: Phase,
    n: usize,
) -> Result<(), Reason> {
    for atom in expression {
        holds(
            atom.slot
                .is_none_or(|slot| slot < program.counts.until(phase)),
            "uses a slot that is not sent yet",
        )?;
        if let Some(function) = atom.function {
            function_mask(program, function, n)?;
        }
    }
    Ok(())
}

pub(super) fn validate_relation(program: &Program, relation: &Relation) -> Result<(), Reason> {
    validate_expression(program, &relation.expression, Phase::Direct, program.lambda)?;
    holds(
        relation.residual != Residual::Linear || !relation.terms.is_empty(),
        "has no linear terms",
    )?;
    for term in &relation.terms {
        let tensor = program
            .tensors
            .get(term.tensor)
            .filter(|tensor| !tensor.is_public())
            .ok_or("a linear term is on no committed tensor")?;
        validate_point(program, &term.point, tensor.n, Phase::Direct)?;
    }
    Ok(())
}
