//! The prover's half of the fractional GKR: leaves, tree, layers.

use super::Fingerprint;
use super::leaves::fill_block;
use crate::proving::Proving;
use crate::sumcheck::prove_layer;
use zkdps_field::kernels::logup_parents;
use zkdps_field::{Fr, One, Zero};
use zkdps_transcript::{Sender, Tag};

/// Numerators and denominators of one layer of the fractional sum.
pub type Layer = (Vec<Fr>, Vec<Fr>);

/// Sends root and layers and returns ζ.
pub fn prove_gkr(sender: &mut Sender, proving: &Proving, fingerprint: Fingerprint) -> Vec<Fr> {
    let mut layers = tree(leaves(proving, fingerprint));
    if let Some((p, q)) = layers.pop() {
        sender.send_scalars(Tag::Root, &[p[0], q[0]]);
    }
    prove_layers(sender, layers)
}

/// Returns the leaves: blocks one after another, the rest 0 / 1.
fn leaves(proving: &Proving, fingerprint: Fingerprint) -> Layer {
    let size = 1_usize << proving.program.lambda;
    let (mut numerators, mut denominators) = (vec![Fr::zero(); size], vec![Fr::one(); size]);
    let (mut p, mut q) = (numerators.as_mut_slice(), denominators.as_mut_slice());
    for block in &proving.program.blocks {
        let (numerator, rest) = p.split_at_mut(1 << block.n);
        p = rest;
        let (denominator, rest) = q.split_at_mut(1 << block.n);
        q = rest;
        fill_block(proving, block, fingerprint, numerator, denominator);
    }
    (numerators, denominators)
}

/// Returns all layers of the fractional sum, leaves first, root last.
#[must_use]
pub fn tree(leaves: Layer) -> Vec<Layer> {
    let mut layers = vec![leaves];
    while let Some((p, q)) = layers.last().filter(|(p, _)| p.len() > 1) {
        let parents = logup_parents(p, q);
        layers.push(parents);
    }
    layers
}

/// Sends everything between the root and the leaves; `layers` are leaves first, without the root. Returns ζ.
pub fn prove_layers(sender: &mut Sender, layers: Vec<Layer>) -> Vec<Fr> {
    let mut zeta = Vec::new();
    for (mut p0, mut q0) in layers.into_iter().rev() {
        let half = p0.len() / 2;
        let (p1, q1) = rayon::join(|| p0.split_off(half), || q0.split_off(half));
        let lambda = sender.challenge();
        let (mut rho, values) = prove_layer(sender, Tag::Round, &zeta, lambda, [p0, p1, q0, q1]);
        sender.send_scalars(Tag::Layer, &values);
        rho.insert(0, sender.challenge());
        zeta = rho;
    }
    zeta
}
