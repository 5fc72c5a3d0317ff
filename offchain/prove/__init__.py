"""Prove that a committed model maps a public input to a public output (FORMAT.md)."""
