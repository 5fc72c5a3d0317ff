//! The prover's half: folds, their evaluations, three quotients.

use crate::ArgumentError;
use rayon::prelude::*;
use zkdps_field::kernels::{add_scaled, divide_by_root, evaluate, fold_last};
use zkdps_field::msm::msm;
use zkdps_field::{Field, Fr, G1Affine, Zero};
use zkdps_transcript::{Sender, Tag};

/// Opens `polynomial` (2^len evaluations, committed as coefficients) at `point`; `srs` has as many powers.
///
/// # Errors
/// The evaluation point drawn from the transcript is 0.
pub fn prove_opening(
    sender: &mut Sender,
    srs: &[G1Affine],
    polynomial: Vec<Fr>,
    point: &[Fr],
) -> Result<(), ArgumentError> {
    // P_{i+1}[j] = (1 - x_{l-1-i}) P_i[2j] + x_{l-1-i} P_i[2j+1]
    let mut folds = vec![polynomial];
    for x in point.iter().skip(1).rev() {
        let next = fold_last(&folds[folds.len() - 1], *x);
        folds.push(next);
    }
    let commitments: Vec<_> = folds[1..].par_iter().map(|fold| msm(srs, fold)).collect();
    sender.send_points(Tag::OpenFolds, &commitments);
    let u = sender.challenge();
    if u.is_zero() {
        return Err(ArgumentError::ZeroChallenge);
    }
    let square = u.square();
    let (at_u, at_minus_u): (Vec<Fr>, Vec<Fr>) = folds
        .par_iter()
        .map(|fold| (evaluate(fold, u), evaluate(fold, -u)))
        .unzip();
    let first = evaluate(&folds[0], square);
    sender.send_scalars(Tag::OpenValues, &[vec![first], at_u, at_minus_u].concat());
    let q = sender.challenge();
    let batched = combine(folds, q);
    let quotients: Vec<_> = [u, -u, square]
        .par_iter()
        .map(|root| msm(srs, &divide_by_root(&batched, *root)))
        .collect();
    sender.send_points(Tag::OpenQuotients, &quotients);
    Ok(())
}

/// Returns Σ q^i P_i.
fn combine(folds: Vec<Vec<Fr>>, q: Fr) -> Vec<Fr> {
    // Horner from the shortest: every step extends by the next longer polynomial.
    folds
        .into_iter()
        .rev()
        .reduce(|sum, mut longer| {
            add_scaled(&mut longer, q, &sum);
            longer
        })
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::prove_opening;
    use crate::ArgumentError;
    use crate::hyperkzg::verify_opening;
    use zkdps_field::msm::msm;
    use zkdps_field::srs::{insecure_powers, insecure_tau_g2};
    use zkdps_field::{CurveGroup, Field, Fr};
    use zkdps_poly::eq_table;
    use zkdps_transcript::{Receiver, Sender};

    #[test]
    fn openings_verify_and_tampered_ones_do_not() {
        for length in [1_u32, 2, 5] {
            let polynomial: Vec<Fr> = (0..1_u64 << length)
                .map(|i| Fr::from(i + 3).pow([41]))
                .collect();
            let point: Vec<Fr> = (0..u64::from(length))
                .map(|i| Fr::from(i + 8).pow([33]))
                .collect();
            let value = eq_table(&point, Fr::from(1))
                .iter()
                .zip(&polynomial)
                .map(|(e, v)| *e * v)
                .sum();
            let srs = insecure_powers(length);
            let commitment = msm(&srs, &polynomial).into_affine();
            let mut sender = Sender::default();
            prove_opening(&mut sender, &srs, polynomial, &point).unwrap();
            let proof = sender.into_proof();
            assert_eq!(
                proof.len(),
                32 * (2 * length as usize + 1) + 64 * (length as usize + 2)
            );
            let verify = |proof: &[u8], commitment, value| {
                let mut receiver = Receiver::new(proof);
                verify_opening(&mut receiver, commitment, &point, value, insecure_tau_g2())?;
                Ok(receiver.finish()?)
            };
            assert_eq!(verify(&proof, commitment, value), Ok(()));
            let wrong = verify(&proof, commitment, value + Fr::from(1));
            assert!(matches!(wrong, Err(ArgumentError::Folds { .. })));
            assert_eq!(verify(&proof, srs[0], value), Err(ArgumentError::Pairing));
            for at in (0..proof.len()).step_by(7) {
                let mut tampered = proof.clone();
                tampered[at] ^= 1;
                assert!(verify(&tampered, commitment, value).is_err());
            }
        }
    }
}
