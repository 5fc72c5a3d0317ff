"""Plain Python prover and verifier: slow, readable, and the specification that the fast ones must equal."""
