"""The insecure development SRS on disk: generated once, cached, checked by hash (FORMAT.md 2).

Its tau is public knowledge: whoever accepts proofs under it accepts forgeries. For local chains.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import Final

from eth_hash.auto import keccak

from offchain import native

NAME: Final = "insecure-dev"
POINT_BYTES: Final = 64
_ID_PREFIX: Final = b"zkdps/srs/1"


def srs_id(tau_g2: bytes) -> bytes:
    """Return the identifier of the SRS whose [tau]_2 is `tau_g2` (128 bytes, EIP-197 order)."""
    return keccak(_ID_PREFIX + tau_g2)


def insecure_srs_id() -> bytes:
    """Return the identifier of the insecure development SRS."""
    return srs_id(native.tau_g2_insecure())


def load_insecure_srs(log_size: int) -> bytes:
    """Return 2^log_size G1 powers, 64 bytes each, from the cache or freshly generated.

    A cached file is used only if its checksum file matches; anything else is generated again.
    """
    path = cache_folder() / f"srs-{NAME}-{log_size}.bin"
    checksum = path.with_suffix(".sha256")
    if path.exists() and checksum.exists():
        powers = path.read_bytes()
        whole = len(powers) == POINT_BYTES << log_size
        if whole and hashlib.sha256(powers).hexdigest() == checksum.read_text().strip():
            return powers
    powers = native.srs_insecure(log_size)
    path.parent.mkdir(parents=True, exist_ok=True)
    _write_atomically(path, powers)
    _write_atomically(checksum, hashlib.sha256(powers).hexdigest().encode())
    return powers


def cache_folder() -> Path:
    """Return the folder of cached SRS files (XDG_CACHE_HOME is honoured)."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "zkdps"


def _write_atomically(path: Path, content: bytes) -> None:
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(content)
    Path(file.name).replace(path)
