//! The shared vectors of single arguments (tests/vectors), byte for byte.

use serde_json::Value;
use std::collections::BTreeMap;
use zkdps_arguments::ArgumentError;
use zkdps_arguments::hyperkzg::{prove_opening, verify_opening};
use zkdps_arguments::logup::{Fingerprint, Leaves, prove_logup, verify_logup};
use zkdps_arguments::sumcheck::{Product, prove_eq, prove_products, verify_eq, verify_products};
use zkdps_field::msm::msm;
use zkdps_field::point::encode;
use zkdps_field::scalar::from_word;
use zkdps_field::srs::{insecure_powers, insecure_tau_g2};
use zkdps_field::{CurveGroup, Fr};
use zkdps_program::{Block, Column};
use zkdps_transcript::{Receiver, Sender, Tag, Transcript};

fn load(name: &str) -> Value {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../../tests/vectors");
    let text = std::fs::read_to_string(format!("{folder}/{name}.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap().strip_prefix("0x").unwrap()).unwrap()
}

fn scalar(value: &Value) -> Fr {
    from_word(&bytes(value).try_into().unwrap()).unwrap()
}

fn scalars(value: &Value) -> Vec<Fr> {
    value.as_array().unwrap().iter().map(scalar).collect()
}

fn number(value: &Value) -> usize {
    value.as_u64().unwrap() as usize
}

/// Integers embedded in the field; those of the vectors are small.
fn small(value: &Value) -> Vec<i64> {
    let integer = |v: &Fr| (-(1 << 20)..1 << 20).find(|i| Fr::from(*i) == *v).unwrap();
    let mut known = BTreeMap::new();
    scalars(value)
        .iter()
        .map(|v| *known.entry(*v).or_insert_with(|| integer(v)))
        .collect()
}

fn seeded_sender(vector: &Value) -> Sender {
    let mut sender = Sender::default();
    sender
        .transcript
        .absorb(Tag::Statement, &bytes(&vector["seed"]));
    sender
}

fn seeded_receiver<'a>(vector: &Value, proof: &'a [u8]) -> Receiver<'a> {
    let mut receiver = Receiver::new(proof);
    receiver
        .transcript
        .absorb(Tag::Statement, &bytes(&vector["seed"]));
    receiver
}

fn tag(number: u64) -> Tag {
    match number {
        0 => Tag::Statement,
        2 => Tag::Round,
        4 => Tag::Commit,
        20 => Tag::OpenFolds,
        22 => Tag::OpenQuotients,
        other => panic!("tag {other} is in no vector"),
    }
}

#[test]
fn transcript_draws_the_same_challenges() {
    let vector = load("transcript");
    let mut transcript = Transcript::default();
    for step in vector["steps"].as_array().unwrap() {
        let words: Vec<u8> = step["words"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(bytes)
            .collect();
        transcript.absorb(tag(step["tag"].as_u64().unwrap()), &words);
        for challenge in scalars(&step["challenges"]) {
            assert_eq!(transcript.challenge(), challenge);
        }
    }
}

#[test]
fn eq_sum_check_sends_the_same_bytes() {
    let vector = &load("sumcheck")["eq"];
    let (z, lambda) = (scalars(&vector["z"]), scalar(&vector["lambda"]));
    let columns = [0, 1, 2, 3].map(|k| scalars(&vector["columns"][k]));
    let mut sender = seeded_sender(vector);
    let (point, finals) = prove_eq(&mut sender, Tag::Round, &z, lambda, columns);
    let proof = bytes(&vector["proof"]);
    assert_eq!(sender.into_proof(), proof);
    assert_eq!(point, scalars(&vector["point"]));
    assert_eq!(finals.to_vec(), scalars(&vector["finals"]));
    let mut receiver = seeded_receiver(vector, &proof);
    let (verified, end) =
        verify_eq(&mut receiver, Tag::Round, &z, scalar(&vector["claim"])).unwrap();
    let [p0, p1, q0, q1] = finals;
    assert_eq!(
        (verified, end),
        (point, p0 * q1 + p1 * q0 + lambda * q0 * q1)
    );
}

#[test]
fn plain_batch_sends_the_same_bytes() {
    let vector = &load("sumcheck")["plain"];
    let mut products: Vec<Product> = vector["instances"]
        .as_array()
        .unwrap()
        .iter()
        .map(|instance| Product {
            coefficient: scalar(&instance["coefficient"]),
            claim: scalar(&instance["claim"]),
            a: scalars(&instance["a"]),
            b: scalars(&instance["b"]),
        })
        .collect();
    let rounds = number(&vector["rounds"]);
    let mut sender = seeded_sender(vector);
    let point = prove_products(&mut sender, Tag::Round, &mut products, rounds);
    let proof = bytes(&vector["proof"]);
    assert_eq!(sender.into_proof(), proof);
    assert_eq!(point, scalars(&vector["point"]));
    for (product, finals) in products.iter().zip(vector["finals"].as_array().unwrap()) {
        assert_eq!(vec![product.a[0], product.b[0]], scalars(finals));
    }
    let mut receiver = seeded_receiver(vector, &proof);
    let (_, end) =
        verify_products(&mut receiver, Tag::Round, scalar(&vector["claim"]), rounds).unwrap();
    assert_eq!(
        end,
        products
            .iter()
            .map(|p| p.coefficient * p.a[0] * p.b[0])
            .sum()
    );
}

fn blocks(vector: &Value) -> Vec<Block> {
    let column = |column: &Value| Column {
        tensor: number(&column["tensor"]),
        addend: column["addend"].as_i64().unwrap() as i32,
    };
    vector["blocks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|block| Block {
            is_table: block["table"].as_bool().unwrap(),
            n: number(&block["n"]),
            table_id: number(&block["tableId"]) as u8,
            columns: block["columns"]
                .as_array()
                .unwrap()
                .iter()
                .map(column)
                .collect(),
        })
        .collect()
}

#[test]
fn logup_sends_the_same_bytes_and_is_sound() {
    for vector in load("logup").as_array().unwrap() {
        let blocks = blocks(vector);
        let count = vector["tensors"].as_object().unwrap().len();
        let tensors: Vec<Vec<i64>> = (0..count)
            .map(|k| small(&vector["tensors"][k.to_string()]))
            .collect();
        let slices: Vec<&[i64]> = tensors.iter().map(Vec::as_slice).collect();
        let leaves = Leaves {
            lambda: number(&vector["lambda"]),
            blocks: &blocks,
        };
        let mut sender = seeded_sender(vector);
        let fingerprint = Fingerprint {
            beta: sender.challenge(),
            alpha: sender.challenge(),
        };
        assert_eq!(fingerprint.beta, scalar(&vector["beta"]));
        let claims = prove_logup(&mut sender, leaves, &slices, |_| false, fingerprint);
        let proof = bytes(&vector["proof"]);
        assert_eq!(sender.into_proof(), proof);
        assert_eq!(claims.zeta, scalars(&vector["zeta"]));
        let verify = |proof: &[u8]| {
            let mut receiver = seeded_receiver(vector, proof);
            let fingerprint = Fingerprint {
                beta: receiver.challenge(),
                alpha: receiver.challenge(),
            };
            let claims = verify_logup(
                &mut receiver,
                leaves,
                |_| false,
                |_, _| Fr::from(0),
                fingerprint,
            )?;
            receiver.finish()?;
            Ok::<_, ArgumentError>(claims)
        };
        let verified = verify(&proof).unwrap();
        assert_eq!(
            (verified.zeta, verified.values),
            (claims.zeta, claims.values)
        );
        for at in (0..proof.len()).step_by(13) {
            let mut tampered = proof.clone();
            tampered[at] ^= 1;
            assert!(verify(&tampered).is_err(), "byte {at} may be changed");
        }
    }
}

#[test]
fn logup_refuses_a_value_outside_its_table() {
    let vector = &load("logup")[1];
    let blocks = blocks(vector);
    let mut tensors: Vec<Vec<i64>> = (0..8)
        .map(|k| small(&vector["tensors"][k.to_string()]))
        .collect();
    tensors[3][0] += 16;
    let slices: Vec<&[i64]> = tensors.iter().map(Vec::as_slice).collect();
    let leaves = Leaves {
        lambda: 9,
        blocks: &blocks,
    };
    let mut sender = seeded_sender(vector);
    let fingerprint = Fingerprint {
        beta: sender.challenge(),
        alpha: sender.challenge(),
    };
    prove_logup(&mut sender, leaves, &slices, |_| false, fingerprint);
    let proof = sender.into_proof();
    assert_eq!(proof.len(), bytes(&vector["proof"]).len());
    let mut receiver = seeded_receiver(vector, &proof);
    let fingerprint = Fingerprint {
        beta: receiver.challenge(),
        alpha: receiver.challenge(),
    };
    let refused = verify_logup(
        &mut receiver,
        leaves,
        |_| false,
        |_, _| Fr::from(0),
        fingerprint,
    );
    assert!(matches!(refused, Err(ArgumentError::Root { .. })));
}

#[test]
fn openings_send_the_same_bytes() {
    for vector in load("hyperkzg").as_array().unwrap() {
        let (polynomial, point) = (scalars(&vector["polynomial"]), scalars(&vector["point"]));
        let srs = insecure_powers(point.len() as u32);
        let commitment = msm(&srs, &polynomial).into_affine();
        assert_eq!(encode(&commitment).to_vec(), bytes(&vector["commitment"]));
        let mut sender = seeded_sender(vector);
        prove_opening(&mut sender, &srs, polynomial, &point).unwrap();
        let proof = bytes(&vector["proof"]);
        assert_eq!(sender.into_proof(), proof);
        let mut receiver = seeded_receiver(vector, &proof);
        let value = scalar(&vector["value"]);
        assert_eq!(
            verify_opening(&mut receiver, commitment, &point, value, insecure_tau_g2()),
            Ok(())
        );
        assert_eq!(receiver.finish(), Ok(()));
    }
}
