//! Import of a reference string from a ceremony's .ptau file, the format of Perpetual Powers of Tau.
//!
//! Every section is verified before anything is written: the container byte for byte; every point's coordinates,
//! curve and subgroup; the powers by random combinations and pairings; the Lagrange sections against the powers;
//! the contributions by their proofs of knowledge, and the last one's hashes against the points. What no equation
//! covers (names, and the saved hashes of contributions but the last) only the file's own hash does.
#![forbid(unsafe_code)]

pub mod blake2b;
pub mod chain;
pub mod container;
pub mod contributions;
pub mod draw;
pub mod error;
pub mod lagrange;
pub mod observe;
pub mod points;
pub mod powers;
pub mod srs_file;

use crate::blake2b::{Blake2b, Digest, blake2b};
use crate::chain::{first_challenge, same_ratio};
use crate::container::Ptau;
use crate::contributions::Contribution;
use crate::error::{PtauError, Reason, Result, Section};
use crate::lagrange::{difference, expect_equal, expect_equal_but_last, weights};
use crate::observe::{Observer, Watch};
use crate::powers::{Coefficients, Pass, Weighted};
use crate::srs_file::SrsWriter;
use ark_bn254::{Fr, G1Affine, G2Affine};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::Zero;
use std::fmt::Write;
use std::path::Path;
use zkdps_field::msm::msm;

const SEED_DOMAIN: &[u8] = b"zkdps/ptau/1";
/// Bytes that are hashed at once.
const HASHED: usize = 1 << 20;

/// What is wanted of an import.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The .ptau file.
    pub file: &'a Path,
    /// Where the powers go.
    pub out: &'a Path,
    /// Binary logarithm of the number of powers to keep.
    pub log_size: u32,
    /// The file's published hash; without it some bytes of section 7 stay unchecked.
    pub expected: Option<Digest>,
    /// Fresh randomness, unknown to whoever made the file.
    pub entropy: [u8; 32],
}

/// What was found in a file that passed.
#[derive(Clone, Debug)]
pub struct Ceremony {
    /// BLAKE2b-512 of the file.
    pub hash: Digest,
    /// Binary logarithm of its number of powers.
    pub power: u32,
    /// Power of the ceremony that it was cut from.
    pub ceremony_power: u32,
    /// The Lagrange sections are there.
    pub prepared: bool,
    /// Who contributed.
    pub contributions: Vec<Contribution>,
    /// \[tau\]_2.
    pub tau_g2: G2Affine,
}

/// Verifies a whole file and writes its first powers.
///
/// # Errors
/// Names the section that is wrong; then nothing is written.
pub fn import(request: &Request<'_>, observer: &mut Observer<'_>) -> Result<Ceremony> {
    let mut ptau = Ptau::open(request.file)?;
    if request.log_size > ptau.power {
        return Err(PtauError::malformed(
            Section::Header,
            format!(
                "has 2^{} powers, 2^{} are wanted",
                ptau.power, request.log_size
            ),
        ));
    }
    let mut watch = Watch::new(observer, 2 * ptau.length());
    let hash = hash_file(&mut ptau, &mut watch)?;
    if let Some(expected) = request.expected
        && expected != hash
    {
        let (expected, got) = (to_hex(&expected), to_hex(&hash));
        return Err(PtauError::new(
            Section::File,
            Reason::Hash { expected, got },
        ));
    }
    let bytes = ptau.read_all(Section::Contributions)?;
    let contributions = contributions::parse(&bytes, ptau.ceremony_power)?;
    chain::verify(&contributions, ptau.ceremony_power)?;

    let seed = derive_seed(&request.entropy, &hash);
    let tau_g2 = contributions[contributions.len() - 1].state.tau_g2;
    let mut writer = SrsWriter::create(request.out, request.log_size, &tau_g2, &hash)?;
    verify_points(&mut ptau, seed, &contributions, &mut watch, &mut writer)?;
    writer.finish()?;
    Ok(Ceremony {
        hash,
        power: ptau.power,
        ceremony_power: ptau.ceremony_power,
        prepared: ptau.is_prepared(),
        contributions,
        tau_g2,
    })
}

/// Verifies that points are powers of the tau of `tau_g2`, by a random combination.
///
/// # Errors
/// They are not.
pub fn verify_powers(points: &[G1Affine], tau_g2: &G2Affine, entropy: &[u8; 32]) -> Result<()> {
    let refused = |text| Err(PtauError::inconsistent(Section::TauG1, text));
    if points.first() != Some(&G1Affine::generator()) || points.len() < 2 {
        return refused("the first point is not the generator");
    }
    let coefficients = Coefficients::new(entropy, Section::TauG1).take(points.len() - 1);
    let low = msm(&points[..points.len() - 1], &coefficients).into_affine();
    let high = msm(&points[1..], &coefficients).into_affine();
    if low.is_zero() || !same_ratio(&low, &high, &G2Affine::generator(), tau_g2) {
        return refused("the points are not multiplied by tau from one to the next");
    }
    Ok(())
}

fn verify_points(
    ptau: &mut Ptau,
    seed: [u8; 32],
    contributions: &[Contribution],
    watch: &mut Watch<'_>,
    writer: &mut SrsWriter,
) -> Result<()> {
    let last = &contributions[contributions.len() - 1];
    let (power, whole) = (ptau.power, ptau.power == ptau.ceremony_power);
    let (prepared, state) = (ptau.is_prepared(), last.state);
    let previous = match contributions.len().checked_sub(2) {
        Some(before) => contributions[before].next_challenge,
        None => first_challenge(ptau.ceremony_power),
    };
    let ask = |section, top| {
        if prepared {
            weights(&seed, section, top)
        } else {
            Vec::new()
        }
    };
    let mut pass = Pass {
        ptau,
        seed,
        state,
        hashes: whole.then(|| powers::Hashes::new(&previous, last)),
        watch,
    };

    let asked = ask(Section::LagrangeTauG1, power + 1);
    let tau_g1 = pass.tau_g1(&asked, |_, points| writer.push(points))?;
    let last_weight = asked.last().copied().unwrap_or_else(Fr::zero);
    drop(asked);
    let tau_g2 = pass.tau_g2(&ask(Section::LagrangeTauG2, power))?;
    let alpha = pass.multiplied_g1(
        Section::AlphaTauG1,
        state.alpha_g1,
        &ask(Section::LagrangeAlphaTauG1, power),
    )?;
    let beta = pass.multiplied_g1(
        Section::BetaTauG1,
        state.beta_g1,
        &ask(Section::LagrangeBetaTauG1, power),
    )?;
    pass.beta_g2()?;
    if let Some(hashes) = pass.hashes.take() {
        hashes.compare(last)?;
    }
    let Pass { ptau, watch, .. } = pass;
    if !prepared {
        return Ok(());
    }

    let found = difference(ptau, &seed, Section::LagrangeTauG1, &tau_g1, watch)?;
    if whole {
        expect_equal(Section::LagrangeTauG1, &found)?;
    } else {
        expect_equal_but_last(&found, last_weight, &tau_g1.last, &state.tau_g2)?;
    }
    check_lagrange(ptau, &seed, Section::LagrangeTauG2, &tau_g2, watch)?;
    check_lagrange(ptau, &seed, Section::LagrangeAlphaTauG1, &alpha, watch)?;
    check_lagrange(ptau, &seed, Section::LagrangeBetaTauG1, &beta, watch)
}

fn check_lagrange<P: points::Point>(
    ptau: &mut Ptau,
    seed: &[u8; 32],
    section: Section,
    powers: &Weighted<P>,
    watch: &mut Watch<'_>,
) -> Result<()> {
    expect_equal(section, &difference(ptau, seed, section, powers, watch)?)
}

fn hash_file(ptau: &mut Ptau, watch: &mut Watch<'_>) -> Result<Digest> {
    let mut hash = Blake2b::default();
    let mut buffer = vec![0; HASHED];
    let mut at = 0;
    while at < ptau.length() {
        let size = (ptau.length() - at).min(HASHED as u64);
        let bytes = &mut buffer[..size as usize];
        ptau.read_at(Section::File, at, bytes)?;
        hash.update(bytes);
        at += size;
        watch.advance(Section::File, size)?;
    }
    Ok(hash.finish())
}

/// Returns a seed that nobody knew when the file was made, and that differs for every file.
fn derive_seed(entropy: &[u8; 32], hash: &Digest) -> [u8; 32] {
    let mut seed = [0; 32];
    seed.copy_from_slice(&blake2b(&[SEED_DOMAIN, entropy, hash])[..32]);
    seed
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
