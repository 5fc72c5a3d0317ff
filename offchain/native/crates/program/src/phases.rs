//! The phases of a program: blocks, relations, product terms, contraction instances, links (FORMAT.md 3.1, 7).

use crate::Segment;

/// The integer a · 2^b.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coefficient {
    /// Significant bits.
    pub a: i32,
    /// Exponent.
    pub b: u8,
}

/// coefficient · slot · function; `None` stands for 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Atom {
    /// Integer factor.
    pub coefficient: Coefficient,
    /// Slot.
    pub slot: Option<usize>,
    /// Function.
    pub function: Option<usize>,
}

/// A sum of atoms.
pub type Expression = Vec<Atom>;

/// A `LogUp` leaf block of 2^n cells: numerator / (β − fingerprint of the columns).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Variables.
    pub n: usize,
    /// Which table.
    pub table_id: u16,
    /// 1 or a selector for lookups, −multiplicity for tables.
    pub numerator: Expression,
    /// One to three columns.
    pub columns: Vec<Expression>,
}

/// What equals a relation's expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Residual {
    /// Nothing: it is 0.
    None = 0,
    /// A linear combination of tensors at points.
    Linear = 1,
    /// The sum of a product term.
    Product = 2,
    /// The sum of a contraction instance.
    Contraction = 3,
}

/// coefficient · tensor(point).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinearTerm {
    /// Integer factor.
    pub coefficient: Coefficient,
    /// Committed tensor.
    pub tensor: usize,
    /// The point's segments.
    pub point: Vec<Segment>,
}

/// An identity at suffixes of ζ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relation {
    /// What equals the expression.
    pub residual: Residual,
    /// The expression.
    pub expression: Expression,
    /// Terms of a linear residual.
    pub terms: Vec<LinearTerm>,
}

/// A factor of a monomial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    /// A slot's value.
    Slot(usize),
    /// A public function at `r_P`.
    Function(usize),
}

/// coefficient · product of factors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Monomial {
    /// Integer factor.
    pub coefficient: Coefficient,
    /// Factors, at most two of which depend on one variable.
    pub factors: Vec<Operand>,
}

/// Σ_x eq(`suf_n`(ζ), x) · (Σ monomials)(x).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProductTerm {
    /// Variables.
    pub n: usize,
    /// Monomials.
    pub monomials: Vec<Monomial>,
}

/// eq(segment, `r_C`\[N − end − length .. N − end\]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tie {
    /// Coordinates fixed before the contraction.
    pub segment: Segment,
    /// Coordinates of `r_C` behind the tied ones.
    pub end: usize,
}

/// Whose value a contraction instance proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Origin {
    /// A relation's.
    Relation = 0,
    /// A virtual slot's.
    Slot = 1,
}

/// coefficient · Σ E A B over 2^variables cells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// Variables.
    pub variables: usize,
    /// Whose value it is.
    pub origin: Origin,
    /// Relation or slot.
    pub index: usize,
    /// Integer factor.
    pub coefficient: Coefficient,
    /// Slot A.
    pub a: usize,
    /// Slot B.
    pub b: usize,
    /// Public function, a factor of E.
    pub function: Option<usize>,
    /// The other factors of E.
    pub ties: Vec<Tie>,
}

impl Instance {
    /// Returns whether the public factor E is not 1.
    #[must_use]
    pub fn is_weighted(&self) -> bool {
        self.function.is_some() || !self.ties.is_empty()
    }
}

/// One spatial axis of a window view (FORMAT.md 7.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Axis {
    /// Positions of the window.
    pub out: usize,
    /// Cells of the tensor.
    pub size: usize,
    /// Cells of the window.
    pub kernel: usize,
    /// Step.
    pub stride: usize,
    /// Cells in front of the tensor.
    pub pad: usize,
    /// Coordinates of the position; `None` if there is one position.
    pub z: Option<Segment>,
    /// Coordinates in the window; `None` if it has one cell.
    pub kappa: Option<Segment>,
    /// Variables of the tensor's axis.
    pub log_in: usize,
}

/// A window slot, proven from the tensor that it looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// Virtual slot.
    pub window: usize,
    /// Slot of the tensor.
    pub tensor: usize,
    /// Rows.
    pub height: Axis,
    /// Columns.
    pub width: Axis,
}

impl Link {
    /// Returns the variables of the instance.
    #[must_use]
    pub fn variables(&self) -> usize {
        self.height.log_in + self.width.log_in
    }
}
