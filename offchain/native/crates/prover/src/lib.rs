//! The whole prover, in the order of FORMAT.md 7.
//!
//! It follows the protocol without judging the witness: a witness that violates a relation gives a complete
//! proof that every verifier refuses. Each phase consumes the one before it, so that no order but the
//! protocol's can be written.
#![forbid(unsafe_code)]

mod chunks;
mod phases;

pub use phases::{Committed, Contracted, Linked, LookedUp, Multiplied, Reduction};
pub use zkdps_arguments::binding::Cells;

use std::time::Instant;
use thiserror::Error;
use zkdps_arguments::ArgumentError;
use zkdps_field::srs::{SrsError, read_powers};
use zkdps_program::{Program, ProgramError, TensorKind, VerificationKey};

/// Why nothing could be proven; a false witness is not among the reasons.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ProveError {
    /// The key blob is not a key.
    #[error("key: {0}")]
    Key(#[from] ProgramError),
    /// The SRS is too short or malformed.
    #[error(transparent)]
    Srs(#[from] SrsError),
    /// There are more or fewer tensors than the program has.
    #[error("tensor {id}: is not in the program, which has {count} tensors")]
    UnknownTensor {
        /// Tensor id.
        id: usize,
        /// Tensors of the program.
        count: usize,
    },
    /// A tensor is missing.
    #[error("tensor {id}: is missing")]
    MissingTensor {
        /// Tensor id.
        id: usize,
    },
    /// A tensor does not have the padded size of the program.
    #[error("tensor {id}: has {got} cells, expected {expected}")]
    TensorSize {
        /// Tensor id.
        id: usize,
        /// 2^n.
        expected: usize,
        /// Cells given.
        got: usize,
    },
    /// An argument could not be made.
    #[error(transparent)]
    Argument(#[from] ArgumentError),
}

/// Returns the proof for a key blob; `srs` holds at least 2^c encoded powers, `tensors` the padded tensors by id, `None`
/// for the late ones.
///
/// # Errors
/// Key, SRS or a tensor's shape is wrong.
pub fn prove(
    vk: &[u8],
    srs: &[u8],
    statement_hash: &[u8; 32],
    tensors: &[Option<Cells>],
) -> Result<Vec<u8>, ProveError> {
    Ok(prove_timed(vk, srs, statement_hash, tensors)?.0)
}

/// Names and seconds of the steps of a proof, in order.
pub type Timings = Vec<(&'static str, f64)>;

/// As [`prove`], with the time of every step.
///
/// # Errors
/// As [`prove`].
pub fn prove_timed(
    vk: &[u8],
    srs: &[u8],
    statement_hash: &[u8; 32],
    tensors: &[Option<Cells>],
) -> Result<(Vec<u8>, Timings), ProveError> {
    let mut timings = Vec::new();
    let mut start = Instant::now();
    let mut mark = |name| {
        timings.push((name, start.elapsed().as_secs_f64()));
        start = Instant::now();
    };
    let key = VerificationKey::decode(vk)?;
    let tensors = complete(&key.program, tensors)?;
    let srs = read_powers(srs, 1 << key.program.c)?;
    mark("load");
    let committed = Committed::start(&key, &srs, statement_hash, &tensors);
    mark("commit");
    let looked_up = committed.look_up();
    mark("lookups");
    let multiplied = looked_up.multiply();
    mark("products");
    let contracted = multiplied.contract();
    mark("contractions");
    let linked = contracted.link();
    mark("links");
    let reduced = linked.reduce();
    mark("reduction");
    let proof = reduced.open()?;
    mark("opening");
    Ok((proof, timings))
}

/// Returns the cells of all tensors; those of late tensors are made while proving.
///
/// # Errors
/// A tensor is missing, or there is one that the program does not have, or it has the wrong size.
pub fn complete<'a>(
    program: &Program,
    tensors: &[Option<Cells<'a>>],
) -> Result<Vec<Cells<'a>>, ProveError> {
    let count = program.tensors.len();
    if tensors.len() > count {
        return Err(ProveError::UnknownTensor { id: count, count });
    }
    let complete = |(id, tensor): (usize, &zkdps_program::Tensor)| {
        let cells = tensors.get(id).copied().flatten();
        if tensor.kind == TensorKind::Late {
            return match cells {
                None => Ok(Cells::Field(&[])),
                Some(_) => Err(ProveError::UnknownTensor { id, count }),
            };
        }
        let cells = cells.ok_or(ProveError::MissingTensor { id })?;
        if matches!(cells, Cells::Field(_)) || cells.len() != 1 << tensor.n {
            return Err(ProveError::TensorSize {
                id,
                expected: 1 << tensor.n,
                got: cells.len(),
            });
        }
        Ok(cells)
    };
    program.tensors.iter().enumerate().map(complete).collect()
}
