//! The shared vectors as test cases, and a small generator.
#![allow(dead_code)] // every test crate uses its own part

pub mod encode;
pub mod mutate;

use serde_json::Value;
use std::path::Path;
use std::sync::LazyLock;
use zkdps_field::srs::insecure_powers;
use zkdps_prover::{ProveError, prove};
use zkdps_transcript::encode_points;
use zkdps_verifier::{VerifyError, verify};

#[derive(Clone)]
pub struct Case {
    pub name: String,
    pub vk: Vec<u8>,
    pub tau_g2: [u8; 128],
    pub statement_hash: [u8; 32],
    pub input: Vec<u8>,
    pub output: Vec<u8>,
    pub tensors: Vec<Vec<i64>>,
    pub proof: Vec<u8>,
}

impl Case {
    pub fn verify(&self, proof: &[u8]) -> Result<(), VerifyError> {
        verify(
            &self.vk,
            &self.tau_g2,
            &self.statement_hash,
            &self.input,
            &self.output,
            proof,
        )
    }

    pub fn prove(&self, tensors: &[Vec<i64>]) -> Result<Vec<u8>, ProveError> {
        let slices: Vec<&[i64]> = tensors.iter().map(Vec::as_slice).collect();
        prove(&self.vk, srs(), &self.statement_hash, &slices)
    }
}

/// Powers for every key of the vectors.
fn srs() -> &'static [u8] {
    static SRS: LazyLock<Vec<u8>> = LazyLock::new(|| encode_points(&insecure_powers(11)));
    &SRS
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap().strip_prefix("0x").unwrap()).unwrap()
}

pub fn read(name: &str) -> Value {
    let file = format!("tests/vectors/{name}.json");
    // The fuzz targets, whose crate lies elsewhere, read the same files.
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .find(|folder| folder.join(&file).is_file())
        .unwrap();
    let text = std::fs::read_to_string(root.join(file)).unwrap();
    serde_json::from_str(&text).unwrap()
}

pub fn case(vector: &Value) -> Case {
    let integers = |v: &Value| {
        v.as_array()
            .unwrap()
            .iter()
            .map(|i| i.as_i64().unwrap())
            .collect()
    };
    Case {
        name: vector["name"].as_str().unwrap().to_owned(),
        vk: bytes(&vector["vk"]),
        tau_g2: bytes(&vector["tauG2"]).try_into().unwrap(),
        statement_hash: bytes(&vector["statementHash"]).try_into().unwrap(),
        input: bytes(&vector["input"]),
        output: bytes(&vector["output"]),
        tensors: vector.get("tensors").map_or_else(Vec::new, |tensors| {
            (0..tensors.as_object().unwrap().len())
                .map(|id| integers(&tensors[id.to_string()]))
                .collect()
        }),
        proof: bytes(&vector["proof"]),
    }
}

pub fn load(name: &str) -> Vec<Case> {
    read(name).as_array().unwrap().iter().map(case).collect()
}

/// A small generator; tests must not depend on the clock.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    pub fn below(&mut self, bound: usize) -> usize {
        self.next() as usize % bound
    }
}
