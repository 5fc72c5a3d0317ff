"""What blinds a replica's result: a number that only the worker's key, or its home, can make again.

Nothing is written down that would open a commitment: the salt follows from a signature that never
leaves the process or, where a signer does not sign messages or signs them differently every time,
from a secret file in the home folder. So a worker that was killed, or has lost its journal, can
always open what it has committed to; with a key file, even one that has lost its home.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from eth_utils.crypto import keccak

from offchain.chain.job_ids import id_bytes
from offchain.chain.keys import read_private, write_private
from offchain.chain.typed_data import build_replica_salt
from offchain.errors import KeyFileError, SignerRefused

if TYPE_CHECKING:
    from offchain.roles.context import Context
    from offchain.types import Address, Digest, JobId

HOME_FILE: Final = "replicas.secret"
SECRET_BYTES: Final = 32
ATTEMPTS: Final = 8  # salts of one replica: somebody may copy a commitment, each at a lock's price


class Blinding:
    """Makes and opens the commitments of one worker."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def commit(
        self, job_id: JobId, operator: Address, digest: Digest, taken: frozenset[bytes]
    ) -> tuple[int, bytes] | None:
        """Return the first commitment that is not taken, with its number; None for none."""
        for attempt in range(ATTEMPTS):
            salt = self._make_salt(job_id, attempt)
            found = self._hash(job_id, operator, digest, salt)
            if found not in taken:
                return attempt, found
        return None

    def open(
        self, job_id: JobId, operator: Address, digest: Digest, commitment: bytes
    ) -> bytes | None:
        """Return the salt under which a commitment holds this result, or None."""
        for attempt in range(ATTEMPTS):
            for salt in self._list_salts(job_id, attempt):
                if self._hash(job_id, operator, digest, salt) == commitment:
                    return salt
        return None

    def _hash(self, job_id: JobId, operator: Address, digest: Digest, salt: bytes) -> bytes:
        return self._context.contracts.quorum.hash_commitment(job_id, operator, digest, salt)

    def _make_salt(self, job_id: JobId, attempt: int) -> bytes:
        first = self._sign(job_id, attempt)
        # A signature is only as good as its repetition: some signers draw a fresh nonce each time.
        if first is not None and first == self._sign(job_id, attempt):
            return keccak(first)
        return self._derive(read_secret(self._get_file()), job_id, attempt)

    def _list_salts(self, job_id: JobId, attempt: int) -> Iterator[bytes]:
        signature = self._sign(job_id, attempt)
        if signature is not None:
            yield keccak(signature)
        if self._get_file().exists():
            yield self._derive(read_secret(self._get_file()), job_id, attempt)

    def _sign(self, job_id: JobId, attempt: int) -> bytes | None:
        context = self._context
        market = context.contracts.quorum.address
        message = build_replica_salt(context.client.chain_id, market, id_bytes(job_id), attempt)
        try:
            return context.signer.sign_typed(message)
        except SignerRefused:
            return None  # it signs transactions only

    @staticmethod
    def _derive(secret: bytes, job_id: JobId, attempt: int) -> bytes:
        return keccak(secret + id_bytes(job_id) + attempt.to_bytes(1, "big"))

    def _get_file(self) -> Path:
        return self._context.settings.home / HOME_FILE


def read_secret(path: Path) -> bytes:
    """Return 32 secret bytes, drawn at the first time; raise KeyFileError for a file without."""
    if not path.exists():
        _draw_secret(path)
    try:
        secret = bytes.fromhex(read_private(path))
    except ValueError:
        secret = b""
    if len(secret) != SECRET_BYTES:
        raise KeyFileError(f"{path}: not {SECRET_BYTES} bytes in hexadecimal")
    return secret


def _draw_secret(path: Path) -> None:
    """Write a secret under its name at once: nobody finds half of one, not even after a crash."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    write_private(draft, secrets.token_bytes(SECRET_BYTES).hex() + "\n")
    try:
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        with suppress(FileExistsError):  # another thread or process was first: its secret counts
            os.link(draft, path)
    finally:
        draft.unlink()
