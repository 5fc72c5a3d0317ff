//! The project's own file of powers: "zkdpssrs" | u32 1 | u32 n | \[tau\]_2 (128) | source (64) | 2^n points (64 each) |
//! BLAKE2b-512 of all that. Integers big-endian, points as on chain; source is the BLAKE2b-512 of the .ptau file,
//! zero where there was none.

use crate::blake2b::{Blake2b, Digest};
use crate::error::{PtauError, Result, Section};
use ark_bn254::{G1Affine, G2Affine};
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use zkdps_field::point::{encode, encode_g2};

const MAGIC: &[u8; 8] = b"zkdpssrs";
const VERSION: u32 = 1;

/// A file that appears under its name only when it is whole.
#[derive(Debug)]
pub struct SrsWriter {
    path: PathBuf,
    draft: PathBuf,
    file: Option<BufWriter<File>>,
    hash: Blake2b,
    missing: u64,
}

impl SrsWriter {
    /// Begins a file of 2^`log_size` powers.
    ///
    /// # Errors
    /// The operating system's.
    pub fn create(path: &Path, log_size: u32, tau_g2: &G2Affine, source: &Digest) -> Result<Self> {
        let draft = path.with_added_extension(format!("{}.tmp", std::process::id()));
        let file =
            File::create_new(&draft).map_err(|error| PtauError::io(Section::File, &error))?;
        let mut writer = Self {
            path: path.to_owned(),
            draft,
            file: Some(BufWriter::new(file)),
            hash: Blake2b::default(),
            missing: 1 << log_size,
        };
        writer.write(MAGIC)?;
        writer.write(&VERSION.to_be_bytes())?;
        writer.write(&log_size.to_be_bytes())?;
        writer.write(&encode_g2(tau_g2))?;
        writer.write(source)?;
        Ok(writer)
    }

    /// Writes the next powers and ignores those beyond the size.
    ///
    /// # Errors
    /// The operating system's.
    pub fn push(&mut self, points: &[G1Affine]) -> Result<()> {
        let taken = self.missing.min(points.len() as u64);
        self.missing -= taken;
        for point in &points[..taken as usize] {
            self.write(&encode(point))?;
        }
        Ok(())
    }

    /// Writes the checksum and gives the file its name.
    ///
    /// # Errors
    /// The operating system's, or powers are missing.
    pub fn finish(mut self) -> Result<()> {
        if self.missing > 0 {
            return Err(PtauError::malformed(
                Section::File,
                format!("{} powers are missing", self.missing),
            ));
        }
        let digest = std::mem::take(&mut self.hash).finish();
        self.write(&digest)?;
        let io = |error: std::io::Error| PtauError::io(Section::File, &error);
        if let Some(file) = self.file.take() {
            let file = file.into_inner().map_err(|error| io(error.into_error()))?;
            file.sync_all().map_err(io)?;
        }
        fs::rename(&self.draft, &self.path).map_err(io)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.hash.update(bytes);
        match &mut self.file {
            Some(file) => file
                .write_all(bytes)
                .map_err(|error| PtauError::io(Section::File, &error)),
            None => Ok(()),
        }
    }
}

impl Drop for SrsWriter {
    fn drop(&mut self) {
        // Nothing is there to remove once the file has its name.
        let _ = fs::remove_file(&self.draft);
    }
}
