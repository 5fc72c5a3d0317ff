//! Consistency of a decoded program: sizes, ids and points that the arguments rely on.

use crate::{
    Block, INPUT, Instance, OUTPUT, Operand, Program, ProgramError, PublicTensor, Requant,
    TensorKind,
};
use std::collections::BTreeSet;
use std::ops::RangeInclusive;

const CHUNK_LOGS: RangeInclusive<usize> = 4..=20;
/// Leaves of a whole model of today's largest size stay far below this.
const MAX_LAMBDA: usize = 40;
const MAX_ROUNDS: usize = 40;
const MAX_ROWS_LOG: usize = 31;
const MAX_SHIFT: u32 = 63;
const MAX_MULTIPLIER: u16 = (1 << 15) - 1;

pub(crate) fn validate(program: &Program) -> Result<(), ProgramError> {
    in_range("chunk size", program.c, CHUNK_LOGS, "4 to 20")?;
    in_range("lambda", program.lambda, 1..=MAX_LAMBDA, "1 to 40")?;
    in_range(
        "contraction rounds",
        program.rounds,
        0..=MAX_ROUNDS,
        "at most 40",
    )?;
    (0..program.tensors.len()).try_for_each(|index| validate_tensor(program, index))?;
    validate_chunks(
        program,
        TensorKind::Fixed,
        "fixed chunks",
        program.fixed_chunks,
    )?;
    validate_chunks(
        program,
        TensorKind::Proof,
        "proof chunks",
        program.proof_chunks,
    )?;
    validate_public(program, INPUT)?;
    validate_public(program, OUTPUT)?;
    validate_blocks(program)?;
    let leaf: BTreeSet<usize> = program
        .blocks
        .iter()
        .flat_map(|b| &b.columns)
        .map(|c| c.tensor)
        .collect();
    for (index, entry) in program.requants.iter().enumerate() {
        validate_requant(program, &leaf, entry)
            .map_err(|reason| inconsistent("requant", index, reason))?;
    }
    in_range(
        "operators",
        program.op_count.into(),
        program.requants.len()..=usize::from(u16::MAX),
        "at least the requantizations",
    )?;
    if program.instances.len() != program.requants.len() {
        let index = program.instances.len();
        return Err(inconsistent(
            "instance",
            index,
            "there is not one for every requantization",
        ));
    }
    for (index, instance) in program.instances.iter().enumerate() {
        validate_instance(program, instance)
            .map_err(|reason| inconsistent("instance", index, reason))?;
    }
    let rounds = program
        .instances
        .iter()
        .map(|i| i.variables)
        .max()
        .unwrap_or(0);
    if rounds != program.rounds {
        return Err(inconsistent(
            "instance",
            0,
            "the number of rounds is not the largest instance's",
        ));
    }
    Ok(())
}

fn inconsistent(part: &'static str, index: usize, reason: &'static str) -> ProgramError {
    ProgramError::Inconsistent {
        part,
        index,
        reason,
    }
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

fn validate_tensor(program: &Program, index: usize) -> Result<(), ProgramError> {
    let (tensor, c) = (program.tensors[index], program.c);
    let chunks = match tensor.kind {
        TensorKind::Fixed => 0..program.fixed_chunks,
        TensorKind::Proof => program.fixed_chunks..program.chunks(),
        TensorKind::Input | TensorKind::Output => {
            let id = if tensor.kind == TensorKind::Input {
                INPUT
            } else {
                OUTPUT
            };
            return if index == id && tensor.chunk == 0 && tensor.addr == 0 {
                Ok(())
            } else {
                Err(inconsistent(
                    "tensor",
                    index,
                    "a public tensor has its own id and no place",
                ))
            };
        }
    };
    // A chunk number has 16 bits, so a tensor that fits has fewer than c + 17 variables.
    in_range("tensor size", tensor.n, 0..=c + 16, "at most c + 16")?;
    let span = 1_usize << tensor.n.saturating_sub(c);
    let blocks = 1_usize << c.saturating_sub(tensor.n);
    if tensor.chunk < chunks.start || tensor.chunk + span > chunks.end || tensor.addr >= blocks {
        return Err(inconsistent(
            "tensor",
            index,
            "does not lie in the chunks of its kind",
        ));
    }
    Ok(())
}

/// Tensors are packed without gaps, so that their cells determine the number of chunks.
fn validate_chunks(
    program: &Program,
    kind: TensorKind,
    field: &'static str,
    got: usize,
) -> Result<(), ProgramError> {
    let cells: usize = program
        .tensors
        .iter()
        .filter(|tensor| tensor.kind == kind)
        .map(|tensor| 1 << tensor.n)
        .sum();
    let expected = cells.div_ceil(1 << program.c);
    in_range(field, got, expected..=expected, "what the tensors fill")
}

fn validate_public(program: &Program, id: usize) -> Result<(), ProgramError> {
    let PublicTensor {
        bytes_per_element,
        rows,
        cols,
        lo,
        hi,
    } = program.public[id];
    let bad = |reason| Err(inconsistent("tensor", id, reason));
    let Some(tensor) = program.tensors.get(id).filter(|tensor| tensor.is_public()) else {
        return bad("is not a public tensor");
    };
    if !(1..=2).contains(&bytes_per_element) {
        return bad("has elements of neither 1 nor 2 bytes");
    }
    if rows == 0 || cols == 0 || lo > hi {
        return bad("has an empty axis or range");
    }
    let half = 1_i64 << (8 * bytes_per_element - 1);
    if i64::from(lo) < -half || i64::from(hi) >= half {
        return bad("has a range outside its type");
    }
    if tensor.n != ceil_log2(rows) + ceil_log2(cols) {
        return bad("its size is not that of its shape");
    }
    Ok(())
}

fn validate_blocks(program: &Program) -> Result<(), ProgramError> {
    let mut total = 0_u64;
    let mut before = program.lambda;
    let (mut tables, mut looked_up) = (BTreeSet::new(), BTreeSet::new());
    for (index, block) in program.blocks.iter().enumerate() {
        let Block {
            n,
            columns,
            table_id,
            ..
        } = block;
        if *n > before {
            return Err(inconsistent(
                "block",
                index,
                "is larger than the one before it or than the leaves",
            ));
        }
        if !(1..=2).contains(&columns.len()) || *table_id == 0 {
            return Err(inconsistent(
                "block",
                index,
                "has no table or neither one nor two columns",
            ));
        }
        if block.is_table && columns.iter().any(|column| column.addend != 0) {
            return Err(inconsistent("block", index, "a table's columns are moved"));
        }
        let names = if block.is_table {
            &mut tables
        } else {
            &mut looked_up
        };
        if !names.insert(*table_id) && block.is_table {
            return Err(inconsistent("block", index, "is a second table of its id"));
        }
        let fits = |tensor: usize| program.tensors.get(tensor).is_some_and(|t| t.n == *n);
        if !columns.iter().all(|column| fits(column.tensor)) {
            return Err(inconsistent("block", index, "has a column of another size"));
        }
        before = *n;
        total += 1_u64 << n;
    }
    if tables != looked_up {
        return Err(inconsistent(
            "block",
            program.blocks.len(),
            "tables and lookups do not name the same ids",
        ));
    }
    let smallest = (u64::BITS - total.saturating_sub(1).leading_zeros()).max(1) as usize;
    if smallest != program.lambda {
        return Err(inconsistent(
            "block",
            program.blocks.len(),
            "the blocks do not fill the leaves",
        ));
    }
    Ok(())
}

fn validate_requant(
    program: &Program,
    leaf: &BTreeSet<usize>,
    entry: &Requant,
) -> Result<(), &'static str> {
    if entry.rows_log > MAX_ROWS_LOG
        || entry.rows == 0
        || u64::from(entry.rows) > 1 << entry.rows_log
    {
        return Err("its rows do not fit");
    }
    let n = entry.rows_log + entry.cols_log;
    if n > program.lambda {
        return Err("is larger than the leaves");
    }
    let looked_up = |id: usize| leaf.contains(&id) && program.tensors[id].n == n;
    if !looked_up(entry.q_tensor) || !entry.digits.iter().all(|(id, _)| looked_up(*id)) {
        return Err("its quotient or a digit is not in a leaf block of its size");
    }
    if entry.digits.is_empty() {
        return Err("has no remainder digit");
    }
    if entry.m == 0
        || entry.m > MAX_MULTIPLIER
        || !(1..=MAX_SHIFT).contains(&entry.s)
        || entry.digits.iter().any(|(_, shift)| *shift > MAX_SHIFT)
    {
        return Err("its multiplier or a shift is out of range");
    }
    let is_bias = |id: usize| {
        program
            .tensors
            .get(id)
            .is_some_and(|t| !t.is_public() && t.n == entry.cols_log)
    };
    if !entry.bias.is_none_or(is_bias) {
        return Err("its bias is not a committed tensor of its columns");
    }
    Ok(())
}

fn validate_instance(program: &Program, instance: &Instance) -> Result<(), &'static str> {
    let point_length = |operand: &Operand| -> usize {
        operand
            .leading
            .iter()
            .map(|(_, length)| length)
            .sum::<usize>()
            + instance.variables
    };
    for operand in [&instance.a, &instance.b] {
        let tensor = program
            .tensors
            .get(operand.tensor)
            .ok_or("an operand is not a tensor")?;
        if operand
            .leading
            .iter()
            .any(|(end, length)| end + length > program.lambda)
        {
            return Err("an operand's segment leaves its source");
        }
        if point_length(operand) != tensor.n {
            return Err("an operand's point does not have its size");
        }
    }
    Ok(())
}

/// Returns the number of variables that index `size` > 0 cells.
pub(crate) fn ceil_log2(size: usize) -> usize {
    (usize::BITS - (size - 1).leading_zeros()) as usize
}
