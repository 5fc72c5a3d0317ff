//! Points as a .ptau file has them (affine, Montgomery form, little-endian) and as its hashes take them.

use crate::error::Fault;
use ark_bn254::{Fq, Fq2, Fr, g1, g2};
use ark_ec::short_weierstrass::{Affine, SWCurveConfig};
use ark_ec::{AffineRepr, VariableBaseMSM};
use ark_ff::{AdditiveGroup, BigInt, PrimeField};
use rayon::prelude::*;
use zkdps_field::msm::msm;
use zkdps_field::point::{encode, encode_g2};

/// Bytes of a coordinate in the base field.
const COORDINATE: usize = 32;
/// Set in the first byte of a compressed point whose y is the larger root.
const LARGER_ROOT: u8 = 0x80;
/// Points of the second group that one task combines.
const TASK: usize = 1 << 11;

/// A group of the curve.
pub trait Point: AffineRepr<ScalarField = Fr> {
    /// Bytes in the file.
    const BYTES: usize;

    /// Decodes a point and checks coordinates, curve and subgroup; infinity is refused.
    ///
    /// # Errors
    /// What is wrong with the point.
    fn read(bytes: &[u8]) -> Result<Self, Fault>;

    /// Returns the coordinates, big-endian, highest coefficient first.
    fn uncompressed(&self) -> Vec<u8>;

    /// Returns sum of `scalars[i] * points[i]`.
    fn combine(points: &[Self], scalars: &[Fr]) -> Self::Group;

    /// Returns whether y is larger than -y.
    fn is_larger_root(&self) -> bool;

    /// Returns x with y's sign in the first byte.
    fn compressed(&self) -> Vec<u8> {
        let mut bytes = self.uncompressed();
        bytes.truncate(Self::BYTES / 2);
        if self.is_larger_root() {
            bytes[0] |= LARGER_ROOT;
        }
        bytes
    }
}

impl Point for Affine<g1::Config> {
    const BYTES: usize = 2 * COORDINATE;

    fn read(bytes: &[u8]) -> Result<Self, Fault> {
        let [x, y] = coordinates(bytes)?;
        check(Self::new_unchecked(x, y), x == Fq::ZERO && y == Fq::ZERO)
    }

    fn uncompressed(&self) -> Vec<u8> {
        encode(self).to_vec()
    }

    fn combine(points: &[Self], scalars: &[Fr]) -> Self::Group {
        msm(points, scalars)
    }

    fn is_larger_root(&self) -> bool {
        is_larger(&self.y)
    }
}

impl Point for Affine<g2::Config> {
    const BYTES: usize = 4 * COORDINATE;

    fn read(bytes: &[u8]) -> Result<Self, Fault> {
        let [x0, x1, y0, y1] = coordinates(bytes)?;
        let (x, y) = (Fq2::new(x0, x1), Fq2::new(y0, y1));
        check(Self::new_unchecked(x, y), x == Fq2::ZERO && y == Fq2::ZERO)
    }

    fn uncompressed(&self) -> Vec<u8> {
        encode_g2(self).to_vec()
    }

    fn combine(points: &[Self], scalars: &[Fr]) -> Self::Group {
        points
            .par_chunks(TASK)
            .zip(scalars.par_chunks(TASK))
            .map(|(points, scalars)| Self::Group::msm_unchecked(points, scalars))
            .sum()
    }

    fn is_larger_root(&self) -> bool {
        if self.y.c1 == Fq::ZERO {
            is_larger(&self.y.c0)
        } else {
            is_larger(&self.y.c1)
        }
    }
}

/// Returns whether an element is above (q - 1) / 2.
#[must_use]
pub fn is_larger(element: &Fq) -> bool {
    element.into_bigint() > Fq::MODULUS_MINUS_ONE_DIV_TWO
}

fn check<P: SWCurveConfig>(point: Affine<P>, infinite: bool) -> Result<Affine<P>, Fault> {
    if infinite {
        Err(Fault::Infinity)
    } else if !point.is_on_curve() {
        Err(Fault::OffCurve)
    } else if !point.is_in_correct_subgroup_assuming_on_curve() {
        Err(Fault::Subgroup)
    } else {
        Ok(point)
    }
}

fn coordinates<const N: usize>(bytes: &[u8]) -> Result<[Fq; N], Fault> {
    let mut read = [Fq::ZERO; N];
    let (words, rest) = bytes.as_chunks::<COORDINATE>();
    if words.len() != N || !rest.is_empty() {
        return Err(Fault::Coordinate);
    }
    for (coordinate, word) in read.iter_mut().zip(words) {
        let mut limbs = [0; 4];
        for (limb, bytes) in limbs.iter_mut().zip(word.as_chunks::<8>().0) {
            *limb = u64::from_le_bytes(*bytes);
        }
        let montgomery = BigInt::new(limbs);
        if montgomery >= Fq::MODULUS {
            return Err(Fault::Coordinate);
        }
        *coordinate = Fq::new_unchecked(montgomery);
    }
    Ok(read)
}
