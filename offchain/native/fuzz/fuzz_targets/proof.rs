//! Any proof for the shared vectors' keys: the first byte chooses the model, the rest is the proof.
//! Never a panic, and accepted only if it is the honest proof.
#![no_main]

#[path = "../../crates/verifier/tests/common/mod.rs"]
mod common;

use common::{Case, load};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static CASES: LazyLock<Vec<Case>> = LazyLock::new(|| load("proofs"));

fuzz_target!(|data: &[u8]| {
    let Some((choice, proof)) = data.split_first() else {
        return;
    };
    let case = &CASES[usize::from(*choice) % CASES.len()];
    assert_eq!(case.verify(proof).is_ok(), proof == case.proof);
});
