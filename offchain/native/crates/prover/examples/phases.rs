//! Times the phases of a proof: `cargo run --release --example phases -- FOLDER [RUNS]`.
//!
//! FOLDER holds `vk.bin` and every tensor as `<id>.i64` (little-endian).
use std::error::Error;
use std::fs;
use std::path::Path;
use std::time::Instant;
use zkdps_field::srs::insecure_powers;
use zkdps_program::VerificationKey;
use zkdps_prover::Committed;

const PHASES: [&str; 5] = ["commit", "lookups", "contraction", "reduction", "opening"];

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("FOLDER is missing")?;
    let runs = arguments.next().map_or(Ok(20), |runs| runs.parse())?;
    let key = VerificationKey::decode(&fs::read(Path::new(&folder).join("vk.bin"))?)?;
    let tensors = read_tensors(Path::new(&folder), key.program.tensors.len())?;
    let slices: Vec<&[i64]> = tensors.iter().map(Vec::as_slice).collect();
    let srs = insecure_powers(key.program.c as u32);
    let mut seconds = vec![Vec::new(); PHASES.len() + 1];
    for _ in 0..runs {
        let mut marks = vec![Instant::now()];
        let committed = Committed::start(&key, &srs, &[0; 32], &slices)?;
        marks.push(Instant::now());
        let looked_up = committed.look_up();
        marks.push(Instant::now());
        let contracted = looked_up.contract();
        marks.push(Instant::now());
        let reduced = contracted.reduce();
        marks.push(Instant::now());
        let proof = reduced.open()?;
        marks.push(Instant::now());
        for (k, pair) in marks.windows(2).enumerate() {
            seconds[k].push((pair[1] - pair[0]).as_secs_f64());
        }
        seconds[PHASES.len()].push((marks[PHASES.len()] - marks[0]).as_secs_f64());
        assert!(!proof.is_empty());
    }
    for (name, column) in PHASES.iter().chain(&["total"]).zip(&mut seconds) {
        column.sort_by(f64::total_cmp);
        println!(
            "{name:12} median {:8.3} ms, least {:8.3} ms",
            1e3 * column[runs / 2],
            1e3 * column[0]
        );
    }
    Ok(())
}

fn read_tensors(folder: &Path, count: usize) -> Result<Vec<Vec<i64>>, Box<dyn Error>> {
    (0..count)
        .map(|id| {
            let bytes = fs::read(folder.join(format!("{id}.i64")))?;
            let (words, _) = bytes.as_chunks::<8>();
            Ok(words.iter().map(|word| i64::from_le_bytes(*word)).collect())
        })
        .collect()
}
