"""Backends that keep bytes by digest: a folder, a bucket, an IPFS node."""
