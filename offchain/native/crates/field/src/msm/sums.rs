//! Sums of many short lists of points by batched affine additions.

use super::{Bucket, Sorted};
use crate::{AdditiveGroup, AffineRepr, Field, Fq, G1Affine, G1Projective, Zero};
use zkdps_simd::{Adder, Entry, Ifma, RawPoint};

/// Summands whose buckets are added up before those of others: all levels stay in the second-level cache.
const RANGE: usize = 1 << 15;

/// Adds lists of points; what it allocates is used again.
#[derive(Debug)]
pub struct Summer {
    adder: Option<Adder>,
    sums: Vec<RawPoint>,
    pairs: Vec<[Entry; 2]>,
}

impl Summer {
    /// Returns one that uses the widest arithmetic there is.
    pub fn detect() -> Self {
        Self {
            adder: Ifma::detect().map(Adder::new),
            ..Self::portable()
        }
    }

    /// Returns one that works everywhere.
    pub fn portable() -> Self {
        Self {
            adder: None,
            sums: Vec::with_capacity(2 * RANGE),
            pairs: Vec::with_capacity(RANGE / 2 + 8),
        }
    }

    /// Returns Σ digit · (sum of the bucket's points) for each of `windows` windows.
    pub fn sum_buckets(
        &mut self,
        points: &[G1Affine],
        sorted: Sorted,
        windows: usize,
    ) -> Vec<G1Projective> {
        let (totals, buckets) = self.sum_ranges(points, &sorted);
        drop(sorted);
        self.combine(totals, buckets, windows)
    }

    /// Returns the sums of all buckets; a bucket across the end of a range has several.
    fn sum_ranges(&mut self, points: &[G1Affine], sorted: &Sorted) -> (Vec<RawPoint>, Vec<Bucket>) {
        let mut totals = Vec::with_capacity(2 * sorted.buckets.len());
        let mut owners = Vec::with_capacity(sorted.buckets.len());
        let mut buckets = sorted.buckets.iter().copied();
        let mut current = buckets.next();
        let (mut entries, mut lengths) = (Vec::with_capacity(RANGE), Vec::new());
        for range in sorted.entries.chunks(RANGE) {
            entries.clear();
            entries.extend_from_slice(range);
            lengths.clear();
            let mut left = range.len() as u32;
            while let Some(bucket) = current.as_mut().filter(|_| left > 0) {
                let taken = bucket.length.min(left);
                owners.push(Bucket {
                    length: 1,
                    ..*bucket
                });
                lengths.push(taken);
                left -= taken;
                bucket.length -= taken;
                if bucket.length == 0 {
                    current = buckets.next();
                }
            }
            self.sums.clear();
            self.add_up(points, &mut entries, &mut lengths);
            totals.extend(entries.iter().map(|entry| {
                if entry.is_sum() {
                    self.sums[entry.index()]
                } else {
                    RawPoint::from(&entry.load(points, &self.sums))
                }
            }));
        }
        (totals, owners)
    }

    /// Returns Σ digit · total for each window; `buckets` are sorted by window and digit.
    fn combine(
        &mut self,
        totals: Vec<RawPoint>,
        mut buckets: Vec<Bucket>,
        windows: usize,
    ) -> Vec<G1Projective> {
        let mut entries: Vec<Entry> = (0..totals.len()).map(Entry::sum).collect();
        self.sums.clear();
        self.sums.extend(totals);
        let (mut odd, mut odd_lengths) = (Vec::new(), Vec::new());
        while !buckets.is_empty() {
            // Summands with the lowest bit, window by window; they are added up last of all, all bits together.
            let mut counts = vec![0; windows];
            for (entry, bucket) in entries.iter().zip(&buckets) {
                if bucket.digit % 2 == 1 {
                    odd.push(*entry);
                    counts[bucket.window as usize] += 1;
                }
            }
            odd_lengths.extend(counts);
            let mut lengths: Vec<u32> = Vec::with_capacity(buckets.len());
            let (mut parents, mut kept): (Vec<Bucket>, usize) = (Vec::new(), 0);
            for (k, bucket) in buckets.iter().enumerate().filter(|(_, b)| b.digit > 1) {
                entries[kept] = entries[k];
                kept += 1;
                let digit = bucket.digit / 2;
                match (parents.last(), lengths.last_mut()) {
                    (Some(last), Some(length))
                        if (last.window, last.digit) == (bucket.window, digit) =>
                    {
                        *length += 1;
                    }
                    _ => {
                        parents.push(Bucket { digit, ..*bucket });
                        lengths.push(1);
                    }
                }
            }
            entries.truncate(kept);
            self.add_up(&[], &mut entries, &mut lengths);
            buckets = parents;
        }
        let bits = odd_lengths.len() / windows;
        let present: Vec<bool> = odd_lengths.iter().map(|length| *length > 0).collect();
        self.add_up(&[], &mut odd, &mut odd_lengths);
        let mut totals = odd.iter().map(|entry| entry.load(&[], &self.sums));
        let by_bit: Vec<G1Affine> = present
            .iter()
            .map(|present| present.then(|| totals.next()).flatten().unwrap_or_default())
            .collect();
        (0..windows)
            .map(|window| {
                (0..bits).rev().fold(G1Projective::zero(), |mut sum, bit| {
                    sum.double_in_place();
                    sum + by_bit[bit * windows + window]
                })
            })
            .collect()
    }

    /// Adds up consecutive entries list by list; every list that is not empty leaves one entry.
    fn add_up(&mut self, points: &[G1Affine], entries: &mut Vec<Entry>, lengths: &mut [u32]) {
        while lengths.iter().any(|length| *length > 1) {
            self.pairs.clear();
            let base = self.sums.len();
            let (mut read, mut write) = (0, 0);
            for length in lengths.iter_mut() {
                let count = *length as usize;
                for _ in 0..count / 2 {
                    self.pairs.push([entries[read], entries[read + 1]]);
                    entries[write] = Entry::sum(base + self.pairs.len() - 1);
                    read += 2;
                    write += 1;
                }
                if count % 2 == 1 {
                    entries[write] = entries[read];
                    read += 1;
                    write += 1;
                }
                *length = length.div_ceil(2);
            }
            entries.truncate(write);
            match &mut self.adder {
                Some(adder) => adder.add_pairs(points, &mut self.sums, &mut self.pairs),
                None => add_pairs(points, &mut self.sums, &self.pairs),
            }
        }
    }
}

/// Appends the sum of every pair to `sums`; entries refer to `points` or to earlier `sums`.
fn add_pairs(points: &[G1Affine], sums: &mut Vec<RawPoint>, pairs: &[[Entry; 2]]) {
    let loaded: Vec<[G1Affine; 2]> = pairs
        .iter()
        .map(|pair| pair.map(|entry| entry.load(points, sums)))
        .collect();
    let mut prefixes = Vec::with_capacity(pairs.len());
    let mut product = Fq::ONE;
    for pair in &loaded {
        prefixes.push(product);
        product *= denominator(pair);
    }
    let mut inverse = product.inverse().unwrap_or_default();
    let base = sums.len();
    sums.resize(base + pairs.len(), RawPoint::default());
    for (k, [a, b]) in loaded.iter().enumerate().rev() {
        let own = inverse * prefixes[k];
        inverse *= denominator(&[*a, *b]);
        sums[base + k] = RawPoint::from(&add(a, b, own));
    }
}

/// Returns what the slope is divided by: x_b − x_a, or 2 y for a doubling; 1 where there is no slope.
fn denominator([a, b]: &[G1Affine; 2]) -> Fq {
    if a.is_zero() || b.is_zero() || *a == -*b {
        Fq::ONE
    } else if a.x == b.x {
        a.y.double()
    } else {
        b.x - a.x
    }
}

/// Returns a + b, given the inverse of their denominator.
fn add(a: &G1Affine, b: &G1Affine, inverse: Fq) -> G1Affine {
    if a.is_zero() {
        return *b;
    }
    if b.is_zero() {
        return *a;
    }
    let slope = if a.x != b.x {
        (b.y - a.y) * inverse
    } else if a.y == b.y {
        let square = a.x.square();
        (square.double() + square) * inverse
    } else {
        return G1Affine::default();
    };
    let x = slope.square() - a.x - b.x;
    G1Affine::new_unchecked(x, slope * (a.x - x) - a.y)
}
