//! Sums of scalars times bytes: scalars are cut into 32 bytes, so that a sum is 32 sums of small products.

use crate::{COLUMNS, DIGITS, Ifma};
use ark_bn254::Fr;
use std::arch::x86_64::{
    __m512i, _mm512_dpbusd_epi32, _mm512_loadu_si512, _mm512_permutex2var_epi8, _mm512_set1_epi32,
    _mm512_setzero_si512, _mm512_storeu_si512, _mm512_unpackhi_epi8, _mm512_unpackhi_epi16,
    _mm512_unpacklo_epi8, _mm512_unpacklo_epi16,
};

/// Scalars whose bytes are multiplied by one instruction.
const QUAD: usize = 4;

/// The bytes of many scalars, four scalars at a time: byte d of the four stands at 4 d … 4 d + 3.
#[derive(Clone, Debug, Default)]
pub struct Digits {
    quads: Vec<[[u8; 64]; 2]>,
}

impl Digits {
    /// Returns the number of scalars, filled up with zeros to a multiple of four.
    #[must_use]
    pub fn len(&self) -> usize {
        QUAD * self.quads.len()
    }

    /// Returns whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.quads.is_empty()
    }
}

impl Ifma {
    /// Replaces `digits` by the bytes of the Montgomery forms of `scalars`.
    pub fn cut(self, scalars: &[Fr], digits: &mut Digits) {
        digits.quads.clear();
        // SAFETY: an `Ifma` exists, so the processor has the features.
        unsafe { cut(scalars, digits) };
    }

    /// Adds Σ_o digit_d(o) tile\[o\]\[c\] to sums\[d\]\[c\].
    ///
    /// # Panics
    /// There are more rows than scalars.
    pub fn add_columns(
        self,
        tile: &[[i8; COLUMNS]],
        digits: &Digits,
        from: usize,
        sums: &mut [[i32; COLUMNS]; DIGITS],
    ) {
        let quads = &digits.quads[from / QUAD..][..tile.len() / QUAD];
        let (rows, rest) = tile.as_chunks::<QUAD>();
        assert!(
            rest.is_empty() && from.is_multiple_of(QUAD),
            "rows come four at a time"
        );
        // SAFETY: as above.
        unsafe { add_columns(rows, quads, sums) };
    }

    /// Adds Σ_i digit_d(i) rows\[o\]\[i\] to sums\[o\]\[d\].
    ///
    /// # Panics
    /// There are more columns than scalars.
    pub fn add_rows<const R: usize>(
        self,
        rows: [&[i8]; R],
        digits: &Digits,
        sums: &mut [[i32; DIGITS]; R],
    ) {
        let quads = &digits.quads[..rows[0].len() / QUAD];
        let rows = rows.map(|row| row.as_chunks::<QUAD>().0);
        assert!(
            rows.iter().all(|row| row.len() == quads.len()),
            "rows of one length"
        );
        // SAFETY: as above.
        unsafe { add_rows(rows, quads, sums) };
    }
}

#[target_feature(
    enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma,avx512vbmi,avx512vbmi2,avx512vnni"
)]
fn cut(scalars: &[Fr], digits: &mut Digits) {
    // Byte d of scalars 0 … 3: scalar s lies in half s % 2 of register s / 2, which is bit 6 of an index.
    let mut order = [[0_u8; 64]; 2];
    for (half, order) in order.iter_mut().enumerate() {
        for (at, index) in order.iter_mut().enumerate() {
            let (digit, scalar) = (16 * half + at / QUAD, at % QUAD);
            *index = (32 * (scalar % 2) + digit + 64 * (scalar / 2)) as u8;
        }
    }
    // SAFETY: both are 64 readable bytes.
    let order = [0, 1].map(|half| unsafe { _mm512_loadu_si512(order[half].as_ptr().cast()) });
    let mut push = |four: &[Fr; QUAD]| {
        let at = four.as_ptr().cast::<u8>();
        // SAFETY: four scalars are 128 readable bytes.
        let [a, b] = unsafe { [at, at.add(64)].map(|at| _mm512_loadu_si512(at.cast())) };
        let mut quad = [[0; 64]; 2];
        for (bytes, order) in quad.iter_mut().zip(order) {
            let mixed = _mm512_permutex2var_epi8(a, order, b);
            // SAFETY: `bytes` is 64 writable bytes.
            unsafe { _mm512_storeu_si512(bytes.as_mut_ptr().cast(), mixed) };
        }
        digits.quads.push(quad);
    };
    let (fours, rest) = scalars.as_chunks::<QUAD>();
    fours.iter().for_each(&mut push);
    if !rest.is_empty() {
        let mut four = [Fr::default(); QUAD];
        four[..rest.len()].copy_from_slice(rest);
        push(&four);
    }
}

#[target_feature(
    enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma,avx512vbmi,avx512vbmi2,avx512vnni"
)]
fn add_columns(
    rows: &[[[i8; COLUMNS]; QUAD]],
    quads: &[[[u8; 64]; 2]],
    sums: &mut [[i32; COLUMNS]; DIGITS],
) {
    /// Digits whose sums are in registers.
    const TOGETHER: usize = 8;
    /// Rows, four at a time, whose bytes are mixed in advance.
    const DEPTH: usize = 64;
    let mut mixed = [[_mm512_setzero_si512(); 4]; DEPTH];
    for (rows, quads) in rows.chunks(DEPTH).zip(quads.chunks(DEPTH)) {
        for (mixed, rows) in mixed.iter_mut().zip(rows) {
            *mixed = mix(rows);
        }
        for (group, sums) in sums.as_chunks_mut::<TOGETHER>().0.iter_mut().enumerate() {
            for pair in 0..2 {
                // Register k holds the columns 16 L + 4 k … 16 L + 4 k + 3 of every 128-bit part L.
                let mut totals = [[_mm512_setzero_si512(); 2]; TOGETHER];
                for (mixed, quad) in mixed.iter().zip(quads) {
                    let bytes = &quad.as_flattened()[4 * TOGETHER * group..][..4 * TOGETHER];
                    let (words, _) = bytes.as_chunks::<4>();
                    for (total, word) in totals.iter_mut().zip(words) {
                        let digit = _mm512_set1_epi32(i32::from_le_bytes(*word));
                        for (side, total) in total.iter_mut().enumerate() {
                            *total = _mm512_dpbusd_epi32(*total, digit, mixed[2 * pair + side]);
                        }
                    }
                }
                for (sums, totals) in sums.iter_mut().zip(totals) {
                    for (side, total) in totals.into_iter().enumerate() {
                        let mut out = [0_i32; 16];
                        // SAFETY: `out` is 64 writable bytes.
                        unsafe { _mm512_storeu_si512(out.as_mut_ptr().cast(), total) };
                        for (at, value) in out.into_iter().enumerate() {
                            let column = 16 * (at / 4) + 4 * (2 * pair + side) + at % 4;
                            sums[column] += value;
                        }
                    }
                }
            }
        }
    }
}

/// Brings the bytes of four rows together, column by column.
#[inline]
#[target_feature(
    enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma,avx512vbmi,avx512vbmi2,avx512vnni"
)]
fn mix(rows: &[[i8; COLUMNS]; QUAD]) -> [__m512i; 4] {
    // SAFETY: a row is 64 readable bytes.
    let r: [__m512i; 4] =
        std::array::from_fn(|k| unsafe { _mm512_loadu_si512(rows[k].as_ptr().cast()) });
    let low = (
        _mm512_unpacklo_epi8(r[0], r[1]),
        _mm512_unpacklo_epi8(r[2], r[3]),
    );
    let high = (
        _mm512_unpackhi_epi8(r[0], r[1]),
        _mm512_unpackhi_epi8(r[2], r[3]),
    );
    [
        _mm512_unpacklo_epi16(low.0, low.1),
        _mm512_unpackhi_epi16(low.0, low.1),
        _mm512_unpacklo_epi16(high.0, high.1),
        _mm512_unpackhi_epi16(high.0, high.1),
    ]
}

#[target_feature(
    enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma,avx512vbmi,avx512vbmi2,avx512vnni"
)]
fn add_rows<const R: usize>(
    rows: [&[[i8; QUAD]]; R],
    quads: &[[[u8; 64]; 2]],
    sums: &mut [[i32; DIGITS]; R],
) {
    let mut totals = [[_mm512_setzero_si512(); 2]; R];
    for (k, quad) in quads.iter().enumerate() {
        // SAFETY: both halves are 64 readable bytes.
        let digits = [0, 1].map(|half| unsafe { _mm512_loadu_si512(quad[half].as_ptr().cast()) });
        for (total, row) in totals.iter_mut().zip(rows) {
            let bytes = row[k].map(i8::cast_unsigned);
            let weight = _mm512_set1_epi32(i32::from_le_bytes(bytes));
            for (total, digits) in total.iter_mut().zip(digits) {
                *total = _mm512_dpbusd_epi32(*total, digits, weight);
            }
        }
    }
    for (sums, totals) in sums.iter_mut().zip(totals) {
        let mut out = [0_i32; DIGITS];
        for (half, total) in totals.into_iter().enumerate() {
            // SAFETY: half of `out` is 64 writable bytes.
            unsafe { _mm512_storeu_si512(out[16 * half..].as_mut_ptr().cast(), total) };
        }
        for (sum, value) in sums.iter_mut().zip(out) {
            *sum += value;
        }
    }
}
