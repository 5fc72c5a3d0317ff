"""Every challenge depends on everything that precedes it, and on nothing that follows.

The reference verifier runs to its end on changed proofs, its checks taken away, and its challenges
are watched. What a challenge that misses one of these dependences is worth to a cheater is in
frozen_lookups.py and frozen_claims.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, fields, replace
from unittest.mock import patch

import pytest

from offchain.prove.program import VerificationKey
from offchain.prove.reference import hyperkzg, logup, verifier
from offchain.prove.reference.curve import INFINITY
from offchain.prove.reference.field import Q
from offchain.prove.reference.srs import insecure_tau_g2
from offchain.prove.reference.transcript import (
    TAG_COMMIT,
    TAG_CONTRACT_FINAL,
    TAG_CONTRACT_ROUND,
    TAG_DIRECT,
    TAG_LAYER,
    TAG_LEAVES,
    TAG_OPEN_FOLDS,
    TAG_OPEN_QUOTIENTS,
    TAG_OPEN_VALUES,
    TAG_REDUCE_ROUND,
    TAG_ROOT,
    TAG_ROUND,
    Receiver,
    Transcript,
)
from offchain.prove.statement import Statement
from tests.attacks.attack import NO_CONTRACTION, NO_FOLDS, NO_LAYER, NO_LEAVES, NO_PAIRING
from tests.attacks.forgeries import Forgery, honest
from tests.attacks.weakening import rewritten
from tests.vectors.models import deep, tiny

TAGS = {
    "commitments": TAG_COMMIT,
    "root": TAG_ROOT,
    "layer rounds": TAG_ROUND,
    "layer halves": TAG_LAYER,
    "leaf values": TAG_LEAVES,
    "bias values": TAG_DIRECT,
    "contraction rounds": TAG_CONTRACT_ROUND,
    "contraction operands": TAG_CONTRACT_FINAL,
    "reduction rounds": TAG_REDUCE_ROUND,
    "opening folds": TAG_OPEN_FOLDS,
    "opening values": TAG_OPEN_VALUES,
    "opening quotients": TAG_OPEN_QUOTIENTS,
}
POINTS = {TAG_COMMIT, TAG_OPEN_FOLDS, TAG_OPEN_QUOTIENTS}


@dataclass
class Watch:
    """What a run of the verifier drew, and where in the proof it was when it read each message."""

    challenges: list[int] = field(default_factory=list)
    messages: list[tuple[int, int, int, int]] = field(default_factory=list)  # tag, from, to, drawn


@contextmanager
def watched() -> Iterator[Watch]:
    """Let the verifier accept everything, skip its curve arithmetic, and watch it."""
    watch = Watch()
    draw, receive = Transcript.challenge, Receiver._receive

    def challenge(transcript: Transcript) -> int:
        watch.challenges.append(draw(transcript))
        return watch.challenges[-1]

    def message(receiver: Receiver, tag: int, length: int) -> bytes:
        at = receiver._at
        watch.messages.append((tag, at, at + length, len(watch.challenges)))
        return receive(receiver, tag, length)

    root = rewritten(logup.verify_logup, "cp != 0 or cq == 0", "False")
    checks = (root, NO_LAYER(), NO_LEAVES(), NO_CONTRACTION(), NO_FOLDS(), NO_PAIRING())
    with ExitStack() as stack:
        for check in checks:
            stack.enter_context(check)
        stack.enter_context(patch.object(Transcript, "challenge", challenge))
        stack.enter_context(patch.object(Receiver, "_receive", message))
        for module in (hyperkzg, verifier):
            stack.enter_context(patch.object(module, "combine", lambda *_: INFINITY))
        yield watch


def watch(made: Forgery) -> Watch:
    """Run the watched verifier."""
    with watched() as watch:
        verifier.verify(
            made.key,
            insecure_tau_g2(),
            made.statement.hash(),
            made.public_in,
            made.public_out,
            made.proof,
        )
    return watch


@pytest.fixture(scope="module")
def made() -> Forgery:
    return honest(tiny())


@pytest.fixture(scope="module")
def base(made: Forgery) -> Watch:
    return watch(made)


def changed_word(proof: bytes, at: int, is_point: bool, first: int) -> bytes:
    """Change the 32-byte word at `at`; a point becomes another point of the curve."""
    if not is_point:
        return proof[: at + 31] + bytes([proof[at + 31] ^ 1]) + proof[at + 32 :]
    at -= (at - first) % 64
    y = Q - int.from_bytes(proof[at + 32 : at + 64], "big")
    return proof[: at + 32] + y.to_bytes(32, "big") + proof[at + 64 :]


def test_challenges__honest_proof__as_many_as_the_format_draws(made: Forgery, base: Watch) -> None:
    program = made.key.program
    lookups = 2 + sum(layer + 2 for layer in range(program.lam))
    assert len(base.challenges) == lookups + 1 + program.rounds + 1 + program.c + 3
    assert len(set(base.challenges)) == len(base.challenges)
    assert {tag for tag, *_ in base.messages} == set(TAGS.values())
    ends = [0, *(end for _, _, end, _ in base.messages)]
    assert [start for _, start, _, _ in base.messages] == ends[:-1]  # every byte, once, in order
    assert ends[-1] == len(made.proof)


@pytest.mark.parametrize("tag", TAGS.values(), ids=TAGS)
def test_challenges__word_of_the_proof_changed__all_later_ones_change(
    made: Forgery, base: Watch, tag: int
) -> None:
    for _, start, end, drawn in (message for message in base.messages if message[0] == tag):
        for at in range(start, end, 64 if tag in POINTS else 32):
            proof = changed_word(made.proof, at, tag in POINTS, start)
            other = watch(replace(made, proof=proof)).challenges
            assert other[:drawn] == base.challenges[:drawn], at
            assert not set(other[drawn:]) & set(base.challenges[drawn:]), at
            assert drawn < len(other), "a message that no challenge follows"


@pytest.mark.parametrize("name", [f.name for f in fields(Statement)])
def test_challenges__statement_field_changed__all_change(
    made: Forgery, base: Watch, name: str
) -> None:
    value = getattr(made.statement, name)
    if isinstance(value, int):
        other: int | bytes | str = value + 1
    elif isinstance(value, bytes):
        other = value[:-1] + bytes([value[-1] ^ 1])
    else:
        other = value[:-1] + ("0" if value[-1] != "0" else "1")
    statement = replace(made.statement, **{name: other})  # type: ignore[arg-type]
    changed = watch(replace(made, statement=statement)).challenges
    assert not set(changed) & set(base.challenges)


def changed_keys(key: VerificationKey) -> dict[str, VerificationKey]:
    """Return the key with one part changed."""
    first, *others = key.program.requants
    program = replace(key.program, requants=(replace(first, m=first.m + 1), *others))
    swapped = key.commitments[::-1]
    return {
        "graph hash": replace(key, graph_hash=bytes(32)),
        "SRS": replace(key, srs_id=bytes(32)),
        "program": replace(key, program=program),
        "order of commitments": replace(key, commitments=swapped),
        **{
            f"commitment {k}": replace(
                key, commitments=(*key.commitments[:k], bytes(64), *key.commitments[k + 1 :])
            )
            for k in range(len(key.commitments))
        },
    }


def test_challenges__key_changed__all_change() -> None:
    made = honest(deep())  # it has several commitments
    base = watch(made)
    for name, key in changed_keys(made.key).items():
        changed = watch(replace(made, key=key)).challenges
        assert not set(changed) & set(base.challenges), name


def test_challenges__other_domain__all_change(made: Forgery, base: Watch) -> None:
    with patch.object(verifier, "DOMAIN", bytes(32)):
        assert not set(watch(made).challenges) & set(base.challenges)
