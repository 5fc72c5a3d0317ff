//! The prover's half of the fractional GKR: leaves, tree, layers.

use super::{BlockCells, Fingerprint, block_cells};
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
    let (mut numerators, mut denominators) = (Vec::with_capacity(size), Vec::with_capacity(size));
    for block in &proving.program.blocks {
        let BlockCells {
            numerator,
            denominator,
        } = block_cells(proving, block, fingerprint);
        numerators.extend(numerator);
        denominators.extend(denominator);
    }
    numerators.resize(size, Fr::zero());
    denominators.resize(size, Fr::one());
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
        let p1 = p0.split_off(p0.len() / 2);
        let q1 = q0.split_off(q0.len() / 2);
        let lambda = sender.challenge();
        let (mut rho, values) = prove_layer(sender, Tag::Round, &zeta, lambda, [p0, p1, q0, q1]);
        sender.send_scalars(Tag::Layer, &values);
        rho.insert(0, sender.challenge());
        zeta = rho;
    }
    zeta
}
