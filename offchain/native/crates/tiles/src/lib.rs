//! Trees over the tiles of a tensor's bytes, as `offchain/commit/digest.py` defines them.
//!
//! leaf i = keccak256(0x00 ‖ u64 i ‖ sha256(tile i)), node = keccak256(0x01 ‖ left ‖ right); tiles have 1024 bytes,
//! the last one padded with zeros, missing leaves are zero words. Leaves and wide levels are hashed on all threads.
#![forbid(unsafe_code)]

use rayon::prelude::*;
use sha2::{Digest, Sha256};
use zkdps_field::hash::keccak256;

/// Bytes of a tile.
pub const TILE: usize = 1024;
/// Hashes that a thread takes at once; fewer are not worth a second thread.
const GRAIN: usize = 64;

/// A node of a tree.
pub type Node = [u8; 32];

/// Returns the leaf of a tile of at most 1024 bytes.
#[must_use]
pub fn leaf(index: u64, tile: &[u8]) -> Node {
    let mut hasher = Sha256::new();
    hasher.update(tile);
    hasher.update(&[0; TILE][tile.len()..]);
    keccak256(&[&[0], &index.to_be_bytes(), &hasher.finalize()])
}

/// Returns the root over the tiles; no bytes at all are one tile of zeros.
#[must_use]
pub fn root(data: &[u8]) -> Node {
    let mut level = leaves(data);
    let mut filler = [0; 32];
    for _ in 0..depth(level.len()) {
        level = above(&level, &filler);
        filler = join(&filler, &filler);
    }
    level[0]
}

/// Returns every node, level by level from the leaves up, each level with all of its places: 2^(depth + 1) - 1 nodes.
#[must_use]
pub fn levels(data: &[u8]) -> Vec<Node> {
    let mut level = leaves(data);
    let mut filler = [0; 32];
    let depth = depth(level.len());
    let mut nodes = Vec::with_capacity((2 << depth) - 1);
    for height in 0..=depth {
        nodes.extend_from_slice(&level);
        nodes.resize(nodes.len() + (1 << (depth - height)) - level.len(), filler);
        level = above(&level, &filler);
        filler = join(&filler, &filler);
    }
    nodes
}

fn leaves(data: &[u8]) -> Vec<Node> {
    if data.is_empty() {
        return vec![leaf(0, &[])];
    }
    data.par_chunks(TILE)
        .with_min_len(GRAIN)
        .enumerate()
        .map(|(index, tile)| leaf(index as u64, tile))
        .collect()
}

/// Returns the level above the places that hold something; `filler` stands in every other place.
fn above(level: &[Node], filler: &Node) -> Vec<Node> {
    level
        .par_chunks(2)
        .with_min_len(GRAIN)
        .map(|pair| join(&pair[0], pair.get(1).unwrap_or(filler)))
        .collect()
}

fn join(left: &Node, right: &Node) -> Node {
    keccak256(&[&[1], left, right])
}

fn depth(leaves: usize) -> u32 {
    leaves.next_power_of_two().trailing_zeros()
}

#[cfg(test)]
mod tests {
    use super::{Node, TILE, join, leaf, levels, root};

    fn bytes(length: usize) -> Vec<u8> {
        (0..length).map(|k| (k * 7 + k / 256) as u8).collect()
    }

    /// The tree node by node, padded as the definition says.
    fn plain(data: &[u8]) -> Vec<Vec<Node>> {
        let tiles = data.len().div_ceil(TILE).max(1);
        let mut level: Vec<Node> = (0..tiles)
            .map(|k| leaf(k as u64, &data[k * TILE..data.len().min((k + 1) * TILE)]))
            .collect();
        level.resize(tiles.next_power_of_two(), [0; 32]);
        let mut all = vec![level];
        while all[all.len() - 1].len() > 1 {
            let below = &all[all.len() - 1];
            all.push(
                below
                    .chunks(2)
                    .map(|pair| join(&pair[0], &pair[1]))
                    .collect(),
            );
        }
        all
    }

    #[test]
    fn every_size_has_the_tree_of_the_definition() {
        for length in [
            0,
            1,
            1023,
            1024,
            1025,
            3 * TILE,
            5 * TILE + 1,
            64 * TILE,
            301 * TILE,
        ] {
            let data = bytes(length);
            let expected = plain(&data).concat();
            assert_eq!(levels(&data), expected, "{length} bytes");
            assert_eq!(Some(&root(&data)), expected.last(), "{length} bytes");
        }
    }

    #[test]
    fn a_fixed_root_stays_as_it_is() {
        let found = hex::encode(root(&bytes(2500)));
        assert_eq!(
            found,
            "eebcddb031924e2b5a4739f1e9ba1f5c90e77b45436c6b487ec509bb0b641047"
        );
    }
}
