//! Sections 2 to 6: powers of one tau, by random combinations and pairings, in one pass over the file.

use crate::blake2b::{Blake2b, Digest};
use crate::chain::same_ratio;
use crate::container::Ptau;
use crate::contributions::{Contribution, SavedHash, State};
use crate::error::{PtauError, Reason, Result, Section};
use crate::observe::Watch;
use crate::points::Point;
use ark_bn254::{Fr, G1Affine, G2Affine};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::Zero;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use rayon::prelude::*;

/// Points that are read at once: 8 MiB of the second group.
const CHUNK: usize = 1 << 16;

/// Coefficients of random combinations: 128 bits each, a stream of its own for every section.
#[derive(Debug)]
pub struct Coefficients(ChaCha20Rng);

impl Coefficients {
    /// Returns the coefficients of a section.
    #[must_use]
    pub fn new(seed: &[u8; 32], section: Section) -> Self {
        let mut source = ChaCha20Rng::from_seed(*seed);
        source.set_stream(u64::from(section.id()));
        Self(source)
    }

    /// Returns the next `count` coefficients.
    pub fn take(&mut self, count: usize) -> Vec<Fr> {
        let mut bytes = vec![0; 16 * count];
        self.0.fill_bytes(&mut bytes);
        let (words, _) = bytes.as_chunks::<16>();
        words
            .iter()
            .map(|word| Fr::from(u128::from_le_bytes(*word)))
            .collect()
    }
}

/// Reads every point of a section in order and hands them on in chunks, with the index of the first.
///
/// # Errors
/// A byte string that is no point, or what `visit` finds.
pub fn visit_points<P: Point>(
    ptau: &mut Ptau,
    section: Section,
    watch: &mut Watch<'_>,
    mut visit: impl FnMut(u64, &[P]) -> Result<()>,
) -> Result<()> {
    let count = ptau.points(section, P::BYTES);
    let mut buffer = Vec::new();
    let mut first = 0;
    while first < count {
        let size = (count - first).min(CHUNK as u64) as usize;
        buffer.resize(size * P::BYTES, 0);
        ptau.read(section, first * P::BYTES as u64, &mut buffer)?;
        let points = buffer
            .par_chunks_exact(P::BYTES)
            .enumerate()
            .map(|(i, bytes)| {
                P::read(bytes).map_err(|fault| {
                    let index = first + i as u64;
                    PtauError::new(section, Reason::Point { index, fault })
                })
            })
            .collect::<Result<Vec<_>>>()?;
        visit(first, &points)?;
        first += size as u64;
        watch.advance(section, buffer.len() as u64)?;
    }
    Ok(())
}

/// The two hashes over all points that the last contribution names.
#[derive(Debug)]
pub struct Hashes {
    response: Blake2b,
    challenge: Blake2b,
}

impl Hashes {
    /// Begins the hashes of the last contribution's response and of the challenge after it.
    #[must_use]
    pub fn new(previous_challenge: &Digest, last: &Contribution) -> Self {
        let mut hashes = Self {
            response: Blake2b::default(),
            challenge: Blake2b::default(),
        };
        hashes.response.update(previous_challenge);
        hashes.challenge.update(&last.response_hash());
        hashes
    }

    fn absorb<P: Point>(&mut self, points: &[P]) {
        let parts: Vec<_> = points
            .par_chunks(CHUNK >> 6)
            .map(|points| {
                let uncompressed: Vec<u8> = points.iter().flat_map(P::uncompressed).collect();
                let compressed: Vec<u8> = points.iter().flat_map(P::compressed).collect();
                (uncompressed, compressed)
            })
            .collect();
        for (uncompressed, compressed) in parts {
            self.challenge.update(&uncompressed);
            self.response.update(&compressed);
        }
    }

    /// Compares with what the contribution says.
    ///
    /// # Errors
    /// A hash differs.
    pub fn compare(self, last: &Contribution) -> Result<()> {
        let differs = |text| Err(PtauError::inconsistent(Section::Contributions, text));
        let (state, rest) = self.response.save();
        let SavedHash {
            state: saved,
            rest: waiting,
            ..
        } = &last.saved;
        if state != *saved || rest != waiting {
            return differs("the last response's hash is not that of the points");
        }
        if self.challenge.finish() != last.next_challenge {
            return differs("the last challenge's hash is not that of the points");
        }
        Ok(())
    }
}

/// What one pass over a section of powers adds up.
struct Sums<P: Point> {
    /// sum of c_i P_i, all but the last point.
    low: P::Group,
    /// sum of c_i P_(i + 1).
    high: P::Group,
    /// sum of w_i P_i for the weights that the Lagrange section asks for.
    weighted: P::Group,
    /// The first two points.
    first: Vec<P>,
    /// The last point.
    last: P,
}

/// The pass over sections 2 to 6.
#[derive(Debug)]
pub struct Pass<'a, 'w> {
    /// The file.
    pub ptau: &'a mut Ptau,
    /// Seed of the coefficients.
    pub seed: [u8; 32],
    /// The points after the last contribution.
    pub state: State,
    /// Where hashes are compared; a file cut from a larger one has lost what they cover.
    pub hashes: Option<Hashes>,
    /// Progress.
    pub watch: &'a mut Watch<'w>,
}

/// A section's weighted sum and its last point, for the Lagrange section.
#[derive(Clone, Copy, Debug)]
pub struct Weighted<P: Point> {
    /// sum of w_i P_i.
    pub sum: P::Group,
    /// The last point.
    pub last: P,
}

impl Pass<'_, '_> {
    /// Checks section 2 and hands its points on.
    ///
    /// # Errors
    /// The section is not the powers of the tau of the contributions.
    pub fn tau_g1(
        &mut self,
        weights: &[Fr],
        keep: impl FnMut(u64, &[G1Affine]) -> Result<()>,
    ) -> Result<Weighted<G1Affine>> {
        let sums = self.add_up(Section::TauG1, weights, keep)?;
        let State { tau_g1, .. } = self.state;
        check_start(
            Section::TauG1,
            &sums.first,
            &[G1Affine::generator(), tau_g1],
        )?;
        self.check_g1(Section::TauG1, &sums)
    }

    /// Checks section 3.
    ///
    /// # Errors
    /// The section is not the powers of the tau of the contributions.
    pub fn tau_g2(&mut self, weights: &[Fr]) -> Result<Weighted<G2Affine>> {
        let sums: Sums<G2Affine> = self.add_up(Section::TauG2, weights, |_, _| Ok(()))?;
        let State { tau_g1, tau_g2, .. } = self.state;
        check_start(
            Section::TauG2,
            &sums.first,
            &[G2Affine::generator(), tau_g2],
        )?;
        let (low, high) = (sums.low.into_affine(), sums.high.into_affine());
        if !same_ratio(&G1Affine::generator(), &tau_g1, &low, &high) {
            return Err(PtauError::inconsistent(Section::TauG2, NOT_POWERS));
        }
        Ok(Weighted {
            sum: sums.weighted,
            last: sums.last,
        })
    }

    /// Checks section 4 or 5, which begins with `start`.
    ///
    /// # Errors
    /// The section is not that point times the powers of tau.
    pub fn multiplied_g1(
        &mut self,
        section: Section,
        start: G1Affine,
        weights: &[Fr],
    ) -> Result<Weighted<G1Affine>> {
        let sums = self.add_up(section, weights, |_, _| Ok(()))?;
        check_start(section, &sums.first[..1], &[start])?;
        self.check_g1(section, &sums)
    }

    /// Checks section 6.
    ///
    /// # Errors
    /// The point is not the contributions', or not the beta of section 5.
    pub fn beta_g2(&mut self) -> Result<()> {
        let mut found = Vec::new();
        visit_points(self.ptau, Section::BetaG2, self.watch, |_, points| {
            found.extend_from_slice(points);
            Ok(())
        })?;
        if let Some(hashes) = &mut self.hashes {
            hashes.absorb(&found);
        }
        let State {
            beta_g1, beta_g2, ..
        } = self.state;
        check_start(Section::BetaG2, &found, &[beta_g2])?;
        let (g1, g2) = (G1Affine::generator(), G2Affine::generator());
        if !same_ratio(&g1, &beta_g1, &g2, &beta_g2) {
            return Err(PtauError::inconsistent(
                Section::BetaG2,
                "[beta]_1 and [beta]_2 differ in beta",
            ));
        }
        Ok(())
    }

    fn check_g1(&self, section: Section, sums: &Sums<G1Affine>) -> Result<Weighted<G1Affine>> {
        let (low, high) = (sums.low.into_affine(), sums.high.into_affine());
        if !same_ratio(&low, &high, &G2Affine::generator(), &self.state.tau_g2) {
            return Err(PtauError::inconsistent(section, NOT_POWERS));
        }
        Ok(Weighted {
            sum: sums.weighted,
            last: sums.last,
        })
    }

    fn add_up<P: Point>(
        &mut self,
        section: Section,
        weights: &[Fr],
        mut keep: impl FnMut(u64, &[P]) -> Result<()>,
    ) -> Result<Sums<P>> {
        let count = self.ptau.points(section, P::BYTES);
        let mut coefficients = Coefficients::new(&self.seed, section);
        let mut sums = Sums {
            low: P::Group::zero(),
            high: P::Group::zero(),
            weighted: P::Group::zero(),
            first: Vec::new(),
            last: P::zero(),
        };
        // c_(i - 1) of the first point of the next chunk.
        let mut before = Fr::zero();
        let hashes = &mut self.hashes;
        visit_points(self.ptau, section, self.watch, |first, points: &[P]| {
            let mut low = coefficients.take(points.len());
            if first + points.len() as u64 == count {
                low[points.len() - 1] = Fr::zero();
            }
            let mut high = Vec::with_capacity(points.len());
            high.push(before);
            high.extend_from_slice(&low[..points.len() - 1]);
            before = low[points.len() - 1];
            sums.low += P::combine(points, &low);
            sums.high += P::combine(points, &high);
            if !weights.is_empty() {
                let at = first as usize;
                sums.weighted += P::combine(points, &weights[at..at + points.len()]);
            }
            if first == 0 {
                sums.first = points[..2.min(points.len())].to_vec();
            }
            sums.last = points[points.len() - 1];
            if let Some(hashes) = hashes {
                hashes.absorb(points);
            }
            keep(first, points)
        })?;
        Ok(sums)
    }
}

/// Refuses a section that does not begin with the points that the contributions end with.
fn check_start<P: Point>(section: Section, found: &[P], expected: &[P]) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    Err(PtauError::inconsistent(
        section,
        "the first points are not the generator and those after the last contribution",
    ))
}

const NOT_POWERS: &str = "the points are not multiplied by tau from one to the next";
