"""Runs of an argument in both forms, and provers that keep their story straight."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from random import Random

import pytest

from offchain.errors import ProofError
from offchain.prove.paper.conversation import (
    Challenger,
    Draw,
    Interactive,
    ProverEnd,
    VerifierEnd,
    fiat_shamir,
    verify_conversation,
)
from offchain.prove.paper.sumcheck import interpolate
from offchain.prove.reference.field import R, inverse

Prove = Callable[[ProverEnd], object]
Verify = Callable[[VerifierEnd], object]
Seat = Callable[[Challenger], ProverEnd]

COINS = 1  # seed of the interactive verifier
FORMS = pytest.mark.parametrize("form", ["interactive", "fiat-shamir"])


def draws(seed: int) -> Draw:
    """A party's random source."""
    random = Random(seed)
    return lambda: random.randrange(R)


def run(form: str, prove: Prove, verify: Verify, seat: Seat = ProverEnd) -> list[bytes]:
    """Let a prover in `seat` convince a verifier; the messages, or ProofError."""
    if form == "interactive":
        live = Interactive(draws(COINS))
        end = seat(live)
        prove(end)
        verify_conversation(live.replay(), end.messages, verify)
    else:
        end = seat(fiat_shamir())
        prove(end)
        verify_conversation(fiat_shamir(), end.messages, verify)
    return end.messages


def assert_refused(
    form: str, prove: Prove, verify: Verify, why: str, seat: Seat = ProverEnd
) -> None:
    """The prover does its worst; the verifier refuses for this reason."""
    with pytest.raises(ProofError, match=why):
        run(form, prove, verify, seat)


def assert_nothing_can_change(messages: Sequence[bytes], verify: Verify) -> None:
    """Each message of a Fiat-Shamir proof, altered in its last byte, dropped or doubled."""
    verify_conversation(fiat_shamir(), messages, verify)
    for k, message in enumerate(messages):
        altered = message[:-1] + bytes([message[-1] ^ 1])
        for inserted in ([altered], [], [message, message]):
            with pytest.raises(ProofError):
                verify_conversation(
                    fiat_shamir(), [*messages[:k], *inserted, *messages[k + 1 :]], verify
                )


class _Recorder:
    def __init__(self) -> None:
        self.heard = b""

    def absorb(self, tag: int, words: bytes) -> None:
        self.heard += words

    def challenge(self) -> int:
        return 1


def bound_by(verify: Verify) -> bytes:
    """What a verifier tells the challenger before it reads the first message."""
    recorder = _Recorder()
    with pytest.raises(ProofError, match="message 0 is missing"):
        verify(VerifierEnd(recorder, []))
    return recorder.heard


class StraightFacedEnd(ProverEnd):
    """Bends every round of its sum-checks so that no round contradicts the claim before it.

    The polynomial added to a round is 0 at `root`: a prover who foresees the coin wins.
    """

    def __init__(
        self, challenger: Challenger, width: int, sums: Sequence[int], root: int | None = None
    ) -> None:
        super().__init__(challenger)
        self.width, self.root = width, root
        self.left = list(sums)  # rounds of each sum-check to come
        self.first_claim = self.claim = 0
        self.has_begun = False
        self.sent: list[int] = []  # the round that waits for its challenge

    def send_scalars(self, scalars: Iterable[int]) -> None:
        values = list(scalars)
        if len(values) == self.width and self.left:
            values = self.sent = self.bend(values)
            self.has_begun = True
        elif len(values) == 1 and not self.has_begun:
            self.first_claim = self.claim = values[0]
        super().send_scalars(values)

    def bend(self, values: list[int]) -> list[int]:
        missing = self.claim - values[0] - values[1]
        if self.root is None:
            return [(v + missing * inverse(2)) % R for v in values]
        slope = missing * inverse(1 - 2 * self.root)
        return [(v + slope * (x - self.root)) % R for x, v in enumerate(values)]

    def challenge(self) -> int:
        r = super().challenge()
        if self.sent:
            self.claim, self.sent = interpolate(self.sent, r), []
            self.left[0] -= 1
            if not self.left[0]:
                self.left.pop(0)
                self.claim = self.first_claim
        return r
