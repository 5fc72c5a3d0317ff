//! The prover's half: leaves, tree, layers, leaf values.

use super::{Fingerprint, LeafClaims, Leaves, suffix};
use crate::sumcheck::prove_eq;
use rayon::prelude::*;
use std::collections::BTreeMap;
use zkdps_field::small::SmallSum;
use zkdps_field::{Fr, One, Zero};
use zkdps_poly::{dot_small, eq_suffix_tables};
use zkdps_program::{Block, committed_columns};
use zkdps_transcript::{Sender, Tag};

const PARALLEL: usize = 1 << 11;

/// Numerators and denominators of one layer of the fractional sum.
pub type Layer = (Vec<Fr>, Vec<Fr>);

/// Sends the root, the layers and the leaf values; `tensors` are the padded tensors by id.
pub fn prove_logup(
    sender: &mut Sender,
    description: Leaves,
    tensors: &[&[i64]],
    is_public: impl Fn(usize) -> bool,
    fingerprint: Fingerprint,
) -> LeafClaims {
    let mut layers = tree(leaves(description, tensors, fingerprint));
    if let Some((p, q)) = layers.pop() {
        sender.send_scalars(Tag::Root, &[p[0], q[0]]);
    }
    let zeta = prove_layers(sender, layers);
    send_leaf_values(sender, description.blocks, tensors, is_public, zeta)
}

/// Returns the leaves.
#[must_use]
pub fn leaves(description: Leaves, tensors: &[&[i64]], fingerprint: Fingerprint) -> Layer {
    let size = 1_usize << description.lambda;
    let (mut numerators, mut denominators) = (Vec::with_capacity(size), Vec::with_capacity(size));
    for block in description.blocks {
        let length = 1 << block.n;
        match block.columns.first() {
            Some(m) if block.is_table => numerators.extend(
                tensors[m.tensor][..length]
                    .iter()
                    .map(|v| -(Fr::from(*v) + Fr::from(m.addend))),
            ),
            _ => numerators.extend(std::iter::repeat_n(Fr::one(), length)),
        }
        denominators.extend(block_denominators(block, tensors, fingerprint));
    }
    numerators.resize(size, Fr::zero());
    denominators.resize(size, Fr::one());
    (numerators, denominators)
}

/// Returns β − (k + α v + α³ tableId) for every cell of a block; a table's key k is the cell's index.
fn block_denominators(block: &Block, tensors: &[&[i64]], fingerprint: Fingerprint) -> Vec<Fr> {
    let (minus_one, minus_alpha) = (-Fr::one(), -fingerprint.alpha);
    let mut shared = fingerprint.shared(block);
    let key = block.columns.first().filter(|_| !block.is_table);
    let value = block.columns.get(1);
    shared -= key.map_or(Fr::zero(), |column| Fr::from(column.addend));
    shared -= value.map_or(Fr::zero(), |column| {
        fingerprint.alpha * Fr::from(column.addend)
    });
    let cell = |x: usize| {
        let mut sum = SmallSum::default();
        sum.add_product(
            &minus_one,
            key.map_or(x as i64, |column| tensors[column.tensor][x]),
        );
        if let Some(column) = value {
            sum.add_product(&minus_alpha, tensors[column.tensor][x]);
        }
        shared + sum.value()
    };
    (0..1_usize << block.n)
        .into_par_iter()
        .with_min_len(PARALLEL)
        .map(cell)
        .collect()
}

/// Returns all layers of the fractional sum, leaves first, root last.
#[must_use]
pub fn tree(leaves: Layer) -> Vec<Layer> {
    let mut layers = vec![leaves];
    while let Some((p, q)) = layers.last().filter(|(p, _)| p.len() > 1) {
        let h = p.len() / 2;
        let parent = |x: usize| (p[x] * q[x + h] + p[x + h] * q[x], q[x] * q[x + h]);
        let parents = (0..h)
            .into_par_iter()
            .with_min_len(PARALLEL)
            .map(parent)
            .unzip();
        layers.push(parents);
    }
    layers
}

/// Sends everything between the root and the leaves; `layers` are leaves first, without the root. Returns ζ.
pub fn prove_layers(sender: &mut Sender, layers: Vec<Layer>) -> Vec<Fr> {
    let mut zeta = Vec::new();
    for (mut p0, mut q0) in layers.into_iter().rev() {
        let p1 = p0.split_off(p0.len() / 2);
        let q1 = q0.split_off(q0.len() / 2);
        let lambda = sender.challenge();
        let (mut rho, values) = prove_eq(sender, Tag::Round, &zeta, lambda, [p0, p1, q0, q1]);
        sender.send_scalars(Tag::Layer, &values);
        rho.insert(0, sender.challenge());
        zeta = rho;
    }
    zeta
}

fn send_leaf_values(
    sender: &mut Sender,
    blocks: &[Block],
    tensors: &[&[i64]],
    is_public: impl Fn(usize) -> bool,
    zeta: Vec<Fr>,
) -> LeafClaims {
    let largest = blocks.iter().map(|block| block.n).max().unwrap_or(0);
    let tables = eq_suffix_tables(suffix(&zeta, largest));
    let values: BTreeMap<usize, Fr> = blocks
        .iter()
        .flat_map(|block| {
            block
                .columns
                .iter()
                .map(|column| (column.tensor, &tables[block.n]))
        })
        .collect::<BTreeMap<_, _>>()
        .into_iter()
        .map(|(tensor, table)| (tensor, dot_small(table, tensors[tensor])))
        .collect();
    let sent = committed_columns(blocks, is_public);
    let message: Vec<Fr> = sent.iter().map(|tensor| values[tensor]).collect();
    sender.send_scalars(Tag::Leaves, &message);
    LeafClaims { zeta, values, sent }
}
