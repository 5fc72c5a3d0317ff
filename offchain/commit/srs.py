"""The reference string that this process commits and proves with.

The variable ZKDPS_SRS names a file of powers that `zkdps srs import` made from a ceremony's .ptau
file. Without it the insecure development string is used: its tau is public knowledge, and whoever
accepts proofs under it accepts forgeries. For local chains (FORMAT.md 2).
"""

from __future__ import annotations

import hashlib
import os
import secrets
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from offchain import native
from offchain.commit.srs_file import HASH_BYTES, POINT_BYTES, SrsFile, read_srs_file, srs_id
from offchain.errors import SrsError

VARIABLE: Final = "ZKDPS_SRS"
NAME: Final = "insecure-dev"
ENTROPY_BYTES: Final = 32


@dataclass(frozen=True)
class ReferenceString:
    """[tau]_2 and where the powers of tau are."""

    tau_g2: bytes  # 128 bytes, EIP-197 order
    path: Path | None  # None: the development string, made on this machine

    @property
    def id(self) -> bytes:
        """Return the identifier that keys and statements carry."""
        return srs_id(self.tau_g2)

    @property
    def insecure(self) -> bool:
        """Return whether its tau is public, whatever file it comes from."""
        return self.tau_g2 == native.tau_g2_insecure()

    def load(self, log_size: int) -> bytes:
        """Return 2^log_size G1 powers, 64 bytes each.

        Raises SrsError where the file has fewer or is no longer the one that was chosen.
        """
        if self.path is None:
            return load_insecure_srs(log_size)
        file = _read(self.path)
        if file.tau_g2 != self.tau_g2:
            raise SrsError(f"{self.path}: another SRS than the one that this process began with")
        return file.take(log_size)


def choose_srs(path: Path | None = None) -> ReferenceString:
    """Return the reference string of a file, or of the file that ZKDPS_SRS names, or the insecure.

    Raises SrsError when the file is missing, damaged or named by a relative path.
    """
    if path is None:
        value = os.environ.get(VARIABLE)
        if not value:
            return ReferenceString(native.tau_g2_insecure(), None)
        path = Path(value)
        if not path.is_absolute():  # a role's workers may run in another folder
            raise SrsError(f"{VARIABLE}={value}: name the file by its absolute path")
    path = path.resolve()
    return ReferenceString(_read(path).tau_g2, path)


def verify_srs_file(file: SrsFile) -> None:
    """Raise PtauError or NativeInputError unless the powers are those of the tau of [tau]_2.

    A random combination of all of them and one pairing equation; who knows tau is not tested.
    """
    native.srs_verify(file.powers, file.tau_g2, secrets.token_bytes(ENTROPY_BYTES))


def build_insecure_file(log_size: int) -> SrsFile:
    """Return the development string as a file of powers."""
    tau_g2 = native.tau_g2_insecure()
    return SrsFile(log_size, tau_g2, bytes(HASH_BYTES), native.srs_insecure(log_size))


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
    write_atomically(path, powers)
    write_atomically(checksum, hashlib.sha256(powers).hexdigest().encode())
    return powers


def cache_folder() -> Path:
    """Return the folder of cached SRS files (XDG_CACHE_HOME is honoured)."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "zkdps"


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file that appears whole or not at all."""
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(content)
    Path(file.name).replace(path)


def _read(path: Path) -> SrsFile:
    try:
        facts = path.stat()
    except OSError as error:
        raise SrsError(f"{path}: {error.strerror}") from None
    return _read_once(path, facts.st_mtime_ns, facts.st_size)


@lru_cache(maxsize=1)
def _read_once(path: Path, _modified_ns: int, _size: int) -> SrsFile:
    return read_srs_file(path)
