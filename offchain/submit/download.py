"""One file by size and SHA-256, from the first address that has it: resumed, bounded, checked."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from offchain.errors import DownloadError, StorageError
from offchain.submit.fetch import CHUNK, FetchPolicy, Stream, open_stream, show_uri

PART_SUFFIX: Final = ".part"
FILE_MODE: Final = 0o644
MAX_TRIES: Final = 5  # at one address, as long as each brings bytes

Progress = Callable[[int], None]  # bytes of the file that are there


def download(
    target: Path,
    size: int,
    sha256: str,
    uris: Sequence[str],
    policy: FetchPolicy,
    progress: Progress,
) -> None:
    """Write a file of these bytes to `target`, or leave nothing there.

    What was received before, also by a process that was killed, is kept beside it and not fetched
    again; a file that is there is checked, not fetched. Raises DownloadError, with what each
    address said, and StorageError.
    """
    if _is_complete(target, size, sha256):
        progress(size)
        return
    part = target.with_name(target.name + PART_SUFFIX)
    failures = []
    for uri in uris:
        try:
            _download_from(uri, part, size, sha256, policy, progress)
        except DownloadError as error:
            failures.append(str(error))
            continue
        try:
            part.replace(target)
        except OSError as error:
            raise StorageError(f"{target}: {type(error).__name__}") from None
        return
    raise DownloadError(target.name, "no address has it: " + "; ".join(failures))


def _download_from(
    uri: str, part: Path, size: int, sha256: str, policy: FetchPolicy, progress: Progress
) -> None:
    """Complete `part` from one address; raise DownloadError when that address cannot."""
    tries = MAX_TRIES
    while True:
        tries -= 1
        before = _size_of(part)
        resumed = 0 < before <= size
        try:
            _transfer(uri, part, size, policy, progress)
        except DownloadError:
            # A connection that broke after some bytes is tried again from there.
            if not tries or _size_of(part) <= before:
                raise
            continue
        if _digest(part) == sha256:
            return
        part.unlink()
        # What was there before may be what is wrong: once more from the beginning.
        if not resumed or not tries:
            raise DownloadError(show_uri(uri), f"has not the SHA-256 {sha256}")


def _transfer(uri: str, part: Path, size: int, policy: FetchPolicy, progress: Progress) -> None:
    """Append to `part` until it has `size` bytes; raise DownloadError when it does not get them."""
    held = _size_of(part)
    if held > size:
        part.unlink()
        held = 0
    if held == size and size:
        progress(size)
        return
    with open_stream(uri, policy, held) as stream:
        # Before the first byte: a file of another length is not this one.
        if stream.total not in (None, size):
            raise DownloadError(show_uri(uri), f"has {stream.total} bytes, expected {size}")
        try:
            held = _append(uri, part, stream, size, progress)
        except OSError as error:
            raise StorageError(f"{part} cannot be written: {type(error).__name__}") from None
    if held != size:
        raise DownloadError(show_uri(uri), f"ends after {held} of {size} bytes")


def _append(uri: str, part: Path, stream: Stream, size: int, progress: Progress) -> int:
    """Write a stream's chunks and return how many bytes are there; raise DownloadError for more."""
    held = stream.start
    flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK
    with os.fdopen(os.open(part, flags, FILE_MODE), "wb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise StorageError(f"{part} is not a file")
        file.truncate(held)
        file.seek(held)
        progress(held)
        for chunk in stream.chunks:
            if held + len(chunk) > size:
                raise DownloadError(show_uri(uri), f"sends more than {size} bytes")
            file.write(chunk)
            file.flush()  # what was received outlives a killed process
            held += len(chunk)
            progress(held)
    return held


def _size_of(path: Path) -> int:
    try:
        return path.lstat().st_size
    except FileNotFoundError:
        return 0


def _is_complete(path: Path, size: int, sha256: str) -> bool:
    return path.is_file() and path.stat().st_size == size and _digest(path) == sha256


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
