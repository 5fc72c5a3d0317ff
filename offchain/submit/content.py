"""Inputs and outputs by digest, in a folder or at a gateway; what is read is always checked."""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress
from math import prod
from pathlib import Path
from typing import Final, Protocol

from offchain.commit.digest import as_matrix, tensor_digest_of_bytes
from offchain.errors import ContentError, StorageError, TensorError
from offchain.params.settings import is_url
from offchain.types import Digest, JobId, SignedResult

RECEIPTS: Final = "receipts"  # folder of signed results: job-digest.sig
SIGNATURE_BYTES: Final = 65
MAX_RECEIPTS: Final = 16  # looked at for one job; anybody can put files there


class ContentStore(Protocol):
    """Tensor bytes by digest, and signed results by job. Whoever fills it is not trusted."""

    def put(self, raw: bytes, bits: int, shape: tuple[int, ...]) -> Digest:
        """Store a tensor's bytes and return their digest.

        Raises StorageError where they cannot be stored, ContentError for a wrong number of bytes.
        """
        ...

    def offer(self, raw: bytes, bits: int, shape: tuple[int, ...]) -> Digest:
        """Return a tensor's digest, and store its bytes if the store takes them.

        Whoever fills the store, or puts something in a result's place, must not be able to keep
        others from committing it or from finding out that it is another.
        """
        ...

    def get(self, digest: Digest, bits: int, shape: tuple[int, ...]) -> bytes:
        """Return the bytes of a tensor; raise ContentError when missing or not this digest's."""
        ...

    def put_receipt(self, job_id: JobId, receipt: SignedResult) -> None:
        """Store a signed result; raises StorageError."""
        ...

    def get_receipts(self, job_id: JobId) -> tuple[SignedResult, ...]:
        """Return at most MAX_RECEIPTS signed results of a job; signatures are not verified."""
        ...


def open_content(place: str | Path) -> ContentStore:
    """Return the store that `--content` names: a folder, or a gateway's http(s) URL."""
    if is_url(str(place)):
        from offchain.submit.gateway_store import GatewayStore

        return GatewayStore(str(place))
    return FolderStore(Path(place))


class FolderStore:
    """A folder of tensor bytes named by digest. Writers are not trusted, bytes are."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def put(self, raw: bytes, bits: int, shape: tuple[int, ...]) -> Digest:
        """Store a tensor's bytes atomically and return their digest; raises StorageError."""
        digest = compute_digest(raw, bits, shape)
        write_atomically(self._path(digest), raw)
        return digest

    def offer(self, raw: bytes, bits: int, shape: tuple[int, ...]) -> Digest:
        """Return a tensor's digest, and store its bytes if the folder takes them."""
        with suppress(StorageError):
            return self.put(raw, bits, shape)
        return compute_digest(raw, bits, shape)

    def get(self, digest: Digest, bits: int, shape: tuple[int, ...]) -> bytes:
        """Return the bytes of a tensor; raise ContentError when missing or not this digest's."""
        raw = self._read(digest, prod(shape) * bits // 8)
        found = compute_digest(raw, bits, shape)
        if found != digest:
            raise ContentError(f"content of 0x{digest.hex()} has digest 0x{found.hex()}")
        return raw

    def put_receipt(self, job_id: JobId, receipt: SignedResult) -> None:
        """Store a signed result atomically; raises StorageError."""
        write_atomically(self._receipt_path(job_id, receipt.out_digest), receipt.signature)

    def get_receipts(self, job_id: JobId) -> tuple[SignedResult, ...]:
        """Return what is stored as signed results of a job; the signatures are not verified."""
        found = []
        paths = sorted((self._folder / RECEIPTS).glob(f"{job_id}-*.sig"))[:MAX_RECEIPTS]
        for path in paths:
            try:
                digest = Digest(bytes.fromhex(path.stem.partition("-")[2]))
                raw = _read_file(path, SIGNATURE_BYTES, digest)
            except ValueError:
                continue  # not one of ours
            found.append(SignedResult(digest, raw))
        return tuple(found)

    def _read(self, digest: Digest, size: int) -> bytes:
        """Return a digest's file; raise ContentError for anything but a file of `size` bytes."""
        return _read_file(self._path(digest), size, digest)

    def _path(self, digest: Digest) -> Path:
        return self._folder / f"{digest.hex()}.bin"

    def _receipt_path(self, job_id: JobId, digest: Digest) -> Path:
        return self._folder / RECEIPTS / f"{job_id}-{digest.hex()}.sig"


def _read_file(path: Path, size: int, digest: Digest) -> bytes:
    """Return a file's bytes; raise ContentError for anything but a file of `size` bytes.

    Whoever can write into the folder can put a pipe, a folder or terabytes there: none of it may
    hang or end the process that looks.
    """
    try:
        # Not blocking: a pipe without a writer would hang the reader at opening.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise ContentError(f"content of 0x{digest.hex()} is not a file")
            raw = file.read(size + 1)
    except FileNotFoundError:
        raise ContentError(f"no content for 0x{digest.hex()} in {path.parent}") from None
    except OSError as error:
        raise ContentError(f"0x{digest.hex()}: {type(error).__name__}") from None
    if len(raw) != size:
        raise ContentError(f"content of 0x{digest.hex()} has not {size} bytes")
    return raw


def write_atomically(path: Path, raw: bytes) -> None:
    """Write a file that readers see whole or not at all, also after a power cut.

    Raises StorageError.
    """
    written: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            written = Path(file.name)
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        written.replace(path)
    except OSError as error:
        if written is not None:
            written.unlink(missing_ok=True)
        raise StorageError(f"{path} cannot be written: {type(error).__name__}") from None


def compute_digest(raw: bytes, bits: int, shape: tuple[int, ...]) -> Digest:
    """Return the digest of a job's tensor; raise ContentError when the number of bytes is wrong."""
    try:
        return tensor_digest_of_bytes(raw, as_matrix(shape), bits)
    except TensorError as error:
        raise ContentError(str(error)) from None
