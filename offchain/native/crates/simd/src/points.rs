//! Affine additions of many pairs of points at once, with shared inversions.

use crate::lanes::{
    Base, Lanes, MASK, Modulus, Words, add_masked, lane_fn, lift, limbs, mul, multiple, normalize,
    splat, splat_limbs, sub, sub_limbs, words,
};
use crate::{Entry, Ifma, RawPoint};
use ark_bn254::{Fq, G1Affine};
use ark_ec::CurveGroup;
use ark_ff::{BigInt, BigInteger, Field, PrimeField};
use std::arch::x86_64::{
    __m512i, __mmask8, _MM_HINT_T0, _mm_prefetch, _mm512_cmpeq_epi64_mask, _mm512_cmplt_epi64_mask,
    _mm512_loadu_si512, _mm512_mask_mov_epi64, _mm512_mask_sub_epi64, _mm512_setzero_si512,
    _mm512_shuffle_i64x2, _mm512_slli_epi64, _mm512_store_si512, _mm512_storeu_si512,
    _mm512_sub_epi64, _mm512_testn_epi64_mask, _mm512_unpackhi_epi64, _mm512_unpacklo_epi64,
};

// The kernels read points through pointers to eight words, x first.
const _: () = assert!(
    size_of::<G1Affine>() == 64
        && std::mem::offset_of!(G1Affine, x) == 0
        && std::mem::offset_of!(G1Affine, y) == 32
        && size_of::<Fq>() == 32
);

/// Lanes of a register.
const LANES: usize = 8;
/// Registers of additions that share an inversion.
const GROUP: usize = 512;
/// Registers ahead of the current one whose points are fetched into the cache.
const AHEAD: usize = 4;

/// Working memory of additions.
#[derive(Debug)]
pub struct Adder {
    ifma: Ifma,
    prefixes: Vec<[[u64; LANES]; 5]>,
}

impl Adder {
    /// Returns working memory.
    #[must_use]
    pub fn new(ifma: Ifma) -> Self {
        Self {
            ifma,
            prefixes: vec![[[0; LANES]; 5]; GROUP],
        }
    }

    /// Appends the sum of every pair to `sums`; entries refer to `points` or to earlier `sums`.
    ///
    /// # Panics
    /// An entry refers to nothing.
    pub fn add_pairs(
        &mut self,
        points: &[G1Affine],
        sums: &mut Vec<RawPoint>,
        pairs: &mut Vec<[Entry; 2]>,
    ) {
        let (base, count) = (sums.len(), pairs.len());
        for entry in pairs.iter().flatten() {
            let limit = if entry.is_sum() { base } else { points.len() };
            assert!(entry.index() < limit, "summand out of range");
        }
        let Some(last) = pairs.last().copied() else {
            return;
        };
        pairs.resize(count.next_multiple_of(LANES), last);
        sums.resize(base + pairs.len(), RawPoint::default());
        let (read, write) = sums.split_at_mut(base);
        let _: Ifma = self.ifma;
        for (pairs, out) in pairs
            .chunks(GROUP * LANES)
            .zip(write.chunks_mut(GROUP * LANES))
        {
            let (batches, _) = pairs.as_chunks::<LANES>();
            let (out, _) = out.as_chunks_mut::<LANES>();
            // SAFETY: an `Ifma` exists, so the processor has the features; all entries are in range.
            unsafe { add_group(points, read, batches, out, &mut self.prefixes) };
        }
        sums.truncate(base + count);
        pairs.truncate(count);
    }
}

/// Pointers to the first words of a register's summands.
type Pointers = [*const u64; LANES];

#[inline]
fn locate(points: &[G1Affine], sums: &[RawPoint], entry: Entry) -> *const u64 {
    let base = if entry.is_sum() {
        sums.as_ptr().cast::<u64>()
    } else {
        points.as_ptr().cast::<u64>()
    };
    base.wrapping_add(8 * entry.index())
}

/// x of both summands, their difference and the lanes that need care.
pub(crate) struct Front {
    x: [Lanes; 2],
    dx: Lanes,
    special: __mmask8,
}

/// Adds up to GROUP registers of pairs with one inversion.
///
/// # Safety
/// All entries are in range.
#[target_feature(
    enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma,avx512vbmi,avx512vbmi2,avx512vnni"
)]
unsafe fn add_group(
    points: &[G1Affine],
    sums: &[RawPoint],
    batches: &[[[Entry; 2]; LANES]],
    out: &mut [[RawPoint; LANES]],
    prefixes: &mut [[[u64; LANES]; 5]],
) {
    // Two chains of products hide each other's latency.
    let mut chains = [splat_limbs([1, 0, 0, 0, 0]); 2];
    for (t, batch) in batches.iter().enumerate() {
        if let Some(ahead) = batches.get(t + AHEAD) {
            for entry in ahead.as_flattened() {
                let at = locate(points, sums, *entry).cast::<i8>();
                _mm_prefetch::<_MM_HINT_T0>(at);
                _mm_prefetch::<_MM_HINT_T0>(at.wrapping_add(63));
            }
        }
        let at = [0, 1].map(|side| batch.map(|pair| locate(points, sums, pair[side])));
        // SAFETY: `locate` points to eight words of an entry in range.
        let x = unsafe { [load_x(&at[0]), load_x(&at[1])] };
        let front = front(x);
        let chain = &mut chains[t % 2];
        store(&mut prefixes[t], chain);
        *chain = mul::<Base>(chain, &front.dx);
    }
    let mut suffixes = invert_chains(&chains);
    for (t, batch) in batches.iter().enumerate().rev() {
        let at = [0, 1].map(|side| batch.map(|pair| locate(points, sums, pair[side])));
        // SAFETY: as above.
        let [(x1, y1), (x2, y2)] = unsafe { [load_point(&at[0]), load_point(&at[1])] };
        let front = front([x1, x2]);
        let suffix = &mut suffixes[t % 2];
        let inverse = mul::<Base>(suffix, &load(&prefixes[t]));
        *suffix = mul::<Base>(suffix, &front.dx);
        let signs = [0, 1].map(|side| {
            batch.iter().enumerate().fold(0_u8, |mask, (lane, pair)| {
                mask | u8::from(pair[side].is_negated()) << lane
            })
        });
        let y1 = negate_masked(y1, signs[0]);
        let y2 = negate_masked(y2, signs[1]);
        let slope = mul::<Base>(&sub(y2, y1, Base::TWICE), &inverse);
        let [x1, x2] = front.x;
        let x3 = reduce_sum(sub_limbs(sub_limbs(mul::<Base>(&slope, &slope), x1), x2));
        let run = sub(x1, x3, Base::TWICE);
        let run = normalize(run.map(|limb| _mm512_slli_epi64::<2>(limb)));
        let y3 = lift::<Base>(sub_limbs(mul::<Base>(&slope, &run), y1));
        store_points(&mut out[t], &words(&x3), &words(&y3));
        if front.special != 0 {
            for (lane, (pair, out)) in batch.iter().zip(&mut out[t]).enumerate() {
                if front.special >> lane & 1 == 1 {
                    let [a, b] = pair.map(|entry| entry.load(points, sums));
                    *out = RawPoint::from(&(a + b).into_affine());
                }
            }
        }
    }
}

lane_fn! {
    /// Returns x_2 − x_1 (1 where it may be 0 or a point may be infinite).
    pub fn front(x: [Lanes; 2]) -> Front {
        let [x1, x2] = x;
        let mut dx = sub(x2, x1, Base::TWICE);
        // 0 < dx < 4 p: it is 0 modulo p only if it is p, 2 p or 3 p. Infinity has x = 0.
        let mut special = _mm512_testn_epi64_mask(x1[0], x1[0]) | _mm512_testn_epi64_mask(x2[0], x2[0]);
        for k in 1..4 {
            special |= _mm512_cmpeq_epi64_mask(dx[0], splat(multiple(Base::P, k)[0]));
        }
        if special != 0 {
            let one = splat_limbs([1, 0, 0, 0, 0]);
            for i in 0..5 {
                dx[i] = _mm512_mask_mov_epi64(dx[i], special, one[i]);
            }
        }
        Front { x, dx, special }
    }
}

lane_fn! {
    /// Returns 2 p − y in the lanes of `mask`; not normalised.
    pub fn negate_masked(y: Lanes, mask: __mmask8) -> Lanes {
        let twice = splat_limbs(Base::TWICE);
        std::array::from_fn(|i| _mm512_mask_sub_epi64(y[i], mask, twice[i], y[i]))
    }
}

lane_fn! {
    /// Brings −4 p < t < 2 p into 0 … 2 p.
    pub fn reduce_sum(t: Lanes) -> Lanes {
        // The highest limb is a few units off before carries are passed on; −p is far from both limits.
        let low = _mm512_cmplt_epi64_mask(
            t[4],
            _mm512_sub_epi64(_mm512_setzero_si512(), splat(Base::P[4])),
        );
        lift::<Base>(add_masked(t, low, Base::TWICE))
    }
}

lane_fn! {
    /// Stores limbs.
    pub fn store(to: &mut [[u64; LANES]; 5], t: &Lanes) {
        for (to, limb) in to.iter_mut().zip(t) {
            // SAFETY: `to` is 64 writable bytes.
            unsafe { _mm512_storeu_si512(to.as_mut_ptr().cast(), *limb) };
        }
    }
}

lane_fn! {
    /// Loads limbs.
    pub fn load(from: &[[u64; LANES]; 5]) -> Lanes {
        // SAFETY: every limb is 64 readable bytes.
        std::array::from_fn(|i| unsafe { _mm512_loadu_si512(from[i].as_ptr().cast()) })
    }
}

/// Returns 2^518 / chain for every lane of both chains, with one inversion.
#[target_feature(
    enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma,avx512vbmi,avx512vbmi2,avx512vnni"
)]
fn invert_chains(chains: &[Lanes; 2]) -> [Lanes; 2] {
    let mut raw = [[[0; LANES]; 5]; 2];
    let mut values = [Fq::ONE; 2 * LANES];
    for (c, chain) in chains.iter().enumerate() {
        store(&mut raw[c], chain);
        for lane in 0..LANES {
            values[c * LANES + lane] = join(std::array::from_fn(|i| raw[c][i][lane]));
        }
    }
    let mut prefixes = [Fq::ONE; 2 * LANES];
    let mut product = Fq::ONE;
    for (prefix, value) in prefixes.iter_mut().zip(&values) {
        *prefix = product;
        product *= value;
    }
    // A value a in the form a 2^256 has 2^512 / (a 2^256) as its inverse's form; 2^6 more are asked for.
    let mut inverse = product.inverse().unwrap_or_default() * Fq::from(64_u64);
    for k in (0..2 * LANES).rev() {
        let result = split(prefixes[k] * inverse);
        inverse *= values[k];
        for (i, limb) in result.into_iter().enumerate() {
            raw[k / LANES][i][k % LANES] = limb;
        }
    }
    [load(&raw[0]), load(&raw[1])]
}

/// Returns the element whose Montgomery form is congruent to limbs below 2 p.
fn join(limbs: [u64; 5]) -> Fq {
    let mut value = BigInt::new([
        limbs[0] | limbs[1] << 52,
        limbs[1] >> 12 | limbs[2] << 40,
        limbs[2] >> 24 | limbs[3] << 28,
        limbs[3] >> 36 | limbs[4] << 16,
    ]);
    if value >= Fq::MODULUS {
        value.sub_with_borrow(&Fq::MODULUS);
    }
    Fq::new_unchecked(value)
}

/// Returns the limbs of the Montgomery form.
fn split(value: Fq) -> [u64; 5] {
    let w = value.0.0;
    [
        w[0] & MASK,
        (w[0] >> 52 | w[1] << 12) & MASK,
        (w[1] >> 40 | w[2] << 24) & MASK,
        (w[2] >> 28 | w[3] << 36) & MASK,
        w[3] >> 16,
    ]
}

/// Loads the first four words at every pointer.
///
/// # Safety
/// Every pointer has eight readable words.
#[inline]
#[target_feature(
    enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma,avx512vbmi,avx512vbmi2,avx512vnni"
)]
unsafe fn load_x(at: &Pointers) -> Lanes {
    // SAFETY: as promised by the caller.
    let rows = unsafe { load_rows(at) };
    let [w, _] = transpose(rows);
    limbs(&w)
}

/// Loads x and y at every pointer.
///
/// # Safety
/// Every pointer has eight readable words.
#[inline]
#[target_feature(
    enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma,avx512vbmi,avx512vbmi2,avx512vnni"
)]
unsafe fn load_point(at: &Pointers) -> (Lanes, Lanes) {
    // SAFETY: as promised by the caller.
    let rows = unsafe { load_rows(at) };
    let [x, y] = transpose(rows);
    (limbs(&x), limbs(&y))
}

#[inline]
#[target_feature(
    enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma,avx512vbmi,avx512vbmi2,avx512vnni"
)]
unsafe fn load_rows(at: &Pointers) -> [__m512i; 8] {
    // SAFETY: as promised by the caller.
    std::array::from_fn(|lane| unsafe { _mm512_loadu_si512(at[lane].cast()) })
}

lane_fn! {
    /// Stores eight points.
    pub fn store_points(to: &mut [RawPoint; LANES], x: &Words, y: &Words) {
        let rows = transpose([x[0], x[1], x[2], x[3], y[0], y[1], y[2], y[3]]);
        for (to, row) in to.iter_mut().zip(rows.as_flattened()) {
            // SAFETY: a `RawPoint` is 64 bytes, aligned to 64.
            unsafe { _mm512_store_si512(std::ptr::from_mut(to).cast(), *row) };
        }
    }
}

lane_fn! {
    /// Transposes eight rows of eight words; columns 0 … 3 and 4 … 7.
    pub fn transpose(r: [__m512i; 8]) -> [Words; 2] {
        let mut columns = [[r[0]; 4]; 2];
        for odd in 0..2 {
            // 128-bit part j of pairs[k] holds words 2 j + odd of rows 2 k and 2 k + 1.
            let pairs: [__m512i; 4] = std::array::from_fn(|k| {
                if odd == 0 {
                    _mm512_unpacklo_epi64(r[2 * k], r[2 * k + 1])
                } else {
                    _mm512_unpackhi_epi64(r[2 * k], r[2 * k + 1])
                }
            });
            let near = [
                _mm512_shuffle_i64x2::<0x44>(pairs[0], pairs[1]),
                _mm512_shuffle_i64x2::<0x44>(pairs[2], pairs[3]),
            ];
            let far = [
                _mm512_shuffle_i64x2::<0xee>(pairs[0], pairs[1]),
                _mm512_shuffle_i64x2::<0xee>(pairs[2], pairs[3]),
            ];
            columns[0][odd] = _mm512_shuffle_i64x2::<0x88>(near[0], near[1]);
            columns[0][2 + odd] = _mm512_shuffle_i64x2::<0xdd>(near[0], near[1]);
            columns[1][odd] = _mm512_shuffle_i64x2::<0x88>(far[0], far[1]);
            columns[1][2 + odd] = _mm512_shuffle_i64x2::<0xdd>(far[0], far[1]);
        }
        columns
    }
}

#[cfg(test)]
mod tests {
    use super::Adder;
    use crate::{Entry, Ifma, RawPoint};
    use ark_bn254::G1Affine;
    use ark_ec::{AffineRepr, CurveGroup};

    #[test]
    fn sums_of_pairs_agree_with_the_group_law() {
        let Some(ifma) = Ifma::detect() else { return };
        let g = G1Affine::generator();
        let mut points = vec![G1Affine::identity()];
        for k in 0..300 {
            points.push((points[k] + g).into_affine());
        }
        let mut adder = Adder::new(ifma);
        for count in [0, 1, 7, 8, 9, 5000] {
            let mut sums: Vec<RawPoint> = points.iter().map(RawPoint::from).collect();
            let before = sums.len();
            let mut pairs: Vec<[Entry; 2]> = (0..count)
                .map(|k| {
                    // Infinity, doublings, cancellations and sums of earlier sums are among them.
                    let (a, b) = (k * 7 % 301, k * k % 301);
                    [
                        Entry::point(a, k % 3 == 1),
                        if k % 5 == 0 {
                            Entry::sum(b)
                        } else {
                            Entry::point(b, k % 2 == 1)
                        },
                    ]
                })
                .collect();
            let entries = pairs.clone();
            adder.add_pairs(&points, &mut sums, &mut pairs);
            assert_eq!((pairs, sums.len()), (entries.clone(), before + count));
            for ([a, b], sum) in entries.iter().zip(&sums[before..]) {
                let load = |entry: &Entry| entry.load(&points, &sums);
                assert_eq!(G1Affine::from(sum), (load(a) + load(b)).into_affine());
            }
        }
    }
}
