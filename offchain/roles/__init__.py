"""The parties; each reconciles the chain with its journal, tick by tick."""
