"""The gateway: content by digest, signed orders and requests, and an index of the chain, over HTTP.

Nobody has to trust it: what it serves has a digest or a signature that the reader checks.
"""
