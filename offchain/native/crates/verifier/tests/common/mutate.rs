//! Changes to byte strings that a decoder has to survive.

use super::Random;

/// Words that mean something to a field: 0, 1, r − 1, r, q − 1, q, the largest.
const WORDS: [&str; 7] = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000001",
    "30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000000",
    "30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001",
    "30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd46",
    "30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47",
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
];
const WORD: usize = 32;

/// Returns `bytes` with one to three changes: a bit, a byte, a field's word, two words exchanged, a piece taken out,
/// repeated or cut off.
pub fn mutate(random: &mut Random, bytes: &[u8]) -> Vec<u8> {
    let mut out = bytes.to_vec();
    for _ in 0..=random.below(3) {
        change(random, &mut out);
    }
    out
}

fn change(random: &mut Random, out: &mut Vec<u8>) {
    if out.len() < 2 * WORD {
        out.push(random.next() as u8);
        return;
    }
    let at = random.below(out.len());
    let (word, other) = (aligned(random, out.len()), aligned(random, out.len()));
    match random.below(9) {
        0 => out[at] ^= 1 << random.below(8),
        1 => out[at] = random.next() as u8,
        2 => out[at] = [0, 1, 0x7f, 0x80, 0xff][random.below(5)],
        3 => out[at] = out[at].wrapping_add([1, 0xff][random.below(2)]),
        4 => {
            let chosen = hex::decode(WORDS[random.below(WORDS.len())]).unwrap();
            out[word..word + WORD].copy_from_slice(&chosen);
        }
        5 => {
            for k in 0..WORD {
                out.swap(word + k, other + k);
            }
        }
        6 => {
            let piece = 1 + random.below(2 * WORD);
            let end = (at + piece).min(out.len());
            out.drain(at..end);
        }
        7 => {
            let end = (at + 1 + random.below(2 * WORD)).min(out.len());
            let piece = out[at..end].to_vec();
            let to = random.below(out.len());
            out.splice(to..to, piece);
        }
        _ => out.truncate(at),
    }
}

fn aligned(random: &mut Random, length: usize) -> usize {
    random.below(length / WORD) * WORD
}
