"""Prove that a committed model maps a public input to a public output (proof format 1, FORMAT.md)."""
