//! The prover's half.
//!
//! Σ_j η^j Σ_x eq(lo_j, x) Σ_i w_ji f_i(x) is summed by chunk where claims lie inside one chunk: all their eq
//! tables add up to one table G_i, so that a chunk costs one product however many claims fall on it. A claim on
//! a tensor of several chunks combines these first, one product for each distinct point.

use super::{Claim, Reduced, chunk_weights, claim_powers};
use crate::sumcheck::{Product, prove_products};
use zkdps_field::{Fr, One, Zero};
use zkdps_poly::{combine_small, eq_table};
use zkdps_program::Program;
use zkdps_transcript::{Sender, Tag};

/// Runs the reduction; `chunks` are all F + P chunks, 2^c cells each.
pub fn prove_reduction(
    sender: &mut Sender,
    program: &Program,
    chunks: &[&[i64]],
    claims: &[Claim],
) -> Reduced {
    let eta = sender.challenge();
    let mut products = local_products(program, chunks, claims, eta);
    products.extend(spanning_products(program, chunks, claims, eta));
    let point = prove_products(sender, Tag::ReduceRound, &mut products, program.c);
    let weights = chunk_weights(program, claims, eta, &point);
    Reduced { point, weights }
}

/// Returns one product (G_i, f_i) for every chunk on which claims of at most its size fall.
fn local_products(program: &Program, chunks: &[&[i64]], claims: &[Claim], eta: Fr) -> Vec<Product> {
    let size = 1 << program.c;
    let mut tables: Vec<Vec<Fr>> = vec![Vec::new(); chunks.len()];
    for (power, claim) in claim_powers(claims, eta).zip(claims) {
        let tensor = &program.tensors[claim.tensor];
        if tensor.n <= program.c {
            let table = &mut tables[tensor.chunk];
            table.resize(size, Fr::zero());
            let block = eq_table(&claim.point, power);
            table[tensor.addr << tensor.n..]
                .iter_mut()
                .zip(block)
                .for_each(|(cell, e)| *cell += e);
        }
    }
    tables
        .into_iter()
        .zip(chunks)
        .filter(|(table, _)| !table.is_empty())
        .map(|(table, chunk)| product(table, chunk.iter().map(|v| Fr::from(*v)).collect()))
        .collect()
}

/// A chunk and its factor.
type Term<'a> = (&'a [i64], Fr);

/// Returns one product for every distinct low point of claims on tensors of several chunks.
fn spanning_products(
    program: &Program,
    chunks: &[&[i64]],
    claims: &[Claim],
    eta: Fr,
) -> Vec<Product> {
    let mut groups: Vec<(&[Fr], Vec<Term>)> = Vec::new();
    for (power, claim) in claim_powers(claims, eta).zip(claims) {
        let tensor = &program.tensors[claim.tensor];
        if tensor.n > program.c {
            let (high, low) = claim.point.split_at(tensor.n - program.c);
            let terms = chunks[tensor.chunk..]
                .iter()
                .copied()
                .zip(eq_table(high, power));
            match groups.iter_mut().find(|(point, _)| *point == low) {
                Some((_, group)) => group.extend(terms),
                None => groups.push((low, terms.collect())),
            }
        }
    }
    groups
        .into_iter()
        .map(|(low, terms)| {
            let (vectors, weights): (Vec<_>, Vec<_>) = terms.into_iter().unzip();
            product(
                eq_table(low, Fr::one()),
                combine_small(&vectors, &weights, 1 << program.c),
            )
        })
        .collect()
}

fn product(a: Vec<Fr>, b: Vec<Fr>) -> Product {
    // The claim is read only while an instance waits; these have all c variables.
    Product {
        coefficient: Fr::one(),
        claim: Fr::zero(),
        a,
        b,
    }
}
