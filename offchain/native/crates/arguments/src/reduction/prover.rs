//! The prover's half.
//!
//! Σ_j η^j Σ_x eq(lo_j, x) Σ_i w_ji f_i(x) is summed by chunk where claims lie inside one chunk: all their eq
//! tables add up to one table G_i, so that a chunk costs one product however many claims fall on it. A claim on
//! a tensor of several chunks combines these first, one product for each distinct low point.
//!
//! Tables and cells of chunks exist at half their size: the first message is computed from the chunk's integers and
//! a table that is dropped, and the first variable, which no claim inside a chunk leaves free, is bound in the next.

use super::{Claim, Reduced, Term, chunk_weights, weighted_terms};
use crate::binding::Cells;
use crate::combine::combine;
use crate::with_cells;
use rayon::prelude::*;
use zkdps_field::kernels::{
    add_scaled, dot_small, eq_table, fold, fold_product_round, fold_small, product_round,
};
use zkdps_field::{AdditiveGroup, Fr, One};
use zkdps_program::Program;
use zkdps_transcript::{Sender, Tag};

/// Last coordinates whose table is made once and scaled for all values of the others.
const INNER: usize = 9;

/// Σ_x a(x) b(x).
type Product = (Vec<Fr>, Vec<Fr>);

/// What falls on one chunk.
struct Local<'a> {
    cells: Cells<'a>,
    terms: Vec<(Fr, &'a Term)>,
}

/// Runs the reduction; `chunks` are all chunks, 2^c cells each.
pub fn prove_reduction(
    sender: &mut Sender,
    program: &Program,
    chunks: &[Cells],
    claims: &[Claim],
) -> Reduced {
    let eta = sender.challenge();
    let mut locals: Vec<Local> = chunks.iter().map(Local::new).collect();
    let mut spanning = Vec::new();
    for (power, term) in weighted_terms(claims, eta) {
        let tensor = &program.tensors[term.tensor];
        if tensor.n < program.c {
            locals[tensor.chunk].terms.push((power, term));
        } else {
            spanning.push((power, term));
        }
    }
    locals.retain(|local| !local.terms.is_empty());
    let mut products = spanning_products(program, chunks, spanning);
    let mut point = Vec::with_capacity(program.c);
    if program.c > 0 {
        let whole = products.par_iter().map(|(a, b)| product_round(a, b));
        let halved = locals.par_iter().map(|local| local.first_round(program));
        let r = send(sender, &mut point, whole.chain(halved).reduce(zero, add));
        products.par_iter_mut().for_each(|(a, b)| {
            fold(a, r);
            fold(b, r);
        });
        products.par_extend(locals.par_iter().map(|local| local.bind(program, r)));
    }
    prove_rounds(sender, &mut products, program.c, &mut point);
    let weights = chunk_weights(program, claims, eta, &point);
    Reduced { point, weights }
}

/// Runs the rounds behind the first one.
fn prove_rounds(sender: &mut Sender, products: &mut [Product], rounds: usize, point: &mut Vec<Fr>) {
    if rounds < 2 {
        return;
    }
    let first = products.par_iter().map(|(a, b)| product_round(a, b));
    let mut r = send(sender, point, first.reduce(zero, add));
    while point.len() < rounds {
        let folded = products
            .par_iter_mut()
            .map(|(a, b)| fold_product_round(a, b, r));
        let message = folded.reduce(zero, add);
        r = send(sender, point, message);
    }
}

fn send(sender: &mut Sender, point: &mut Vec<Fr>, message: [Fr; 2]) -> Fr {
    sender.send_scalars(Tag::ReduceRound, &message);
    let r = sender.challenge();
    point.push(r);
    r
}

fn zero() -> [Fr; 2] {
    [Fr::ZERO; 2]
}

fn add(a: [Fr; 2], b: [Fr; 2]) -> [Fr; 2] {
    [a[0] + b[0], a[1] + b[1]]
}

impl<'a> Local<'a> {
    fn new(cells: &Cells<'a>) -> Self {
        let terms = Vec::new();
        Self {
            cells: *cells,
            terms,
        }
    }

    /// Returns c_0 and c_2 of the first round.
    fn first_round(&self, program: &Program) -> [Fr; 2] {
        let table = self.table(program, None);
        let (low, high) = table.split_at(table.len() / 2);
        with_cells!(
            self.cells,
            cells => {
                let (zeros, ones) = cells.split_at(low.len());
                // Differences of integers may not fit their type.
                let [same_low, same_high] = [dot_small(low, zeros), dot_small(high, ones)];
                let crossed = dot_small(low, ones) + dot_small(high, zeros);
                [same_low, same_low + same_high - crossed]
            },
            cells => product_round(&table, cells)
        )
    }

    /// Returns the table and the cells with the first variable bound.
    fn bind(&self, program: &Program, r: Fr) -> Product {
        let cells = with_cells!(
            self.cells,
            cells => fold_small(cells, r),
            cells => {
                let mut cells = cells.to_vec();
                fold(&mut cells, r);
                cells
            }
        );
        (self.table(program, Some(r)), cells)
    }

    /// Returns Σ power · eq(point, ·) over all terms, each at its tensor's address; the first variable is bound
    /// to `first` if there is one.
    fn table(&self, program: &Program, first: Option<Fr>) -> Vec<Fr> {
        let size = 1 << program.c >> usize::from(first.is_some());
        let mut table = vec![Fr::ZERO; size];
        for (power, term) in &self.terms {
            let tensor = &program.tensors[term.tensor];
            let start = tensor.addr << tensor.n;
            let scale = match first {
                None => *power,
                Some(r) if start >> (program.c - 1) == 1 => *power * r,
                Some(r) => *power * (Fr::one() - r),
            };
            let start = start & (size - 1);
            add_eq_table(
                &mut table[start..start + (1 << tensor.n)],
                &term.point,
                scale,
            );
        }
        table
    }
}

/// Adds scale · eq(point, ·).
fn add_eq_table(cells: &mut [Fr], point: &[Fr], scale: Fr) {
    let (outer, inner) = point.split_at(point.len().saturating_sub(INNER));
    let row = eq_table(inner, Fr::one());
    cells
        .par_chunks_exact_mut(row.len())
        .zip(eq_table(outer, scale))
        .with_min_len(4)
        .for_each(|(cells, weight)| add_scaled(cells, weight, &row));
}

/// Returns one product for every distinct low point of claims on tensors of at least a chunk.
fn spanning_products(program: &Program, chunks: &[Cells], terms: Vec<(Fr, &Term)>) -> Vec<Product> {
    let mut groups: Vec<(&[Fr], Vec<Cells>, Vec<Fr>)> = Vec::new();
    for (power, term) in terms {
        let tensor = &program.tensors[term.tensor];
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
