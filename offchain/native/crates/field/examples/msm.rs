//! Times multi-scalar multiplication: `cargo run --release --example msm`.
use std::hint::black_box;
use std::time::{Duration, Instant};
use zkdps_field::{msm, scalar, srs};

fn least(mut run: impl FnMut()) -> Duration {
    let timed = |_| {
        let started = Instant::now();
        run();
        started.elapsed()
    };
    (0..10).map(timed).min().unwrap_or_default()
}

fn main() {
    for log_size in [1, 4, 6, 8, 10, 11, 12, 15] {
        let points = srs::insecure_powers(log_size);
        let scalars = scalar::powers(srs::insecure_tau(), points.len());
        let small: Vec<i64> = (0..points.len() as i64)
            .map(|i| i * 7919 % 255 - 127)
            .collect();
        let full = least(|| _ = black_box(msm::msm(&points, &scalars)));
        let small = least(|| _ = black_box(msm::msm_small(&points, &small)));
        println!("2^{log_size}: full {full:?}, small {small:?}");
    }
}
