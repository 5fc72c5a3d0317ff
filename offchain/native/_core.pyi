"""Types of the Rust core; the crate offchain/native/crates/python is its source."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

__all__: Final[list[str]] = [
    "commit",
    "prove",
    "ptau_import",
    "srs_insecure",
    "srs_verify",
    "tau_g2_insecure",
    "verify",
]

def srs_insecure(log_size: int) -> bytes:
    """Return 2^log_size powers of the insecure development SRS, 64 bytes each.

    Raises NativeInputError above 2^20.
    """

def tau_g2_insecure() -> bytes:
    """Return the insecure development SRS's [tau]_2, 128 bytes in EIP-197 order."""

def ptau_import(
    file: Path,
    out: Path,
    log_size: int,
    entropy: bytes,
    expected: bytes | None,
    observe: Callable[[str, int, int], object],
) -> dict[str, Any]:
    """Verify a whole .ptau file and write its first 2^log_size powers to `out`.

    `entropy` is 32 fresh random bytes, `expected` the file's BLAKE2b-512 or None; `observe` is told
    (section, bytes checked, bytes in all), and what it raises stops the import. Raises PtauError,
    naming the section; then nothing is written.
    """

def srs_verify(powers: bytes, tau_g2: bytes, entropy: bytes) -> None:
    """Raise PtauError unless the points are powers of the tau of `tau_g2` (32 random bytes)."""

def commit(srs: bytes, coefficients: npt.NDArray[np.int64] | bytes) -> bytes:
    """Return the 64-byte commitment of int64 coefficients (a flat array, or little-endian bytes).

    Raises NativeInputError when the SRS has fewer powers or is malformed.
    """

def prove(
    vk: bytes, srs: bytes, statement_hash: bytes, tensors: dict[int, npt.NDArray[np.int64]]
) -> bytes:
    """Return the proof; `tensors` maps every tensor id to its 2^n padded cells.

    The witness is not judged: a false one gives a proof that is refused. Raises NativeInputError,
    naming the tensor, for a wrong shape, and for a malformed key or SRS.
    """

def verify(
    vk: bytes, tau_g2: bytes, statement_hash: bytes, input: bytes, output: bytes, proof: bytes
) -> None:
    """Raise NativeProofError unless `proof` shows that the key's model maps `input` to `output`."""
