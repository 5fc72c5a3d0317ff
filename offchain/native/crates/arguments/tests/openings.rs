//! The shared vectors of openings (tests/vectors/mercury.json), and what is refused.

use serde_json::Value;
use zkdps_arguments::{ArgumentError, hyperkzg, mercury};
use zkdps_field::msm::msm;
use zkdps_field::point::decode;
use zkdps_field::scalar::from_word;
use zkdps_field::srs::{insecure_powers, insecure_tau_g2};
use zkdps_field::{CurveGroup, Fr, G1Affine, G2Affine};
use zkdps_transcript::{Receiver, Sender, Tag, Transcript, TranscriptError};

const LENGTH: usize = 8 * 64 + 6 * 32;
/// Offsets of the six scalars; five points precede them.
const SCALARS: std::ops::Range<usize> = 5 * 64..5 * 64 + 6 * 32;
/// r and q, big-endian.
const R: &str = "30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001";
const Q: &str = "30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47";

type Verify = fn(&mut Receiver, G1Affine, &[Fr], Fr, G2Affine) -> Result<(), ArgumentError>;

fn load() -> Value {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../../tests/vectors/mercury.json"
    );
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap().strip_prefix("0x").unwrap()).unwrap()
}

fn scalar(value: &Value) -> Fr {
    from_word(&bytes(value).try_into().unwrap()).unwrap()
}

fn scalars(value: &Value) -> Vec<Fr> {
    value.as_array().unwrap().iter().map(scalar).collect()
}

struct Claim {
    seed: Vec<u8>,
    commitment: G1Affine,
    point: Vec<Fr>,
    value: Fr,
}

impl Claim {
    fn new(vector: &Value) -> Self {
        let terms = bytes(&vector["terms"]);
        let (factors, points): (Vec<_>, Vec<_>) = terms
            .chunks_exact(96)
            .map(|term| {
                let factor = from_word(term[..32].try_into().unwrap()).unwrap();
                (factor, decode(term[32..].try_into().unwrap()).unwrap())
            })
            .unzip();
        Self {
            seed: bytes(&vector["seed"]),
            commitment: msm(&points, &factors).into_affine(),
            point: scalars(&vector["point"]),
            value: scalar(&vector["value"]),
        }
    }

    fn start(&self, transcript: &mut Transcript) {
        transcript.absorb(Tag::Statement, &self.seed);
        transcript.challenge();
    }

    fn verify(&self, proof: &[u8], verify: Verify) -> Result<(), ArgumentError> {
        let mut receiver = Receiver::new(proof);
        self.start(&mut receiver.transcript);
        let tau = insecure_tau_g2();
        verify(&mut receiver, self.commitment, &self.point, self.value, tau)?;
        Ok(receiver.finish()?)
    }

    fn refuse(&self, proof: &[u8]) -> ArgumentError {
        self.verify(proof, mercury::verify_opening).unwrap_err()
    }
}

/// The honest opening for three variables.
fn honest() -> (Claim, Vec<u8>) {
    let vector = &load()["small"][2];
    (Claim::new(vector), bytes(&vector["mercury"]))
}

#[test]
fn small_openings_send_the_same_bytes() {
    for vector in load()["small"].as_array().unwrap() {
        let claim = Claim::new(vector);
        let srs = insecure_powers(claim.point.len() as u32);
        let polynomial = scalars(&vector["polynomial"]);
        assert_eq!(msm(&srs, &polynomial).into_affine(), claim.commitment);
        let mut sender = Sender::default();
        claim.start(&mut sender.transcript);
        mercury::prove_opening(&mut sender, &srs, polynomial, &claim.point).unwrap();
        let proof = bytes(&vector["mercury"]);
        assert_eq!(sender.into_proof(), proof);
        assert_eq!(proof.len(), LENGTH);
    }
}

#[test]
fn openings_of_both_kinds_verify() {
    let vectors = load();
    for vector in ["small", "large"]
        .iter()
        .flat_map(|kind| vectors[kind].as_array().unwrap())
    {
        let claim = Claim::new(vector);
        let (by_mercury, by_hyperkzg) = (bytes(&vector["mercury"]), bytes(&vector["hyperkzg"]));
        assert_eq!(claim.verify(&by_mercury, mercury::verify_opening), Ok(()));
        assert_eq!(claim.verify(&by_hyperkzg, hyperkzg::verify_opening), Ok(()));
        // Neither proof is one of the other kind.
        for (proof, verify) in [
            (&by_hyperkzg, mercury::verify_opening as Verify),
            (&by_mercury, hyperkzg::verify_opening),
        ] {
            assert!(claim.verify(proof, verify).is_err());
        }
    }
}

#[test]
fn forged_openings_are_refused() {
    let vectors = load();
    let forgeries = vectors["forgeries"].as_array().unwrap();
    assert!(forgeries.len() >= 18);
    for vector in forgeries {
        let refused = Claim::new(vector).refuse(&bytes(&vector["mercury"]));
        assert_eq!(refused, ArgumentError::Pairing, "{}", vector["name"]);
    }
}

#[test]
fn swapped_messages_are_refused() {
    let (claim, proof) = honest();
    let points = (0..SCALARS.start).chain(SCALARS.end..LENGTH).step_by(64);
    let points: Vec<_> = points.collect();
    let scalars: Vec<_> = SCALARS.step_by(32).collect();
    for (slots, size) in [(points, 64), (scalars, 32)] {
        for (k, a) in slots.iter().enumerate() {
            for b in &slots[..k] {
                let mut swapped = proof.clone();
                swapped[*a..a + size].copy_from_slice(&proof[*b..b + size]);
                swapped[*b..b + size].copy_from_slice(&proof[*a..a + size]);
                assert_ne!(swapped, proof);
                assert_eq!(claim.refuse(&swapped), ArgumentError::Pairing);
            }
        }
    }
}

#[test]
fn non_canonical_elements_are_refused() {
    let (claim, proof) = honest();
    for at in (0..LENGTH).step_by(32) {
        let is_scalar = SCALARS.contains(&at);
        let modulus = hex::decode(if is_scalar { R } else { Q }).unwrap();
        let mut shifted = proof.clone();
        add_words(&mut shifted[at..at + 32], &modulus);
        let refused = claim.refuse(&shifted);
        if is_scalar {
            let tag = Tag::MercuryValues;
            assert_eq!(
                refused,
                ArgumentError::from(TranscriptError::Scalar { tag })
            );
        } else {
            let kind = matches!(
                refused,
                ArgumentError::Transcript(TranscriptError::Point { .. })
            );
            assert!(kind, "byte {at}: {refused}");
        }
    }
}

/// Adds two big-endian words; the sums here stay below 2^256.
fn add_words(word: &mut [u8], addend: &[u8]) {
    let mut carry = 0;
    for (byte, addend) in word.iter_mut().zip(addend).rev() {
        let sum = u16::from(*byte) + u16::from(*addend) + carry;
        (*byte, carry) = (sum as u8, sum >> 8);
    }
    assert_eq!(carry, 0);
}

#[test]
fn truncated_and_extended_proofs_are_refused() {
    let (claim, proof) = honest();
    for end in 0..LENGTH {
        let refused = claim.refuse(&proof[..end]);
        let truncated = matches!(
            refused,
            ArgumentError::Transcript(TranscriptError::Truncated { .. })
        );
        assert!(truncated, "{end} bytes: {refused}");
    }
    for more in [1, 32, 64] {
        let extended = [proof.clone(), vec![0; more]].concat();
        let trailing = TranscriptError::Trailing(more).into();
        assert_eq!(claim.refuse(&extended), trailing);
    }
}
