"""Plain Python prover and verifier: slow, readable, the specification for the fast ones."""
