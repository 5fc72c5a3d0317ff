//! Times what proofs are made of: `cargo run --release -p zkdps-arguments --example primitives -- 18 5`.
//!
//! Arguments: log2 of the vectors' length, runs. Prints a line for each primitive: its name, how many units a
//! call has, and the seconds of every run, after one that is not counted.

use std::hint::black_box;
use std::time::Instant;
use zkdps_arguments::logup::{prove_layers, tree};
use zkdps_arguments::{hyperkzg, mercury};
use zkdps_field::kernels::{
    SmallInt, bind_leading_small, bind_trailing_small, dot_small, fold, fold_product_round,
    fold_small, inner_product,
};
use zkdps_field::msm::{msm, msm_small};
use zkdps_field::srs::insecure_powers;
use zkdps_field::{Field, Fr};
use zkdps_tiles::{levels, root};
use zkdps_transcript::{Sender, Tag};

/// Rows of the matrices that are folded.
const ROWS: usize = 1 << 9;
/// Bytes of a tensor that is hashed, at least.
const TENSOR: usize = 1 << 24;
/// Multiplications, or challenges, of one run.
const CALLS: usize = 1 << 16;

struct Timer {
    runs: usize,
}

impl Timer {
    /// Times `run` on what `prepare` returns.
    fn show<T, R>(&self, name: &str, units: usize, prepare: impl Fn() -> T, run: impl Fn(T) -> R) {
        print!("{name} {units}");
        for counted in 0..=self.runs {
            let prepared = prepare();
            let start = Instant::now();
            black_box(run(prepared));
            let seconds = start.elapsed().as_secs_f64();
            if counted > 0 {
                print!(" {seconds:.9}");
            }
        }
        println!();
    }

    fn show_plain<R>(&self, name: &str, units: usize, run: impl Fn() -> R) {
        self.show(name, units, || (), |()| run());
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse());
    let (Some(Ok(log_size)), Some(Ok::<usize, _>(runs))) = (arguments.next(), arguments.next())
    else {
        eprintln!("usage: primitives LOG_SIZE RUNS");
        std::process::exit(2);
    };
    let timer = Timer { runs };
    let column = random_scalars(1 << log_size);
    time_field(&timer, &column);
    time_integers(&timer, &column);
    time_arguments(&timer, &column);
    time_tiles(&timer, log_size);
    time_points(&timer, u32::try_from(log_size).unwrap_or(u32::MAX), &column);
}

fn time_field(timer: &Timer, column: &[Fr]) {
    let (count, r) = (column.len(), column[1]);
    timer.show_plain("field-mul", CALLS, || {
        (0..CALLS).fold(r, |product, k| product * column[k % count])
    });
    let other = column.to_vec();
    timer.show_plain("inner-product", count, || inner_product(column, &other));
    timer.show(
        "fold",
        count / 2,
        || column.to_vec(),
        |mut column| fold(&mut column, r),
    );
    timer.show(
        "sumcheck-round",
        count / 2,
        || (column.to_vec(), column.to_vec()),
        |(mut a, mut b)| fold_product_round(&mut a, &mut b, r),
    );
}

fn time_tiles(timer: &Timer, log_size: usize) {
    let bytes: Vec<u8> = (0..(1_usize << log_size).max(TENSOR))
        .map(|k| (k * 31 + k / 7) as u8)
        .collect();
    timer.show_plain("tile-tree", bytes.len(), || root(&bytes));
    timer.show_plain("tile-levels", bytes.len(), || levels(&bytes));
}

fn time_integers(timer: &Timer, column: &[Fr]) {
    let inner = column.len() / 4;
    let weights = &column[..ROWS.min(inner)];
    let cells = weights.len() * inner;
    let bytes: Vec<i8> = random_integers(cells, 8);
    let words: Vec<i16> = random_integers(cells, 16);
    timer.show_plain("i8-rows", cells, || bind_leading_small(&bytes, weights));
    timer.show_plain("i16-rows", cells, || bind_leading_small(&words, weights));
    timer.show_plain("i8-columns", cells, || {
        bind_trailing_small(&bytes, &column[..inner])
    });
    timer.show_plain("i8-dot", inner, || {
        dot_small(&column[..inner], &bytes[..inner])
    });
    timer.show_plain("i8-fold", inner / 2, || {
        fold_small(&bytes[..inner], column[1])
    });
}

fn time_arguments(timer: &Timer, column: &[Fr]) {
    let cells = column.len();
    timer.show(
        "logup-cell",
        cells,
        || (column.to_vec(), column.to_vec()),
        |leaves| {
            let mut layers = tree(leaves);
            layers.pop();
            prove_layers(&mut Sender::default(), layers)
        },
    );
    timer.show("keccak-challenge", CALLS, Sender::default, |mut sender| {
        for k in 0..CALLS {
            let message = [column[k % cells], column[0]];
            sender.send_scalars(Tag::Round, &message);
            sender.challenge();
        }
        sender
    });
}

fn time_points(timer: &Timer, log_size: u32, column: &[Fr]) {
    let srs = insecure_powers(log_size);
    let cells = column.len();
    timer.show_plain("msm-full", cells, || msm(&srs, column));
    for bits in [8, 12, 16, 24] {
        let integers: Vec<i32> = random_integers(cells, bits);
        timer.show_plain(&format!("msm-{bits}"), cells, || msm_small(&srs, &integers));
    }
    let mut sparse: Vec<i32> = random_integers(cells, 8);
    for (k, cell) in sparse.iter_mut().enumerate() {
        *cell *= i32::from(k % 8 == 0);
    }
    timer.show_plain("msm-8-sparse", cells, || msm_small(&srs, &sparse));
    let point = &column[..log_size as usize];
    let copy = || column.to_vec();
    timer.show("hyperkzg-opening", cells, copy, |polynomial| {
        hyperkzg::prove_opening(&mut Sender::default(), &srs, polynomial, point)
    });
    timer.show("mercury-opening", cells, copy, |polynomial| {
        mercury::prove_opening(&mut Sender::default(), &srs, polynomial, point)
    });
}

fn random_scalars(count: usize) -> Vec<Fr> {
    let factor = Fr::from(3).pow([201]);
    let start = factor.square();
    std::iter::successors(Some(start), |value| Some(*value * factor))
        .take(count)
        .collect()
}

/// Returns integers of `bits` bits, signed.
fn random_integers<T: SmallInt + TryFrom<i64>>(count: usize, bits: u32) -> Vec<T> {
    let mut state = 1_u64;
    (0..count)
        .map(|_| {
            // Knuth's generator; its high bits are the good ones.
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let value = state.cast_signed() >> (64 - bits);
            T::try_from(value).unwrap_or_default()
        })
        .collect()
}
