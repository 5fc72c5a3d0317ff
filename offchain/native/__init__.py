"""Native prover, verifier and commitments: the one door to the Rust core (FORMAT.md)."""

from offchain.native._core import commit, prove, srs_insecure, tau_g2_insecure, verify

__all__ = ["commit", "prove", "srs_insecure", "tau_g2_insecure", "verify"]
