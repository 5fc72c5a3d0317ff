//! Times multi-scalar multiplication: `cargo run --release --example msm`.
use std::hint::black_box;
use std::time::Instant;
use zkdps_field::{msm, scalar, srs};

fn main() {
    for log_size in [8, 10, 11, 12, 15] {
        let started = Instant::now();
        let points = srs::insecure_powers(log_size);
        let setup = started.elapsed();
        let scalars = scalar::powers(srs::insecure_tau(), points.len());
        let started = Instant::now();
        let _ = black_box(msm::msm(&points, &scalars));
        let full = started.elapsed();
        let small: Vec<i64> = (0..points.len() as i64)
            .map(|i| i * 7919 % 255 - 127)
            .collect();
        let started = Instant::now();
        let _ = black_box(msm::msm_small(&points, &small));
        println!(
            "2^{log_size}: powers {setup:?}, full {full:?}, small {:?}",
            started.elapsed()
        );
    }
}
