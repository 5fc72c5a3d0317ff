"""Four scenarios on a fresh local chain: real processes, real proofs, money that adds up."""
