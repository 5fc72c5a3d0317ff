//! Section 7: the contributions, parsed strictly.

use crate::blake2b::{BLOCK, Blake2b, DIGEST, Digest};
use crate::draw::Key;
use crate::error::{Fault, PtauError, Result, Section};
use crate::points::Point;
use ark_bn254::{G1Affine, G2Affine};

const SAVED_HASH: usize = 216;
/// The fewest bytes of a contribution: without name and beacon.
const LEAST: usize = 3 * 64 + 2 * 128 + 6 * 64 + 3 * 128 + SAVED_HASH + DIGEST + 4 + 4;
const PLAIN: u32 = 0;
const BEACON: u32 = 1;
const PARAMETER_NAME: u8 = 1;
const PARAMETER_ITERATIONS: u8 = 2;
const PARAMETER_VALUE: u8 = 3;
/// The ceremony's tools take 10 to 63; more than this takes minutes and was never used for this curve.
const ITERATIONS: std::ops::RangeInclusive<u8> = 10..=26;

/// The first points after a contribution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    /// \[tau\]_1.
    pub tau_g1: G1Affine,
    /// \[tau\]_2.
    pub tau_g2: G2Affine,
    /// \[alpha\]_1.
    pub alpha_g1: G1Affine,
    /// \[beta\]_1.
    pub beta_g1: G1Affine,
    /// \[beta\]_2.
    pub beta_g2: G2Affine,
}

/// A public beacon's value, whose 2^iterations-fold SHA-256 is the contribution's secret seed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beacon {
    /// The published value.
    pub value: Vec<u8>,
    /// Binary logarithm of the number of hashes.
    pub iterations: u8,
}

/// One contribution.
#[derive(Clone, Debug)]
pub struct Contribution {
    /// The points after it.
    pub state: State,
    /// Keys for tau, alpha and beta.
    pub keys: [Key; 3],
    /// State of the hash over the response, before the keys.
    pub saved: SavedHash,
    /// Hash of all points after it, which the next one takes as its challenge.
    pub next_challenge: Digest,
    /// The beacon's parameters, where it is one.
    pub beacon: Option<Beacon>,
    /// Free text, which no hash covers.
    pub name: String,
}

impl Contribution {
    /// Returns the hash of the response: what the contributor published.
    #[must_use]
    pub fn response_hash(&self) -> Digest {
        let mut hash = self.saved.resume();
        for key in &self.keys {
            hash.update(&key.s.uncompressed());
            hash.update(&key.sx.uncompressed());
        }
        for key in &self.keys {
            hash.update(&key.spx.uncompressed());
        }
        hash.finish()
    }
}

/// An unfinished BLAKE2b: 128 bytes of buffer, eight words of state, bytes compressed, bytes in the buffer, 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedHash {
    /// The chaining value.
    pub state: [u64; 8],
    /// Bytes in the state.
    pub compressed: u64,
    /// Bytes that wait for their block.
    pub rest: Vec<u8>,
}

impl SavedHash {
    fn resume(&self) -> Blake2b {
        Blake2b::restore(self.state, self.compressed, &self.rest)
    }

    fn parse(bytes: &[u8], ceremony_power: u32) -> std::result::Result<Self, &'static str> {
        let word = |at: usize| {
            let mut word = [0; 8];
            word.copy_from_slice(&bytes[BLOCK + 8 * at..BLOCK + 8 * at + 8]);
            u64::from_le_bytes(word)
        };
        let size = 1_u64 << ceremony_power;
        // The challenge, then all points compressed; the keys follow.
        let hashed = DIGEST as u64 + (2 * size - 1) * 32 + size * (64 + 32 + 32) + 64;
        let waiting = hashed % BLOCK as u64;
        if word(8) != hashed - waiting || word(9) != waiting || word(10) != 0 {
            return Err("the saved hash is not one of a response of the ceremony's power");
        }
        Ok(Self {
            state: std::array::from_fn(word),
            compressed: word(8),
            rest: bytes[..waiting as usize].to_vec(),
        })
    }
}

/// Returns the contributions of section 7.
///
/// # Errors
/// Bytes that are missing, left over or not canonical, points that are none, parameters out of order.
pub fn parse(bytes: &[u8], ceremony_power: u32) -> Result<Vec<Contribution>> {
    let mut reader = Reader { rest: bytes };
    let count = reader.u32()? as usize;
    if count == 0 {
        return Err(malformed(
            "nobody has contributed: everybody knows the secret",
        ));
    }
    if count > bytes.len() / LEAST {
        return Err(malformed(format!(
            "{count} contributions do not fit into {} bytes",
            bytes.len()
        )));
    }
    let contributions = (1..=count)
        .map(|number| {
            read_contribution(&mut reader, ceremony_power)
                .map_err(|error| malformed(format!("contribution {number}: {}", error.reason)))
        })
        .collect::<Result<Vec<_>>>()?;
    if !reader.rest.is_empty() {
        return Err(malformed(format!(
            "{} bytes after the last contribution",
            reader.rest.len()
        )));
    }
    Ok(contributions)
}

fn read_contribution(reader: &mut Reader<'_>, ceremony_power: u32) -> Result<Contribution> {
    let state = State {
        tau_g1: reader.point()?,
        tau_g2: reader.point()?,
        alpha_g1: reader.point()?,
        beta_g1: reader.point()?,
        beta_g2: reader.point()?,
    };
    let mut pairs = Vec::with_capacity(3);
    for _ in 0..3 {
        pairs.push((reader.point()?, reader.point()?));
    }
    let mut keys = Vec::with_capacity(3);
    for (s, sx) in pairs {
        let spx = reader.point()?;
        keys.push(Key { s, sx, spx });
    }
    let saved = SavedHash::parse(reader.take(SAVED_HASH)?, ceremony_power).map_err(malformed)?;
    // The response ends with [beta]_2, so that the waiting bytes show it.
    if !saved.rest.ends_with(&state.beta_g2.compressed()) {
        return Err(malformed("the saved hash does not end with [beta]_2"));
    }
    let next_challenge = reader.array()?;
    let kind = reader.u32()?;
    let length = reader.u32()? as usize;
    let (name, beacon) = read_parameters(reader.take(length)?, kind)?;
    Ok(Contribution {
        state,
        keys: [keys[0], keys[1], keys[2]],
        saved,
        next_challenge,
        beacon,
        name,
    })
}

fn read_parameters(bytes: &[u8], kind: u32) -> Result<(String, Option<Beacon>)> {
    let mut reader = Reader { rest: bytes };
    let (mut name, mut iterations, mut value) = (None, None, None);
    let mut last = 0;
    while !reader.rest.is_empty() {
        let [parameter] = reader.array()?;
        if parameter <= last {
            return Err(malformed("parameters are not in order"));
        }
        last = parameter;
        match parameter {
            PARAMETER_NAME => name = Some(reader.prefixed()?),
            PARAMETER_ITERATIONS => iterations = Some(reader.array::<1>()?[0]),
            PARAMETER_VALUE => value = Some(reader.prefixed()?),
            other => return Err(malformed(format!("unknown parameter {other}"))),
        }
    }
    let name = match name {
        Some([]) => return Err(malformed("the name is empty but present")),
        Some(text) => std::str::from_utf8(text)
            .map_err(|_| malformed("the name is not UTF-8"))?
            .to_owned(),
        None => String::new(),
    };
    let beacon = match (kind, iterations, value) {
        (PLAIN, None, None) => None,
        (BEACON, Some(iterations), Some(value)) if !value.is_empty() => {
            if !ITERATIONS.contains(&iterations) {
                return Err(malformed(format!(
                    "beacon of 2^{iterations} hashes, expected an exponent from {} to {}",
                    ITERATIONS.start(),
                    ITERATIONS.end()
                )));
            }
            Some(Beacon {
                value: value.to_vec(),
                iterations,
            })
        }
        (PLAIN | BEACON, ..) => return Err(malformed("parameters do not fit the kind")),
        _ => return Err(malformed(format!("unknown kind {kind}"))),
    };
    Ok((name, beacon))
}

fn malformed(text: impl Into<String>) -> PtauError {
    PtauError::malformed(Section::Contributions, text)
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self
            .rest
            .split_at_checked(count)
            .ok_or_else(|| malformed("ends too early"))?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    fn u32(&mut self) -> Result<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn prefixed(&mut self) -> Result<&'a [u8]> {
        let [length] = self.array()?;
        self.take(usize::from(length))
    }

    fn point<P: Point>(&mut self) -> Result<P> {
        P::read(self.take(P::BYTES)?).map_err(|fault: Fault| malformed(format!("a point {fault}")))
    }
}
