//! Loops over vectors of scalars, eight cells at a time. Lengths are multiples of eight.

use super::cells::{
    BATCH, LANES, Sums, cells, cells_mut, constant, plain, plain_pair, sixteen, sixteen_pair,
    splat_words, split_pairs, store, sum_of_products,
};
use super::lanes::{
    Lanes, Modulus, Scalar, accumulate, add_limbs, add_masked, carry, lane_fn, limbs, mul,
    negative, normalize, reduce, settle, splat, sub, sub_limbs, wide_zero,
};
use crate::{Halves, Ifma};
use ark_bn254::Fr;
use ark_ff::Field;
use std::arch::x86_64::{
    _mm512_add_epi64, _mm512_loadu_si512, _mm512_madd52hi_epu64, _mm512_madd52lo_epu64,
    _mm512_permutexvar_epi64, _mm512_set_epi64,
};

macro_rules! kernels {
    ($($(#[$doc:meta])* fn $name:ident($($argument:ident: $kind:ty),*) $(-> $result:ty)? $body:block)*) => {
        impl Ifma {$(
            $(#[$doc])*
            #[inline]
            pub fn $name(self, $($argument: $kind),*) $(-> $result)? {
                // SAFETY: an `Ifma` exists, so the processor has the features.
                unsafe { $name($($argument),*) }
            }
        )*}
        $(
            #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma,avx512vbmi,avx512vbmi2,avx512vnni")]
            fn $name($($argument: $kind),*) $(-> $result)? $body
        )*
    };
}

kernels! {
    /// low += r (high − low).
    fn fold(low: &mut [Fr], high: &[Fr], r: Fr) {
        let r = constant(r);
        let (low, high) = (cells_mut(low), cells(high));
        let (low_pairs, low_rest) = low.as_chunks_mut::<2>();
        let (high_pairs, high_rest) = high.as_chunks::<2>();
        for (low, high) in low_pairs.iter_mut().zip(high_pairs) {
            fold_cells(low, high, &r);
        }
        for (low, high) in low_rest.iter_mut().zip(high_rest) {
            fold_cells(std::array::from_mut(low), std::array::from_ref(high), &r);
        }
    }

    /// out = even + r (odd − even) of neighbours.
    fn fold_pairs(pairs: &[Fr], r: Fr, out: &mut [Fr]) {
        let r = constant(r);
        for (out, pairs) in cells_mut(out).iter_mut().zip(pairs.as_chunks::<{ 2 * LANES }>().0) {
            let [even, odd] = split_pairs(pairs).map(|words| limbs(&words));
            let difference = sub(odd, even, Scalar::P);
            store(out, settle::<Scalar>(add_limbs(even, mul::<Scalar>(&difference, &r))));
        }
    }

    /// high = z low; low −= high.
    fn expand_eq(low: &mut [Fr], high: &mut [Fr], z: Fr) {
        let z = constant(z);
        for (low, high) in cells_mut(low).iter_mut().zip(cells_mut(high)) {
            let start = plain(low);
            let product = settle::<Scalar>(mul::<Scalar>(&start, &z));
            store(high, product);
            let rest = normalize(sub_limbs(start, product));
            let below = negative(&rest);
            store(low, normalize(add_masked(rest, below, Scalar::P)));
        }
    }

    /// target += k source.
    fn add_scaled(target: &mut [Fr], k: Fr, source: &[Fr]) {
        let k = constant(k);
        for (target, source) in cells_mut(target).iter_mut().zip(cells(source)) {
            let product = mul::<Scalar>(&plain(source), &k);
            store(target, settle::<Scalar>(add_limbs(plain(target), product)));
        }
    }

    /// target *= factor.
    fn multiply(target: &mut [Fr], factor: &[Fr]) {
        for (target, factor) in cells_mut(target).iter_mut().zip(cells(factor)) {
            store(target, settle::<Scalar>(mul::<Scalar>(&plain(target), &sixteen(factor))));
        }
    }

    /// Returns Σ a b.
    fn inner_product(a: &[Fr], b: &[Fr]) -> Fr {
        let mut sums = Sums::<1>::zero();
        for (k, (a, b)) in cells(a).iter().zip(cells(b)).enumerate() {
            sums.tick(k);
            accumulate(&mut sums.0[0], &plain(a), &sixteen(b));
        }
        let [sum] = sums.values();
        sum
    }

    /// Returns \[Σ a b, Σ Δa Δb\].
    fn product_round(a: Halves, b: Halves) -> [Fr; 2] {
        let mut sums = Sums::<2>::zero();
        for k in 0..a[0].len() / LANES {
            sums.tick(k);
            let ((a, da), (b, db)) = (plain_pair(a, k), sixteen_pair(b, k));
            accumulate(&mut sums.0[0], &a, &b);
            accumulate(&mut sums.0[1], &da, &db);
        }
        sums.values()
    }

    /// Returns c_0, c_2 and c_3 of Σ e a b.
    fn triple_round(e: Halves, a: Halves, b: Halves) -> [Fr; 3] {
        let mut sums = Sums::<3>::zero();
        for k in 0..a[0].len() / LANES {
            sums.tick(k);
            let ((a, da), (b, db)) = (plain_pair(a, k), sixteen_pair(b, k));
            let low = mul::<Scalar>(&a, &b);
            let square = mul::<Scalar>(&da, &db);
            let cross = sum_of_products([(&a, &db), (&da, &b)]);
            let (e, de) = sixteen_pair(e, k);
            accumulate(&mut sums.0[0], &low, &e);
            accumulate(&mut sums.0[1], &square, &e);
            accumulate(&mut sums.0[1], &cross, &de);
            accumulate(&mut sums.0[2], &square, &de);
        }
        sums.values()
    }

    /// Returns c_1 and c_2 of Σ weights a b.
    fn eq_product_round(weights: &[Fr], a: Halves, b: Halves) -> [Fr; 2] {
        let mut sums = Sums::<2>::zero();
        for (k, weight) in cells(weights).iter().enumerate() {
            sums.tick(k);
            let ((a, da), (b, db)) = (plain_pair(a, k), sixteen_pair(b, k));
            let weight = sixteen(weight);
            accumulate(&mut sums.0[0], &sum_of_products([(&a, &db), (&da, &b)]), &weight);
            accumulate(&mut sums.0[1], &mul::<Scalar>(&da, &db), &weight);
        }
        sums.values()
    }

    /// Returns c_1 and c_2 of Σ weights (p0 q1 + p1 q0).
    fn logup_round(weights: &[Fr], columns: [Halves; 4]) -> [Fr; 2] {
        let mut sums = Sums::<2>::zero();
        let [p0, p1, q0, q1] = columns;
        for (k, weight) in cells(weights).iter().enumerate() {
            sums.tick(k);
            let ((p0, dp0), (q1, dq1)) = (plain_pair(p0, k), sixteen_pair(q1, k));
            let mut cross = wide_zero();
            let mut square = wide_zero();
            accumulate(&mut cross, &p0, &dq1);
            accumulate(&mut cross, &dp0, &q1);
            accumulate(&mut square, &dp0, &dq1);
            let ((p1, dp1), (q0, dq0)) = (plain_pair(p1, k), sixteen_pair(q0, k));
            accumulate(&mut cross, &p1, &dq0);
            accumulate(&mut cross, &dp1, &q0);
            accumulate(&mut square, &dp1, &dq0);
            let weight = sixteen(weight);
            accumulate(&mut sums.0[0], &reduce::<Scalar>(cross), &weight);
            accumulate(&mut sums.0[1], &reduce::<Scalar>(square), &weight);
        }
        sums.values()
    }

    /// p_out = p0 q1 + p1 q0 and q_out = q0 q1 of the halves.
    fn logup_parents(p: Halves, q: Halves, p_out: &mut [Fr], q_out: &mut [Fr]) {
        let outs = cells_mut(p_out).iter_mut().zip(cells_mut(q_out));
        for (k, (p_out, q_out)) in outs.enumerate() {
            let [p0, p1] = p.map(|side| plain(&cells(side)[k]));
            let q0 = plain(&cells(q[0])[k]);
            let [q0_16, q1_16] = q.map(|side| sixteen(&cells(side)[k]));
            let parent = sum_of_products([(&p0, &q1_16), (&p1, &q0_16)]);
            store(p_out, settle::<Scalar>(parent));
            store(q_out, settle::<Scalar>(mul::<Scalar>(&q0, &q1_16)));
        }
    }
}

lane_fn! {
    /// Folds N registers, which hide each other's latency.
    fn fold_cells<const N: usize>(low: &mut [[Fr; LANES]; N], high: &[[Fr; LANES]; N], r: &Lanes) {
        let starts: [Lanes; N] = std::array::from_fn(|k| plain(&low[k]));
        let products: [Lanes; N] = std::array::from_fn(|k| {
            mul::<Scalar>(&sub(plain(&high[k]), starts[k], Scalar::P), r)
        });
        for k in 0..N {
            store(&mut low[k], settle::<Scalar>(add_limbs(starts[k], products[k])));
        }
    }
}

impl Ifma {
    /// Magnitudes that [`Ifma::combine`] takes are below this.
    pub const COMBINED: i64 = 1 << 50;

    /// out = Σ_k weights\[k\] vectors\[k\].
    ///
    /// # Panics
    /// A vector is shorter than `out`.
    pub fn combine(self, vectors: &[&[i64]], weights: &[Fr], out: &mut [Fr]) {
        assert!(
            vectors.iter().all(|vector| vector.len() >= out.len()),
            "vectors of one length"
        );
        // SAFETY: an `Ifma` exists, so the processor has the features.
        unsafe { combine(vectors, weights, out) };
    }
}

#[target_feature(
    enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma,avx512vbmi,avx512vbmi2,avx512vnni"
)]
fn combine(vectors: &[&[i64]], weights: &[Fr], out: &mut [Fr]) {
    // Integers are made positive; what that adds is taken away at the end. A weight times 2^260 undoes the
    // division of a product.
    let shift = power(260);
    let limbs: Vec<Lanes> = weights
        .iter()
        .map(|weight| splat_words(*weight * shift))
        .collect();
    let excess: Fr = weights.iter().sum::<Fr>() * Fr::from(Ifma::COMBINED);
    let excess = splat_words(-excess);
    let offset = splat(Ifma::COMBINED.cast_unsigned());
    for (at, out) in cells_mut(out).iter_mut().enumerate() {
        let mut t = wide_zero();
        for (k, (vector, weight)) in vectors.iter().zip(&limbs).enumerate() {
            // SAFETY: the vector has LANES cells from there on.
            let v = unsafe { _mm512_loadu_si512(vector[LANES * at..][..LANES].as_ptr().cast()) };
            // In the order of the lanes of `store`.
            let order = _mm512_set_epi64(7, 5, 6, 4, 3, 1, 2, 0);
            let v = _mm512_add_epi64(_mm512_permutexvar_epi64(order, v), offset);
            for i in 0..5 {
                t[i] = _mm512_madd52lo_epu64(t[i], v, weight[i]);
                t[i + 1] = _mm512_madd52hi_epu64(t[i + 1], v, weight[i]);
            }
            if k % BATCH == BATCH - 1 {
                carry(&mut t);
            }
        }
        store(
            out,
            settle::<Scalar>(add_limbs(reduce::<Scalar>(t), excess)),
        );
    }
}

/// Returns 2^exponent.
fn power(exponent: u64) -> Fr {
    Fr::from(2_u64).pow([exponent])
}
