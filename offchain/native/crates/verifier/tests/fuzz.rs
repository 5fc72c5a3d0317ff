//! Seeded fuzzing of everything that strangers send: the same changes in every run, more of them on request
//! (`ZKDPS_FUZZ_RUNS`). offchain/native/fuzz does it without an end and guided by coverage.

mod common;

use common::encode::{encode_key, encode_program};
use common::mutate::mutate;
use common::{Case, Random, load};
use zkdps_program::{Program, VerificationKey, decode_program};

const RUNS: usize = 4_000;
/// Where the program begins in a key: behind graph hash, SRS and length.
const PROGRAM: usize = 68;

fn runs() -> usize {
    std::env::var("ZKDPS_FUZZ_RUNS").map_or(RUNS, |runs| {
        runs.parse().expect("ZKDPS_FUZZ_RUNS is a number")
    })
}

fn program_of(case: &Case) -> Program {
    VerificationKey::decode(&case.vk).unwrap().program
}

/// Puts another program into a case's key.
fn with_program(case: &Case, program: &[u8]) -> Vec<u8> {
    let behind = PROGRAM + encode_program(&program_of(case)).len();
    let length = (program.len() as u32).to_be_bytes();
    [&case.vk[..64], &length, program, &case.vk[behind..]].concat()
}

#[test]
fn keys_of_the_vectors_are_encoded_canonically() {
    for case in load("operators") {
        let key = VerificationKey::decode(&case.vk).unwrap();
        assert_eq!(encode_key(&key), case.vk, "{}", case.name);
        assert_eq!(with_program(&case, &encode_program(&key.program)), case.vk);
    }
}

#[test]
fn changed_proofs_are_never_accepted() {
    let (mut random, cases) = (Random(3), load("proofs"));
    let mut ended = 0;
    for run in 0..runs() {
        let case = &cases[run % cases.len()];
        let proof = mutate(&mut random, &case.proof);
        if proof != case.proof {
            assert!(case.verify(&proof).is_err(), "run {run}");
            ended += usize::from(proof.len() == case.proof.len());
        }
    }
    assert!(ended > runs() / 4, "most proofs stop at their length");
}

/// A prefix of an honest proof and then noise: every message in turn is the first wrong one.
#[test]
fn proofs_that_turn_into_noise_are_never_accepted() {
    let (mut random, cases) = (Random(4), load("proofs"));
    for run in 0..runs() {
        let case = &cases[run % cases.len()];
        let kept = random.below(case.proof.len() / 32) * 32;
        let mut proof = case.proof[..kept].to_vec();
        // Words below r, so that they are read as numbers more often than not.
        while proof.len() < case.proof.len() {
            proof.push(random.next() as u8 & if proof.len() % 32 == 0 { 0x1f } else { 0xff });
        }
        assert!(case.verify(&proof).is_err(), "run {run}");
    }
}

#[test]
fn changed_keys_are_refused_or_canonical() {
    let (mut random, cases) = (Random(5), load("proofs"));
    let mut decoded = 0;
    for run in 0..10 * runs() {
        let case = &cases[run % cases.len()];
        let program = mutate(&mut random, &encode_program(&program_of(case)));
        let vk = if run % 2 == 0 {
            with_program(case, &program)
        } else {
            mutate(&mut random, &case.vk)
        };
        let Ok(key) = VerificationKey::decode(&vk) else {
            continue;
        };
        assert_eq!(encode_key(&key), vk, "run {run}");
        if vk != case.vk {
            decoded += 1;
            let other = Case { vk, ..case.clone() };
            assert!(other.verify(&case.proof).is_err(), "run {run}");
        }
    }
    assert!(decoded > 0, "no changed key is a key");
}

#[test]
fn changed_programs_are_decoded_canonically() {
    let (mut random, cases) = (Random(6), load("operators"));
    let programs: Vec<Vec<u8>> = cases
        .iter()
        .map(|case| encode_program(&program_of(case)))
        .collect();
    for run in 0..50 * runs() {
        let changed = mutate(&mut random, &programs[run % programs.len()]);
        if let Ok(program) = decode_program(&changed) {
            assert_eq!(encode_program(&program), changed, "run {run}");
        }
    }
}
