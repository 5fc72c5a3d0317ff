"""Import of a ceremony's .ptau file: recognized by its published hash, verified by the native core.

The equations cover every point, and section 7 but for this: contributors' names, the saved hash of
every contribution before the last (the points between are in no file), 32 bytes of each saved hash
that were hashed already, and, in a file cut from a larger one, the last contribution's two hashes.
Nothing of that enters the powers. Only the file's own hash covers it, which is therefore asked
for.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from offchain import native
from offchain.commit.ceremonies import find_ceremony
from offchain.commit.srs import ENTROPY_BYTES
from offchain.errors import SrsError

# told (section, bytes checked, bytes in all)
Observer = Callable[[str, int, int], object]


def hash_ptau(file: Path) -> bytes:
    """Return the file's BLAKE2b-512; raise SrsError when it cannot be read."""
    try:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, hashlib.blake2b).digest()
    except OSError as error:
        raise SrsError(f"{file}: {error.strerror}") from None


def choose_hash(file: Path, expected: bytes | None, accept_unpublished: bool) -> bytes:
    """Return the hash that the file must have, from the caller or from a known publication.

    Raises SrsError when there is none and the caller does not insist.
    """
    if expected is not None:
        return expected
    found = hash_ptau(file)
    if find_ceremony(found) is None and not accept_unpublished:
        raise SrsError(
            f"{file}: no publication known here has its BLAKE2b, {found.hex()}. Compare it with "
            "what the ceremony publishes and name that hash (--blake2b), or insist "
            "(--accept-unpublished)"
        )
    return found


def import_ptau(
    file: Path, out: Path, log_size: int, expected: bytes | None, observe: Observer
) -> Mapping[str, Any]:
    """Verify the whole .ptau file, write its first 2^log_size powers to `out`, return its facts.

    `expected` is the BLAKE2b-512 that the file must have. Raises PtauError, naming the section;
    then nothing is written. What `observe` raises stops the import.
    """
    entropy = secrets.token_bytes(ENTROPY_BYTES)
    return native.ptau_import(file, out, log_size, entropy, expected, observe)
