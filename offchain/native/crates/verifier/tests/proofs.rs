//! Whole proofs: the shared vectors byte for byte, forgeries, and arbitrary bytes.

mod common;

use common::{Random, case, load, read};
use zkdps_prover::ProveError;
use zkdps_verifier::VerifyError;

/// What the verifier on chain says of statements that are not the job's.
const STATEMENT_ERRORS: [&str; 8] = [
    "UnsupportedFormat(uint256)",
    "UnsupportedMode(uint256)",
    "UnsupportedShard(uint256)",
    "WrongProgram(bytes32,bytes32)",
    "WrongSrs(bytes32,bytes32)",
    "WrongOpRange(uint256,uint256)",
    "WrongInputDigest(bytes32,bytes32)",
    "WrongOutputDigest(bytes32,bytes32)",
];

#[test]
fn proofs_are_byte_identical_and_verify() {
    for case in load("proofs") {
        assert!(
            case.prove(&case.tensors) == Ok(case.proof.clone()),
            "{}",
            case.name
        );
        assert_eq!(case.verify(&case.proof), Ok(()), "{}", case.name);
    }
}

#[test]
fn proofs_of_every_operator_verify() {
    let cases = load("operators");
    assert!(cases.len() >= 25);
    for case in cases {
        assert_eq!(case.verify(&case.proof), Ok(()), "{}", case.name);
        let mut changed = case.proof.clone();
        let last = changed.len() - 1;
        changed[last] ^= 1;
        assert!(case.verify(&changed).is_err(), "{}", case.name);
    }
}

#[test]
fn forgeries_are_refused() {
    let index = read("forgeries/index");
    let forgeries = index.as_array().unwrap();
    assert!(forgeries.len() >= 50);
    for entry in forgeries {
        let (name, error) = (entry["name"].as_str().unwrap(), &entry["error"]);
        // Comparing the statement's fields with the job's and with the digests is the caller's part.
        if !STATEMENT_ERRORS.contains(&error.as_str().unwrap()) {
            let case = case(&read(&format!("forgeries/{name}")));
            assert!(case.verify(&case.proof).is_err(), "{name}");
        }
    }
}

#[test]
fn false_witnesses_give_complete_proofs_that_are_refused() {
    for case in load("proofs") {
        for id in 0..case.tensors.len() {
            let mut tensors = case.tensors.clone();
            let Some(cells) = &mut tensors[id] else {
                continue;
            };
            cells[0] += 1;
            let proof = case.prove(&tensors).unwrap();
            assert_eq!(proof.len(), case.proof.len());
            let refused = case.verify(&proof);
            assert!(
                matches!(refused, Err(VerifyError::Argument(_))),
                "{} tensor {id}: {refused:?}",
                case.name
            );
        }
    }
}

#[test]
fn wrong_shapes_are_refused_with_the_tensor() {
    let case = &load("proofs")[0];
    let mut tensors = case.tensors.clone();
    let cells = tensors[3].as_mut().unwrap();
    let expected = cells.len();
    cells.push(0);
    assert_eq!(
        case.prove(&tensors),
        Err(ProveError::TensorSize {
            id: 3,
            expected,
            got: expected + 1
        })
    );
    let missing = case.tensors.len() - 1;
    assert_eq!(
        case.prove(&case.tensors[..missing].to_vec()),
        Err(ProveError::MissingTensor { id: missing })
    );
    let more = [case.tensors.clone(), vec![None]].concat();
    let count = case.tensors.len();
    assert_eq!(
        case.prove(&more),
        Err(ProveError::UnknownTensor { id: count, count })
    );
}

#[test]
fn every_argument_is_bound() {
    let mut case = load("proofs").swap_remove(0);
    let proof = case.proof.clone();
    case.statement_hash[0] ^= 1;
    assert!(case.verify(&proof).is_err());
    case.statement_hash[0] ^= 1;
    case.output[0] ^= 1;
    assert!(case.verify(&proof).is_err());
    case.output[0] ^= 1;
    case.input[0] ^= 1;
    assert!(case.verify(&proof).is_err());
    case.input[0] ^= 1;
    case.tau_g2[127] ^= 1;
    assert_eq!(case.verify(&proof), Err(VerifyError::OtherSrs));
    case.tau_g2[127] ^= 1;
    case.vk[0] ^= 1;
    assert!(case.verify(&proof).is_err());
    case.vk[0] ^= 1;
    case.input.pop();
    assert!(matches!(
        case.verify(&proof),
        Err(VerifyError::PublicLength { .. })
    ));
}

#[test]
fn inputs_outside_their_range_are_refused() {
    let mut case = load("operators")
        .into_iter()
        .find(|case| case.name == "odd")
        .unwrap();
    case.input[2] = 91;
    let refused = case.verify(&case.proof);
    assert_eq!(
        refused,
        Err(VerifyError::PublicRange {
            index: 2,
            got: 91,
            lo: -20,
            hi: 90
        })
    );
}

#[test]
fn tampered_proofs_are_refused() {
    let (mut random, case) = (Random(1), &load("proofs")[0]);
    for _ in 0..400 {
        let mut proof = case.proof.clone();
        let at = random.below(proof.len());
        proof[at] ^= 1 << random.below(8);
        assert!(case.verify(&proof).is_err(), "byte {at} may be changed");
    }
    for length in (0..case.proof.len()).step_by(31) {
        assert!(case.verify(&case.proof[..length]).is_err());
    }
    let swapped: Vec<u8> = case.proof[64..128]
        .iter()
        .chain(&case.proof[..64])
        .chain(&case.proof[128..])
        .copied()
        .collect();
    assert!(case.verify(&swapped).is_err());
}

#[test]
fn arbitrary_bytes_never_panic() {
    let (mut random, cases) = (Random(2), load("proofs"));
    for round in 0..600 {
        let mut case = cases[round % cases.len()].clone();
        // The key's program is the most intricate input; keep its SRS so that decoding goes on.
        for _ in 0..=random.below(3) {
            let at = 64 + random.below(case.vk.len() - 64);
            case.vk[at] = random.next() as u8;
        }
        let _ = case.verify(&case.proof);
        let _ = case.prove(&case.tensors);
        let noise: Vec<u8> = (0..random.below(3_000))
            .map(|_| random.next() as u8)
            .collect();
        assert!(case.verify(&noise).is_err());
        case.vk = noise;
        assert!(case.verify(&case.proof).is_err());
    }
}
