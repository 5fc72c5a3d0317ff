//! The verification program and the key blob (FORMAT.md 3.5, 4): what prover and verifier interpret.
//!
//! The program is compiled elsewhere from the integer graph alone. Here it is decoded strictly and validated:
//! whatever passes describes sizes and ids that the arguments can use without another check.
#![forbid(unsafe_code)]

mod decode;
mod key;
mod validate;

pub use decode::decode_program;
pub use key::VerificationKey;
use thiserror::Error;

/// Tensor id of the public input.
pub const INPUT: usize = 0;
/// Tensor id of the public output.
pub const OUTPUT: usize = 1;

/// Why bytes are not a program or a key.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ProgramError {
    /// The bytes end too early.
    #[error("truncated: {expected} bytes wanted at {at}, {got} left")]
    Truncated {
        /// Offset.
        at: usize,
        /// Bytes wanted.
        expected: usize,
        /// Bytes left.
        got: usize,
    },
    /// Bytes are left at the end.
    #[error("{0} trailing bytes")]
    Trailing(usize),
    /// A field holds a value that the format does not have.
    #[error("{field} is {got}, expected {expected}")]
    Value {
        /// Name of the field.
        field: &'static str,
        /// Its value.
        got: u64,
        /// What the format allows.
        expected: &'static str,
    },
    /// Two parts of the program contradict each other.
    #[error("{part} {index}: {reason}")]
    Inconsistent {
        /// Kind of part: tensor, block, requant, instance.
        part: &'static str,
        /// Its position.
        index: usize,
        /// The contradiction.
        reason: &'static str,
    },
}

/// Where a tensor's values come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TensorKind {
    /// Weights and table columns, committed once per model.
    Fixed,
    /// Committed in every proof.
    Proof,
    /// The public input.
    Input,
    /// The public output.
    Output,
}

/// A padded tensor of 2^n cells: block `addr` of chunk `chunk` (of 2^(n − c) chunks if n > c) unless it is public.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tensor {
    /// Where its values come from.
    pub kind: TensorKind,
    /// Variables.
    pub n: usize,
    /// First chunk.
    pub chunk: usize,
    /// Block within the chunk, in units of 2^n cells.
    pub addr: usize,
}

impl Tensor {
    /// Returns whether the tensor is input or output.
    #[must_use]
    pub fn is_public(&self) -> bool {
        matches!(self.kind, TensorKind::Input | TensorKind::Output)
    }
}

/// A (rows, cols) tensor given as bytes; elements lie in \[lo, hi\].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicTensor {
    /// 1 or 2.
    pub bytes_per_element: usize,
    /// Rows.
    pub rows: usize,
    /// Columns.
    pub cols: usize,
    /// Least element.
    pub lo: i32,
    /// Greatest element.
    pub hi: i32,
}

/// A looked-up column: tensor + addend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Tensor id.
    pub tensor: usize,
    /// Constant added to every cell.
    pub addend: i32,
}

/// A `LogUp` leaf block of 2^n cells: a lookup's tuple, or a table (multiplicity and maybe a value column).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Table or lookup.
    pub is_table: bool,
    /// Variables.
    pub n: usize,
    /// Which table, from 1.
    pub table_id: u8,
    /// One or two columns.
    pub columns: Vec<Column>,
}

/// The linear requantization identity of one operator (FORMAT.md 7.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requant {
    /// Tensor of the quotient.
    pub q_tensor: usize,
    /// Constant added to it.
    pub q_addend: i32,
    /// Bits of the remainder.
    pub s: u32,
    /// Multiplier.
    pub m: u16,
    /// The remainder's digits: (tensor, shift).
    pub digits: Vec<(usize, u32)>,
    /// Tensor of the bias.
    pub bias: Option<usize>,
    /// Variables of the row axis.
    pub rows_log: usize,
    /// Variables of the column axis.
    pub cols_log: usize,
    /// Rows before padding.
    pub rows: u32,
}

/// A factor of a contraction: the tensor at (`leading` coordinates of ζ ‖ the inner point).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operand {
    /// Tensor id.
    pub tensor: usize,
    /// Segments (end, length) of ζ: coordinates λ − end − length … λ − end.
    pub leading: Vec<(usize, usize)>,
}

/// One contraction sum over 2^variables inner cells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// Inner variables.
    pub variables: usize,
    /// First factor.
    pub a: Operand,
    /// Second factor.
    pub b: Operand,
}

/// The verification program of a whole model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Variables of a chunk.
    pub c: usize,
    /// Fixed chunks F.
    pub fixed_chunks: usize,
    /// Proof chunks P.
    pub proof_chunks: usize,
    /// Graph operators.
    pub op_count: u16,
    /// Tensors by id.
    pub tensors: Vec<Tensor>,
    /// Input and output.
    pub public: [PublicTensor; 2],
    /// Variables of the leaves.
    pub lambda: usize,
    /// Leaf blocks in leaf order.
    pub blocks: Vec<Block>,
    /// Requantizations.
    pub requants: Vec<Requant>,
    /// Rounds of the contraction.
    pub rounds: usize,
    /// Contractions; instance k belongs to requantization k.
    pub instances: Vec<Instance>,
}

impl Program {
    /// Returns F + P.
    #[must_use]
    pub fn chunks(&self) -> usize {
        self.fixed_chunks + self.proof_chunks
    }

    /// Returns the committed tensors of all leaf blocks, each once, in leaf order.
    #[must_use]
    pub fn leaf_tensors(&self) -> Vec<usize> {
        committed_columns(&self.blocks, |tensor| self.tensors[tensor].is_public())
    }
}

/// Returns the columns' tensors that are not public, each once, in leaf order.
pub fn committed_columns(blocks: &[Block], is_public: impl Fn(usize) -> bool) -> Vec<usize> {
    let mut order = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    for column in blocks.iter().flat_map(|block| &block.columns) {
        if !is_public(column.tensor) && seen.insert(column.tensor) {
            order.push(column.tensor);
        }
    }
    order
}
