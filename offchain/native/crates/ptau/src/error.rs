//! Why a file is refused: the section, and what is wrong with it.

use std::fmt;
use thiserror::Error;

/// Part of a .ptau file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    /// The file as a whole: its hash, and reading it.
    File,
    /// Magic, version, and the table of sections.
    Table,
    /// Section 1: field, power and the ceremony's power.
    Header,
    /// Section 2: \[tau^i\]_1 for i < 2^(power + 1) - 1.
    TauG1,
    /// Section 3: \[tau^i\]_2 for i < 2^power.
    TauG2,
    /// Section 4: \[alpha tau^i\]_1 for i < 2^power.
    AlphaTauG1,
    /// Section 5: \[beta tau^i\]_1 for i < 2^power.
    BetaTauG1,
    /// Section 6: \[beta\]_2.
    BetaG2,
    /// Section 7: who contributed, with proofs.
    Contributions,
    /// Section 12: section 2 in the Lagrange bases of every size up to 2^(power + 1).
    LagrangeTauG1,
    /// Section 13: section 3 in the Lagrange bases.
    LagrangeTauG2,
    /// Section 14: section 4 in the Lagrange bases.
    LagrangeAlphaTauG1,
    /// Section 15: section 5 in the Lagrange bases.
    LagrangeBetaTauG1,
}

impl Section {
    /// Every section of a prepared file, in the file's order; a raw file has the first seven.
    pub const ALL: [Self; 11] = [
        Self::Header,
        Self::TauG1,
        Self::TauG2,
        Self::AlphaTauG1,
        Self::BetaTauG1,
        Self::BetaG2,
        Self::Contributions,
        Self::LagrangeTauG1,
        Self::LagrangeTauG2,
        Self::LagrangeAlphaTauG1,
        Self::LagrangeBetaTauG1,
    ];

    /// Returns the number in the table; 0 for what is no section of its own.
    #[must_use]
    pub const fn id(self) -> u32 {
        match self {
            Self::File | Self::Table => 0,
            Self::Header => 1,
            Self::TauG1 => 2,
            Self::TauG2 => 3,
            Self::AlphaTauG1 => 4,
            Self::BetaTauG1 => 5,
            Self::BetaG2 => 6,
            Self::Contributions => 7,
            Self::LagrangeTauG1 => 12,
            Self::LagrangeTauG2 => 13,
            Self::LagrangeAlphaTauG1 => 14,
            Self::LagrangeBetaTauG1 => 15,
        }
    }

    /// Returns the name, as errors carry it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Table => "table",
            Self::Header => "header",
            Self::TauG1 => "tauG1",
            Self::TauG2 => "tauG2",
            Self::AlphaTauG1 => "alphaTauG1",
            Self::BetaTauG1 => "betaTauG1",
            Self::BetaG2 => "betaG2",
            Self::Contributions => "contributions",
            Self::LagrangeTauG1 => "lagrangeTauG1",
            Self::LagrangeTauG2 => "lagrangeTauG2",
            Self::LagrangeAlphaTauG1 => "lagrangeAlphaTauG1",
            Self::LagrangeBetaTauG1 => "lagrangeBetaTauG1",
        }
    }
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What is wrong with a section.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Reason {
    /// Bytes are not what the format allows.
    #[error("{0}")]
    Malformed(String),
    /// A length contradicts the header's power.
    #[error("has {got} bytes, expected {expected}")]
    Length {
        /// Bytes for the header's power.
        expected: u64,
        /// Bytes in the table.
        got: u64,
    },
    /// A point is not usable.
    #[error("point {index}: {fault}")]
    Point {
        /// Which point of the section.
        index: u64,
        /// What is wrong with it.
        fault: Fault,
    },
    /// An equation between points does not hold.
    #[error("{0}")]
    Inconsistent(&'static str),
    /// A contribution is not proven.
    #[error("contribution {number}: {problem}")]
    Contribution {
        /// Which one, from 1.
        number: usize,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The file is not the one that was asked for.
    #[error("BLAKE2b is {got}, expected {expected}")]
    Hash {
        /// Hash that the caller demands.
        expected: String,
        /// Hash of the file.
        got: String,
    },
    /// The operating system refused.
    #[error("{0}")]
    Io(String),
    /// The caller asked to stop.
    #[error("stopped")]
    Stopped,
}

/// Why bytes are no point of the wanted group.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum Fault {
    /// A coordinate is not below the modulus.
    #[error("coordinate is not below the base field modulus")]
    Coordinate,
    /// Infinity, which is nowhere allowed.
    #[error("is the point at infinity")]
    Infinity,
    /// The curve equation does not hold.
    #[error("is not on the curve")]
    OffCurve,
    /// Wrong order: the cofactor of the second group is not 1.
    #[error("is not in the prime-order subgroup")]
    Subgroup,
}

/// A refused file.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{section}: {reason}")]
pub struct PtauError {
    /// Where.
    pub section: Section,
    /// What.
    pub reason: Reason,
}

impl PtauError {
    pub(crate) const fn new(section: Section, reason: Reason) -> Self {
        Self { section, reason }
    }

    pub(crate) fn malformed(section: Section, text: impl Into<String>) -> Self {
        Self::new(section, Reason::Malformed(text.into()))
    }

    pub(crate) const fn inconsistent(section: Section, text: &'static str) -> Self {
        Self::new(section, Reason::Inconsistent(text))
    }

    pub(crate) fn io(section: Section, error: &std::io::Error) -> Self {
        Self::new(section, Reason::Io(error.to_string()))
    }
}

/// Result of anything that reads the file.
pub type Result<T> = std::result::Result<T, PtauError>;
