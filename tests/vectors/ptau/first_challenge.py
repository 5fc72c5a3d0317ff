"""Print the hash of a ceremony's points before anybody contributed: generators everywhere.

`python -m tests.vectors.ptau.first_challenge 28` gives the constant in the native core's chain.rs;
that is 100 GB and takes minutes. Smaller powers are computed there and tested on whole files.
"""

from __future__ import annotations

import hashlib
import sys

from py_ecc.optimized_bn128.optimized_curve import G2

BLOCK = 1 << 14


def hash_generators(power: int) -> str:
    """Return the BLAKE2b-512 of 2^(power + 1) - 1 points, 2^power of G2, and twice 2^power."""
    g1 = (1).to_bytes(32, "big") + (2).to_bytes(32, "big")
    g2 = b"".join(int(c).to_bytes(32, "big") for e in G2[:2] for c in reversed(e.coeffs))
    size = 1 << power
    hasher = hashlib.blake2b(hashlib.blake2b().digest())
    for point, count in ((g1, 2 * size - 1), (g2, size), (g1, 2 * size)):
        many = point * BLOCK
        for _ in range(count // BLOCK):
            hasher.update(many)
        hasher.update(point * (count % BLOCK))
    hasher.update(g2)
    return hasher.hexdigest()


if __name__ == "__main__":
    print(hash_generators(int(sys.argv[1])))
