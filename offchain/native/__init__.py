"""Native prover, verifier and commitments: the one door to the Rust core (FORMAT.md)."""

from offchain.native._core import (
    commit,
    commit_chunks,
    prove,
    prove_timed,
    ptau_import,
    srs_insecure,
    srs_verify,
    tau_g2_insecure,
    tile_levels,
    tile_root,
    verify,
)

__all__ = [
    "commit",
    "commit_chunks",
    "prove",
    "prove_timed",
    "ptau_import",
    "srs_insecure",
    "srs_verify",
    "tau_g2_insecure",
    "tile_levels",
    "tile_root",
    "verify",
]
