//! Times both openings of a random polynomial: `cargo run --release -p zkdps-arguments --example openings -- 12 15 18`.
//!
//! Prints c, the best of three provers' times in seconds (Mercury, HyperKZG), and Mercury's share of the latter.

use std::time::Instant;
use zkdps_arguments::{ArgumentError, hyperkzg, mercury};
use zkdps_field::srs::insecure_powers;
use zkdps_field::{Field, Fr, G1Affine};
use zkdps_transcript::Sender;

type Prove = fn(&mut Sender, &[G1Affine], Vec<Fr>, &[Fr]) -> Result<(), ArgumentError>;

const REPETITIONS: usize = 3;

fn main() {
    for argument in std::env::args().skip(1) {
        let variables: u32 = argument.parse().expect("numbers of variables");
        let mut value = Fr::from(3).pow([1 << 20]);
        let polynomial: Vec<Fr> = (0..1 << variables)
            .map(|_| {
                value = value.square() + Fr::from(1);
                value
            })
            .collect();
        let point = &polynomial[..variables as usize];
        let srs = insecure_powers(variables);
        let time = |prove: Prove| {
            let run = || {
                let copied = polynomial.clone();
                let start = Instant::now();
                prove(&mut Sender::default(), &srs, copied, point).expect("an opening");
                start.elapsed().as_secs_f64()
            };
            (0..REPETITIONS).map(|_| run()).fold(f64::MAX, f64::min)
        };
        let (ours, other) = (time(mercury::prove_opening), time(hyperkzg::prove_opening));
        println!("{variables} {ours:.3} {other:.3} {:.2}", ours / other);
    }
}
