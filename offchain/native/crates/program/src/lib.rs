//! The verification program and the key blob (FORMAT.md 3, 4): what prover and verifier interpret.
//!
//! The program is compiled elsewhere from the integer graph alone. Here it is decoded strictly and validated:
//! whatever passes describes ids, sizes and points that the arguments can use without another check.
#![forbid(unsafe_code)]

mod decode;
mod key;
mod phases;
mod validate;

pub use decode::decode_program;
pub use key::VerificationKey;
pub use phases::{
    Atom, Axis, Block, Coefficient, Expression, Instance, LinearTerm, Link, Monomial, Operand,
    Origin, ProductTerm, Relation, Residual, Tie,
};
use std::collections::BTreeMap;
use thiserror::Error;

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
        /// Kind of part: tensor, function, slot, block, relation, term, instance, link.
        part: &'static str,
        /// Its position.
        index: usize,
        /// The contradiction.
        reason: &'static str,
    },
}

/// Where a tensor's values come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum TensorKind {
    /// Weights and table columns, committed once per model.
    Fixed = 0,
    /// Committed in every proof.
    Proof = 1,
    /// Inverse columns, committed after the lookup challenges.
    Late = 2,
    /// A public input.
    Input = 3,
    /// The public output.
    Output = 4,
}

/// Which lookup argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Lookup {
    /// Fractional GKR.
    Gkr = 0,
    /// Committed inverses.
    Inverses = 1,
}

/// Which polynomial opening.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Opening {
    /// `HyperKZG`.
    HyperKzg = 0,
    /// Mercury.
    Mercury = 1,
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
    /// Returns whether the verifier evaluates the tensor itself.
    #[must_use]
    pub fn is_public(&self) -> bool {
        matches!(self.kind, TensorKind::Input | TensorKind::Output)
    }
}

/// How a public tensor is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Form {
    /// As bytes in the call.
    Bytes = 0,
    /// Committed in the proof.
    Committed = 1,
}

/// An input or the output; elements lie in \[lo, hi\].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicTensor {
    /// Tensor id.
    pub tensor: usize,
    /// How it is given.
    pub form: Form,
    /// 1, 2 or 4.
    pub bytes_per_element: usize,
    /// Dimensions.
    pub shape: Vec<u32>,
    /// Least element.
    pub lo: i32,
    /// Greatest element.
    pub hi: i32,
}

/// Where a segment's coordinates come from (FORMAT.md 3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Source {
    /// The lookups' point ζ.
    Zeta = 0,
    /// `r_P`.
    Product = 1,
    /// `r_C`.
    Contraction = 2,
    /// `r_L`.
    Link = 3,
    /// 1/2 everywhere.
    Half = 4,
    /// Constant bits.
    Bits = 5,
    /// Bits of the output's first element.
    OutputBits = 6,
}

/// Coordinates v\[N − end − length .. N − end\] of a source; `flip` turns x into 1 − x.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Source.
    pub source: Source,
    /// Coordinates behind the segment; the bits themselves if they are constant.
    pub end: usize,
    /// Coordinates, at least one.
    pub length: usize,
    /// Whether every coordinate x is 1 − x.
    pub flip: bool,
}

/// One factor of a public function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Factor {
    /// Which polynomial.
    pub kind: FactorKind,
    /// Its parameter.
    pub value: u32,
    /// Coordinates behind its segment.
    pub end: usize,
    /// Coordinates.
    pub length: usize,
    /// The second segment of a causal mask.
    pub end2: usize,
    /// Its length.
    pub length2: usize,
}

/// Factors of public functions (FORMAT.md 3.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum FactorKind {
    /// The index.
    Id = 0,
    /// \[index < value\].
    Lt = 1,
    /// \[j <= i < value\].
    Causal = 2,
    /// \[index < y\], y the first element of the output.
    LtOutput = 3,
    /// \[index = value\].
    At = 4,
}

/// A product of factors on disjoint segments of a phase's vector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// Factors; none: the constant 1.
    pub factors: Vec<Factor>,
}

impl Function {
    /// Returns the coordinates on which the function depends, bit k for the coordinate with k behind it.
    #[must_use]
    pub fn mask(&self) -> u64 {
        self.factors.iter().fold(0, |mask, factor| {
            mask | interval(factor.end, factor.length) | interval(factor.end2, factor.length2)
        })
    }
}

/// What a slot's value is (FORMAT.md 3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum SlotKind {
    /// A tensor at a point.
    Tensor = 0,
    /// Proven by a contraction or link instance.
    Virtual = 1,
    /// One-hot rows of an input's elements at a point.
    OneHot = 2,
}

/// A value that the prover sends or the verifier evaluates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// What it is.
    pub kind: SlotKind,
    /// Tensor id, `None` for a virtual slot.
    pub tensor: Option<usize>,
    /// The point's segments.
    pub point: Vec<Segment>,
}

impl Slot {
    /// Returns the coordinates of `source` that the point uses, bit k for the coordinate with k behind it.
    #[must_use]
    pub fn mask(&self, source: Source) -> u64 {
        segments_mask(&self.point, source)
    }
}

/// Returns the coordinates of `source` in segments, bit k for the coordinate with k behind it.
#[must_use]
pub fn segments_mask<'a>(segments: impl IntoIterator<Item = &'a Segment>, source: Source) -> u64 {
    segments
        .into_iter()
        .filter(|segment| segment.source == source)
        .fold(0, |mask, s| mask | interval(s.end, s.length))
}

/// Returns bits end .. end + length, as far as they fit.
pub(crate) fn interval(end: usize, length: usize) -> u64 {
    let below = |count: usize| 1_u64.checked_shl(count as u32).map_or(u64::MAX, |v| v - 1);
    below(end + length) & !below(end)
}

/// In which message a slot is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Tag 5.
    Leaf,
    /// Tag 8.
    Direct,
    /// Tag 7.
    Product,
    /// Tag 10.
    Contraction,
    /// Tag 13.
    Link,
}

/// How many slots each phase sends, in the order of [`Phase`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotCounts(pub [usize; 5]);

impl SlotCounts {
    /// Returns the slots of a phase.
    #[must_use]
    pub fn range(&self, phase: Phase) -> std::ops::Range<usize> {
        let before = self.0[..phase as usize].iter().sum();
        before..before + self.0[phase as usize]
    }

    /// Returns the number of slots sent in this phase and before.
    #[must_use]
    pub fn until(&self, phase: Phase) -> usize {
        self.range(phase).end
    }

    /// Returns the phase of a slot.
    #[must_use]
    pub fn phase(&self, slot: usize) -> Phase {
        [
            Phase::Leaf,
            Phase::Direct,
            Phase::Product,
            Phase::Contraction,
        ]
        .into_iter()
        .find(|phase| slot < self.until(*phase))
        .unwrap_or(Phase::Link)
    }
}

/// The verification program of a graph or of a part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Variables of a chunk.
    pub c: usize,
    /// Lookup argument.
    pub lookup: Lookup,
    /// Opening.
    pub opening: Opening,
    /// Fixed chunks F.
    pub fixed_chunks: usize,
    /// Proof chunks P.
    pub proof_chunks: usize,
    /// Late chunks L.
    pub late_chunks: usize,
    /// Graph operators.
    pub op_count: u16,
    /// Tensors by id.
    pub tensors: Vec<Tensor>,
    /// Inputs.
    pub inputs: Vec<PublicTensor>,
    /// The output.
    pub output: PublicTensor,
    /// Public functions.
    pub functions: Vec<Function>,
    /// Slots of every phase.
    pub counts: SlotCounts,
    /// Slots, phase after phase.
    pub slots: Vec<Slot>,
    /// Coordinates of ζ.
    pub lambda: usize,
    /// Leaf blocks by decreasing size.
    pub blocks: Vec<Block>,
    /// Relations.
    pub relations: Vec<Relation>,
    /// Rounds of the product phase.
    pub product_rounds: usize,
    /// Product terms; term k belongs to the k-th relation with a product as residual.
    pub terms: Vec<ProductTerm>,
    /// Rounds of the contraction phase.
    pub contraction_rounds: usize,
    /// 2, or 3 if any instance has a public factor.
    pub degree: usize,
    /// Contraction instances.
    pub instances: Vec<Instance>,
    /// Rounds of the link phase.
    pub link_rounds: usize,
    /// Links.
    pub links: Vec<Link>,
    /// Who proves a virtual slot.
    pub virtual_slots: BTreeMap<usize, VirtualSlot>,
}

/// What proves a virtual slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VirtualSlot {
    /// An instance of the contraction.
    Instance(usize),
    /// A link.
    Link(usize),
}

impl Program {
    /// Returns F + P + L.
    #[must_use]
    pub fn chunks(&self) -> usize {
        self.fixed_chunks + self.proof_chunks + self.late_chunks
    }

    /// Returns inputs and output.
    pub fn public(&self) -> impl Iterator<Item = &PublicTensor> {
        self.inputs.iter().chain([&self.output])
    }

    /// Returns whether the verifier evaluates a slot itself instead of receiving it.
    #[must_use]
    pub fn is_evaluated(&self, slot: usize) -> bool {
        let slot = &self.slots[slot];
        match slot.kind {
            SlotKind::Tensor => slot.tensor.is_some_and(|id| self.tensors[id].is_public()),
            SlotKind::Virtual => false,
            SlotKind::OneHot => true,
        }
    }

    /// Returns the slots whose values are claims on commitments, in slot order.
    pub fn claimed_slots(&self) -> impl Iterator<Item = usize> {
        (0..self.slots.len())
            .filter(|slot| self.slots[*slot].kind == SlotKind::Tensor && !self.is_evaluated(*slot))
    }

    /// Returns the tensors of kind late, one for each block in block order.
    #[must_use]
    pub fn late_tensors(&self) -> Vec<usize> {
        (0..self.tensors.len())
            .filter(|id| self.tensors[*id].kind == TensorKind::Late)
            .collect()
    }

    /// Returns the relations with this residual, in relation order.
    pub fn relations_with(&self, residual: Residual) -> impl Iterator<Item = usize> {
        (0..self.relations.len()).filter(move |k| self.relations[*k].residual == residual)
    }
}
