//! The prover's half.
//!
//! Σ_j η^j Σ_x eq(lo_j, x) Σ_i w_ji f_i(x) is summed by chunk where claims lie inside one chunk: all their eq
//! tables add up to one table G_i, so that a chunk costs one product however many claims fall on it. A claim on
//! a tensor of several chunks combines these first, one product for each distinct low point.

use super::{Claim, Reduced, chunk_weights, weighted_terms};
use crate::binding::Cells;
use crate::combine::combine;
use zkdps_field::kernels::{add_scaled, eq_table, fold, fold_product_round, product_round};
use zkdps_field::{AdditiveGroup, Fr, One, Zero};
use zkdps_program::Program;
use zkdps_transcript::{Sender, Tag};

/// Σ_x a(x) b(x) over 2^c cells.
type Product = (Vec<Fr>, Vec<Fr>);

/// Runs the reduction; `chunks` are all chunks, 2^c cells each.
pub fn prove_reduction(
    sender: &mut Sender,
    program: &Program,
    chunks: &[Cells],
    claims: &[Claim],
) -> Reduced {
    let eta = sender.challenge();
    let mut products = local_products(program, chunks, claims, eta);
    products.extend(spanning_products(program, chunks, claims, eta));
    let point = prove_rounds(sender, &mut products, program.c);
    let weights = chunk_weights(program, claims, eta, &point);
    Reduced { point, weights }
}

fn prove_rounds(sender: &mut Sender, products: &mut [Product], rounds: usize) -> Vec<Fr> {
    let add = |sum: [Fr; 2], part: [Fr; 2]| [sum[0] + part[0], sum[1] + part[1]];
    let mut message = products
        .iter()
        .map(|(a, b)| product_round(a, b))
        .fold([Fr::ZERO; 2], add);
    let mut point = Vec::with_capacity(rounds);
    for left in (0..rounds).rev() {
        sender.send_scalars(Tag::ReduceRound, &message);
        let r = sender.challenge();
        point.push(r);
        if left == 0 {
            for (a, b) in products.iter_mut() {
                fold(a, r);
                fold(b, r);
            }
        } else {
            message = products
                .iter_mut()
                .map(|(a, b)| fold_product_round(a, b, r))
                .fold([Fr::ZERO; 2], add);
        }
    }
    point
}

/// Returns one product (G_i, f_i) for every chunk on which claims of less than its size fall.
fn local_products(program: &Program, chunks: &[Cells], claims: &[Claim], eta: Fr) -> Vec<Product> {
    let size = 1 << program.c;
    let mut tables: Vec<Vec<Fr>> = vec![Vec::new(); chunks.len()];
    for (power, term) in weighted_terms(claims, eta) {
        let tensor = &program.tensors[term.tensor];
        if tensor.n < program.c {
            let table = &mut tables[tensor.chunk];
            table.resize(size, Fr::zero());
            let start = tensor.addr << tensor.n;
            let block = &mut table[start..start + (1 << tensor.n)];
            add_scaled(block, Fr::one(), &eq_table(&term.point, power));
        }
    }
    tables
        .into_iter()
        .zip(chunks)
        .filter(|(table, _)| !table.is_empty())
        .map(|(table, chunk)| (table, chunk.embed()))
        .collect()
}

/// Returns one product for every distinct low point of claims on tensors of at least a chunk.
fn spanning_products(
    program: &Program,
    chunks: &[Cells],
    claims: &[Claim],
    eta: Fr,
) -> Vec<Product> {
    let mut groups: Vec<(&[Fr], Vec<Cells>, Vec<Fr>)> = Vec::new();
    for (power, term) in weighted_terms(claims, eta) {
        let tensor = &program.tensors[term.tensor];
        if tensor.n < program.c {
            continue;
        }
        let (high, low) = term.point.split_at(tensor.n - program.c);
        let weights = eq_table(high, power);
        let spanned = &chunks[tensor.chunk..tensor.chunk + weights.len()];
        match groups.iter_mut().find(|(point, ..)| *point == low) {
            Some((_, cells, factors)) => {
                cells.extend(spanned);
                factors.extend(weights);
            }
            None => groups.push((low, spanned.to_vec(), weights)),
        }
    }
    groups
        .into_iter()
        .map(|(low, cells, factors)| {
            let combined = combine(&cells, &factors, 1 << program.c);
            (eq_table(low, Fr::one()), combined)
        })
        .collect()
}
