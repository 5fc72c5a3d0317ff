//! The container: magic, version, and sections of (u32 id, u64 length, bytes), all little-endian.

use crate::error::{PtauError, Reason, Result, Section};
use ark_bn254::Fq;
use ark_ff::{BigInteger, PrimeField};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

const MAGIC: &[u8; 4] = b"ptau";
const VERSION: u32 = 1;
const FIELD_BYTES: u32 = 32;
const HEADER_BYTES: u64 = 44;
const G1_BYTES: u64 = 64;
const G2_BYTES: u64 = 128;
/// Sections of a raw file; a prepared one has four more.
const RAW_SECTIONS: usize = 7;
/// The ceremony's own size; a Lagrange basis of 2^29 points does not exist in this field.
pub const MAX_CEREMONY_POWER: u32 = 28;
/// Largest file that is read.
pub const MAX_POWER: u32 = 27;
/// Some 50,000 contributions.
const MAX_CONTRIBUTIONS_BYTES: u64 = 64 << 20;

/// Where a section's bytes lie.
#[derive(Clone, Copy, Debug)]
struct Span {
    start: u64,
    length: u64,
}

/// An open file whose container and header are sound: every section is there once and as long as it must be.
#[derive(Debug)]
pub struct Ptau {
    file: File,
    length: u64,
    spans: Vec<Span>,
    /// The file holds 2^power powers of tau, and as many less one again in the first group.
    pub power: u32,
    /// The power of the ceremony that the file was cut from.
    pub ceremony_power: u32,
}

impl Ptau {
    /// Opens a file and checks its container and header.
    ///
    /// # Errors
    /// The file cannot be read, or names its section.
    pub fn open(path: &Path) -> Result<Self> {
        let read = |error| PtauError::io(Section::File, &error);
        let file = File::open(path).map_err(read)?;
        let metadata = file.metadata().map_err(read)?;
        if !metadata.is_file() {
            return Err(PtauError::malformed(Section::File, "is not a plain file"));
        }
        let mut ptau = Self {
            file,
            length: metadata.len(),
            spans: Vec::new(),
            power: 0,
            ceremony_power: 0,
        };
        ptau.read_table()?;
        ptau.read_header()?;
        ptau.check_lengths()?;
        Ok(ptau)
    }

    /// Returns whether the Lagrange sections are there.
    #[must_use]
    pub fn is_prepared(&self) -> bool {
        self.spans.len() > RAW_SECTIONS
    }

    /// Returns the file's bytes in all.
    #[must_use]
    pub const fn length(&self) -> u64 {
        self.length
    }

    /// Returns how many points a section of points has.
    #[must_use]
    pub fn points(&self, section: Section, point_bytes: usize) -> u64 {
        self.span(section).length / point_bytes as u64
    }

    /// Reads `buffer.len()` bytes of a section.
    ///
    /// # Errors
    /// The operating system's.
    pub fn read(&mut self, section: Section, offset: u64, buffer: &mut [u8]) -> Result<()> {
        let start = self.span(section).start + offset;
        self.read_at(section, start, buffer)
    }

    /// Reads a whole section, which the caller knows to be small.
    ///
    /// # Errors
    /// The operating system's.
    pub fn read_all(&mut self, section: Section) -> Result<Vec<u8>> {
        let mut bytes = vec![0; self.span(section).length as usize];
        self.read(section, 0, &mut bytes)?;
        Ok(bytes)
    }

    /// Reads any part of the file.
    ///
    /// # Errors
    /// The operating system's.
    pub fn read_at(&mut self, section: Section, start: u64, buffer: &mut [u8]) -> Result<()> {
        self.file
            .seek(SeekFrom::Start(start))
            .and_then(|_| self.file.read_exact(buffer))
            .map_err(|error| PtauError::io(section, &error))
    }

    fn span(&self, section: Section) -> Span {
        let at = Section::ALL.iter().position(|s| *s == section);
        at.and_then(|at| self.spans.get(at).copied())
            .unwrap_or(Span {
                start: 0,
                length: 0,
            })
    }

    fn u32_at(&mut self, start: u64) -> Result<u32> {
        let mut bytes = [0; 4];
        self.read_at(Section::Table, start, &mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn read_table(&mut self) -> Result<()> {
        let malformed = |text: String| PtauError::malformed(Section::Table, text);
        if self.length < 12 {
            return Err(malformed(format!("file has {} bytes", self.length)));
        }
        if self.u32_at(0)?.to_le_bytes() != *MAGIC {
            return Err(malformed("does not begin with \"ptau\"".into()));
        }
        let version = self.u32_at(4)?;
        if version != VERSION {
            return Err(malformed(format!("version {version}, expected {VERSION}")));
        }
        let count = self.u32_at(8)? as usize;
        if count != RAW_SECTIONS && count != Section::ALL.len() {
            return Err(malformed(format!(
                "{count} sections, expected {RAW_SECTIONS} or, prepared for phase 2, {}",
                Section::ALL.len()
            )));
        }
        let mut at = 12;
        for expected in &Section::ALL[..count] {
            if at + 12 > self.length {
                return Err(malformed(format!(
                    "file ends before section {}",
                    expected.id()
                )));
            }
            let id = self.u32_at(at)?;
            if id != expected.id() {
                return Err(malformed(format!(
                    "section {id} where {} belongs",
                    expected.id()
                )));
            }
            let length = u64::from(self.u32_at(at + 4)?) | u64::from(self.u32_at(at + 8)?) << 32;
            let start = at + 12;
            at = start
                .checked_add(length)
                .filter(|end| *end <= self.length)
                .ok_or_else(|| malformed(format!("section {id} runs past the end of the file")))?;
            self.spans.push(Span { start, length });
        }
        if at != self.length {
            return Err(malformed(format!(
                "{} bytes after the last section",
                self.length - at
            )));
        }
        Ok(())
    }

    fn read_header(&mut self) -> Result<()> {
        self.expect_length(Section::Header, HEADER_BYTES)?;
        let bytes = self.read_all(Section::Header)?;
        let malformed = |text: String| Err(PtauError::malformed(Section::Header, text));
        let word = |at: usize| u32::from_le_bytes([0, 1, 2, 3].map(|i| bytes[at + i]));
        if word(0) != FIELD_BYTES {
            return malformed(format!(
                "field of {} bytes, expected {FIELD_BYTES}",
                word(0)
            ));
        }
        if bytes[4..36] != Fq::MODULUS.to_bytes_le() {
            return malformed("the field is not BN254's base field".into());
        }
        (self.power, self.ceremony_power) = (word(36), word(40));
        if !(1..=MAX_POWER).contains(&self.power) {
            return malformed(format!("power {}, expected 1 to {MAX_POWER}", self.power));
        }
        if !(self.power..=MAX_CEREMONY_POWER).contains(&self.ceremony_power) {
            return malformed(format!(
                "ceremony's power {}, expected {} to {MAX_CEREMONY_POWER}",
                self.ceremony_power, self.power
            ));
        }
        Ok(())
    }

    fn check_lengths(&self) -> Result<()> {
        let size = 1_u64 << self.power;
        let tables = [
            (Section::TauG1, (2 * size - 1) * G1_BYTES),
            (Section::TauG2, size * G2_BYTES),
            (Section::AlphaTauG1, size * G1_BYTES),
            (Section::BetaTauG1, size * G1_BYTES),
        ];
        let lagrange = [
            (Section::LagrangeTauG1, (4 * size - 1) * G1_BYTES),
            (Section::LagrangeTauG2, (2 * size - 1) * G2_BYTES),
            (Section::LagrangeAlphaTauG1, (2 * size - 1) * G1_BYTES),
            (Section::LagrangeBetaTauG1, (2 * size - 1) * G1_BYTES),
        ];
        // Where every table contradicts the power, it is the power that is wrong.
        if tables
            .iter()
            .all(|(s, length)| self.span(*s).length != *length)
        {
            return Err(PtauError::malformed(
                Section::Header,
                format!("no section has the length for power {}", self.power),
            ));
        }
        for (section, length) in tables {
            self.expect_length(section, length)?;
        }
        self.expect_length(Section::BetaG2, G2_BYTES)?;
        if self.span(Section::Contributions).length > MAX_CONTRIBUTIONS_BYTES {
            return Err(PtauError::malformed(
                Section::Contributions,
                format!("has more than {MAX_CONTRIBUTIONS_BYTES} bytes"),
            ));
        }
        if self.is_prepared() {
            for (section, length) in lagrange {
                self.expect_length(section, length)?;
            }
        }
        Ok(())
    }

    fn expect_length(&self, section: Section, expected: u64) -> Result<()> {
        let got = self.span(section).length;
        if got == expected {
            return Ok(());
        }
        Err(PtauError::new(section, Reason::Length { expected, got }))
    }
}
