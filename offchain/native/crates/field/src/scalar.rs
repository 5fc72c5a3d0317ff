//! Scalars as 32-byte big-endian words.

use crate::Fr;
use ark_ff::{BigInt, BigInteger, PrimeField};

/// Bytes of a word.
pub const WORD: usize = 32;

/// Returns the canonical word of a scalar.
#[must_use]
pub fn to_word(value: &Fr) -> [u8; WORD] {
    let mut word = [0; WORD];
    for (bytes, limb) in word.rchunks_exact_mut(8).zip(value.into_bigint().0) {
        bytes.copy_from_slice(&limb.to_be_bytes());
    }
    word
}

/// Returns the scalar of a canonical word, `None` if the word is not below r.
#[must_use]
pub fn from_word(word: &[u8; WORD]) -> Option<Fr> {
    Fr::from_bigint(limbs(word))
}

/// Returns the word modulo r, as challenges are drawn.
#[must_use]
pub fn reduce_word(word: &[u8; WORD]) -> Fr {
    let mut value = limbs(word);
    // 2^256 < 6 r, so a few subtractions are enough.
    while value >= Fr::MODULUS {
        value.sub_with_borrow(&Fr::MODULUS);
    }
    Fr::from_bigint(value).unwrap_or_default()
}

/// Returns (1, base, base^2, ...), `count` powers.
#[must_use]
pub fn powers(base: Fr, count: usize) -> Vec<Fr> {
    let one = Fr::from(1_u64);
    std::iter::successors(Some(one), |power| Some(*power * base))
        .take(count)
        .collect()
}

/// Returns 2^exponent.
#[must_use]
pub fn power_of_two(exponent: u32) -> Fr {
    use ark_ff::Field;
    Fr::from(2_u64).pow([u64::from(exponent)])
}

pub(crate) fn limbs(word: &[u8; WORD]) -> BigInt<4> {
    let mut value = [0_u64; 4];
    for (limb, bytes) in value.iter_mut().zip(word.rchunks_exact(8)) {
        for byte in bytes {
            *limb = (*limb << 8) | u64::from(*byte);
        }
    }
    BigInt::new(value)
}

#[cfg(test)]
mod tests {
    use super::{from_word, power_of_two, powers, reduce_word, to_word};
    use crate::Fr;
    use ark_ff::{BigInteger, PrimeField};

    #[test]
    fn words_round_trip_and_refuse_the_modulus() {
        for value in [
            Fr::from(0),
            Fr::from(1),
            -Fr::from(1),
            Fr::from(u64::MAX) * Fr::from(7),
        ] {
            assert_eq!(from_word(&to_word(&value)), Some(value));
            assert_eq!(reduce_word(&to_word(&value)), value);
        }
        let modulus: [u8; 32] = Fr::MODULUS.to_bytes_be().try_into().unwrap();
        assert_eq!(from_word(&modulus), None);
        assert_eq!(reduce_word(&modulus), Fr::from(0));
        assert_eq!(
            reduce_word(&[0xff; 32]),
            Fr::from_be_bytes_mod_order(&[0xff; 32])
        );
    }

    #[test]
    fn powers_agree() {
        assert_eq!(powers(Fr::from(2), 70)[69], power_of_two(69));
        assert!(powers(Fr::from(2), 0).is_empty());
    }
}
