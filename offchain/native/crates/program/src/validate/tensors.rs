//! Tensors, their places in chunks, and public tensors.

use super::{Reason, ceil_log2, each, holds, in_range};
use crate::{Form, Program, ProgramError, PublicTensor, TensorKind};

pub(super) fn validate_tensors(program: &Program) -> Result<(), ProgramError> {
    each("tensor", &program.tensors, |_, tensor| {
        if tensor.is_public() {
            return holds(
                tensor.chunk == 0 && tensor.addr == 0 && tensor.n <= super::MAX_VARIABLES,
                "a public tensor has a place, or too many variables",
            );
        }
        // A chunk number has 16 bits, so a tensor that fits has fewer than c + 17 variables.
        holds(
            tensor.n <= program.c + 16 && tensor.addr < 1 << program.c.saturating_sub(tensor.n),
            "does not lie in its chunk",
        )
    })?;
    let mut first = 0;
    for (kind, field, chunks) in [
        (TensorKind::Fixed, "fixed chunks", program.fixed_chunks),
        (TensorKind::Proof, "proof chunks", program.proof_chunks),
        (TensorKind::Late, "late chunks", program.late_chunks),
    ] {
        validate_layout(program, kind, first).and_then(|end| {
            in_range(
                field,
                chunks,
                end - first..=end - first,
                "what the tensors fill",
            )
        })?;
        first += chunks;
    }
    Ok(())
}

/// Checks that the tensors of a kind begin at chunk `first` or behind it; returns the chunk behind them.
///
/// A tensor may lie inside another one: claims then read the same cells.
fn validate_layout(
    program: &Program,
    kind: TensorKind,
    first: usize,
) -> Result<usize, ProgramError> {
    let mut end = first << program.c;
    for (index, tensor) in program.tensors.iter().enumerate() {
        if tensor.kind == kind {
            if tensor.chunk < first {
                return Err(ProgramError::Inconsistent {
                    part: "tensor",
                    index,
                    reason: "lies in chunks of another kind",
                });
            }
            let start = (tensor.chunk << program.c) + (tensor.addr << tensor.n);
            end = end.max(start + (1 << tensor.n));
        }
    }
    Ok(end.div_ceil(1 << program.c))
}

pub(super) fn validate_public(program: &Program) -> Result<(), ProgramError> {
    in_range(
        "inputs",
        program.inputs.len(),
        1..=usize::from(u8::MAX),
        "at least 1",
    )?;
    each("input", &program.inputs, |_, input| {
        validate_spec(program, input, TensorKind::Input)
    })?;
    each("output", &[&program.output], |_, output| {
        validate_spec(program, output, TensorKind::Output)
    })?;
    each("tensor", &program.tensors, |id, tensor| {
        let named = program.public().filter(|spec| spec.tensor == id).count();
        holds(
            named == 1 || (named == 0 && !tensor.is_public()),
            "is public without a description, or has several",
        )
    })
}

fn validate_spec(program: &Program, spec: &PublicTensor, kind: TensorKind) -> Result<(), Reason> {
    let expected = match spec.form {
        Form::Bytes => kind,
        Form::Committed => TensorKind::Proof,
    };
    let tensor = program
        .tensors
        .get(spec.tensor)
        .filter(|tensor| tensor.kind == expected)
        .ok_or("its tensor is not of its kind")?;
    holds(
        matches!(spec.bytes_per_element, 1 | 2 | 4),
        "its elements have neither 1, 2 nor 4 bytes",
    )?;
    let half = 1_i64 << (8 * spec.bytes_per_element - 1);
    holds(
        spec.lo <= spec.hi && i64::from(spec.lo) >= -half && i64::from(spec.hi) < half,
        "its range is empty or leaves its type",
    )?;
    holds(
        spec.shape.iter().all(|dimension| *dimension > 0),
        "an axis is empty",
    )?;
    let n: usize = spec.shape.iter().map(|d| ceil_log2(*d as usize)).sum();
    holds(n == tensor.n, "its shape does not have its tensor's size")
}
