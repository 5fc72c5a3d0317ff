"""Backends that keep bytes by digest: a folder, a bucket, an IPFS node."""

from __future__ import annotations

from pathlib import Path

from offchain.gateway.config import Storage
from offchain.gateway.storage.base import Backend
from offchain.gateway.storage.folder import FolderBackend
from offchain.gateway.storage.ipfs import IpfsBackend
from offchain.gateway.storage.s3 import S3Backend

__all__ = ["Backend", "open_backend"]


def open_backend(storage: Storage, home: Path) -> Backend:
    """Return the backend of the settings; raises StorageError, MissingDependencyError."""
    if storage.kind == "s3":
        return S3Backend(storage.bucket, storage.prefix, storage.endpoint)
    if storage.kind == "ipfs":
        return IpfsBackend(storage.endpoint)
    return FolderBackend(storage.folder or home / "content")
