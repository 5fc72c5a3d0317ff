//! The whole verifier, in the order of FORMAT.md 7: a pure, deterministic function of its arguments.
//!
//! Any bytes may be passed; whatever is not a valid proof gives an error.
#![forbid(unsafe_code)]

mod public;

use public::PublicValues;
use thiserror::Error;
use zkdps_arguments::challenges::Challenges;
use zkdps_arguments::contraction::verify_contractions;
use zkdps_arguments::link::verify_links;
use zkdps_arguments::logup::{Fingerprint, verify_gkr, verify_inverses};
use zkdps_arguments::product::verify_products;
use zkdps_arguments::reduction::{collect_claims, verify_reduction};
use zkdps_arguments::slots::Checked;
use zkdps_arguments::{ArgumentError, hyperkzg, mercury};
use zkdps_field::hash::keccak256;
use zkdps_field::msm::msm;
use zkdps_field::point::{POINT_G2, PointError, decode, decode_g2};
use zkdps_field::{CurveGroup, Fr, G1Affine, Zero};
use zkdps_program::{Lookup, Opening, Phase, ProgramError, Residual, VerificationKey};
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
    /// Inputs or output have the wrong number of bytes.
    #[error("public tensors have {got} bytes, expected {expected}")]
    PublicLength {
        /// Bytes of the shape.
        expected: usize,
        /// Bytes given.
        got: usize,
    },
    /// An element is outside the declared range.
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

/// Checks that `proof` shows that the model of the key blob `vk` maps `input` to `output`; several inputs' bytes follow
/// each other.
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
    let mut checked = Checked {
        program,
        public: &public,
        challenges: Challenges::new(public.first),
        slots: Vec::new(),
    };
    let inverses = receive_lookups(&mut receiver, &mut checked, &mut commitments)?;
    let relations = receive_relations(&mut receiver, &mut checked)?;
    verify_products(&mut receiver, &mut checked, &relations)?;
    verify_contractions(&mut receiver, &mut checked, &relations)?;
    verify_links(&mut receiver, &mut checked)?;
    let claims = collect_claims(
        program,
        &checked.challenges,
        &checked.slots,
        &relations,
        &inverses,
    );
    let (reduced, value) = verify_reduction(&mut receiver, program, &claims)?;
    let combined = msm(&commitments, &reduced.weights).into_affine();
    let verify_opening = match program.opening {
        Opening::HyperKzg => hyperkzg::verify_opening,
        Opening::Mercury => mercury::verify_opening,
    };
    verify_opening(&mut receiver, combined, &reduced.point, value, tau)?;
    Ok(receiver.finish()?)
}

/// Checks the lookups; returns the values of committed inverses.
fn receive_lookups(
    receiver: &mut Receiver,
    checked: &mut Checked,
    commitments: &mut Vec<G1Affine>,
) -> Result<Vec<Fr>, ArgumentError> {
    let fingerprint = Fingerprint {
        beta: receiver.challenge(),
        alpha: receiver.challenge(),
    };
    match checked.program.lookup {
        Lookup::Gkr => {
            verify_gkr(receiver, checked, fingerprint)?;
            Ok(Vec::new())
        }
        Lookup::Inverses => {
            let chunks = checked.program.late_chunks;
            commitments.extend(receiver.receive_points(Tag::Late, chunks)?);
            verify_inverses(receiver, checked, fingerprint)
        }
    }
}

/// Receives the direct slots and returns the relations' values; those without a residual must be 0.
fn receive_relations(
    receiver: &mut Receiver,
    checked: &mut Checked,
) -> Result<Vec<Fr>, ArgumentError> {
    checked.receive_slots(receiver, Phase::Direct)?;
    let values = checked.relation_values();
    for index in checked.program.relations_with(Residual::None) {
        if !values[index].is_zero() {
            return Err(ArgumentError::Relation {
                index,
                value: values[index],
            });
        }
    }
    Ok(values)
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
