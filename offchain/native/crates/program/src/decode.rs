//! Strict decoding; every byte sequence has at most one meaning.

use crate::validate::validate;
use crate::{
    Block, Column, Instance, Operand, Program, ProgramError, PublicTensor, Requant, Tensor,
    TensorKind,
};

const VERSION: u64 = 1;
const NO_TENSOR: u16 = 0xffff;
const DEGREE: u64 = 2;
const SOURCE_ZETA: u8 = 0;
const SOURCE_CONTRACTION: u8 = 1;
const OPCODES: [&str; 6] = [
    "COMMIT (1)",
    "LOGUP (2)",
    "REQUANT (3)",
    "CONTRACT (4)",
    "REDUCE (5)",
    "OPEN (6)",
];

/// Decodes and validates a program.
///
/// # Errors
/// The bytes are not exactly the encoding of a consistent program.
pub fn decode_program(encoded: &[u8]) -> Result<Program, ProgramError> {
    let mut reader = Reader::new(encoded);
    reader.expect("version", VERSION, "1")?;
    let c = reader.u8()?.into();
    let fixed_chunks = reader.u16()?.into();
    let proof_chunks = reader.u16()?.into();
    let op_count = reader.u16()?;
    let tensors = reader.u16()?;
    let tensors = reader.list(tensors, tensor)?;
    let public = [public_tensor(&mut reader)?, public_tensor(&mut reader)?];
    reader.opcode(1)?;
    reader.opcode(2)?;
    let lambda = reader.u8()?.into();
    let blocks = reader.u16()?;
    let blocks = reader.list(blocks, block)?;
    reader.opcode(3)?;
    let requants = reader.u16()?;
    let requants = reader.list(requants, requant)?;
    reader.opcode(4)?;
    let rounds = reader.u8()?.into();
    reader.expect("contraction degree", DEGREE, "2")?;
    let instances = (0..reader.u16()?)
        .map(|index| instance(&mut reader, index))
        .collect::<Result<Vec<_>, _>>()?;
    reader.opcode(5)?;
    reader.opcode(6)?;
    reader.finish()?;
    let program = Program {
        c,
        fixed_chunks,
        proof_chunks,
        op_count,
        tensors,
        public,
        lambda,
        blocks,
        requants,
        rounds,
        instances,
    };
    validate(&program)?;
    Ok(program)
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

    fn u32(&mut self) -> Result<u32, ProgramError> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    fn i32(&mut self) -> Result<i32, ProgramError> {
        Ok(i32::from_be_bytes(self.array()?))
    }

    fn expect(
        &mut self,
        field: &'static str,
        value: u64,
        expected: &'static str,
    ) -> Result<(), ProgramError> {
        match u64::from(self.u8()?) {
            got if got == value => Ok(()),
            got => Err(ProgramError::Value {
                field,
                got,
                expected,
            }),
        }
    }

    fn opcode(&mut self, opcode: u8) -> Result<(), ProgramError> {
        self.expect("opcode", opcode.into(), OPCODES[usize::from(opcode) - 1])
    }

    fn list<T>(
        &mut self,
        count: impl Into<usize>,
        item: impl Fn(&mut Self) -> Result<T, ProgramError>,
    ) -> Result<Vec<T>, ProgramError> {
        (0..count.into()).map(|_| item(self)).collect()
    }

    pub(crate) fn finish(self) -> Result<(), ProgramError> {
        match self.encoded.len() - self.at {
            0 => Ok(()),
            left => Err(ProgramError::Trailing(left)),
        }
    }
}

fn tensor(reader: &mut Reader) -> Result<Tensor, ProgramError> {
    let kind = match reader.u8()? {
        0 => TensorKind::Fixed,
        1 => TensorKind::Proof,
        2 => TensorKind::Input,
        3 => TensorKind::Output,
        got => {
            return Err(ProgramError::Value {
                field: "tensor kind",
                got: got.into(),
                expected: "0 to 3",
            });
        }
    };
    Ok(Tensor {
        kind,
        n: reader.u8()?.into(),
        chunk: reader.u16()?.into(),
        addr: reader.u32()? as usize,
    })
}

fn public_tensor(reader: &mut Reader) -> Result<PublicTensor, ProgramError> {
    Ok(PublicTensor {
        bytes_per_element: reader.u8()?.into(),
        rows: reader.u32()? as usize,
        cols: reader.u32()? as usize,
        lo: reader.i32()?,
        hi: reader.i32()?,
    })
}

fn block(reader: &mut Reader) -> Result<Block, ProgramError> {
    let is_table = match reader.u8()? {
        0 => false,
        1 => true,
        got => {
            return Err(ProgramError::Value {
                field: "block kind",
                got: got.into(),
                expected: "0 or 1",
            });
        }
    };
    let (n, table_id, columns) = (reader.u8()?.into(), reader.u8()?, reader.u8()?);
    let columns = reader.list(columns, |reader| {
        Ok(Column {
            tensor: reader.u16()?.into(),
            addend: reader.i32()?,
        })
    })?;
    Ok(Block {
        is_table,
        n,
        table_id,
        columns,
    })
}

fn requant(reader: &mut Reader) -> Result<Requant, ProgramError> {
    let (q_tensor, q_addend) = (reader.u16()?.into(), reader.i32()?);
    let (s, m, digits) = (reader.u8()?.into(), reader.u16()?, reader.u8()?);
    let digits = reader.list(digits, |reader| {
        Ok((reader.u16()?.into(), reader.u8()?.into()))
    })?;
    let bias = match reader.u16()? {
        NO_TENSOR => None,
        tensor => Some(tensor.into()),
    };
    Ok(Requant {
        q_tensor,
        q_addend,
        s,
        m,
        digits,
        bias,
        rows_log: reader.u8()?.into(),
        cols_log: reader.u8()?.into(),
        rows: reader.u32()?,
    })
}

fn instance(reader: &mut Reader, index: u16) -> Result<Instance, ProgramError> {
    let requant = reader.u16()?;
    if requant != index {
        let reason = "does not belong to the requantization of the same position";
        return Err(ProgramError::Inconsistent {
            part: "instance",
            index: index.into(),
            reason,
        });
    }
    let variables = reader.u8()?.into();
    let a = operand(reader, index, variables)?;
    let b = operand(reader, index, variables)?;
    Ok(Instance { variables, a, b })
}

/// Reads segments of ζ and, last, the one segment of the contraction's point: its last `variables` coordinates.
fn operand(reader: &mut Reader, index: u16, variables: usize) -> Result<Operand, ProgramError> {
    let bad = |reason| ProgramError::Inconsistent {
        part: "instance",
        index: index.into(),
        reason,
    };
    let (tensor, segments) = (reader.u16()?.into(), reader.u8()?);
    let mut leading = Vec::new();
    let mut inner = None;
    for _ in 0..segments {
        let (source, end, length) = (reader.u8()?, reader.u8()?.into(), reader.u8()?.into());
        if length == 0 {
            return Err(bad("an operand's segment is empty"));
        }
        match source {
            _ if inner.is_some() => {
                return Err(bad("an operand's inner segment is not the last one"));
            }
            SOURCE_ZETA => leading.push((end, length)),
            SOURCE_CONTRACTION => inner = Some((end, length)),
            got => {
                return Err(ProgramError::Value {
                    field: "point source",
                    got: got.into(),
                    expected: "0 or 1",
                });
            }
        }
    }
    if inner.unwrap_or((0, 0)) != (0, variables) {
        return Err(bad("an operand's inner point is not that of the instance"));
    }
    Ok(Operand { tensor, leading })
}
