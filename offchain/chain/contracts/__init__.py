"""One file a contract, named like it."""
