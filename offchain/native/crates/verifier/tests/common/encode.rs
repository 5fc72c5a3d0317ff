//! The one encoding of a key (FORMAT.md 3.1, 4), written against the decoded types: what the decoder accepts, this
//! gives back byte for byte.

use zkdps_program::{
    Axis, Coefficient, Expression, Operand, Program, PublicTensor, Residual, Segment,
    VerificationKey,
};

const NONE: usize = 0xffff;
const FUNCTION: usize = 0x8000;
const FLIP: u8 = 0x80;

/// Returns the key blob.
pub fn encode_key(key: &VerificationKey) -> Vec<u8> {
    let program = encode_program(&key.program);
    let mut out = [key.graph_hash, key.srs_id].concat();
    out.extend((program.len() as u32).to_be_bytes());
    out.extend(program);
    out.extend(key.commitments.concat());
    out
}

/// Big-endian integers behind each other.
#[derive(Default)]
struct Writer(Vec<u8>);

impl Writer {
    fn byte(&mut self, number: usize) {
        self.0.push(number.try_into().unwrap());
    }

    fn short(&mut self, number: usize) {
        self.0.extend(u16::try_from(number).unwrap().to_be_bytes());
    }

    fn word(&mut self, number: u32) {
        self.0.extend(number.to_be_bytes());
    }

    fn coefficient(&mut self, coefficient: Coefficient) {
        self.word(coefficient.a.cast_unsigned());
        self.0.push(coefficient.b);
    }

    fn segment(&mut self, segment: &Segment) {
        let flip = if segment.flip { FLIP } else { 0 };
        self.0.push(segment.source as u8 | flip);
        self.byte(segment.end);
        self.byte(segment.length);
    }

    fn point(&mut self, point: &[Segment]) {
        self.byte(point.len());
        for segment in point {
            self.segment(segment);
        }
    }

    fn expression(&mut self, expression: &Expression) {
        self.byte(expression.len());
        for atom in expression {
            self.coefficient(atom.coefficient);
            self.short(atom.slot.unwrap_or(NONE));
            self.short(atom.function.unwrap_or(NONE));
        }
    }

    fn public(&mut self, public: &PublicTensor) {
        self.short(public.tensor);
        self.0.push(public.form as u8);
        self.byte(public.bytes_per_element);
        self.byte(public.shape.len());
        for size in &public.shape {
            self.word(*size);
        }
        self.word(public.lo.cast_unsigned());
        self.word(public.hi.cast_unsigned());
    }

    fn axis(&mut self, axis: &Axis) {
        self.short(axis.out);
        self.short(axis.size);
        self.byte(axis.kernel);
        self.byte(axis.stride);
        self.byte(axis.pad);
        for segment in [axis.z, axis.kappa] {
            match segment {
                Some(segment) => self.segment(&segment),
                None => self.0.extend([0; 3]),
            }
        }
        self.byte(axis.log_in);
    }
}

/// Returns the program's bytes.
pub fn encode_program(program: &Program) -> Vec<u8> {
    let mut out = Writer::default();
    encode_head(&mut out, program);
    encode_lookups(&mut out, program);
    out.byte(4);
    out.byte(program.product_rounds);
    out.short(program.terms.len());
    for term in &program.terms {
        out.byte(term.n);
        out.byte(term.monomials.len());
        for monomial in &term.monomials {
            out.coefficient(monomial.coefficient);
            out.byte(monomial.factors.len());
            for factor in &monomial.factors {
                out.short(match factor {
                    Operand::Slot(slot) => *slot,
                    Operand::Function(function) => FUNCTION | function,
                });
            }
        }
    }
    out.byte(5);
    out.byte(program.contraction_rounds);
    out.byte(program.degree);
    out.short(program.instances.len());
    for instance in &program.instances {
        out.byte(instance.variables);
        out.byte(instance.origin as usize);
        out.short(instance.index);
        out.coefficient(instance.coefficient);
        out.short(instance.a);
        out.short(instance.b);
        out.short(instance.function.unwrap_or(NONE));
        out.byte(instance.ties.len());
        for tie in &instance.ties {
            out.segment(&tie.segment);
            out.byte(tie.end);
        }
    }
    out.byte(6);
    out.byte(program.link_rounds);
    out.short(program.links.len());
    for link in &program.links {
        out.short(link.window);
        out.short(link.tensor);
        out.axis(&link.height);
        out.axis(&link.width);
    }
    out.0.extend([7, 8]);
    out.0
}

fn encode_head(out: &mut Writer, program: &Program) {
    out.byte(2);
    out.byte(program.c);
    out.byte(program.lookup as usize);
    out.byte(program.opening as usize);
    out.short(program.fixed_chunks);
    out.short(program.proof_chunks);
    out.short(program.late_chunks);
    out.short(program.op_count.into());
    out.short(program.tensors.len());
    for tensor in &program.tensors {
        out.byte(tensor.kind as usize);
        out.byte(tensor.n);
        out.short(tensor.chunk);
        out.word(tensor.addr as u32);
    }
    out.byte(program.inputs.len());
    for public in program.public() {
        out.public(public);
    }
    out.short(program.functions.len());
    for function in &program.functions {
        out.byte(function.factors.len());
        for factor in &function.factors {
            out.byte(factor.kind as usize);
            out.word(factor.value);
            for number in [factor.end, factor.length, factor.end2, factor.length2] {
                out.byte(number);
            }
        }
    }
    for count in program.counts.0 {
        out.short(count);
    }
    for slot in &program.slots {
        out.byte(slot.kind as usize);
        out.short(slot.tensor.unwrap_or(NONE));
        out.point(&slot.point);
    }
}

fn encode_lookups(out: &mut Writer, program: &Program) {
    out.0.extend([1, 2]);
    out.byte(program.lambda);
    out.short(program.blocks.len());
    for block in &program.blocks {
        out.byte(block.n);
        out.short(block.table_id.into());
        out.expression(&block.numerator);
        out.byte(block.columns.len());
        for column in &block.columns {
            out.expression(column);
        }
    }
    out.byte(3);
    out.short(program.relations.len());
    for relation in &program.relations {
        out.byte(relation.residual as usize);
        out.expression(&relation.expression);
        if relation.residual == Residual::Linear {
            out.byte(relation.terms.len());
            for term in &relation.terms {
                out.coefficient(term.coefficient);
                out.short(term.tensor);
                out.point(&term.point);
            }
        }
    }
}
