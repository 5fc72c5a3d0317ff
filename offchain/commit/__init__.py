"""Commitments: tensor digests and the structured reference string."""
