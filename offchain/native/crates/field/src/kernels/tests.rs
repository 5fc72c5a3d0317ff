//! Every kernel against its definition, at lengths that fill no vector register and that need several blocks.

use super::*;
use crate::scalar::powers;

const LENGTHS: [usize; 7] = [1, 2, 4, 8, 32, 64, 1 << 13];

fn column(length: usize, seed: u64) -> Vec<Fr> {
    let mut column = powers(Fr::from(seed + 2).pow([201]), length);
    // Extremes of the canonical range among them.
    for (cell, edge) in column
        .iter_mut()
        .step_by(3)
        .zip([Fr::ZERO, -Fr::ONE, Fr::ONE])
    {
        *cell = edge;
    }
    column
}

fn bound(column: &[Fr], r: Fr) -> Vec<Fr> {
    let (low, high) = column.split_at(column.len() / 2);
    low.iter()
        .zip(high)
        .map(|(l, h)| *l + r * (*h - l))
        .collect()
}

/// Returns the sum of `cell` over the cells with the bound variable at X, for X = 0 … 3.
fn at_four_points(columns: &[&[Fr]], cell: impl Fn(usize, &[Fr]) -> Fr) -> [Fr; 4] {
    std::array::from_fn(|x| {
        let bound: Vec<_> = columns
            .iter()
            .map(|c| bound(c, Fr::from(x as u64)))
            .collect();
        (0..bound[0].len())
            .map(|k| cell(k, &bound.iter().map(|c| c[k]).collect::<Vec<_>>()))
            .sum()
    })
}

fn evaluate_all(coefficients: [Fr; 4]) -> [Fr; 4] {
    std::array::from_fn(|x| backend::evaluate(&coefficients, Fr::from(x as u64)))
}

#[test]
fn folds_and_tables_agree_with_their_definitions() {
    let r = Fr::from(7).pow([77]);
    for length in LENGTHS.into_iter().skip(1) {
        let v = column(length, 1);
        let mut folded = v.clone();
        fold(&mut folded, r);
        assert_eq!(folded, bound(&v, r));
        let pairs: Vec<Fr> = v.chunks(2).map(|p| p[0] + r * (p[1] - p[0])).collect();
        assert_eq!(fold_last(&v, r), pairs);
    }
    let point = column(11, 3);
    let table = eq_table(&point, Fr::from(3));
    for (x, value) in table.iter().enumerate() {
        let expected: Fr = point
            .iter()
            .enumerate()
            .map(|(k, z)| {
                if x >> (10 - k) & 1 == 1 {
                    *z
                } else {
                    Fr::ONE - z
                }
            })
            .product();
        assert_eq!(*value, expected * Fr::from(3));
    }
    let suffixes = eq_suffix_tables(&point);
    for (l, suffix) in suffixes.iter().enumerate() {
        assert_eq!(*suffix, eq_table(&point[11 - l..], Fr::ONE));
    }
}

#[test]
fn vector_operations_agree_with_their_definitions() {
    for length in LENGTHS {
        let (a, b) = (column(length, 4), column(length, 5));
        let k = Fr::from(11).pow([31]);
        let mut sum = a.clone();
        add_scaled(&mut sum, k, &b);
        assert!((0..length).all(|i| sum[i] == a[i] + k * b[i]));
        let mut product = a.clone();
        multiply(&mut product, &b);
        assert!((0..length).all(|i| product[i] == a[i] * b[i]));
        assert_eq!(inner_product(&a, &b), product.iter().sum());
        let mut inverse = a.clone();
        invert(&mut inverse);
        assert!((0..length).all(|i| inverse[i] == a[i].inverse().unwrap_or_default()));
        let horner = a.iter().rev().fold(Fr::ZERO, |value, c| value * k + c);
        assert_eq!(evaluate(&a, k), horner);
        let quotient = divide_by_root(&a, k);
        assert_eq!(quotient.len(), length - 1);
        let x = Fr::from(5);
        assert_eq!(evaluate(&quotient, x) * (x - k), evaluate(&a, x) - horner);
    }
}

#[test]
fn rounds_are_the_coefficients_of_their_polynomials() {
    let r = Fr::from(13).pow([99]);
    for length in LENGTHS.into_iter().skip(1) {
        let columns = [1, 2, 3, 4].map(|seed| column(length, seed));
        let [a, b, c, d] = columns.each_ref().map(Vec::as_slice);
        let weights = column(length / 2, 9);
        let quarter = column(length / 4, 8);
        let two = |[c0, c2]: [Fr; 2], c1: Fr| evaluate_all([c0, c1, c2, Fr::ZERO]);

        let expected = at_four_points(&[a, b], |_, v| v[0] * v[1]);
        let [c0, c2] = product_round(a, b);
        assert_eq!(two([c0, c2], expected[1] - c0 - c2), expected);

        let expected = at_four_points(&[a, b, c], |_, v| v[0] * v[1] * v[2]);
        let [c0, c2, c3] = triple_round(a, b, c);
        assert_eq!(
            evaluate_all([c0, expected[1] - c0 - c2 - c3, c2, c3]),
            expected
        );

        let expected = at_four_points(&[a, b], |k, v| weights[k] * v[0] * v[1]);
        let [c1, c2] = eq_product_round(&weights, a, b);
        assert_eq!(two([expected[0], c2], c1), expected);

        let expected = at_four_points(&[a, b, c, d], |k, v| {
            weights[k] * (v[0] * v[3] + v[1] * v[2])
        });
        let [c1, c2] = logup_round(&weights, [a, b, c, d]);
        assert_eq!(two([expected[0], c2], c1), expected);

        let next = columns.each_ref().map(|c| bound(c, r));
        let [na, nb, nc, nd] = next.each_ref().map(Vec::as_slice);
        let (mut fa, mut fb, mut fc) = (a.to_vec(), b.to_vec(), c.to_vec());
        let message = fold_triple_round(&mut fa, &mut fb, &mut fc, r);
        assert_eq!((&fa, &fb, &fc), (&next[0], &next[1], &next[2]));
        if length > 2 {
            assert_eq!(message, triple_round(na, nb, nc));
        }
        let (mut fa, mut fb) = (a.to_vec(), b.to_vec());
        let message = fold_product_round(&mut fa, &mut fb, r);
        assert_eq!((&fa, &fb), (&next[0], &next[1]));
        if length > 2 {
            assert_eq!(message, product_round(na, nb));
        }
        let (mut fa, mut fb) = (a.to_vec(), b.to_vec());
        let message = fold_eq_product_round(&quarter, &mut fa, &mut fb, r);
        assert_eq!((&fa, &fb), (&next[0], &next[1]));
        if length > 2 {
            assert_eq!(message, eq_product_round(&quarter, na, nb));
        }
        let mut folded = columns.clone();
        let message = fold_logup_round(&quarter, folded.each_mut(), r);
        assert_eq!(folded, next);
        if length > 2 {
            assert_eq!(message, logup_round(&quarter, [na, nb, nc, nd]));
        }

        let (p, q) = logup_parents(a, b);
        let half = length / 2;
        assert!((0..half).all(|k| p[k] == a[k] * b[k + half] + a[k + half] * b[k]));
        assert!((0..half).all(|k| q[k] == b[k] * b[k + half]));
    }
}

fn check_small<T: SmallInt>(cast: impl Fn(i64) -> T) {
    let r = Fr::from(3).pow([123]);
    for (rows, inner) in [
        (1, 1),
        (1, 64),
        (8, 1),
        (4, 4),
        (32, 128),
        (128, 32),
        (3, 70),
        (5000, 3),
        (3, 5000),
        (70, 5),
    ] {
        let spread = |i: i64| {
            cast(
                i.wrapping_mul(0x9e37_79b9_7f4a_7c15_u64 as i64)
                    .rotate_left(17),
            )
        };
        let vector: Vec<T> = (0..rows * inner).map(|i| spread(i as i64)).collect();
        let embedded: Vec<Fr> = vector.iter().map(|v| Fr::from(v.widen())).collect();
        let (leading, trailing) = (column(rows, 6), column(inner, 7));
        let cell = |o: usize, i: usize| embedded[o * inner + i];
        let bound_rows: Vec<Fr> = (0..inner)
            .map(|i| (0..rows).map(|o| leading[o] * cell(o, i)).sum())
            .collect();
        let bound_cells: Vec<Fr> = (0..rows)
            .map(|o| (0..inner).map(|i| trailing[i] * cell(o, i)).sum())
            .collect();
        assert_eq!(bind_leading_small(&vector, &leading), bound_rows);
        assert_eq!(bind_trailing_small(&vector, &trailing), bound_cells);
        let weights = column(rows * inner, 8);
        assert_eq!(
            dot_small(&weights, &vector),
            inner_product(&weights, &embedded)
        );
        let combined = combine_small(&[&vector, &vector], &[r, Fr::ONE], vector.len());
        assert!(
            combined
                .iter()
                .zip(&embedded)
                .all(|(c, v)| *c == *v * (r + Fr::ONE))
        );
        if vector.len().is_multiple_of(2) {
            assert_eq!(fold_small(&vector, r), bound(&embedded, r));
        }
    }
}

#[test]
fn integer_sums_agree_with_their_definitions() {
    check_small(|v| v as i8);
    check_small(|v| v as i16);
    check_small(|v| v as i32);
    check_small(|v| v);
}

#[test]
fn wide_and_scalar_loops_agree() {
    use super::scalar;
    for length in [8, 9, 16, 23, 40, 1000] {
        let v: [Vec<Fr>; 9] = std::array::from_fn(|seed| column(length, seed as u64));
        let r = v[8][length - 1];
        let halves = |k: usize| [&v[k][..], &v[k + 1][..]];
        let both = |run: &dyn Fn(bool) -> Vec<Fr>| assert_eq!(run(true), run(false));
        both(&|wide| {
            let mut low = v[0].clone();
            if wide {
                backend::fold(&mut low, &v[1], r);
            } else {
                scalar::fold(&mut low, &v[1], r);
            }
            low
        });
        both(&|wide| {
            let (mut low, mut high) = (v[0].clone(), v[1].clone());
            let expand = if wide {
                backend::expand_eq
            } else {
                scalar::expand_eq
            };
            expand(&mut low, &mut high, r);
            [low, high].concat()
        });
        both(&|wide| {
            let mut out = v[0][..length / 2].to_vec();
            let fold = if wide {
                backend::fold_pairs
            } else {
                scalar::fold_pairs
            };
            fold(&v[1], r, &mut out);
            out
        });
        both(&|wide| {
            let (mut p, mut q) = (v[7].clone(), v[8].clone());
            let parents = if wide {
                backend::logup_parents
            } else {
                scalar::logup_parents
            };
            parents(halves(0), halves(2), &mut p, &mut q);
            [p, q].concat()
        });
        let (a, b, c, d) = (halves(0), halves(2), halves(4), halves(6));
        assert_eq!(backend::product_round(a, b), scalar::product_round(a, b));
        assert_eq!(
            backend::triple_round(a, b, c),
            scalar::triple_round(a, b, c)
        );
        assert_eq!(
            backend::eq_product_round(&v[8], a, b),
            scalar::eq_product_round(&v[8], a, b)
        );
        assert_eq!(
            backend::logup_round(&v[8], [a, b, c, d]),
            scalar::logup_round(&v[8], [a, b, c, d])
        );
        assert_eq!(
            backend::inner_product(&v[0], &v[1]),
            scalar::inner_product(&v[0], &v[1])
        );
    }
}
