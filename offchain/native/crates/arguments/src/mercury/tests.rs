use super::{invert_zeta, prove_opening, split, verify_opening, weight_value};
use crate::ArgumentError;
use zkdps_field::msm::msm;
use zkdps_field::srs::{insecure_powers, insecure_tau_g2};
use zkdps_field::{CurveGroup, Field, Fr, G1Affine};
use zkdps_poly::eq_table;
use zkdps_transcript::{Receiver, Sender};

struct Case {
    srs: Vec<G1Affine>,
    point: Vec<Fr>,
    commitment: G1Affine,
    value: Fr,
    proof: Vec<u8>,
}

fn case(length: u32, of: impl Fn(u64) -> Fr) -> Case {
    let polynomial: Vec<Fr> = (0..1 << length).map(of).collect();
    let point: Vec<Fr> = (0..u64::from(length))
        .map(|i| Fr::from(i + 8).pow([33]))
        .collect();
    let weights = eq_table(&point, Fr::from(1));
    let value = weights.iter().zip(&polynomial).map(|(e, v)| *e * v).sum();
    let srs = insecure_powers(length);
    let commitment = msm(&srs, &polynomial).into_affine();
    let mut sender = Sender::default();
    prove_opening(&mut sender, &srs, polynomial, &point).unwrap();
    Case {
        srs,
        point,
        commitment,
        value,
        proof: sender.into_proof(),
    }
}

impl Case {
    fn verify(&self, proof: &[u8], commitment: G1Affine, value: Fr) -> Result<(), ArgumentError> {
        let mut receiver = Receiver::new(proof);
        verify_opening(
            &mut receiver,
            commitment,
            &self.point,
            value,
            insecure_tau_g2(),
        )?;
        Ok(receiver.finish()?)
    }
}

fn random(i: u64) -> Fr {
    Fr::from(i + 3).pow([41])
}

#[test]
fn openings_of_every_size_verify() {
    for length in 1..=13 {
        let case = case(length, random);
        assert_eq!(case.proof.len(), 8 * 64 + 6 * 32);
        assert_eq!(
            case.verify(&case.proof, case.commitment, case.value),
            Ok(())
        );
    }
}

#[test]
fn degenerate_polynomials_are_opened() {
    let of: [fn(u64) -> Fr; 3] = [
        |_| Fr::from(0),
        |_| Fr::from(1),
        |i| Fr::from(u64::from(i == 0)),
    ];
    for length in [1, 2, 5] {
        for of in of {
            let case = case(length, of);
            assert_eq!(
                case.verify(&case.proof, case.commitment, case.value),
                Ok(())
            );
        }
    }
}

#[test]
fn wrong_values_points_and_commitments_are_refused() {
    for length in [1, 4, 5] {
        let mut case = case(length, random);
        let refused = Err(ArgumentError::Pairing);
        let (proof, value) = (case.proof.clone(), case.value);
        assert_eq!(
            case.verify(&proof, case.commitment, value + Fr::from(1)),
            refused
        );
        assert_eq!(case.verify(&proof, case.srs[1], value), refused);
        for k in 0..case.point.len() {
            case.point[k] += Fr::from(1);
            assert_eq!(case.verify(&proof, case.commitment, value), refused);
            case.point[k] -= Fr::from(1);
        }
    }
}

#[test]
fn no_byte_of_a_proof_may_change() {
    let case = case(3, random);
    for at in 0..case.proof.len() {
        let mut tampered = case.proof.clone();
        tampered[at] ^= 1;
        assert!(
            case.verify(&tampered, case.commitment, case.value).is_err(),
            "byte {at} may be changed"
        );
    }
}

#[test]
fn weights_are_the_eq_tables_polynomial() {
    let point: Vec<Fr> = (0..5).map(random).collect();
    let at = random(9);
    let (row, column) = split(&point);
    assert_eq!((row.len(), column.len()), (2, 3));
    for u in [row, column, &[]] {
        let expected = eq_table(u, Fr::from(1))
            .iter()
            .rev()
            .fold(Fr::from(0), |value, weight| value * at + weight);
        assert_eq!(weight_value(u, at), expected);
    }
}

#[test]
fn colliding_points_are_refused() {
    let (one, five) = (Fr::from(1), Fr::from(5));
    let fifth = five.inverse().unwrap();
    assert_eq!(invert_zeta(five, one), Ok(fifth));
    let zero = invert_zeta(Fr::from(0), five);
    assert_eq!(zero, Err(ArgumentError::ZeroChallenge));
    for (zeta, alpha) in [(one, five), (-one, five), (five, five), (five, fifth)] {
        let refused = invert_zeta(zeta, alpha);
        assert_eq!(refused, Err(ArgumentError::ForbiddenChallenge));
    }
}
