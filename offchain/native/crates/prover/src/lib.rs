//! The whole prover, in the order of FORMAT.md 7.
//!
//! It follows the protocol without judging the witness: a witness that violates a relation gives a complete
//! proof that every verifier refuses. Each phase consumes the one before it, so that no order but the
//! protocol's can be written.
#![forbid(unsafe_code)]

mod chunks;

use chunks::lay_out;
use std::borrow::Cow;
use thiserror::Error;
use zkdps_arguments::ArgumentError;
use zkdps_arguments::contraction::{Accumulators, prove_biases, prove_contractions};
use zkdps_arguments::hyperkzg::prove_opening;
use zkdps_arguments::logup::{Fingerprint, LeafClaims, Leaves, prove_logup};
use zkdps_arguments::reduction::{Claim, Reduced, prove_reduction};
use zkdps_field::G1Affine;
use zkdps_field::msm::msm_small;
use zkdps_field::srs::{SrsError, read_powers};
use zkdps_poly::combine_small;
use zkdps_program::{Program, ProgramError, VerificationKey};
use zkdps_transcript::{Sender, Tag, absorb_statement};

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

/// Returns the proof for a key blob; `srs` holds at least 2^c encoded powers, `tensors` the padded tensors by id.
///
/// # Errors
/// Key, SRS or a tensor's shape is wrong.
pub fn prove(
    vk: &[u8],
    srs: &[u8],
    statement_hash: &[u8; 32],
    tensors: &[&[i64]],
) -> Result<Vec<u8>, ProveError> {
    let key = VerificationKey::decode(vk)?;
    let srs = read_powers(srs, 1 << key.program.c)?;
    let committed = Committed::start(&key, &srs, statement_hash, tensors)?;
    committed.look_up().contract().reduce().open()
}

/// What all phases read.
#[derive(Clone, Debug)]
struct Inputs<'a> {
    program: &'a Program,
    srs: &'a [G1Affine],
    tensors: &'a [&'a [i64]],
    chunks: Vec<Cow<'a, [i64]>>,
}

impl Inputs<'_> {
    fn chunks(&self) -> Vec<&[i64]> {
        self.chunks.iter().map(AsRef::as_ref).collect()
    }
}

/// The proof's chunks are committed.
#[derive(Clone, Debug)]
pub struct Committed<'a> {
    inputs: Inputs<'a>,
    sender: Sender,
}

/// The lookups are shown, up to the leaf columns' values.
#[derive(Clone, Debug)]
pub struct LookedUp<'a> {
    inputs: Inputs<'a>,
    sender: Sender,
    leaf: LeafClaims,
}

/// Everything is shown, up to claims on committed tensors.
#[derive(Clone, Debug)]
pub struct Contracted<'a> {
    inputs: Inputs<'a>,
    sender: Sender,
    claims: Vec<Claim>,
}

/// Everything is shown, up to one opening.
#[derive(Clone, Debug)]
pub struct Reduction<'a> {
    inputs: Inputs<'a>,
    sender: Sender,
    reduced: Reduced,
}

impl<'a> Committed<'a> {
    /// Absorbs the statement and commits to the proof's chunks; `srs` has 2^c powers.
    ///
    /// # Errors
    /// A tensor is missing or has the wrong size.
    pub fn start(
        key: &'a VerificationKey,
        srs: &'a [G1Affine],
        statement_hash: &[u8; 32],
        tensors: &'a [&'a [i64]],
    ) -> Result<Self, ProveError> {
        let program = &key.program;
        check_sizes(program, tensors)?;
        let chunks = lay_out(program, tensors);
        let mut sender = Sender::default();
        absorb_statement(&mut sender.transcript, statement_hash, &key.hash);
        let commitments: Vec<_> = chunks[program.fixed_chunks..]
            .iter()
            .map(|chunk| msm_small(srs, chunk))
            .collect();
        sender.send_points(Tag::Commit, &commitments);
        Ok(Self {
            inputs: Inputs {
                program,
                srs,
                tensors,
                chunks,
            },
            sender,
        })
    }

    /// Proves the lookups.
    #[must_use]
    pub fn look_up(mut self) -> LookedUp<'a> {
        let Inputs {
            program, tensors, ..
        } = self.inputs;
        let fingerprint = Fingerprint {
            beta: self.sender.challenge(),
            alpha: self.sender.challenge(),
        };
        let leaves = Leaves {
            lambda: program.lambda,
            blocks: &program.blocks,
        };
        let is_public = |id: usize| program.tensors[id].is_public();
        let leaf = prove_logup(&mut self.sender, leaves, tensors, is_public, fingerprint);
        LookedUp {
            inputs: self.inputs,
            sender: self.sender,
            leaf,
        }
    }
}

impl<'a> LookedUp<'a> {
    /// Proves the requantizations and contractions.
    #[must_use]
    pub fn contract(mut self) -> Contracted<'a> {
        let Inputs {
            program, tensors, ..
        } = self.inputs;
        let mut claims = leaf_claims(program, &self.leaf);
        let Accumulators {
            values,
            claims: biases,
        } = prove_biases(&mut self.sender, program, tensors, &self.leaf);
        claims.extend(biases);
        claims.extend(prove_contractions(
            &mut self.sender,
            program,
            tensors,
            &self.leaf.zeta,
            &values,
        ));
        Contracted {
            inputs: self.inputs,
            sender: self.sender,
            claims,
        }
    }
}

/// Files the claims on the leaf columns, in the order in which their values were sent.
fn leaf_claims(program: &Program, leaf: &LeafClaims) -> Vec<Claim> {
    let start = |id: usize| leaf.zeta.len() - program.tensors[id].n;
    leaf.sent
        .iter()
        .map(|id| Claim {
            tensor: *id,
            point: leaf.zeta[start(*id)..].to_vec(),
            value: leaf.values[id],
        })
        .collect()
}

impl<'a> Contracted<'a> {
    /// Reduces all claims to one opening.
    #[must_use]
    pub fn reduce(mut self) -> Reduction<'a> {
        let chunks = self.inputs.chunks();
        let reduced = prove_reduction(&mut self.sender, self.inputs.program, &chunks, &self.claims);
        Reduction {
            inputs: self.inputs,
            sender: self.sender,
            reduced,
        }
    }
}

impl Reduction<'_> {
    /// Opens the combination of all chunks and returns the proof.
    ///
    /// # Errors
    /// The opening's challenge is 0.
    pub fn open(mut self) -> Result<Vec<u8>, ProveError> {
        let Reduced { point, weights } = &self.reduced;
        let combined = combine_small(&self.inputs.chunks(), weights, 1 << self.inputs.program.c);
        prove_opening(&mut self.sender, self.inputs.srs, combined, point)?;
        Ok(self.sender.into_proof())
    }
}

fn check_sizes(program: &Program, tensors: &[&[i64]]) -> Result<(), ProveError> {
    let count = program.tensors.len();
    if tensors.len() > count {
        return Err(ProveError::UnknownTensor { id: count, count });
    }
    for (id, tensor) in program.tensors.iter().enumerate() {
        let got = tensors
            .get(id)
            .ok_or(ProveError::MissingTensor { id })?
            .len();
        match 1_usize.checked_shl(tensor.n as u32) {
            Some(expected) if expected == got => (),
            expected => {
                return Err(ProveError::TensorSize {
                    id,
                    expected: expected.unwrap_or(usize::MAX),
                    got,
                });
            }
        }
    }
    Ok(())
}
