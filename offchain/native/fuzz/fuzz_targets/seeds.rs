//! Writes the targets' first inputs, the shared vectors, into corpus/proof and corpus/key.

#[path = "../../crates/verifier/tests/common/mod.rs"]
mod common;

use common::load;
use std::fs;
use std::io::Result;

fn main() -> Result<()> {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/corpus");
    for (choice, case) in load("proofs").iter().enumerate() {
        for (target, bytes) in [("proof", &case.proof), ("key", &case.vk)] {
            fs::create_dir_all(format!("{corpus}/{target}"))?;
            let input = [&[choice as u8], bytes.as_slice()].concat();
            fs::write(format!("{corpus}/{target}/{}", case.name), input)?;
        }
    }
    Ok(())
}
