//! BN254 as the proof system uses it: scalars and points with one canonical encoding, exact sums of
//! field elements times small integers, multi-scalar multiplication, powers of tau and the pairing check.
#![forbid(unsafe_code)]

pub mod hash;
pub mod kernels;
pub mod msm;
pub mod pairing;
pub mod point;
pub mod scalar;
pub mod small;
pub mod srs;

pub use ark_bn254::{Fq, Fr, G1Affine, G1Projective, G2Affine};
pub use ark_ec::{AffineRepr, CurveGroup, PrimeGroup};
pub use ark_ff::{AdditiveGroup, Field, One, Zero};
