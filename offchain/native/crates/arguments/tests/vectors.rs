//! The shared vectors of single arguments (tests/vectors), byte for byte.

use serde_json::Value;
use std::collections::BTreeMap;
use zkdps_arguments::ArgumentError;
use zkdps_arguments::binding::Cells;
use zkdps_arguments::challenges::Challenges;
use zkdps_arguments::hyperkzg::{prove_opening, verify_opening};
use zkdps_arguments::logup::{Fingerprint, prove_gkr, verify_gkr};
use zkdps_arguments::proving::Proving;
use zkdps_arguments::slots::{Checked, PublicTensors};
use zkdps_arguments::sumcheck::{
    Column, Sum, prove_layer, prove_plain_batch, verify_eq, verify_plain,
};
use zkdps_field::msm::msm;
use zkdps_field::point::encode;
use zkdps_field::scalar::from_word;
use zkdps_field::srs::{insecure_powers, insecure_tau_g2};
use zkdps_field::{CurveGroup, Fr};
use zkdps_program::{
    Atom, Block, Coefficient, Factor, FactorKind, Form, Function, Lookup, Opening, Phase, Program,
    PublicTensor, Segment, Slot, SlotCounts, SlotKind, Source, Tensor, TensorKind,
};
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
    let (point, finals) = prove_layer(&mut sender, Tag::Round, &z, lambda, columns);
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
    let instances = vector["instances"].as_array().unwrap();
    let (mut columns, mut sums) = (Vec::new(), Vec::new());
    for instance in instances {
        let factors = [&instance["a"], &instance["b"]].map(scalars);
        let mask = factors[0].len() as u64 - 1;
        sums.push(Sum {
            variables: mask.count_ones() as usize,
            claim: scalar(&instance["claim"]),
            monomials: vec![(
                scalar(&instance["coefficient"]),
                vec![columns.len(), columns.len() + 1],
            )],
        });
        columns.extend(factors.map(|cells| Column { mask, cells }));
    }
    let rounds = number(&vector["rounds"]);
    let mut sender = seeded_sender(vector);
    let point = prove_plain_batch(&mut sender, Tag::Round, &sums, &mut columns, rounds, 2);
    let proof = bytes(&vector["proof"]);
    assert_eq!(sender.into_proof(), proof);
    assert_eq!(point, scalars(&vector["point"]));
    for (pair, finals) in columns.chunks(2).zip(vector["finals"].as_array().unwrap()) {
        let values: Vec<Fr> = pair.iter().map(Column::value).collect();
        assert_eq!(values, scalars(finals));
    }
    let mut receiver = seeded_receiver(vector, &proof);
    let (_, end) = verify_plain(
        &mut receiver,
        Tag::Round,
        scalar(&vector["claim"]),
        rounds,
        2,
    )
    .unwrap();
    let expected = sums
        .iter()
        .zip(columns.chunks(2))
        .map(|(sum, pair)| sum.monomials[0].0 * pair[0].value() * pair[1].value())
        .sum();
    assert_eq!(end, expected);
}

/// A program that holds nothing but leaf blocks, and its tensors.
fn leaf_program(vector: &Value) -> (Program, Vec<Vec<i64>>) {
    let count = vector["tensors"].as_object().unwrap().len();
    let tensors: Vec<Vec<i64>> = (0..count)
        .map(|k| small(&vector["tensors"][k.to_string()]))
        .collect();
    // One slot for each tensor, in the order in which the values were sent.
    let sent: Vec<usize> = vector["sent"]
        .as_array()
        .unwrap()
        .iter()
        .map(number)
        .collect();
    let size = |tensor: usize| tensors[tensor].len().ilog2() as usize;
    let suffix = |length: usize| {
        (length > 0).then_some(Segment {
            source: Source::Zeta,
            end: 0,
            length,
            flip: false,
        })
    };
    let slots = sent.iter().map(|tensor| Slot {
        kind: SlotKind::Tensor,
        tensor: Some(*tensor),
        point: suffix(size(*tensor)).into_iter().collect(),
    });
    let nothing = PublicTensor {
        tensor: 0,
        form: Form::Committed,
        bytes_per_element: 1,
        shape: vec![],
        lo: 0,
        hi: 0,
    };
    let identity = |length| Function {
        factors: vec![Factor {
            kind: FactorKind::Id,
            value: 0,
            end: 0,
            length,
            end2: 0,
            length2: 0,
        }],
    };
    let program = Program {
        c: 4,
        lookup: Lookup::Gkr,
        opening: Opening::HyperKzg,
        fixed_chunks: 0,
        proof_chunks: 0,
        late_chunks: 0,
        op_count: 0,
        tensors: (0..count)
            .map(|k| Tensor {
                kind: TensorKind::Proof,
                n: size(k),
                chunk: 0,
                addr: 0,
            })
            .collect(),
        inputs: vec![],
        output: nothing,
        functions: (0..8).map(identity).collect(),
        counts: SlotCounts([sent.len(), 0, 0, 0, 0]),
        slots: slots.collect(),
        lambda: number(&vector["lambda"]),
        blocks: vector["blocks"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| block(entry, &sent))
            .collect(),
        relations: vec![],
        product_rounds: 0,
        terms: vec![],
        contraction_rounds: 0,
        degree: 2,
        instances: vec![],
        link_rounds: 0,
        links: vec![],
        virtual_slots: BTreeMap::new(),
    };
    (program, tensors)
}

/// A lookup's columns are tensors plus addends; a table has multiplicities, its index as key, and maybe a value.
fn block(vector: &Value, sent: &[usize]) -> Block {
    let atom = |a, slot, function| Atom {
        coefficient: Coefficient { a, b: 0 },
        slot,
        function,
    };
    let n = number(&vector["n"]);
    let slot = |column: &Value| {
        let tensor = number(&column["tensor"]);
        sent.iter().position(|sent| *sent == tensor)
    };
    let columns = vector["columns"].as_array().unwrap();
    let (numerator, columns) = if vector["table"].as_bool().unwrap() {
        let key = vec![atom(1, None, Some(n))];
        let values = columns[1..].iter().map(|c| vec![atom(1, slot(c), None)]);
        (
            vec![atom(-1, slot(&columns[0]), None)],
            std::iter::once(key).chain(values).collect(),
        )
    } else {
        let column = |column: &Value| {
            let addend = column["addend"].as_i64().unwrap() as i32;
            vec![atom(1, slot(column), None), atom(addend, None, None)]
        };
        (
            vec![atom(1, None, None)],
            columns.iter().map(column).collect(),
        )
    };
    Block {
        n,
        table_id: number(&vector["tableId"]) as u16,
        numerator,
        columns,
    }
}

struct NoPublicTensors;

impl PublicTensors for NoPublicTensors {
    fn evaluate(&self, _: usize, _: &[Fr]) -> Fr {
        Fr::from(0)
    }

    fn one_hot(&self, _: usize, _: &[Fr]) -> Fr {
        Fr::from(0)
    }
}

/// Returns the proof of the lookups and ζ.
fn prove_lookups(vector: &Value, program: &Program, tensors: &[Vec<i64>]) -> (Vec<u8>, Vec<Fr>) {
    let cells: Vec<Cells> = tensors.iter().map(|t| Cells::I64(t)).collect();
    let mut proving = Proving {
        program,
        tensors: &cells,
        challenges: Challenges::default(),
        slots: vec![],
    };
    let mut sender = seeded_sender(vector);
    let fingerprint = Fingerprint {
        beta: sender.challenge(),
        alpha: sender.challenge(),
    };
    assert_eq!(fingerprint.beta, scalar(&vector["beta"]));
    let zeta = prove_gkr(&mut sender, &proving, fingerprint);
    proving.challenges.set(Source::Zeta, zeta.clone());
    proving.send_evaluated(&mut sender, Phase::Leaf);
    (sender.into_proof(), zeta)
}

/// Returns ζ and the slots.
fn verify_lookups(
    vector: &Value,
    program: &Program,
    proof: &[u8],
) -> Result<(Vec<Fr>, Vec<Fr>), ArgumentError> {
    let mut checked = Checked {
        program,
        public: &NoPublicTensors,
        challenges: Challenges::default(),
        slots: vec![],
    };
    let mut receiver = seeded_receiver(vector, proof);
    let fingerprint = Fingerprint {
        beta: receiver.challenge(),
        alpha: receiver.challenge(),
    };
    verify_gkr(&mut receiver, &mut checked, fingerprint)?;
    receiver.finish()?;
    Ok((
        checked.challenges.vector(Source::Zeta).to_vec(),
        checked.slots,
    ))
}

#[test]
fn logup_sends_the_same_bytes_and_is_sound() {
    for vector in load("logup").as_array().unwrap() {
        let (program, tensors) = leaf_program(vector);
        let proof = bytes(&vector["proof"]);
        let zeta = scalars(&vector["zeta"]);
        assert_eq!(
            prove_lookups(vector, &program, &tensors),
            (proof.clone(), zeta.clone())
        );
        let verified = verify_lookups(vector, &program, &proof).unwrap();
        assert_eq!(verified, (zeta, scalars(&vector["values"])));
        for at in (0..proof.len()).step_by(13) {
            let mut tampered = proof.clone();
            tampered[at] ^= 1;
            let refused = verify_lookups(vector, &program, &tampered);
            assert!(refused.is_err(), "byte {at} may be changed");
        }
    }
}

#[test]
fn logup_refuses_a_value_outside_its_table() {
    let vector = &load("logup")[1];
    let (program, mut tensors) = leaf_program(vector);
    tensors[3][0] += 16;
    let (proof, _) = prove_lookups(vector, &program, &tensors);
    assert_eq!(proof.len(), bytes(&vector["proof"]).len());
    let refused = verify_lookups(vector, &program, &proof);
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
