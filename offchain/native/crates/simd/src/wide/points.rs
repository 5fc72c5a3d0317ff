//! Affine additions of many pairs of points at once, with shared inversions.

use super::lanes::{
    Base, Lanes, MASK, Modulus, add_limbs, add_masked, lane_fn, lift, mul, multiple, normalize,
    splat, splat_limbs, square, sub, sub_limbs, words,
};
use super::memory::{LANES, Stored, load, load_half, store, store_points};
use crate::{Entry, Ifma, RawPoint};
use ark_bn254::{Fq, G1Affine};
use ark_ec::CurveGroup;
use ark_ff::{BigInt, BigInteger, Field, PrimeField};
use std::arch::x86_64::{
    __mmask8, _MM_HINT_T0, _mm_prefetch, _mm256_and_si256, _mm256_set1_epi32,
    _mm256_test_epi32_mask, _mm512_add_epi64, _mm512_castsi512_si256, _mm512_cmpeq_epi64_mask,
    _mm512_cmplt_epi64_mask, _mm512_cvtepu32_epi64, _mm512_extracti64x4_epi64, _mm512_loadu_si512,
    _mm512_mask_mov_epi64, _mm512_mask_sub_epi64, _mm512_movepi32_mask, _mm512_permutexvar_epi32,
    _mm512_set_epi32, _mm512_setzero_si512, _mm512_slli_epi64, _mm512_storeu_si512,
    _mm512_sub_epi64, _mm512_testn_epi64_mask,
};

// The kernels read points through pointers to eight words, x first.
const _: () = assert!(
    size_of::<G1Affine>() == 64
        && std::mem::offset_of!(G1Affine, x) == 0
        && std::mem::offset_of!(G1Affine, y) == 32
        && size_of::<Fq>() == 32
);

/// Registers of additions that share an inversion.
const GROUP: usize = 512;
/// Independent chains of products: they hide each other's latency.
const CHAINS: usize = 2;
/// Registers ahead of the current one whose points are fetched into the cache.
const AHEAD: usize = 4;

/// Working memory of additions.
#[derive(Debug)]
pub struct Adder {
    ifma: Ifma,
    pending: Vec<Pending>,
}

impl Adder {
    /// Returns working memory.
    #[must_use]
    pub fn new(ifma: Ifma) -> Self {
        Self {
            ifma,
            pending: vec![Pending::EMPTY; GROUP],
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
        let largest = |of_sums: bool| {
            let entries = pairs
                .iter()
                .flatten()
                .filter(|entry| entry.is_sum() == of_sums);
            entries.map(|entry| entry.index() + 1).max().unwrap_or(0)
        };
        assert!(
            largest(true) <= base && largest(false) <= points.len(),
            "summand out of range"
        );
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
            unsafe { add_group(points, read, batches, out, &mut self.pending) };
        }
        sums.truncate(base + count);
        pairs.truncate(count);
    }
}

/// What the first pass over a register of pairs leaves to the second.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Pending {
    /// Product of the differences of the registers before it in its chain.
    prefix: Stored,
    x1: Stored,
    dx: Stored,
    /// Addresses of the first and of the second summands.
    at: [[usize; LANES]; 2],
    /// Lanes whose first or second summand is negated.
    negated: [__mmask8; 2],
    /// Lanes that the formulas do not fit.
    special: __mmask8,
}

impl Pending {
    const EMPTY: Self = Self {
        prefix: [[0; LANES]; 5],
        x1: [[0; LANES]; 5],
        dx: [[0; LANES]; 5],
        at: [[0; LANES]; 2],
        negated: [0; 2],
        special: 0,
    };
}

lane_fn! {
    /// Notes where summands are.
    fn locate(points: &[G1Affine], sums: &[RawPoint], batch: &[[Entry; 2]; LANES], pending: &mut Pending) {
        // SAFETY: a batch is 64 bytes.
        let interleaved = unsafe { _mm512_loadu_si512(batch.as_ptr().cast()) };
        let order = _mm512_set_epi32(15, 13, 11, 9, 7, 5, 3, 1, 14, 12, 10, 8, 6, 4, 2, 0);
        let entries = _mm512_permutexvar_epi32(order, interleaved);
        let signs = _mm512_movepi32_mask(entries);
        pending.negated = [signs as u8, (signs >> 8) as u8];
        let sides = [
            _mm512_castsi512_si256(entries),
            _mm512_extracti64x4_epi64::<1>(entries),
        ];
        // Turned back into pointers by `load_rows`.
        let bases = [
            points.as_ptr().expose_provenance(),
            sums.as_ptr().expose_provenance(),
        ]
        .map(|base| splat(base as u64));
        for (at, side) in pending.at.iter_mut().zip(sides) {
            let is_sum = _mm256_test_epi32_mask(side, _mm256_set1_epi32(Entry::SUM.cast_signed()));
            let base = _mm512_mask_mov_epi64(bases[0], is_sum, bases[1]);
            let index = _mm256_and_si256(side, _mm256_set1_epi32(Entry::INDEX.cast_signed()));
            let offset = _mm512_slli_epi64::<6>(_mm512_cvtepu32_epi64(index));
            // SAFETY: `at` is 64 writable bytes.
            unsafe { _mm512_storeu_si512(at.as_mut_ptr().cast(), _mm512_add_epi64(base, offset)) };
        }
    }
}

/// Fetches a register's points into the cache.
#[inline]
fn prefetch(pending: &Pending, straddles: bool) {
    for at in pending.at.as_flattened() {
        let at = std::ptr::with_exposed_provenance::<i8>(*at);
        // SAFETY: a prefetch has no effect but on the cache.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(at) };
        if straddles {
            // SAFETY: as above.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(at.wrapping_add(63)) };
        }
    }
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
    pending: &mut [Pending],
) {
    let pending = &mut pending[..batches.len()];
    for (pending, batch) in pending.iter_mut().zip(batches) {
        locate(points, sums, batch, pending);
    }
    // Sums are in the cache, points often are not.
    let ahead = if batches[0][0][0].is_sum() {
        batches.len()
    } else {
        AHEAD
    };
    let straddles = points.as_ptr().align_offset(64) != 0;
    let mut chains = [splat_limbs([1, 0, 0, 0, 0]); CHAINS];
    for t in 0..pending.len() {
        if let Some(later) = pending.get(t + ahead) {
            prefetch(later, straddles);
        }
        let pending = &mut pending[t];
        // SAFETY: `locate` points to eight words of entries in range.
        let [x1, x2] = pending.at.map(|at| unsafe { load_half::<0>(&at) });
        let (dx, special) = difference(&x1, &x2);
        let chain = &mut chains[t % CHAINS];
        store(&mut pending.x1, &x1);
        store(&mut pending.dx, &dx);
        store(&mut pending.prefix, chain);
        pending.special = special;
        *chain = mul::<Base>(chain, &dx);
    }
    let mut suffixes = invert_chains(&chains);
    // As many registers as there are chains hide each other's latency; the last ones may be fewer.
    let whole = pending.len() / CHAINS * CHAINS;
    for (t, pending) in pending.iter().enumerate().skip(whole).rev() {
        let chain = std::array::from_mut(&mut suffixes[t - whole]);
        finish::<1>(std::array::from_ref(pending), chain, &mut out[t..]);
        correct(points, sums, &batches[t], pending.special, &mut out[t]);
    }
    let (together, _) = pending.as_chunks::<CHAINS>();
    for (t, together) in together.iter().enumerate().rev() {
        finish::<CHAINS>(together, &mut suffixes, &mut out[t * CHAINS..]);
        for (k, pending) in together.iter().enumerate().filter(|(_, p)| p.special != 0) {
            let t = t * CHAINS + k;
            correct(points, sums, &batches[t], pending.special, &mut out[t]);
        }
    }
}

lane_fn! {
    /// Adds the pairs of N registers, one of each chain.
    fn finish<const N: usize>(pending: &[Pending; N], suffixes: &mut [Lanes; N], out: &mut [[RawPoint; LANES]]) {
        let slopes: [Lanes; N] = std::array::from_fn(|k| {
            let inverse = mul::<Base>(&suffixes[k], &load(&pending[k].prefix));
            suffixes[k] = mul::<Base>(&suffixes[k], &load(&pending[k].dx));
            let (y1, y2) = signed_y(&pending[k]);
            mul::<Base>(&sub(y2, y1, Base::TWICE), &inverse)
        });
        let x3: [Lanes; N] = std::array::from_fn(|k| {
            // x_1 + x_2 = 2 x_1 + dx − 2 p
            let (x1, dx) = (load(&pending[k].x1), load(&pending[k].dx));
            let sum = sub_limbs(add_limbs(add_limbs(x1, x1), dx), splat_limbs(Base::TWICE));
            reduce_sum(sub_limbs(square::<Base>(&slopes[k]), sum))
        });
        let products: [Lanes; N] = std::array::from_fn(|k| {
            let run = sub_limbs(load(&pending[k].x1), x3[k]);
            let run = add_limbs(run, splat_limbs(Base::TWICE));
            mul::<Base>(&slopes[k], &normalize(run.map(|limb| _mm512_slli_epi64::<2>(limb))))
        });
        for k in 0..N {
            let (y1, _) = signed_y(&pending[k]);
            let y3 = lift::<Base>(sub_limbs(products[k], y1));
            store_points(&mut out[k], &words(&x3[k]), &words(&y3));
        }
    }
}

lane_fn! {
    /// Returns y of both summands, negated where they are.
    fn signed_y(pending: &Pending) -> (Lanes, Lanes) {
        // SAFETY: `locate` points to eight words of entries in range.
        let [y1, y2] = pending.at.map(|at| unsafe { load_half::<4>(&at) });
        (negate_masked(y1, pending.negated[0]), negate_masked(y2, pending.negated[1]))
    }
}

/// Adds the pairs of special lanes.
#[cold]
fn correct(
    points: &[G1Affine],
    sums: &[RawPoint],
    batch: &[[Entry; 2]; LANES],
    special: __mmask8,
    out: &mut [RawPoint; LANES],
) {
    for lane in (0..LANES).filter(|lane| special >> lane & 1 == 1) {
        let [a, b] = batch[lane].map(|entry| entry.load(points, sums));
        out[lane] = RawPoint::from(&(a + b).into_affine());
    }
}

lane_fn! {
    /// Returns x_2 − x_1, and the lanes where it is 0 or a point is infinite; it is 1 there.
    fn difference(x1: &Lanes, x2: &Lanes) -> (Lanes, __mmask8) {
        let mut dx = sub(*x2, *x1, Base::TWICE);
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
        (dx, special)
    }
}

lane_fn! {
    /// Returns 2 p − y in the lanes of `mask`; not normalised.
    fn negate_masked(y: Lanes, mask: __mmask8) -> Lanes {
        let twice = splat_limbs(Base::TWICE);
        std::array::from_fn(|i| _mm512_mask_sub_epi64(y[i], mask, twice[i], y[i]))
    }
}

lane_fn! {
    /// Brings −4 p < t < 2 p into 0 … 2 p.
    fn reduce_sum(t: Lanes) -> Lanes {
        // The highest limb is a few units off before carries are passed on; −p is far from both limits.
        let low = _mm512_cmplt_epi64_mask(
            t[4],
            _mm512_sub_epi64(_mm512_setzero_si512(), splat(Base::P[4])),
        );
        lift::<Base>(add_masked(t, low, Base::TWICE))
    }
}

/// Returns 2^518 / chain for every lane of all chains, with one inversion.
#[target_feature(
    enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma,avx512vbmi,avx512vbmi2,avx512vnni"
)]
fn invert_chains(chains: &[Lanes; CHAINS]) -> [Lanes; CHAINS] {
    let mut raw = [[[0; LANES]; 5]; CHAINS];
    let mut values = [Fq::ONE; CHAINS * LANES];
    for (c, chain) in chains.iter().enumerate() {
        store(&mut raw[c], chain);
        for lane in 0..LANES {
            values[c * LANES + lane] = join(std::array::from_fn(|i| raw[c][i][lane]));
        }
    }
    let mut prefixes = [Fq::ONE; CHAINS * LANES];
    let mut product = Fq::ONE;
    for (prefix, value) in prefixes.iter_mut().zip(&values) {
        *prefix = product;
        product *= value;
    }
    // A value a in the form a 2^256 has 2^512 / (a 2^256) as its inverse's form; 2^6 more are asked for.
    let mut inverse = product.inverse().unwrap_or_default() * Fq::from(64_u64);
    for k in (0..CHAINS * LANES).rev() {
        let result = split(prefixes[k] * inverse);
        inverse *= values[k];
        for (i, limb) in result.into_iter().enumerate() {
            raw[k / LANES][i][k % LANES] = limb;
        }
    }
    std::array::from_fn(|c| load(&raw[c]))
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
