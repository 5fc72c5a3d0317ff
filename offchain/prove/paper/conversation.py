"""The two ends of a public-coin conversation: interactive, or non-interactive by Fiat-Shamir.

Every argument of this package is written once, against `ProverEnd` and `VerifierEnd`. Which of the
two forms it takes is decided by the challenger that both ends are given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, Protocol

from eth_hash.auto import keccak

from offchain.errors import ProofError
from offchain.prove.reference.curve import Point, decode, encode
from offchain.prove.reference.field import R
from offchain.prove.reference.transcript import Transcript

DOMAIN: Final = keccak(b"zkdps paper bn254 pedersen")
TAG_STATEMENT, TAG_SCALARS, TAG_POINTS = range(3)

Draw = Callable[[], int]
"""A party's random source: one uniform field element a call, e.g. `lambda: randbelow(R)`."""


class Challenger(Protocol):
    """Where the verifier's challenges come from."""

    def absorb(self, tag: int, words: bytes) -> None:
        """Take notice of a message of 32-byte words."""

    def challenge(self) -> int:
        """Return the next challenge, a field element."""


class Interactive:
    """Challenges are the verifier's own coins; it keeps them to check the conversation."""

    def __init__(self, coins: Draw) -> None:
        self._coins = coins
        self.challenges: list[int] = []

    def absorb(self, tag: int, words: bytes) -> None:
        """Do nothing: coins do not depend on messages."""

    def challenge(self) -> int:
        """Toss the next coin."""
        self.challenges.append(self._coins() % R)
        return self.challenges[-1]

    def replay(self) -> Interactive:
        """Return the same coins again; raise ProofError beyond the last one tossed."""
        left = list(reversed(self.challenges))

        def toss() -> int:
            if not left:
                raise ProofError("the conversation ended before its last challenge")
            return left.pop()

        return Interactive(toss)


def fiat_shamir() -> Challenger:
    """Return a challenger that hashes everything said before each challenge (Keccak)."""
    transcript = Transcript()
    transcript.absorb(TAG_STATEMENT, DOMAIN)
    return transcript


class _End:
    def __init__(self, challenger: Challenger) -> None:
        self._challenger = challenger

    def bind(self, argument: str, *parts: bytes) -> None:
        """Fix the statement: no challenge can be known before it (strong Fiat-Shamir)."""
        digests = b"".join(keccak(part) for part in (argument.encode(), *parts))
        self._challenger.absorb(TAG_STATEMENT, digests)

    def challenge(self) -> int:
        """Return the next challenge."""
        return self._challenger.challenge()

    def challenges(self, count: int) -> list[int]:
        """Return the next `count` challenges."""
        return [self.challenge() for _ in range(count)]


class ProverEnd(_End):
    """What is sent is kept, message by message, and told to the challenger."""

    def __init__(self, challenger: Challenger) -> None:
        super().__init__(challenger)
        self.messages: list[bytes] = []

    def send_scalars(self, scalars: Iterable[int]) -> None:
        """Send one message of field elements."""
        self._send(TAG_SCALARS, b"".join((s % R).to_bytes(32, "big") for s in scalars))

    def send_points(self, points: Iterable[Point]) -> None:
        """Send one message of group elements."""
        self._send(TAG_POINTS, b"".join(encode(p) for p in points))

    def _send(self, tag: int, message: bytes) -> None:
        self._challenger.absorb(tag, message)
        self.messages.append(message)


class VerifierEnd(_End):
    """Reads messages of exactly the expected length, canonical elements only."""

    def __init__(self, challenger: Challenger, messages: Sequence[bytes]) -> None:
        super().__init__(challenger)
        self._messages = list(messages)
        self._at = 0

    def receive_scalars(self, count: int) -> list[int]:
        """Return a message of field elements; raise ProofError unless all are below r."""
        message = self._receive(TAG_SCALARS, 32 * count)
        scalars = [int.from_bytes(message[k : k + 32], "big") for k in range(0, len(message), 32)]
        if any(s >= R for s in scalars):
            raise ProofError(f"message {self._at - 1}: a scalar is not below the field modulus")
        return scalars

    def receive_points(self, count: int) -> list[Point]:
        """Return a message of group elements; raise ProofError unless all are on the curve."""
        message = self._receive(TAG_POINTS, 64 * count)
        return [decode(message[k : k + 64]) for k in range(0, len(message), 64)]

    def _receive(self, tag: int, length: int) -> bytes:
        if self._at == len(self._messages):
            raise ProofError(f"message {self._at} is missing")
        message = self._messages[self._at]
        if len(message) != length:
            raise ProofError(f"message {self._at}: {length} bytes expected, {len(message)} sent")
        self._at += 1
        self._challenger.absorb(tag, message)
        return message

    def finish(self) -> None:
        """Raise ProofError if a message was not read."""
        if self._at != len(self._messages):
            raise ProofError(f"{len(self._messages) - self._at} messages too many")


def verify_conversation(
    challenger: Challenger, messages: Sequence[bytes], verify: Callable[[VerifierEnd], object]
) -> None:
    """Raise ProofError unless `verify` accepts and has read every message."""
    end = VerifierEnd(challenger, messages)
    verify(end)
    end.finish()
