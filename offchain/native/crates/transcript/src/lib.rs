//! Keccak transcript and the two ends of a proof's byte stream (FORMAT.md 6, 7; proofs-spec.md 2.1).
//!
//! Nothing can be sent without being absorbed: `Sender::send_*` and `Receiver::receive_*` are the only ways
//! to a proof's bytes.
#![forbid(unsafe_code)]

use thiserror::Error;
use zkdps_field::hash::keccak256;
use zkdps_field::point::{POINT, PointError, decode, encode, encode_all};
use zkdps_field::scalar::{WORD, from_word, reduce_word, to_word};
use zkdps_field::{Fr, G1Affine, G1Projective};

/// The domain word's preimage.
pub const DOMAIN: &[u8] = b"zkdps/2 bn254 keccak";

/// What a message is; absorbed in front of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Tag {
    /// Domain, statement hash, key hash.
    Statement = 0,
    /// LogUp root.
    Root = 1,
    /// LogUp sum-check round.
    Round = 2,
    /// LogUp layer's children.
    Layer = 3,
    /// Commitments of the proof's chunks.
    Commit = 4,
    /// Leaf slots.
    Leaves = 5,
    /// Product round.
    ProductRound = 6,
    /// Product slots.
    Product = 7,
    /// Direct slots.
    Direct = 8,
    /// Contraction round.
    ContractRound = 9,
    /// Contraction slots.
    Contract = 10,
    /// Claim reduction round.
    ReduceRound = 11,
    /// Link round.
    LinkRound = 12,
    /// Link slots.
    Link = 13,
    /// Commitments of the opening's folds.
    OpenFolds = 20,
    /// Evaluations of the opening's folds.
    OpenValues = 21,
    /// Commitments of the opening's quotients.
    OpenQuotients = 22,
    /// Commitment of Mercury's row sums h.
    MercuryRows = 30,
    /// Commitments of quotient q and remainder g by X^B − alpha.
    MercuryDivision = 31,
    /// Commitments of the inner products' s and of the reversed remainder d.
    MercuryChecks = 32,
    /// Values of g, h and s.
    MercuryValues = 33,
    /// Commitments of the division's quotient t and of the joint quotient w.
    MercuryQuotients = 34,
    /// Commitment of the last quotient.
    MercuryLast = 35,
    /// Commitments of the inverses' chunks.
    Late = 40,
    /// Inverses' sum-check round.
    InverseRound = 41,
    /// Inverse values.
    Inverses = 42,
}

impl Tag {
    /// Returns whether a message without elements is absorbed, not left out: an opening of one variable has no folds.
    fn may_be_empty(self) -> bool {
        self == Self::OpenFolds
    }
}

/// Why a proof's bytes are not a sequence of messages.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum TranscriptError {
    /// The proof ends too early.
    #[error("truncated: {expected} bytes wanted at {at}, {got} left")]
    Truncated {
        /// Offset in the proof.
        at: usize,
        /// Bytes of the message.
        expected: usize,
        /// Bytes that are left.
        got: usize,
    },
    /// Bytes are left at the end.
    #[error("{0} trailing bytes")]
    Trailing(usize),
    /// A scalar is not canonical.
    #[error("scalar is not below the field modulus (message with tag {})", *tag as u8)]
    Scalar {
        /// The message.
        tag: Tag,
    },
    /// A point is not canonical or off the curve.
    #[error("{source} (message with tag {})", *tag as u8)]
    Point {
        /// The message.
        tag: Tag,
        /// What is wrong with the point.
        source: PointError,
    },
}

/// Fiat-Shamir state: absorb typed messages, draw challenges.
#[derive(Clone, Debug, Default)]
pub struct Transcript {
    state: [u8; WORD],
    buffer: Vec<u8>,
}

impl Transcript {
    /// Absorbs a message of whole words under `tag`.
    pub fn absorb(&mut self, tag: Tag, message: &[u8]) {
        // tag * 2^64 + number of words
        let mut header = [0; WORD];
        header[23] = tag as u8;
        header[24..].copy_from_slice(&((message.len() / WORD) as u64).to_be_bytes());
        self.buffer.extend_from_slice(&header);
        self.buffer.extend_from_slice(message);
    }

    /// Returns the next challenge.
    pub fn challenge(&mut self) -> Fr {
        self.state = keccak256(&[&self.state, &self.buffer]);
        self.buffer.clear();
        reduce_word(&self.state)
    }
}

/// Starts a transcript: absorbs domain, statement and key.
pub fn absorb_statement(
    transcript: &mut Transcript,
    statement_hash: &[u8; WORD],
    vk_hash: &[u8; WORD],
) {
    let domain = keccak256(&[DOMAIN]);
    transcript.absorb(
        Tag::Statement,
        &[domain, *statement_hash, *vk_hash].concat(),
    );
}

/// The prover's end: what is sent is absorbed and appended to the proof.
#[derive(Clone, Debug, Default)]
pub struct Sender {
    /// The state behind the challenges.
    pub transcript: Transcript,
    proof: Vec<u8>,
}

impl Sender {
    /// Sends scalars as one message.
    pub fn send_scalars(&mut self, tag: Tag, scalars: &[Fr]) {
        self.send(tag, &scalars.iter().flat_map(to_word).collect::<Vec<_>>());
    }

    /// Sends points as one message.
    pub fn send_points(&mut self, tag: Tag, points: &[G1Projective]) {
        self.send(tag, encode_all(points).as_flattened());
    }

    /// Returns the next challenge.
    pub fn challenge(&mut self) -> Fr {
        self.transcript.challenge()
    }

    /// Returns everything that was sent.
    #[must_use]
    pub fn into_proof(self) -> Vec<u8> {
        self.proof
    }

    /// A message without elements is left out.
    fn send(&mut self, tag: Tag, message: &[u8]) {
        if message.is_empty() && !tag.may_be_empty() {
            return;
        }
        self.transcript.absorb(tag, message);
        self.proof.extend_from_slice(message);
    }
}

/// The verifier's end: reads canonical elements only and must be drained.
#[derive(Clone, Debug)]
pub struct Receiver<'a> {
    /// The state behind the challenges.
    pub transcript: Transcript,
    proof: &'a [u8],
    at: usize,
}

impl<'a> Receiver<'a> {
    /// Starts reading.
    #[must_use]
    pub fn new(proof: &'a [u8]) -> Self {
        Self {
            transcript: Transcript::default(),
            proof,
            at: 0,
        }
    }

    /// Reads and absorbs one message of `count` scalars.
    ///
    /// # Errors
    /// The proof is too short, or a scalar is not below r.
    pub fn receive_scalars(&mut self, tag: Tag, count: usize) -> Result<Vec<Fr>, TranscriptError> {
        let (words, _) = self.receive::<WORD>(tag, count)?.as_chunks::<WORD>();
        words
            .iter()
            .map(|word| from_word(word).ok_or(TranscriptError::Scalar { tag }))
            .collect()
    }

    /// Reads and absorbs one message of exactly N scalars.
    ///
    /// # Errors
    /// As [`Receiver::receive_scalars`].
    pub fn receive_array<const N: usize>(&mut self, tag: Tag) -> Result<[Fr; N], TranscriptError> {
        let mut scalars = [Fr::default(); N];
        for (scalar, received) in scalars.iter_mut().zip(self.receive_scalars(tag, N)?) {
            *scalar = received;
        }
        Ok(scalars)
    }

    /// Reads and absorbs one message of `count` points.
    ///
    /// # Errors
    /// The proof is too short, a coordinate is not below q, or a point is off the curve.
    pub fn receive_points(
        &mut self,
        tag: Tag,
        count: usize,
    ) -> Result<Vec<G1Affine>, TranscriptError> {
        let (points, _) = self.receive::<POINT>(tag, count)?.as_chunks::<POINT>();
        points
            .iter()
            .map(|p| decode(p).map_err(|source| TranscriptError::Point { tag, source }))
            .collect()
    }

    /// Returns the next challenge.
    pub fn challenge(&mut self) -> Fr {
        self.transcript.challenge()
    }

    /// Ends reading.
    ///
    /// # Errors
    /// Bytes are left.
    pub fn finish(self) -> Result<(), TranscriptError> {
        match self.proof.len() - self.at {
            0 => Ok(()),
            left => Err(TranscriptError::Trailing(left)),
        }
    }

    fn receive<const SIZE: usize>(
        &mut self,
        tag: Tag,
        count: usize,
    ) -> Result<&'a [u8], TranscriptError> {
        if count == 0 && !tag.may_be_empty() {
            return Ok(&[]);
        }
        let rest = &self.proof[self.at..];
        let expected = count.saturating_mul(SIZE);
        let truncated = TranscriptError::Truncated {
            at: self.at,
            expected,
            got: rest.len(),
        };
        let message = rest.get(..expected).ok_or(truncated)?;
        self.at += expected;
        self.transcript.absorb(tag, message);
        Ok(message)
    }
}

/// Returns the encodings of affine points as one byte string.
#[must_use]
pub fn encode_points(points: &[G1Affine]) -> Vec<u8> {
    points.iter().flat_map(encode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use zkdps_field::PrimeGroup;

    #[test]
    fn receiver_reads_what_the_sender_sent() {
        let (scalars, points) = ([Fr::from(7), -Fr::from(1)], [G1Projective::generator()]);
        let mut sender = Sender::default();
        sender.send_scalars(Tag::Root, &scalars);
        sender.send_points(Tag::Commit, &points);
        sender.send_scalars(Tag::Direct, &[]);
        let expected = [sender.challenge(), sender.challenge()];
        let proof = sender.into_proof();
        let mut receiver = Receiver::new(&proof);
        assert_eq!(receiver.receive_array(Tag::Root), Ok(scalars));
        assert_eq!(receiver.receive_points(Tag::Commit, 1).unwrap(), points);
        assert_eq!(receiver.receive_scalars(Tag::Direct, 0), Ok(vec![]));
        assert_eq!([receiver.challenge(), receiver.challenge()], expected);
        assert_ne!(expected[0], expected[1]);
        assert_eq!(receiver.finish(), Ok(()));
    }

    #[test]
    fn headers_separate_messages() {
        let draw = |split: bool| {
            let mut sender = Sender::default();
            if split {
                sender.send_scalars(Tag::Root, &[Fr::from(1)]);
                sender.send_scalars(Tag::Root, &[Fr::from(2)]);
            } else {
                sender.send_scalars(Tag::Root, &[Fr::from(1), Fr::from(2)]);
            }
            sender.challenge()
        };
        assert_ne!(draw(true), draw(false));
    }

    #[test]
    fn bad_bytes_are_refused() {
        let mut receiver = Receiver::new(&[0xff; 100]);
        assert_eq!(
            receiver.receive_scalars(Tag::Root, 1),
            Err(TranscriptError::Scalar { tag: Tag::Root })
        );
        let truncated = TranscriptError::Truncated {
            at: 32,
            expected: 128,
            got: 68,
        };
        assert_eq!(receiver.receive_points(Tag::Commit, 2), Err(truncated));
        assert!(receiver.receive_scalars(Tag::Root, usize::MAX).is_err());
        let source = PointError::Coordinate;
        assert_eq!(
            receiver.receive_points(Tag::Commit, 1),
            Err(TranscriptError::Point {
                tag: Tag::Commit,
                source
            })
        );
        assert_eq!(receiver.finish(), Err(TranscriptError::Trailing(4)));
    }
}
