//! The key blob: graph, SRS, program and the commitments of the fixed chunks.

use crate::decode::{Reader, decode_program};
use crate::validate::ceil_log2;
use crate::{Form, Program, ProgramError, PublicTensor};
use zkdps_field::hash::keccak256;
use zkdps_field::point::POINT;

/// What a proof is made for and checked against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerificationKey {
    /// keccak256 of the integer graph's canonical bytes.
    pub graph_hash: [u8; 32],
    /// Identifier of the SRS.
    pub srs_id: [u8; 32],
    /// The verification program.
    pub program: Program,
    /// F encoded commitments.
    pub commitments: Vec<[u8; POINT]>,
    /// keccak256 of the blob.
    pub hash: [u8; 32],
}

impl VerificationKey {
    /// Decodes a key blob; the commitments are checked where they are used.
    ///
    /// # Errors
    /// The blob is not exactly a key with a consistent program.
    pub fn decode(blob: &[u8]) -> Result<Self, ProgramError> {
        let mut reader = Reader::new(blob);
        let (graph_hash, srs_id) = (reader.array()?, reader.array()?);
        let length = reader.u32()? as usize;
        let program = decode_program(reader.take(length)?)?;
        let commitments = (0..program.fixed_chunks)
            .map(|_| reader.array())
            .collect::<Result<_, _>>()?;
        reader.finish()?;
        Ok(Self {
            graph_hash,
            srs_id,
            program,
            commitments,
            hash: keccak256(&[blob]),
        })
    }
}

impl PublicTensor {
    /// Returns the length of the tensor's bytes in the call.
    #[must_use]
    pub fn byte_length(&self) -> Option<usize> {
        if self.form == Form::Committed {
            return Some(0);
        }
        self.shape
            .iter()
            .try_fold(self.bytes_per_element, |length, dimension| {
                length.checked_mul(*dimension as usize)
            })
    }

    /// Returns the variables of every axis.
    #[must_use]
    pub fn axes(&self) -> Vec<usize> {
        self.shape
            .iter()
            .map(|dimension| ceil_log2(*dimension as usize))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::VerificationKey;
    use crate::ProgramError;

    #[test]
    fn short_and_random_blobs_are_refused() {
        assert_eq!(
            VerificationKey::decode(&[0; 40]),
            Err(ProgramError::Truncated {
                at: 32,
                expected: 32,
                got: 8
            })
        );
        let mut state = 1_u64;
        for length in 0..400_u16 {
            let mut blob: Vec<u8> = (0..length)
                .map(|_| {
                    state = state
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(99);
                    (state >> 60) as u8
                })
                .collect();
            if length > 70 {
                blob[64..68].copy_from_slice(&u32::from(length - 68).to_be_bytes());
                blob[68] = 2;
            }
            assert!(VerificationKey::decode(&blob).is_err());
        }
    }
}
