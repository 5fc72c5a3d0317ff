//! Any key: never a panic, one encoding, and another key's honest proof is refused under it.
#![no_main]

#[path = "../../crates/verifier/tests/common/mod.rs"]
mod common;

use common::encode::encode_key;
use common::{Case, load};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;
use zkdps_program::VerificationKey;

static CASES: LazyLock<Vec<Case>> = LazyLock::new(|| load("proofs"));

fuzz_target!(|data: &[u8]| {
    let Some((choice, vk)) = data.split_first() else {
        return;
    };
    let case = &CASES[usize::from(*choice) % CASES.len()];
    if let Ok(key) = VerificationKey::decode(vk) {
        assert_eq!(encode_key(&key), vk);
        let other = Case {
            vk: vk.to_vec(),
            ..case.clone()
        };
        assert_eq!(other.verify(&case.proof).is_ok(), vk == case.vk);
    }
});
