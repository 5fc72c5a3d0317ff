//! Multilinear extensions over vectors of 2^n entries (FORMAT.md 1): `x_0` is the most significant index bit
//! and is bound first.
#![forbid(unsafe_code)]

use zkdps_field::{AdditiveGroup, Fr, One, Zero};

pub use zkdps_field::kernels::{
    bind_leading_small, combine_small, dot_small, eq_suffix_tables, eq_table, fold, fold_small,
};

/// Returns `count` bits of `value` as field elements, most significant first.
#[must_use]
pub fn bits(value: u64, count: usize) -> Vec<Fr> {
    (0..count)
        .rev()
        .map(|k| Fr::from(value.checked_shr(k as u32).unwrap_or(0) & 1))
        .collect()
}

/// Returns eq(a, b) = Π (a_k b_k + (1 − a_k)(1 − b_k)) over the common length.
#[must_use]
pub fn eq(a: &[Fr], b: &[Fr]) -> Fr {
    // a b + (1 - a)(1 - b) = 1 - a - b + 2 a b
    a.iter()
        .zip(b)
        .map(|(a, b)| Fr::one() - a - b + (*a * b).double())
        .product()
}

/// Returns the multilinear extension of the index, Σ z_k 2^(n−1−k).
#[must_use]
pub fn identity(point: &[Fr]) -> Fr {
    point.iter().fold(Fr::zero(), |value, z| value.double() + z)
}

/// Returns the multilinear extension of \[index < count\] at `point`, for count ≤ 2^len.
#[must_use]
pub fn less_than(count: u64, point: &[Fr]) -> Fr {
    if 1_u64.checked_shl(point.len() as u32) == Some(count) {
        return Fr::one();
    }
    let (mut total, mut prefix) = (Fr::zero(), Fr::one());
    for (bit, x) in bits(count, point.len()).iter().zip(point) {
        if bit.is_one() {
            total += prefix * (Fr::one() - x);
            prefix *= x;
        } else {
            prefix *= Fr::one() - x;
        }
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(n: u64) -> Vec<Fr> {
        (0..n)
            .map(|k| Fr::from(k * k + 5) * Fr::from(u64::MAX))
            .collect()
    }

    fn evaluate(mut vector: Vec<Fr>, point: &[Fr]) -> Fr {
        for r in point {
            fold(&mut vector, *r);
        }
        vector[0]
    }

    #[test]
    fn all_ways_to_evaluate_agree() {
        let z = point(6);
        let values: Vec<i64> = (0..64).map(|i| i * i - 700).collect();
        let embedded: Vec<Fr> = values.iter().map(|v| Fr::from(*v)).collect();
        let expected = evaluate(embedded, &z);
        let table = eq_table(&z, Fr::one());
        assert_eq!(dot_small(&table, &values), expected);
        assert_eq!(evaluate(fold_small(&values, z[0]), &z[1..]), expected);
        assert_eq!(
            evaluate(
                bind_leading_small(&values, &eq_table(&z[..2], Fr::one())),
                &z[2..]
            ),
            expected
        );
        assert_eq!(eq_suffix_tables(&z)[6], table);
        assert_eq!(eq_suffix_tables(&z)[2], eq_table(&z[4..], Fr::one()));
    }

    #[test]
    fn parallel_and_serial_loops_agree() {
        let z = point(14);
        let values: Vec<i64> = (0..1 << 14).map(|i| i * 31 % 257 - 128).collect();
        let embedded: Vec<Fr> = values.iter().map(|v| Fr::from(*v)).collect();
        let table = eq_table(&z, Fr::from(3));
        let expected = evaluate(embedded, &z) * Fr::from(3);
        assert_eq!(dot_small(&table, &values), expected);
        assert_eq!(
            evaluate(fold_small(&values, z[0]), &z[1..]) * Fr::from(3),
            expected
        );
        let combined = combine_small(&[&values, &values], &[Fr::from(4), -Fr::from(1)], 1 << 14);
        assert_eq!(evaluate(combined, &z), expected);
    }

    #[test]
    fn index_polynomials_agree_with_their_tables() {
        let z = point(5);
        let table = eq_table(&z, Fr::one());
        let indices: Vec<i64> = (0..32).collect();
        assert_eq!(identity(&z), dot_small(&table, &indices));
        for count in [1, 2, 13, 31, 32] {
            let below: Vec<i64> = (0..32).map(|i| i64::from(i < count)).collect();
            assert_eq!(less_than(count, &z), dot_small(&table, &below));
        }
        assert_eq!(eq(&z, &bits(19, 5)), table[19]);
        assert_eq!(less_than(1, &[]), Fr::one());
    }
}
