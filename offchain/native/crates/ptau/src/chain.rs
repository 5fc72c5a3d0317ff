//! The chain of contributions: each one knows the secrets by which it multiplied the one before.

use crate::blake2b::{Blake2b, Digest, blake2b};
use crate::contributions::{Contribution, State};
use crate::draw::{beacon_keys, hash_to_g2};
use crate::error::{PtauError, Reason, Result, Section};
use crate::points::Point;
use ark_bn254::{Bn254, G1Affine, G2Affine};
use ark_ec::AffineRepr;
use ark_ec::pairing::Pairing;
use ark_ff::Zero;
use rayon::prelude::*;

/// Power of Perpetual Powers of Tau, whose first challenge has 100 GB; so its hash is kept.
const PERPETUAL_POWER: u32 = 28;
const PERPETUAL_CHALLENGE: Digest = [
    0x93, 0xda, 0x91, 0x92, 0x0d, 0x5a, 0x54, 0xa8, 0xa0, 0xfd, 0xe5, 0x5c, 0xd9, 0xdc, 0x3a, 0x10,
    0xc4, 0xf3, 0xee, 0xf7, 0x68, 0xb6, 0x2c, 0x09, 0x48, 0x74, 0x13, 0x70, 0x86, 0x42, 0x54, 0xb4,
    0xc1, 0x92, 0x0f, 0x3f, 0x29, 0xd4, 0xeb, 0xc0, 0xef, 0x3a, 0xce, 0xcf, 0x2e, 0x2d, 0xb6, 0x3a,
    0x75, 0x57, 0x13, 0xd7, 0x7e, 0x1e, 0xd7, 0x73, 0x47, 0xa5, 0x6f, 0xbc, 0x31, 0x7c, 0x7a, 0x93,
];
/// Points that are hashed at once.
const HASHED: u64 = 1 << 10;

/// Returns whether e(a, y) = e(b, x): b is to a as y is to x. No point may be infinite.
#[must_use]
pub fn same_ratio(a: &G1Affine, b: &G1Affine, x: &G2Affine, y: &G2Affine) -> bool {
    Bn254::multi_pairing([*a, -*b], [*y, *x]).is_zero()
}

/// Checks that every contribution follows from the one before it.
///
/// # Errors
/// Names the first contribution that does not.
pub fn verify(contributions: &[Contribution], ceremony_power: u32) -> Result<()> {
    let first = first_challenge(ceremony_power);
    let origin = State {
        tau_g1: G1Affine::generator(),
        tau_g2: G2Affine::generator(),
        alpha_g1: G1Affine::generator(),
        beta_g1: G1Affine::generator(),
        beta_g2: G2Affine::generator(),
    };
    let problems: Vec<_> = (0..contributions.len())
        .into_par_iter()
        .map(|i| match i.checked_sub(1) {
            None => find_problem(&origin, &first, &contributions[i]),
            Some(before) => {
                let before = &contributions[before];
                find_problem(&before.state, &before.next_challenge, &contributions[i])
            }
        })
        .collect();
    let problem = problems.into_iter().enumerate().find_map(|(i, problem)| {
        problem.map(|problem| Reason::Contribution {
            number: i + 1,
            problem,
        })
    });
    problem.map_or(Ok(()), |reason| {
        Err(PtauError::new(Section::Contributions, reason))
    })
}

fn find_problem(
    before: &State,
    challenge: &Digest,
    current: &Contribution,
) -> Option<&'static str> {
    let after = &current.state;
    let [tau, alpha, beta] = &current.keys;
    if let Some(beacon) = &current.beacon
        && current.keys != beacon_keys(challenge, &beacon.value, beacon.iterations)
    {
        return Some("the keys are not the beacon's");
    }
    let mut points = [G2Affine::zero(); 3];
    for (kind, key) in current.keys.iter().enumerate() {
        points[kind] = hash_to_g2(kind as u8, challenge, &key.s, &key.sx);
        if !same_ratio(&key.s, &key.sx, &points[kind], &key.spx) {
            return Some("a key does not prove its secret");
        }
    }
    let follows = [
        (
            same_ratio(&before.tau_g1, &after.tau_g1, &points[0], &tau.spx),
            "[tau]_1 does not follow",
        ),
        (
            same_ratio(&tau.s, &tau.sx, &before.tau_g2, &after.tau_g2),
            "[tau]_2 does not follow",
        ),
        (
            same_ratio(&before.alpha_g1, &after.alpha_g1, &points[1], &alpha.spx),
            "[alpha]_1 does not follow",
        ),
        (
            same_ratio(&before.beta_g1, &after.beta_g1, &points[2], &beta.spx),
            "[beta]_1 does not follow",
        ),
        (
            same_ratio(&beta.s, &beta.sx, &before.beta_g2, &after.beta_g2),
            "[beta]_2 does not follow",
        ),
    ];
    follows
        .into_iter()
        .find_map(|(holds, problem)| (!holds).then_some(problem))
}

/// Returns the hash of the points before anybody contributed: generators everywhere.
#[must_use]
pub fn first_challenge(ceremony_power: u32) -> Digest {
    if ceremony_power == PERPETUAL_POWER {
        return PERPETUAL_CHALLENGE;
    }
    let (g1, g2) = (
        G1Affine::generator().uncompressed(),
        G2Affine::generator().uncompressed(),
    );
    let size = 1_u64 << ceremony_power;
    let mut hash = Blake2b::default();
    hash.update(&blake2b(&[]));
    for (point, count) in [(&g1, 2 * size - 1), (&g2, size), (&g1, 2 * size)] {
        let many = point.repeat(HASHED as usize);
        for _ in 0..count / HASHED {
            hash.update(&many);
        }
        hash.update(&point.repeat((count % HASHED) as usize));
    }
    hash.update(&g2);
    hash.finish()
}
