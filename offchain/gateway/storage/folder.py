"""Content in a folder: content/ab/ab01...bin, written atomically."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Final

from offchain.errors import StorageError
from offchain.submit.content import write_atomically
from offchain.types import Digest

# Nothing is there, or something that is not ours. Any other failure (too many open files, a disk
# that does not answer) says nothing about the file: whoever takes it for missing drops content.
ABSENT: Final = frozenset(
    {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EISDIR, errno.ENXIO, errno.ENODEV}
)


class FolderBackend:
    """A folder of files named by digest, in 256 folders by their first byte."""

    is_content_addressed = False

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, digest: Digest, raw: bytes) -> str:
        """Write a file; raises StorageError."""
        write_atomically(self._path(digest), raw)
        return ""

    def get(self, digest: Digest, locator: str, size: int) -> bytes | None:  # noqa: ARG002
        """Return a file's first size + 1 bytes; None for what is missing or no file of ours.

        Neither a link nor a pipe that somebody put in its place is followed or waited for. Raises
        StorageError where that cannot be told now.
        """
        path = self._path(digest)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
            with os.fdopen(descriptor, "rb") as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    return None
                return file.read(size + 1)
        except OSError as error:
            if error.errno in ABSENT:
                return None
            raise StorageError(f"cannot read: {type(error).__name__}") from None

    def delete(self, digest: Digest, locator: str) -> None:  # noqa: ARG002
        """Remove a file; raises StorageError."""
        try:
            self._path(digest).unlink(missing_ok=True)
        except OSError as error:
            raise StorageError(f"cannot remove: {type(error).__name__}") from None

    def _path(self, digest: Digest) -> Path:
        name = digest.hex()
        return self._folder / name[:2] / f"{name}.bin"
