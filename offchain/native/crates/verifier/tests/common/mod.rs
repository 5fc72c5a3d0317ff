//! The shared vectors as test cases, and a small generator.
#![allow(dead_code)] // every test crate uses its own part

pub mod encode;
pub mod mutate;

use serde_json::Value;
use std::path::Path;
use std::sync::LazyLock;
use zkdps_field::hash::keccak256;
use zkdps_field::srs::insecure_powers;
use zkdps_prover::{Cells, ProveError, prove};
use zkdps_transcript::encode_points;
use zkdps_verifier::{VerifyError, verify};

/// Padded tensors by id; late ones are made by the prover.
pub type Tensors = Vec<Option<Vec<i64>>>;

#[derive(Clone)]
pub struct Case {
    pub name: String,
    pub vk: Vec<u8>,
    pub tau_g2: [u8; 128],
    pub statement_hash: [u8; 32],
    pub input: Vec<u8>,
    pub output: Vec<u8>,
    pub tensors: Tensors,
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

    pub fn prove(&self, tensors: &Tensors) -> Result<Vec<u8>, ProveError> {
        let narrowed: Vec<Option<Narrow>> = tensors
            .iter()
            .map(|tensor| tensor.as_deref().map(Narrow::from))
            .collect();
        let cells: Vec<Option<Cells>> = narrowed
            .iter()
            .map(|tensor| tensor.as_ref().map(Narrow::cells))
            .collect();
        prove(&self.vk, srs(), &self.statement_hash, &cells)
    }
}

/// A tensor in the narrowest integers that hold it, as callers pass them.
enum Narrow {
    I8(Vec<i8>),
    I16(Vec<i16>),
    I32(Vec<i32>),
    I64(Vec<i64>),
}

impl From<&[i64]> for Narrow {
    fn from(tensor: &[i64]) -> Self {
        fn narrow<T: TryFrom<i64>>(tensor: &[i64]) -> Option<Vec<T>> {
            tensor.iter().map(|v| T::try_from(*v).ok()).collect()
        }
        None.or_else(|| narrow(tensor).map(Self::I8))
            .or_else(|| narrow(tensor).map(Self::I16))
            .or_else(|| narrow(tensor).map(Self::I32))
            .unwrap_or_else(|| Self::I64(tensor.to_vec()))
    }
}

impl Narrow {
    fn cells(&self) -> Cells<'_> {
        match self {
            Self::I8(cells) => Cells::I8(cells),
            Self::I16(cells) => Cells::I16(cells),
            Self::I32(cells) => Cells::I32(cells),
            Self::I64(cells) => Cells::I64(cells),
        }
    }
}

/// Returns the id of the SRS with this \[tau\]_2.
pub fn srs_id(tau_g2: &[u8; 128]) -> [u8; 32] {
    keccak256(&[b"zkdps/srs/1", tau_g2])
}

/// Powers for every key of the vectors.
fn srs() -> &'static [u8] {
    static SRS: LazyLock<Vec<u8>> = LazyLock::new(|| encode_points(&insecure_powers(11)));
    &SRS
}

/// Returns the bytes of a hex string, with or without 0x.
pub fn hex_bytes(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    hex::decode(text.strip_prefix("0x").unwrap_or(text)).unwrap()
}

/// Returns a list of integers.
pub fn integers(value: &Value) -> Vec<i64> {
    let list = value.as_array().unwrap();
    list.iter().map(|i| i.as_i64().unwrap()).collect()
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
    let tensors = |by_id: &Value| {
        let known = by_id.as_object().unwrap();
        let count = known
            .keys()
            .map(|id| id.parse::<usize>().unwrap() + 1)
            .max();
        (0..count.unwrap_or(0))
            .map(|id| known.get(&id.to_string()).map(integers))
            .collect()
    };
    Case {
        name: vector["name"].as_str().unwrap().to_owned(),
        vk: hex_bytes(&vector["vk"]),
        tau_g2: hex_bytes(&vector["tauG2"]).try_into().unwrap(),
        statement_hash: hex_bytes(&vector["statementHash"]).try_into().unwrap(),
        input: hex_bytes(&vector["input"]),
        output: hex_bytes(&vector["output"]),
        tensors: vector.get("tensors").map_or_else(Vec::new, tensors),
        proof: hex_bytes(&vector["proof"]),
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
