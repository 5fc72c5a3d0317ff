"""The paper's own protocol over Pedersen commitments: small, readable, slow (README.md here)."""
