"""`zkdps drill`: every fault against a local chain, played by real roles in this process."""
