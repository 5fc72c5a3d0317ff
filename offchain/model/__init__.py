"""The integer graph: what is registered, hashed, executed and proven (runtime.md 1)."""
