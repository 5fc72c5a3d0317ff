//! The smallest program, written by hand (tests/vectors/tiny.json), for both lookups and both openings.

mod common;

use common::{Case, hex_bytes, integers, read, srs_id};
use zkdps_field::point::encode_g2;
use zkdps_field::srs::insecure_tau_g2;
use zkdps_verifier::VerifyError;

fn load() -> Vec<Case> {
    let rows = read("tiny");
    let case = |row: &serde_json::Value| Case {
        name: format!("tiny {} {}", row["lookup"], row["opening"]),
        vk: hex_bytes(&row["key"]),
        tau_g2: encode_g2(&insecure_tau_g2()),
        statement_hash: hex_bytes(&row["statement_hash"]).try_into().unwrap(),
        input: hex_bytes(&row["input"]),
        output: hex_bytes(&row["output"]),
        tensors: row["tensors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|tensor| Some(integers(tensor)))
            .collect(),
        proof: hex_bytes(&row["proof"]),
    };
    rows.as_array().unwrap().iter().map(case).collect()
}

#[test]
fn proofs_are_byte_identical() {
    for case in load() {
        assert_eq!(
            case.prove(&case.tensors),
            Ok(case.proof.clone()),
            "{}",
            case.name
        );
    }
}

#[test]
fn proofs_verify_under_the_key_of_their_powers_alone() {
    for mut case in load() {
        assert_eq!(case.verify(&case.proof), Err(VerifyError::OtherSrs));
        case.vk[32..64].copy_from_slice(&srs_id(&case.tau_g2));
        let proof = case.prove(&case.tensors).unwrap();
        assert_eq!(case.verify(&proof), Ok(()), "{}", case.name);
        for at in (0..proof.len()).step_by(5) {
            let mut changed = proof.clone();
            changed[at] ^= 1;
            assert!(case.verify(&changed).is_err(), "{} byte {at}", case.name);
        }
        for id in 0..case.tensors.len() {
            let mut tensors = case.tensors.clone();
            if let Some(cells) = &mut tensors[id] {
                cells[0] += 1;
                let proof = case.prove(&tensors).unwrap();
                let refused = case.verify(&proof);
                assert!(
                    matches!(refused, Err(VerifyError::Argument(_))),
                    "{id}: {refused:?}"
                );
            }
        }
    }
}
