"""zkDPS off chain: models, proofs, roles and the command line."""
