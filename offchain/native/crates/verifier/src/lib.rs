//! The whole verifier, in the order of FORMAT.md 7: a pure, deterministic function of its arguments.
//!
//! Any bytes may be passed; whatever is not a valid proof gives an error.
#![forbid(unsafe_code)]

mod public;

use public::PublicValues;
use thiserror::Error;
use zkdps_arguments::ArgumentError;
use zkdps_arguments::contraction::{verify_biases, verify_contractions};
use zkdps_arguments::hyperkzg::verify_opening;
use zkdps_arguments::logup::{Fingerprint, LeafClaims, Leaves, verify_logup};
use zkdps_arguments::reduction::{Claim, verify_reduction};
use zkdps_field::hash::keccak256;
use zkdps_field::msm::msm;
use zkdps_field::point::{POINT_G2, PointError, decode, decode_g2};
use zkdps_field::{CurveGroup, G1Affine};
use zkdps_program::{Program, ProgramError, VerificationKey};
use zkdps_transcript::{Receiver, Tag, TranscriptError, absorb_statement};

const SRS_PREFIX: &[u8] = b"zkdps/srs/1";

/// Why a proof is refused.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum VerifyError {
    /// The key blob is not a key.
    #[error("key: {0}")]
    Key(#[from] ProgramError),
    /// A commitment in the key is not a point.
    #[error("key: commitment {index}: {source}")]
    Commitment {
        /// Fixed chunk.
        index: usize,
        /// What is wrong with it.
        source: PointError,
    },
    /// \[tau\]_2 is not a point.
    #[error("[tau]_2: {0}")]
    Tau(PointError),
    /// \[tau\]_2 is another SRS's.
    #[error("[tau]_2 is not that of the key's SRS")]
    OtherSrs,
    /// A public tensor has the wrong number of bytes.
    #[error("public tensor has {got} bytes, expected {expected}")]
    PublicLength {
        /// Bytes of the shape.
        expected: usize,
        /// Bytes given.
        got: usize,
    },
    /// An input element is outside the declared range.
    #[error("element {index} is {got}, outside [{lo}, {hi}]")]
    PublicRange {
        /// Position in the tensor.
        index: usize,
        /// The element.
        got: i64,
        /// Least allowed value.
        lo: i32,
        /// Greatest allowed value.
        hi: i32,
    },
    /// The proof does not show the statement.
    #[error(transparent)]
    Argument(#[from] ArgumentError),
}

impl From<TranscriptError> for VerifyError {
    fn from(error: TranscriptError) -> Self {
        Self::Argument(error.into())
    }
}

/// Checks that `proof` shows that the model of the key blob `vk` maps `input` to `output`.
///
/// The statement's own fields (program hash, digests) are the caller's to compare.
///
/// # Errors
/// Anything about the arguments is not exactly as it has to be.
pub fn verify(
    vk: &[u8],
    tau_g2: &[u8; POINT_G2],
    statement_hash: &[u8; 32],
    input: &[u8],
    output: &[u8],
    proof: &[u8],
) -> Result<(), VerifyError> {
    let key = VerificationKey::decode(vk)?;
    let program = &key.program;
    if keccak256(&[SRS_PREFIX, tau_g2]) != key.srs_id {
        return Err(VerifyError::OtherSrs);
    }
    let tau = decode_g2(tau_g2).map_err(VerifyError::Tau)?;
    let public = PublicValues::read(program, input, output)?;
    let mut commitments = read_commitments(&key)?;

    let mut receiver = Receiver::new(proof);
    absorb_statement(&mut receiver.transcript, statement_hash, &key.hash);
    commitments.extend(receiver.receive_points(Tag::Commit, program.proof_chunks)?);
    let leaf = receive_lookups(&mut receiver, program, &public)?;
    let mut claims = leaf_claims(program, &leaf);
    let accumulators = verify_biases(&mut receiver, program, &leaf)?;
    claims.extend(accumulators.claims);
    let public_value = |id: usize, point: &[_]| public.evaluate(id, point);
    claims.extend(verify_contractions(
        &mut receiver,
        program,
        &leaf.zeta,
        &accumulators.values,
        public_value,
    )?);
    let (reduced, value) = verify_reduction(&mut receiver, program, &claims)?;
    let combined = msm(&commitments, &reduced.weights).into_affine();
    verify_opening(&mut receiver, combined, &reduced.point, value, tau)?;
    Ok(receiver.finish()?)
}

fn read_commitments(key: &VerificationKey) -> Result<Vec<G1Affine>, VerifyError> {
    key.commitments
        .iter()
        .enumerate()
        .map(|(index, encoded)| {
            decode(encoded).map_err(|source| VerifyError::Commitment { index, source })
        })
        .collect()
}

fn receive_lookups(
    receiver: &mut Receiver,
    program: &Program,
    public: &PublicValues,
) -> Result<LeafClaims, ArgumentError> {
    let fingerprint = Fingerprint {
        beta: receiver.challenge(),
        alpha: receiver.challenge(),
    };
    let leaves = Leaves {
        lambda: program.lambda,
        blocks: &program.blocks,
    };
    let is_public = |id: usize| program.tensors[id].is_public();
    verify_logup(
        receiver,
        leaves,
        is_public,
        |id, point| public.evaluate(id, point),
        fingerprint,
    )
}

/// Files the claims on the leaf columns, in the order in which their values were received.
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
