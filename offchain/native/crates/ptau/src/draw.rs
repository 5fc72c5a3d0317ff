//! Points and scalars drawn from a seed as the ceremony's tools draw them.
//!
//! ChaCha20 seeded with big-endian words; a field element is 254 bits of it, drawn again while too large and
//! taken as its Montgomery form; a point is an x drawn until it is on the curve and one bit for the sign.

use crate::blake2b::{Digest, blake2b};
use crate::points::{Point, is_larger};
use ark_bn254::{Fq, Fq2, Fr, G1Affine, G2Affine, g1, g2};
use ark_ec::short_weierstrass::SWCurveConfig;
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{AdditiveGroup, BigInt, Field, PrimeField};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use sha2::{Digest as _, Sha256};

/// Bits of a drawn element's top limb: 254 - 3 * 64.
const TOP_BITS: u32 = 62;

/// A public key of a contribution for one secret x, with the proof that x is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// \[s\]_1.
    pub s: G1Affine,
    /// \[s x\]_1.
    pub sx: G1Affine,
    /// x times the point that challenge and \[s\]_1, \[s x\]_1 hash to.
    pub spx: G2Affine,
}

/// A seeded source of elements.
struct Source(ChaCha20Rng);

impl Source {
    fn new(seed: &[u8; 32]) -> Self {
        let mut words = *seed;
        for word in words.as_chunks_mut::<4>().0 {
            word.reverse();
        }
        Self(ChaCha20Rng::from_seed(words))
    }

    fn limb(&mut self) -> u64 {
        (u64::from(self.0.next_u32()) << 32) | u64::from(self.0.next_u32())
    }

    fn bit(&mut self) -> bool {
        self.0.next_u32() & 1 == 1
    }

    /// Returns an integer below the modulus.
    fn below(&mut self, modulus: BigInt<4>) -> BigInt<4> {
        loop {
            let mut limbs = [0; 4];
            for limb in &mut limbs {
                *limb = self.limb();
            }
            limbs[3] &= (1 << TOP_BITS) - 1;
            let drawn = BigInt::new(limbs);
            if drawn < modulus {
                return drawn;
            }
        }
    }

    fn scalar(&mut self) -> Fr {
        Fr::new_unchecked(self.below(Fr::MODULUS))
    }

    fn coordinate(&mut self) -> Fq {
        Fq::new_unchecked(self.below(Fq::MODULUS))
    }

    fn g1(&mut self) -> G1Affine {
        loop {
            let x = self.coordinate();
            let larger = self.bit();
            if let Some(y) = (x.square() * x + g1::Config::COEFF_B).sqrt() {
                let y = if is_larger(&y) == larger { y } else { -y };
                return G1Affine::new_unchecked(x, y);
            }
        }
    }

    fn g2(&mut self) -> G2Affine {
        loop {
            let x = Fq2::new(self.coordinate(), self.coordinate());
            let larger = self.bit();
            if let Some(y) = (x.square() * x + g2::Config::COEFF_B).sqrt() {
                let deciding = if y.c1 == Fq::ZERO { y.c0 } else { y.c1 };
                let y = if is_larger(&deciding) == larger {
                    y
                } else {
                    -y
                };
                return G2Affine::new_unchecked(x, y)
                    .mul_by_cofactor_to_group()
                    .into_affine();
            }
        }
    }
}

/// Returns the point of which a contributor multiplies the secret: it hashes `kind` (0 tau, 1 alpha, 2 beta),
/// the challenge and the first two parts of the key.
#[must_use]
pub fn hash_to_g2(kind: u8, challenge: &Digest, s: &G1Affine, sx: &G1Affine) -> G2Affine {
    let hash = blake2b(&[&[kind], challenge, &s.uncompressed(), &sx.uncompressed()]);
    let mut seed = [0; 32];
    seed.copy_from_slice(&hash[..32]);
    Source::new(&seed).g2()
}

/// Returns the three keys that a public beacon gives: 2^`iterations` times SHA-256 of its value is the seed.
#[must_use]
pub fn beacon_keys(challenge: &Digest, value: &[u8], iterations: u8) -> [Key; 3] {
    let mut seed: [u8; 32] = Sha256::digest(value).into();
    for _ in 1..1_u64 << iterations {
        seed = Sha256::digest(seed).into();
    }
    let mut source = Source::new(&seed);
    let secrets = [source.scalar(), source.scalar(), source.scalar()];
    let mut kind = 0;
    secrets.map(|secret| {
        let s = source.g1();
        let sx = (s * secret).into_affine();
        let spx = (hash_to_g2(kind, challenge, &s, &sx) * secret).into_affine();
        kind += 1;
        Key { s, sx, spx }
    })
}
