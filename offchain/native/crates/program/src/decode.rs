//! Strict decoding; every byte sequence has at most one meaning.

use crate::validate::validate;
use crate::{
    Atom, Axis, Block, Coefficient, Expression, Factor, FactorKind, Form, Function, Instance,
    LinearTerm, Link, Lookup, Monomial, Opening, Operand, Origin, ProductTerm, Program,
    ProgramError, PublicTensor, Relation, Residual, Segment, Slot, SlotCounts, SlotKind, Source,
    Tensor, TensorKind, Tie, VirtualSlot,
};
use std::collections::BTreeMap;

const VERSION: u8 = 2;
/// "No slot", "no function", "no tensor".
const NONE: usize = 0xffff;
/// Marks a function among the factors of a monomial.
const FUNCTION: usize = 0x8000;
/// Marks a flipped segment.
const FLIP: u8 = 0x80;
const MAX_CONSTANT_BITS: usize = 8;
const OPCODES: [&str; 8] = [
    "COMMIT (1)",
    "LOGUP (2)",
    "RELATE (3)",
    "PRODUCT (4)",
    "CONTRACT (5)",
    "LINK (6)",
    "REDUCE (7)",
    "OPEN (8)",
];

/// Decodes and validates a program.
///
/// # Errors
/// The bytes are not exactly the encoding of a consistent program.
pub fn decode_program(encoded: &[u8]) -> Result<Program, ProgramError> {
    let mut reader = Reader::new(encoded);
    let program = program(&mut reader)?;
    reader.finish()?;
    validate(&program)?;
    Ok(program)
}

fn program(reader: &mut Reader) -> Result<Program, ProgramError> {
    reader.expect("version", VERSION, "2")?;
    let c = reader.byte()?;
    let lookup = reader.choice("lookup", &[Lookup::Gkr, Lookup::Inverses], "0 or 1")?;
    let opening = reader.choice("opening", &[Opening::HyperKzg, Opening::Mercury], "0 or 1")?;
    let [fixed_chunks, proof_chunks, late_chunks] =
        [reader.short()?, reader.short()?, reader.short()?];
    let op_count = reader.u16()?;
    let count = reader.short()?;
    let tensors = reader.list(count, tensor)?;
    let count = reader.byte()?;
    let inputs = reader.list(count, public_tensor)?;
    let output = public_tensor(reader)?;
    let count = reader.short()?;
    let functions = reader.list(count, function)?;
    let mut counts = SlotCounts([0; 5]);
    for count in &mut counts.0 {
        *count = reader.short()?;
    }
    let slots = reader.list(counts.0.iter().sum(), slot)?;
    reader.opcode(1)?;
    reader.opcode(2)?;
    let lambda = reader.byte()?;
    let count = reader.short()?;
    let blocks = reader.list(count, block)?;
    reader.opcode(3)?;
    let count = reader.short()?;
    let relations = reader.list(count, relation)?;
    reader.opcode(4)?;
    let product_rounds = reader.byte()?;
    let count = reader.short()?;
    let terms = reader.list(count, product_term)?;
    reader.opcode(5)?;
    let (contraction_rounds, degree) = (reader.byte()?, reader.byte()?);
    let count = reader.short()?;
    let instances = reader.list(count, instance)?;
    reader.opcode(6)?;
    let link_rounds = reader.byte()?;
    let count = reader.short()?;
    let links = reader.list(count, link)?;
    reader.opcode(7)?;
    reader.opcode(8)?;
    let virtual_slots = virtual_slots(&instances, &links);
    Ok(Program {
        c,
        lookup,
        opening,
        fixed_chunks,
        proof_chunks,
        late_chunks,
        op_count,
        tensors,
        inputs,
        output,
        functions,
        counts,
        slots,
        lambda,
        blocks,
        relations,
        product_rounds,
        terms,
        contraction_rounds,
        degree,
        instances,
        link_rounds,
        links,
        virtual_slots,
    })
}

fn virtual_slots(instances: &[Instance], links: &[Link]) -> BTreeMap<usize, VirtualSlot> {
    let proven = instances
        .iter()
        .enumerate()
        .filter(|(_, instance)| instance.origin == Origin::Slot)
        .map(|(k, instance)| (instance.index, VirtualSlot::Instance(k)));
    let windows = links
        .iter()
        .enumerate()
        .map(|(k, link)| (link.window, VirtualSlot::Link(k)));
    proven.chain(windows).collect()
}

/// Reads big-endian integers from the front of a byte string.
pub(crate) struct Reader<'a> {
    encoded: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(encoded: &'a [u8]) -> Self {
        Self { encoded, at: 0 }
    }

    pub(crate) fn take(&mut self, expected: usize) -> Result<&'a [u8], ProgramError> {
        let rest = &self.encoded[self.at..];
        let truncated = ProgramError::Truncated {
            at: self.at,
            expected,
            got: rest.len(),
        };
        let piece = rest.get(..expected).ok_or(truncated)?;
        self.at += expected;
        Ok(piece)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], ProgramError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, ProgramError> {
        Ok(u8::from_be_bytes(self.array()?))
    }

    pub(crate) fn u16(&mut self) -> Result<u16, ProgramError> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    pub(crate) fn u32(&mut self) -> Result<u32, ProgramError> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    fn i32(&mut self) -> Result<i32, ProgramError> {
        Ok(i32::from_be_bytes(self.array()?))
    }

    /// Reads one byte.
    fn byte(&mut self) -> Result<usize, ProgramError> {
        Ok(self.u8()?.into())
    }

    /// Reads a 16-bit id or count.
    fn short(&mut self) -> Result<usize, ProgramError> {
        Ok(self.u16()?.into())
    }

    /// Reads a 16-bit id, `None` where it is the mark of none.
    fn optional(&mut self) -> Result<Option<usize>, ProgramError> {
        Ok(Some(self.short()?).filter(|id| *id != NONE))
    }

    /// Reads one byte that numbers one of `names`.
    fn choice<T: Copy>(
        &mut self,
        field: &'static str,
        choices: &[T],
        expected: &'static str,
    ) -> Result<T, ProgramError> {
        let got = self.byte()?;
        let unknown = ProgramError::Value {
            field,
            got: got as u64,
            expected,
        };
        choices.get(got).copied().ok_or(unknown)
    }

    fn expect(
        &mut self,
        field: &'static str,
        value: u8,
        expected: &'static str,
    ) -> Result<(), ProgramError> {
        match self.u8()? {
            got if got == value => Ok(()),
            got => Err(ProgramError::Value {
                field,
                got: got.into(),
                expected,
            }),
        }
    }

    fn opcode(&mut self, opcode: u8) -> Result<(), ProgramError> {
        self.expect("opcode", opcode, OPCODES[usize::from(opcode) - 1])
    }

    fn list<T>(
        &mut self,
        count: usize,
        item: impl Fn(&mut Self) -> Result<T, ProgramError>,
    ) -> Result<Vec<T>, ProgramError> {
        (0..count).map(|_| item(self)).collect()
    }

    pub(crate) fn finish(self) -> Result<(), ProgramError> {
        match self.encoded.len() - self.at {
            0 => Ok(()),
            left => Err(ProgramError::Trailing(left)),
        }
    }
}

fn tensor(reader: &mut Reader) -> Result<Tensor, ProgramError> {
    use TensorKind::{Fixed, Input, Late, Output, Proof};
    Ok(Tensor {
        kind: reader.choice(
            "tensor kind",
            &[Fixed, Proof, Late, Input, Output],
            "0 to 4",
        )?,
        n: reader.byte()?,
        chunk: reader.short()?,
        addr: reader.u32()? as usize,
    })
}

fn public_tensor(reader: &mut Reader) -> Result<PublicTensor, ProgramError> {
    let tensor = reader.short()?;
    let form = reader.choice("form", &[Form::Bytes, Form::Committed], "0 or 1")?;
    let bytes_per_element = reader.byte()?;
    let rank = reader.byte()?;
    Ok(PublicTensor {
        tensor,
        form,
        bytes_per_element,
        shape: reader.list(rank, Reader::u32)?,
        lo: reader.i32()?,
        hi: reader.i32()?,
    })
}

fn function(reader: &mut Reader) -> Result<Function, ProgramError> {
    use FactorKind::{At, Causal, Id, Lt, LtOutput};
    let count = reader.byte()?;
    let factors = reader.list(count, |reader| {
        Ok(Factor {
            kind: reader.choice("factor", &[Id, Lt, Causal, LtOutput, At], "0 to 4")?,
            value: reader.u32()?,
            end: reader.byte()?,
            length: reader.byte()?,
            end2: reader.byte()?,
            length2: reader.byte()?,
        })
    })?;
    Ok(Function { factors })
}

/// Reads a segment; `None` for the empty one of a link's axis of one cell.
fn link_segment(reader: &mut Reader) -> Result<Option<Segment>, ProgramError> {
    let [source, end, length] = reader.array()?;
    if [source, end, length] == [0; 3] {
        return Ok(None);
    }
    make_segment(source, end.into(), length.into()).map(Some)
}

fn segment(reader: &mut Reader) -> Result<Segment, ProgramError> {
    let [source, end, length] = reader.array()?;
    make_segment(source, end.into(), length.into())
}

fn make_segment(source: u8, end: usize, length: usize) -> Result<Segment, ProgramError> {
    use Source::{Bits, Contraction, Half, Link, OutputBits, Product, Zeta};
    let sources = [Zeta, Product, Contraction, Link, Half, Bits, OutputBits];
    let flip = source & FLIP != 0;
    let bad = |field, got: usize, expected| ProgramError::Value {
        field,
        got: got as u64,
        expected,
    };
    let Some(kind) = sources
        .get(usize::from(source & !FLIP))
        .filter(|kind| !flip || (**kind as u8) < Half as u8)
    else {
        return Err(bad(
            "point source",
            source.into(),
            "0 to 6, flipped 128 to 131",
        ));
    };
    if length == 0 || (*kind == Bits && length > MAX_CONSTANT_BITS) {
        return Err(bad(
            "segment length",
            length,
            "at least 1, of bits at most 8",
        ));
    }
    if (*kind == Half && end != 0) || (*kind == Bits && end >> length != 0) {
        return Err(bad("segment end", end, "0 for halves, the bits for bits"));
    }
    Ok(Segment {
        source: *kind,
        end,
        length,
        flip,
    })
}

fn point(reader: &mut Reader) -> Result<Vec<Segment>, ProgramError> {
    let count = reader.byte()?;
    reader.list(count, segment)
}

fn slot(reader: &mut Reader) -> Result<Slot, ProgramError> {
    use SlotKind::{OneHot, Tensor, Virtual};
    Ok(Slot {
        kind: reader.choice("slot kind", &[Tensor, Virtual, OneHot], "0 to 2")?,
        tensor: reader.optional()?,
        point: point(reader)?,
    })
}

fn coefficient(reader: &mut Reader) -> Result<Coefficient, ProgramError> {
    Ok(Coefficient {
        a: reader.i32()?,
        b: reader.u8()?,
    })
}

fn expression(reader: &mut Reader) -> Result<Expression, ProgramError> {
    let count = reader.byte()?;
    reader.list(count, |reader| {
        Ok(Atom {
            coefficient: coefficient(reader)?,
            slot: reader.optional()?,
            function: reader.optional()?,
        })
    })
}

fn block(reader: &mut Reader) -> Result<Block, ProgramError> {
    let (n, table_id) = (reader.byte()?, reader.u16()?);
    let numerator = expression(reader)?;
    let count = reader.byte()?;
    Ok(Block {
        n,
        table_id,
        numerator,
        columns: reader.list(count, expression)?,
    })
}

fn relation(reader: &mut Reader) -> Result<Relation, ProgramError> {
    use Residual::{Contraction, Linear, None, Product};
    let residual = reader.choice("residual", &[None, Linear, Product, Contraction], "0 to 3")?;
    let expression = expression(reader)?;
    let count = if residual == Linear {
        reader.byte()?
    } else {
        0
    };
    let terms = reader.list(count, |reader| {
        Ok(LinearTerm {
            coefficient: coefficient(reader)?,
            tensor: reader.short()?,
            point: point(reader)?,
        })
    })?;
    Ok(Relation {
        residual,
        expression,
        terms,
    })
}

fn product_term(reader: &mut Reader) -> Result<ProductTerm, ProgramError> {
    let n = reader.byte()?;
    let count = reader.byte()?;
    let monomials = reader.list(count, |reader| {
        let coefficient = coefficient(reader)?;
        let count = reader.byte()?;
        let factors = reader.list(count, |reader| {
            let id = reader.short()?;
            Ok(if id & FUNCTION == 0 {
                Operand::Slot(id)
            } else {
                Operand::Function(id & !FUNCTION)
            })
        })?;
        Ok(Monomial {
            coefficient,
            factors,
        })
    })?;
    Ok(ProductTerm { n, monomials })
}

fn instance(reader: &mut Reader) -> Result<Instance, ProgramError> {
    let variables = reader.byte()?;
    let origin = reader.choice("origin", &[Origin::Relation, Origin::Slot], "0 or 1")?;
    let index = reader.short()?;
    let coefficient = coefficient(reader)?;
    let (a, b, function) = (reader.short()?, reader.short()?, reader.optional()?);
    let count = reader.byte()?;
    let ties = reader.list(count, |reader| {
        Ok(Tie {
            segment: segment(reader)?,
            end: reader.byte()?,
        })
    })?;
    Ok(Instance {
        variables,
        origin,
        index,
        coefficient,
        a,
        b,
        function,
        ties,
    })
}

fn axis(reader: &mut Reader) -> Result<Axis, ProgramError> {
    Ok(Axis {
        out: reader.short()?,
        size: reader.short()?,
        kernel: reader.byte()?,
        stride: reader.byte()?,
        pad: reader.byte()?,
        z: link_segment(reader)?,
        kappa: link_segment(reader)?,
        log_in: reader.byte()?,
    })
}

fn link(reader: &mut Reader) -> Result<Link, ProgramError> {
    Ok(Link {
        window: reader.short()?,
        tensor: reader.short()?,
        height: axis(reader)?,
        width: axis(reader)?,
    })
}
