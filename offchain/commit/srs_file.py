"""A reference string's identifier, and the file that holds an imported one.

"zkdpssrs" | u32 1 | u32 n | [tau]_2 (128) | source (64) | 2^n points (64 each) | BLAKE2b-512 (64)

Integers are big-endian, points as on chain (EIP-196, EIP-197), the last field hashes all before it.
`source` is the BLAKE2b-512 of the .ptau file from which the powers come, zero where there was none.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from eth_hash.auto import keccak

from offchain.errors import SrsError

POINT_BYTES: Final = 64
TAU_BYTES: Final = 128
HASH_BYTES: Final = 64
MAX_LOG_SIZE: Final = 24  # 1 GiB of powers; no program has larger chunks
_ID_PREFIX: Final = b"zkdps/srs/1"
_MAGIC: Final = b"zkdpssrs"
_VERSION: Final = 1
_HEADER: Final = struct.Struct(f">8sII{TAU_BYTES}s{HASH_BYTES}s")


def srs_id(tau_g2: bytes) -> bytes:
    """Return the identifier of the SRS whose [tau]_2 is `tau_g2` (128 bytes, EIP-197 order).

    FORMAT.md 2; key and statement name it, ModelRegistry and VerifierCore compare it.
    """
    return keccak(_ID_PREFIX + tau_g2)


@dataclass(frozen=True)
class SrsFile:
    """Powers [tau^i]_1 for i < 2^log_size, 64 bytes each, and [tau]_2."""

    log_size: int
    tau_g2: bytes
    source: bytes
    powers: bytes

    @property
    def id(self) -> bytes:
        """Return the identifier, which does not depend on the number of powers."""
        return srs_id(self.tau_g2)

    def take(self, log_size: int) -> bytes:
        """Return the first 2^log_size powers; raise SrsError where there are fewer."""
        if log_size > self.log_size:
            raise SrsError(f"2^{log_size} powers are needed, the SRS has 2^{self.log_size}")
        return self.powers[: POINT_BYTES << log_size]

    def to_bytes(self) -> bytes:
        """Return the file's content."""
        header = _HEADER.pack(_MAGIC, _VERSION, self.log_size, self.tau_g2, self.source)
        return header + self.powers + hashlib.blake2b(header + self.powers).digest()


def read_srs_file(path: Path) -> SrsFile:
    """Read a file of powers and check its form and checksum, not its points.

    Raises SrsError when it is missing or anything else than what was written.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SrsError(f"{path}: {error.strerror}") from None
    if len(content) < _HEADER.size + HASH_BYTES:
        raise SrsError(f"{path}: {len(content)} bytes are no file of powers")
    magic, version, log_size, tau_g2, source = _HEADER.unpack_from(content)
    if (magic, version) != (_MAGIC, _VERSION):
        raise SrsError(f"{path}: not a file of powers; a .ptau file is imported first (zkdps srs)")
    if not 1 <= log_size <= MAX_LOG_SIZE:
        raise SrsError(f"{path}: 2^{log_size} powers, expected 2^1 to 2^{MAX_LOG_SIZE}")
    expected = _HEADER.size + (POINT_BYTES << log_size) + HASH_BYTES
    if len(content) != expected:
        raise SrsError(f"{path}: {len(content)} bytes, expected {expected}")
    if hashlib.blake2b(memoryview(content)[:-HASH_BYTES]).digest() != content[-HASH_BYTES:]:
        raise SrsError(f"{path}: damaged, the checksum does not match")
    return SrsFile(log_size, tau_g2, source, content[_HEADER.size : -HASH_BYTES])
