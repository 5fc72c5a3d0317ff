//! The one encoding of a key (FORMAT.md 3.5, 4), written against the decoded types: what the decoder accepts, this
//! gives back byte for byte.

use zkdps_program::{Operand, Program, PublicTensor, TensorKind, VerificationKey};

const NO_TENSOR: u16 = 0xffff;

/// Returns the key blob.
pub fn encode_key(key: &VerificationKey) -> Vec<u8> {
    let program = encode_program(&key.program);
    let mut out = [key.graph_hash, key.srs_id].concat();
    out.extend((program.len() as u16).to_be_bytes());
    out.extend(program);
    out.extend(key.commitments.concat());
    out
}

/// Returns the program's bytes.
pub fn encode_program(program: &Program) -> Vec<u8> {
    let mut out = vec![1, program.c as u8];
    for number in [program.fixed_chunks, program.proof_chunks] {
        put_u16(&mut out, number);
    }
    out.extend(program.op_count.to_be_bytes());
    put_u16(&mut out, program.tensors.len());
    for tensor in &program.tensors {
        let kind = match tensor.kind {
            TensorKind::Fixed => 0,
            TensorKind::Proof => 1,
            TensorKind::Input => 2,
            TensorKind::Output => 3,
        };
        out.extend([kind, tensor.n as u8]);
        put_u16(&mut out, tensor.chunk);
        out.extend((tensor.addr as u32).to_be_bytes());
    }
    for public in &program.public {
        put_public(&mut out, public);
    }
    out.extend([1, 2, program.lambda as u8]);
    put_u16(&mut out, program.blocks.len());
    for block in &program.blocks {
        let columns = block.columns.len() as u8;
        out.extend([
            block.is_table.into(),
            block.n as u8,
            block.table_id,
            columns,
        ]);
        for column in &block.columns {
            put_u16(&mut out, column.tensor);
            out.extend(column.addend.to_be_bytes());
        }
    }
    out.push(3);
    put_requants(&mut out, program);
    out.extend([4, program.rounds as u8, 2]);
    put_u16(&mut out, program.instances.len());
    for (index, instance) in program.instances.iter().enumerate() {
        put_u16(&mut out, index);
        out.push(instance.variables as u8);
        put_operand(&mut out, &instance.a, instance.variables);
        put_operand(&mut out, &instance.b, instance.variables);
    }
    out.extend([5, 6]);
    out
}

fn put_u16(out: &mut Vec<u8>, number: usize) {
    out.extend((number as u16).to_be_bytes());
}

fn put_public(out: &mut Vec<u8>, public: &PublicTensor) {
    out.push(public.bytes_per_element as u8);
    out.extend((public.rows as u32).to_be_bytes());
    out.extend((public.cols as u32).to_be_bytes());
    out.extend(public.lo.to_be_bytes());
    out.extend(public.hi.to_be_bytes());
}

fn put_requants(out: &mut Vec<u8>, program: &Program) {
    put_u16(out, program.requants.len());
    for entry in &program.requants {
        put_u16(out, entry.q_tensor);
        out.extend(entry.q_addend.to_be_bytes());
        out.push(entry.s as u8);
        out.extend(entry.m.to_be_bytes());
        out.push(entry.digits.len() as u8);
        for (tensor, shift) in &entry.digits {
            put_u16(out, *tensor);
            out.push(*shift as u8);
        }
        put_u16(out, entry.bias.unwrap_or(NO_TENSOR.into()));
        out.extend([entry.rows_log as u8, entry.cols_log as u8]);
        out.extend(entry.rows.to_be_bytes());
    }
}

fn put_operand(out: &mut Vec<u8>, operand: &Operand, variables: usize) {
    put_u16(out, operand.tensor);
    out.push((operand.leading.len() + usize::from(variables > 0)) as u8);
    for (end, length) in &operand.leading {
        out.extend([0, *end as u8, *length as u8]);
    }
    if variables > 0 {
        out.extend([1, 0, variables as u8]);
    }
}
