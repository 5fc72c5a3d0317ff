//! BLAKE2b-512 (RFC 7693) whose state can be saved and restored.
//!
//! A contribution stores the state of an unfinished hash, which no hashing crate lets a caller restore.

/// Bytes of a block.
pub const BLOCK: usize = 128;
/// Bytes of a digest.
pub const DIGEST: usize = 64;
/// A digest.
pub type Digest = [u8; DIGEST];

const IV: [u64; 8] = [
    0x6a09_e667_f3bc_c908,
    0xbb67_ae85_84ca_a73b,
    0x3c6e_f372_fe94_f82b,
    0xa54f_f53a_5f1d_36f1,
    0x510e_527f_ade6_82d1,
    0x9b05_688c_2b3e_6c1f,
    0x1f83_d9ab_fb41_bd6b,
    0x5be0_cd19_137e_2179,
];

const SIGMA: [[usize; 16]; 10] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
    [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
    [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
    [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
    [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
    [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
    [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
    [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
    [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
];

/// An unfinished hash.
#[derive(Clone, Debug)]
pub struct Blake2b {
    state: [u64; 8],
    compressed: u128,
    buffer: [u8; BLOCK],
    filled: usize,
}

impl Default for Blake2b {
    fn default() -> Self {
        let mut state = IV;
        // Parameter block: 64 bytes of digest, no key, sequential mode.
        state[0] ^= 0x0101_0000 ^ DIGEST as u64;
        Self {
            state,
            compressed: 0,
            buffer: [0; BLOCK],
            filled: 0,
        }
    }
}

impl Blake2b {
    /// Returns the hash that has already compressed `compressed` bytes into `state` and still holds `rest`,
    /// at most a block.
    #[must_use]
    pub fn restore(state: [u64; 8], compressed: u64, rest: &[u8]) -> Self {
        let mut buffer = [0; BLOCK];
        buffer[..rest.len()].copy_from_slice(rest);
        Self {
            state,
            compressed: u128::from(compressed),
            buffer,
            filled: rest.len(),
        }
    }

    /// Returns the chaining value and the bytes that wait for their block.
    #[must_use]
    pub fn save(&self) -> ([u64; 8], &[u8]) {
        (self.state, &self.buffer[..self.filled])
    }

    /// Absorbs bytes.
    pub fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            // A full block waits until more follows, because the last one is compressed differently.
            if self.filled == BLOCK {
                self.compressed += BLOCK as u128;
                self.compress(false);
                self.filled = 0;
            }
            let taken = bytes.len().min(BLOCK - self.filled);
            self.buffer[self.filled..self.filled + taken].copy_from_slice(&bytes[..taken]);
            self.filled += taken;
            bytes = &bytes[taken..];
        }
    }

    /// Returns the digest.
    #[must_use]
    pub fn finish(mut self) -> Digest {
        self.compressed += self.filled as u128;
        self.buffer[self.filled..].fill(0);
        self.compress(true);
        let mut digest = [0; DIGEST];
        for (bytes, word) in digest.chunks_exact_mut(8).zip(self.state) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        digest
    }

    fn compress(&mut self, last: bool) {
        let mut message = [0_u64; 16];
        for (word, bytes) in message.iter_mut().zip(self.buffer.as_chunks::<8>().0) {
            *word = u64::from_le_bytes(*bytes);
        }
        let mut v = [0; 16];
        v[..8].copy_from_slice(&self.state);
        v[8..].copy_from_slice(&IV);
        v[12] ^= self.compressed as u64;
        v[13] ^= (self.compressed >> 64) as u64;
        if last {
            v[14] = !v[14];
        }
        for round in 0..12 {
            let s = &SIGMA[round % 10];
            mix(&mut v, [0, 4, 8, 12], message[s[0]], message[s[1]]);
            mix(&mut v, [1, 5, 9, 13], message[s[2]], message[s[3]]);
            mix(&mut v, [2, 6, 10, 14], message[s[4]], message[s[5]]);
            mix(&mut v, [3, 7, 11, 15], message[s[6]], message[s[7]]);
            mix(&mut v, [0, 5, 10, 15], message[s[8]], message[s[9]]);
            mix(&mut v, [1, 6, 11, 12], message[s[10]], message[s[11]]);
            mix(&mut v, [2, 7, 8, 13], message[s[12]], message[s[13]]);
            mix(&mut v, [3, 4, 9, 14], message[s[14]], message[s[15]]);
        }
        for (i, word) in self.state.iter_mut().enumerate() {
            *word ^= v[i] ^ v[i + 8];
        }
    }
}

#[inline]
fn mix(v: &mut [u64; 16], [a, b, c, d]: [usize; 4], x: u64, y: u64) {
    v[a] = v[a].wrapping_add(v[b]).wrapping_add(x);
    v[d] = (v[d] ^ v[a]).rotate_right(32);
    v[c] = v[c].wrapping_add(v[d]);
    v[b] = (v[b] ^ v[c]).rotate_right(24);
    v[a] = v[a].wrapping_add(v[b]).wrapping_add(y);
    v[d] = (v[d] ^ v[a]).rotate_right(16);
    v[c] = v[c].wrapping_add(v[d]);
    v[b] = (v[b] ^ v[c]).rotate_right(63);
}

/// Returns the digest of the concatenated parts.
#[must_use]
pub fn blake2b(parts: &[&[u8]]) -> Digest {
    let mut hash = Blake2b::default();
    for part in parts {
        hash.update(part);
    }
    hash.finish()
}

#[cfg(test)]
mod tests {
    use super::{Blake2b, blake2b};

    #[test]
    fn known_digests() {
        let abc = "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1\
                   7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923";
        let empty = "786a02f742015903c6c6fd852552d272912f4740e15847618a86e217f71f5419\
                     d25e1031afee585313896444934eb04b903a685b1448b755d56f701afe9be2ce";
        assert_eq!(hex::encode(blake2b(&[b"abc"])), abc);
        assert_eq!(hex::encode(blake2b(&[])), empty);
    }

    #[test]
    fn restored_hash_continues() {
        let bytes: Vec<u8> = (0..1000_u32).map(|i| (i * 7) as u8).collect();
        for cut in [0, 1, 128, 129, 256, 300, 999] {
            let mut begun = Blake2b::default();
            begun.update(&bytes[..cut]);
            let (state, rest) = begun.save();
            let mut resumed = Blake2b::restore(state, (cut - rest.len()) as u64, rest);
            resumed.update(&bytes[cut..]);
            assert_eq!(resumed.finish(), blake2b(&[&bytes]), "cut at {cut}");
        }
    }
}
