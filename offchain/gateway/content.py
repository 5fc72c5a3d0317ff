"""Tensors by digest: checked when they come and when they go, kept as long as they are needed."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from math import prod
from typing import Any, Final

from sqlalchemy import Connection, delete, select, update

from offchain.chain.database import Database
from offchain.commit.digest import as_matrix
from offchain.errors import ContentError
from offchain.gateway.chain_view import ChainClock
from offchain.gateway.config import Limits
from offchain.gateway.faults import DigestMismatch, OutOfSpace, Unknown
from offchain.gateway.references import References, merge_uses
from offchain.gateway.storage import Backend
from offchain.gateway.tables import CONTENT, USAGE
from offchain.roles.log import Log
from offchain.submit.content import compute_digest
from offchain.types import Digest

ALL: Final = ""  # owner of the sum
LEAST_BYTES: Final = 4096  # what the smallest tensor takes: a block of a file system
LOCKS: Final = 64
SWEEP: Final = 500  # tensors looked at between two looks at the clock
SWEEP_S: Final = 30.0  # a sweep that takes longer goes on with the next
AGAIN_S: Final = 600  # protocol's clock: a tensor that is in use is looked at again


@dataclass(frozen=True)
class Stored:
    """What is known of a stored tensor."""

    digest: Digest
    bits: int
    shape: tuple[int, int]
    size: int
    locator: str
    owner: str
    uploaded_at: int


class ContentService:
    """A backend with its catalogue; safe to use from every thread of one process."""

    def __init__(
        self,
        database: Database,
        backend: Backend,
        clock: ChainClock,
        limits: Limits,
        retention_s: int,
        references: Sequence[References],
        log: Log,
    ) -> None:
        self._database, self._backend, self._clock = database, backend, clock
        self._space = database.space
        self._limits, self._retention_s = limits, retention_s
        self._references = tuple(references)
        self._log = log
        # Bytes and catalogue change together for one digest at a time.
        self._locks = [threading.Lock() for _ in range(LOCKS)]
        # Where equal bytes of two shapes are one object, the one must not be dropped while the
        # other comes.
        self._objects = threading.Lock() if backend.is_content_addressed else nullcontext()

    # Uploads

    def put(
        self,
        raw: bytes,
        bits: int,
        shape: tuple[int, ...],
        owner: str,
        named: Digest | None = None,
    ) -> tuple[Digest, bool]:
        """Store a tensor; return its digest, and whether it was not there before.

        Raises DigestMismatch where it is not what it is named, or has not the size of its shape,
        and OutOfSpace.
        """
        digest = _digest_upload(raw, bits, shape, named)
        with self._lock(digest):
            known = self.find(digest)
            if known is not None and self._read(known) == raw:
                self._renew(known, owner)
                return digest, False
            self._check_space(owner, len(raw))
            rows, columns = as_matrix(shape)
            with self._objects:
                locator = self._backend.put(digest, raw)
                self._insert(Stored(digest, bits, (rows, columns), len(raw), locator, owner, 0))
        return digest, known is None

    # Downloads

    def find(self, digest: Digest) -> Stored | None:
        """Return what is known of a tensor, or None."""
        c = CONTENT.c
        query = select(CONTENT).where(c.space == self._space, c.digest == _name(digest))
        with self._database.reading() as connection:
            row = connection.execute(query).first()
        return None if row is None else _stored(row)

    def get(self, digest: Digest) -> bytes:
        """Return a tensor's bytes, whose digest was computed again; raises Unknown.

        What was damaged in the storage is not served, and is forgotten, so that it can be uploaded
        again.
        """
        known = self.find(digest)
        if known is None:
            raise Unknown(f"no content for {_name(digest)}")
        raw = self._read(known)
        if raw is not None:
            return raw
        with self._lock(digest):
            if self._read(known) is None and self.find(digest) == known:
                self._log.event("content-damaged", digest=digest)
                self._forget(known)
        raise Unknown(f"no content for {_name(digest)}")

    def has(self, digest: Digest) -> bool:
        """Whether a tensor is stored, as far as the catalogue knows."""
        return self.find(digest) is not None

    def _read(self, known: Stored) -> bytes | None:
        """Return the bytes if they have the digest; raises StorageError."""
        raw = self._backend.get(known.digest, known.locator, known.size)
        if raw is None or len(raw) != known.size:
            return None
        return raw if compute_digest(raw, known.bits, known.shape) == known.digest else None

    # Retention

    def sweep(self) -> int:
        """Drop what nothing needs any more; return how many. Raises OffchainError.

        As much as there is: many small uploads must not fill the storage for longer than they are
        kept.
        """
        dropped, ends_at = 0, time.monotonic() + SWEEP_S
        while True:
            looked, found = self._sweep_some()
            dropped += found
            if looked < SWEEP or time.monotonic() > ends_at:
                return dropped

    def _sweep_some(self) -> tuple[int, int]:
        """Look at what is due, at most SWEEP; return how much was, and how much was dropped."""
        c, now = CONTENT.c, self._clock.now
        query = (
            select(CONTENT)
            .where(c.space == self._space, c.check_at <= now)
            .order_by(c.check_at)
            .limit(SWEEP)
        )
        with self._database.reading() as connection:
            due = [_stored(row) for row in connection.execute(query)]
        return len(due), sum(self._look(stored.digest, now) for stored in due)

    def _look(self, digest: Digest, now: int) -> bool:
        """Drop a tensor, or note when to look again; return whether it was dropped."""
        with self._lock(digest):
            known = self.find(digest)
            if known is None:
                return False
            use = merge_uses(source.find_use(digest) for source in self._references)
            last = max(known.uploaded_at, use.ended_at or 0)
            keep_until = now + AGAIN_S if use.is_live else last + self._retention_s
            if keep_until > now:
                self._postpone(digest, keep_until)
                return False
            self._forget(known)
        self._log.event("content-dropped", digest=digest, size=known.size)
        return True

    def _forget(self, known: Stored) -> None:
        c = CONTENT.c
        is_own = (c.space == self._space) & (c.digest == _name(known.digest))
        with self._objects:
            with self._database.writing() as connection:
                if connection.execute(delete(CONTENT).where(is_own)).rowcount:
                    self._charge(connection, known.owner, -known.size)
                is_needed = bool(known.locator) and self._is_located(connection, known.locator)
            if not is_needed:
                self._backend.delete(known.digest, known.locator)

    def _is_located(self, connection: Connection, locator: str) -> bool:
        c = CONTENT.c
        query = select(c.digest).where(c.space == self._space, c.locator == locator).limit(1)
        return connection.execute(query).first() is not None

    def _postpone(self, digest: Digest, check_at: int) -> None:
        c = CONTENT.c
        is_own = (c.space == self._space) & (c.digest == _name(digest))
        with self._database.writing() as connection:
            connection.execute(update(CONTENT).where(is_own).values(check_at=check_at))

    # Space

    def _insert(self, stored: Stored) -> None:
        c = CONTENT.c
        is_own = (c.space == self._space) & (c.digest == _name(stored.digest))
        now = self._clock.now
        with self._database.writing() as connection:
            before = connection.execute(select(CONTENT).where(is_own)).first()
            if before is not None:
                self._charge(connection, before.owner, -before.size)
                connection.execute(delete(CONTENT).where(is_own))
            connection.execute(
                CONTENT.insert().values(
                    space=self._space,
                    digest=_name(stored.digest),
                    bits=stored.bits,
                    rows=stored.shape[0],
                    columns=stored.shape[1],
                    size=stored.size,
                    locator=stored.locator,
                    owner=stored.owner,
                    uploaded_at=now,
                    check_at=now + self._retention_s,
                )
            )
            self._charge(connection, stored.owner, stored.size)

    def _renew(self, known: Stored, owner: str) -> None:
        """Let a tensor's time begin again, at the cost of whoever uploaded it now."""
        c, now = CONTENT.c, self._clock.now
        if known.uploaded_at == now and known.owner == owner:
            return
        if known.owner != owner:
            self._check_space(owner, known.size)
        is_own = (c.space == self._space) & (c.digest == _name(known.digest))
        renewed = {"owner": owner, "uploaded_at": now, "check_at": now + self._retention_s}
        with self._database.writing() as connection:
            self._charge(connection, known.owner, -known.size)
            self._charge(connection, owner, known.size)
            connection.execute(update(CONTENT).where(is_own).values(renewed))

    def _check_space(self, owner: str, size: int) -> None:
        limits, u = self._limits, USAGE.c
        query = select(u.owner, u.bytes).where(u.space == self._space, u.owner.in_([owner, ALL]))
        with self._database.reading() as connection:
            used = {row.owner: row.bytes for row in connection.execute(query)}
        for who, most in ((owner, limits.stored_bytes_per_client), (ALL, limits.stored_bytes)):
            if used.get(who, 0) + _weigh(size) > most:
                whose = "this address's uploads" if who else "all content"
                raise OutOfSpace(f"{whose} may take {most} bytes", limit=most)

    def get_used(self, owner: str = ALL) -> int:
        """Return the bytes that a client's uploads take, or all of them."""
        u = USAGE.c
        query = select(u.bytes).where(u.space == self._space, u.owner == owner)
        with self._database.reading() as connection:
            return int(connection.execute(query).scalar() or 0)

    def _charge(self, connection: Connection, owner: str, size: int) -> None:
        weight = _weigh(size) if size > 0 else -_weigh(-size)
        for who in (owner, ALL):
            statement = self._database.insert(USAGE).values(
                space=self._space, owner=who, bytes=weight
            )
            connection.execute(
                statement.on_conflict_do_update(
                    index_elements=["space", "owner"], set_={"bytes": USAGE.c.bytes + weight}
                )
            )
        u = USAGE.c
        connection.execute(
            delete(USAGE).where(u.space == self._space, u.owner != ALL, u.bytes <= 0)
        )

    def _lock(self, digest: Digest) -> threading.Lock:
        return self._locks[digest[0] % LOCKS]


def _digest_upload(raw: bytes, bits: int, shape: tuple[int, ...], named: Digest | None) -> Digest:
    expected = prod(shape) * bits // 8
    if len(raw) != expected:
        told = f"{len(raw)} bytes, expected {expected} of this shape"
        raise DigestMismatch(told, expectedBytes=expected, foundBytes=len(raw))
    try:
        digest = compute_digest(raw, bits, shape)
    except ContentError as error:
        raise DigestMismatch(str(error)) from None
    if named is not None and digest != named:
        told = f"the bytes have digest {_name(digest)}"
        raise DigestMismatch(told, expected=_name(named), found=_name(digest))
    return digest


def _weigh(size: int) -> int:
    return max(size, LEAST_BYTES)


def _name(digest: Digest) -> str:
    return "0x" + digest.hex()


def _stored(row: Any) -> Stored:
    return Stored(
        digest=Digest(bytes.fromhex(row.digest[2:])),
        bits=row.bits,
        shape=(row.rows, row.columns),
        size=row.size,
        locator=row.locator,
        owner=row.owner,
        uploaded_at=row.uploaded_at,
    )
