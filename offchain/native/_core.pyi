"""Types of the Rust core; the crate offchain/native/crates/python is its source."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

__all__: Final[list[str]] = [
    "commit",
    "commit_chunks",
    "prove",
    "prove_timed",
    "ptau_import",
    "srs_insecure",
    "srs_verify",
    "tau_g2_insecure",
    "tile_levels",
    "tile_root",
    "verify",
]

_Integers: TypeAlias = (
    npt.NDArray[np.int8] | npt.NDArray[np.int16] | npt.NDArray[np.int32] | npt.NDArray[np.int64]
)

def srs_insecure(log_size: int) -> bytes:
    """Return 2^log_size powers of the insecure development SRS, 64 bytes each.

    Raises NativeInputError above 2^24.
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

def commit(srs: bytes, coefficients: _Integers) -> bytes:
    """Return the 64-byte commitment of integer coefficients (a C-contiguous array).

    Raises NativeInputError when the SRS has fewer powers or is malformed.
    """

def commit_chunks(srs: bytes, coefficients: _Integers, log_size: int) -> bytes:
    """Return the commitments of consecutive chunks of 2^log_size coefficients, 64 bytes each.

    Raises NativeInputError for another number of coefficients, and as `commit`.
    """

def prove(
    vk: bytes, srs: bytes, statement_hash: bytes, tensors: Sequence[_Integers | None]
) -> bytes:
    """Return the proof; `tensors` are the 2^n padded cells of every tensor id, None for late ones.

    Arrays are read in place, in their own integer type. The witness is not judged: a false one
    gives a proof that is refused. Raises NativeInputError, naming the tensor, for a wrong shape or
    type, and for a malformed key or SRS.
    """

def prove_timed(
    vk: bytes, srs: bytes, statement_hash: bytes, tensors: Sequence[_Integers | None]
) -> tuple[bytes, dict[str, float]]:
    """Return the proof, and the seconds of its phases in order; raises as `prove`."""

def tile_root(data: bytes) -> bytes:
    """Return the root over the 1024-byte tiles of a tensor's bytes (offchain.commit.digest)."""

def tile_levels(data: bytes) -> bytes:
    """Return every node of that tree, 32 bytes each, level by level from the padded leaves up."""

def verify(
    vk: bytes, tau_g2: bytes, statement_hash: bytes, input: bytes, output: bytes, proof: bytes
) -> None:
    """Raise NativeProofError unless `proof` shows that the key's model maps `input` to `output`.

    The bytes of several inputs follow each other; those of committed tensors are left out.
    """
