"""Keccak transcript and the two ends of the proof's byte stream (FORMAT.md 6, 7).

Nothing can be sent without being absorbed: `Sender.send_*` and `Receiver.receive_*` are the only
ways to the proof's bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from eth_hash.auto import keccak

from offchain.errors import ProofError
from offchain.prove.reference.curve import Point, decode, encode
from offchain.prove.reference.field import R

DOMAIN: Final = keccak(b"zkdps/2 bn254 keccak")
TAG_STATEMENT, TAG_ROOT, TAG_ROUND, TAG_LAYER, TAG_COMMIT, TAG_LEAVES = range(6)
TAG_PRODUCT_ROUND, TAG_PRODUCT, TAG_DIRECT, TAG_CONTRACT_ROUND, TAG_CONTRACT = range(6, 11)
TAG_REDUCE_ROUND, TAG_LINK_ROUND, TAG_LINK = range(11, 14)
TAG_LATE, TAG_INVERSE_ROUND, TAG_INVERSES = range(40, 43)
TAG_OPEN_FOLDS, TAG_OPEN_VALUES, TAG_OPEN_QUOTIENTS = 20, 21, 22
TAG_MERCURY_ROWS, TAG_MERCURY_DIVISION, TAG_MERCURY_CHECKS = 30, 31, 32
TAG_MERCURY_VALUES, TAG_MERCURY_QUOTIENTS, TAG_MERCURY_LAST = 33, 34, 35

# Messages that are absorbed even when they hold nothing: an opening of one variable has no folds.
EMPTY_MESSAGES: Final = (TAG_OPEN_FOLDS,)


class Transcript:
    """Fiat-Shamir state: absorb typed messages, squeeze challenges."""

    def __init__(self) -> None:
        self._state = bytes(32)
        self._buffer = bytearray()

    def absorb(self, tag: int, words: bytes) -> None:
        """Absorb a message of 32-byte words under `tag`."""
        header = (tag << 64) + len(words) // 32
        self._buffer += header.to_bytes(32, "big") + words

    def challenge(self) -> int:
        """Return the next challenge, a field element."""
        self._state = keccak(self._state + bytes(self._buffer))
        self._buffer.clear()
        return int.from_bytes(self._state, "big") % R


class Sender(Transcript):
    """The prover's end: what is sent is absorbed and appended to the proof."""

    def __init__(self) -> None:
        super().__init__()
        self.proof = bytearray()

    def send_scalars(self, tag: int, scalars: Sequence[int]) -> None:
        """Send field elements as one message; a message of none is left out."""
        self._send(tag, b"".join((s % R).to_bytes(32, "big") for s in scalars))

    def send_points(self, tag: int, points: Sequence[Point]) -> None:
        """Send curve points as one message; a message of none is left out."""
        self._send(tag, b"".join(encode(p) for p in points))

    def _send(self, tag: int, message: bytes) -> None:
        if not message and tag not in EMPTY_MESSAGES:
            return
        self.absorb(tag, message)
        self.proof += message


class Receiver(Transcript):
    """The verifier's end: reads canonical elements only and must be drained."""

    def __init__(self, proof: bytes) -> None:
        super().__init__()
        self._proof = proof
        self._at = 0

    def receive_scalars(self, tag: int, count: int) -> list[int]:
        """Read a message of field elements; raise ProofError unless all are below r."""
        message = self._receive(tag, 32 * count)
        scalars = [int.from_bytes(message[k : k + 32], "big") for k in range(0, len(message), 32)]
        if any(s >= R for s in scalars):
            raise ProofError(f"scalar is not below the field modulus (message with tag {tag})")
        return scalars

    def receive_points(self, tag: int, count: int) -> list[Point]:
        """Read a message of points; raise ProofError unless all are on the curve."""
        message = self._receive(tag, 64 * count)
        return [decode(message[k : k + 64]) for k in range(0, len(message), 64)]

    def finish(self) -> None:
        """Raise ProofError if bytes are left."""
        if self._at != len(self._proof):
            raise ProofError(f"{len(self._proof) - self._at} trailing bytes")

    def _receive(self, tag: int, length: int) -> bytes:
        if not length and tag not in EMPTY_MESSAGES:
            return b""
        message = self._proof[self._at : self._at + length]
        if len(message) != length:
            raise ProofError(f"truncated: {length} bytes wanted at {self._at}, {len(message)} left")
        self._at += length
        self.absorb(tag, message)
        return message
