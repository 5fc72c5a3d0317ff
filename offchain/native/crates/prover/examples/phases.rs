//! Times the phases of a proof: `cargo run --release --example phases -- FOLDER [RUNS]`.
//!
//! FOLDER holds `vk.bin` and every tensor as `<id>.i8`, `.i16`, `.i32` or `.i64` (little-endian), late ones left out.
use std::error::Error;
use std::fs;
use std::path::Path;
use zkdps_field::srs::insecure_powers;
use zkdps_program::VerificationKey;
use zkdps_prover::{Cells, prove_timed};
use zkdps_transcript::encode_points;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("FOLDER is missing")?;
    let runs: usize = arguments.next().map_or(Ok(5), |runs| runs.parse())?;
    let vk = fs::read(Path::new(&folder).join("vk.bin"))?;
    let program = VerificationKey::decode(&vk)?.program;
    let tensors: Vec<Option<Typed>> = (0..program.tensors.len())
        .map(|id| Typed::read(Path::new(&folder), id))
        .collect();
    let cells: Vec<Option<Cells>> = tensors
        .iter()
        .map(|tensor| tensor.as_ref().map(Typed::cells))
        .collect();
    let srs = encode_points(&insecure_powers(program.c as u32));
    let mut best: Vec<(&str, f64)> = Vec::new();
    let mut least = f64::MAX;
    for _ in 0..runs {
        let (proof, timings) = prove_timed(&vk, &srs, &[0; 32], &cells)?;
        assert!(!proof.is_empty());
        let total: f64 = timings.iter().map(|(_, seconds)| seconds).sum();
        if total < least {
            (least, best) = (total, timings);
        }
    }
    for (name, seconds) in best.iter().chain(&[("total", least)]) {
        println!("{name:12} {:10.3} ms", 1e3 * seconds);
    }
    Ok(())
}

/// A tensor in the type of its file.
enum Typed {
    I8(Vec<i8>),
    I16(Vec<i16>),
    I32(Vec<i32>),
    I64(Vec<i64>),
}

impl Typed {
    fn read(folder: &Path, id: usize) -> Option<Self> {
        let bytes = |kind: &str| fs::read(folder.join(format!("{id}.{kind}"))).ok();
        macro_rules! integers {
            ($type:ty, $bytes:expr) => {
                $bytes
                    .as_chunks()
                    .0
                    .iter()
                    .map(|word| <$type>::from_le_bytes(*word))
                    .collect()
            };
        }
        bytes("i8")
            .map(|raw| Self::I8(integers!(i8, raw)))
            .or_else(|| bytes("i16").map(|raw| Self::I16(integers!(i16, raw))))
            .or_else(|| bytes("i32").map(|raw| Self::I32(integers!(i32, raw))))
            .or_else(|| bytes("i64").map(|raw| Self::I64(integers!(i64, raw))))
    }

    fn cells(&self) -> Cells<'_> {
        match self {
            Self::I8(cells) => Cells::I8(cells),
            Self::I16(cells) => Cells::I16(cells),
            Self::I32(cells) => Cells::I32(cells),
            Self::I64(cells) => Cells::I64(cells),
        }
    }
}
