//! Limbs and points in memory.

use super::lanes::{Lanes, Words, lane_fn, limbs};
use crate::RawPoint;
use std::arch::x86_64::{
    __m512i, _mm256_loadu_si256, _mm512_castsi256_si512, _mm512_inserti64x4, _mm512_loadu_si512,
    _mm512_permutex2var_epi64, _mm512_set_epi64, _mm512_shuffle_i64x2, _mm512_store_si512,
    _mm512_storeu_si512, _mm512_unpackhi_epi64, _mm512_unpacklo_epi64,
};

/// Lanes of a register.
pub const LANES: usize = 8;
/// Limbs in memory.
pub type Stored = [[u64; LANES]; 5];

lane_fn! {
    /// Stores limbs.
    pub fn store(to: &mut Stored, t: &Lanes) {
        for (to, limb) in to.iter_mut().zip(t) {
            // SAFETY: `to` is 64 writable bytes.
            unsafe { _mm512_storeu_si512(to.as_mut_ptr().cast(), *limb) };
        }
    }
}

lane_fn! {
    /// Loads limbs.
    pub fn load(from: &Stored) -> Lanes {
        // SAFETY: every limb is 64 readable bytes.
        std::array::from_fn(|i| unsafe { _mm512_loadu_si512(from[i].as_ptr().cast()) })
    }
}

/// Loads four words at every address, from word FROM on.
///
/// # Safety
/// Every address is the exposed one of eight readable words.
#[inline]
#[target_feature(
    enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma,avx512vbmi,avx512vbmi2,avx512vnni"
)]
pub unsafe fn load_half<const FROM: usize>(at: &[usize; LANES]) -> Lanes {
    let row = |lane: usize| {
        let at = std::ptr::with_exposed_provenance::<u64>(at[lane]).wrapping_add(FROM);
        // SAFETY: as promised by the caller.
        unsafe { _mm256_loadu_si256(at.cast()) }
    };
    // Row k holds words 0 … 3 of lanes k and k + 4.
    let rows: [__m512i; 4] = std::array::from_fn(|k| {
        _mm512_inserti64x4::<1>(_mm512_castsi256_si512(row(k)), row(k + 4))
    });
    let [low, high] = [
        (
            _mm512_unpacklo_epi64(rows[0], rows[1]),
            _mm512_unpacklo_epi64(rows[2], rows[3]),
        ),
        (
            _mm512_unpackhi_epi64(rows[0], rows[1]),
            _mm512_unpackhi_epi64(rows[2], rows[3]),
        ),
    ];
    let even = _mm512_set_epi64(13, 12, 5, 4, 9, 8, 1, 0);
    let odd = _mm512_set_epi64(15, 14, 7, 6, 11, 10, 3, 2);
    let pick = |order, (a, b)| _mm512_permutex2var_epi64(a, order, b);
    limbs(&[
        pick(even, low),
        pick(even, high),
        pick(odd, low),
        pick(odd, high),
    ])
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
    fn transpose(r: [__m512i; 8]) -> [Words; 2] {
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
