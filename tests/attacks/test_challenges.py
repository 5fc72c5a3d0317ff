"""Every challenge depends on everything that precedes it, and on nothing that follows.

The reference verifier runs to its end on changed proofs, its checks taken away, and its challenges
are watched. What a challenge that misses one of these dependences is worth to a cheater is in
frozen_lookups.py and frozen_claims.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, fields, replace
from functools import cache
from unittest.mock import patch

import pytest

from offchain.prove.program import Lookup, Opening, Program
from offchain.prove.reference import hyperkzg, logup, mercury, transcript, verifier
from offchain.prove.reference.curve import G1, INFINITY, encode
from offchain.prove.reference.field import Q
from offchain.prove.reference.srs import insecure_tau_g2
from offchain.prove.reference.transcript import Receiver, Transcript
from offchain.prove.statement import Statement
from offchain.prove.verification_key import VerificationKey
from tests.attacks.attack import (
    NO_CONTRACTION,
    NO_FOLDS,
    NO_INVERSES,
    NO_LAYER,
    NO_LEAVES,
    NO_LINK,
    NO_MERCURY_PAIRING,
    NO_PAIRING,
    NO_PRODUCT,
    NO_RELATION,
)
from tests.attacks.forgeries import Forgery, honest
from tests.attacks.weakening import rewritten
from tests.vectors.operator_models import deep, everything, everything_inverses

TAGS = {
    name[4:].lower(): tag
    for name, tag in vars(transcript).items()
    if name.startswith("TAG_") and name != "TAG_STATEMENT"
}
POINTS = {
    TAGS[name]
    for name in (
        "commit",
        "late",
        "open_folds",
        "open_quotients",
        "mercury_rows",
        "mercury_division",
        "mercury_checks",
        "mercury_quotients",
        "mercury_last",
    )
}


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

    root = rewritten(logup.verify_layers, "cp != 0 or cq == 0", "False")
    checks = (
        root,
        *(check() for check in (NO_LAYER, NO_LEAVES, NO_INVERSES, NO_RELATION, NO_PRODUCT)),
        *(check() for check in (NO_CONTRACTION, NO_LINK)),
        *(check() for check in (NO_FOLDS, NO_PAIRING, NO_MERCURY_PAIRING)),
    )
    with ExitStack() as stack:
        for check in checks:
            stack.enter_context(check)
        stack.enter_context(patch.object(Transcript, "challenge", challenge))
        stack.enter_context(patch.object(Receiver, "_receive", message))
        for module in (hyperkzg, mercury, verifier):
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


MODELS = {"gkr": everything, "inverses": everything_inverses}


@cache
def made_on(name: str) -> Forgery:
    """Return an honest submission."""
    return honest(MODELS[name]())


@cache
def base_of(name: str) -> Watch:
    """Return what its verification draws and reads."""
    return watch(made_on(name))


def changed_word(proof: bytes, at: int, is_point: bool, first: int) -> bytes:
    """Change the 32-byte word at `at`; a point becomes another point of the curve."""
    if not is_point:
        return proof[: at + 31] + bytes([proof[at + 31] ^ 1]) + proof[at + 32 :]
    at -= (at - first) % 64
    y = Q - int.from_bytes(proof[at + 32 : at + 64], "big")
    return proof[: at + 32] + y.to_bytes(32, "big") + proof[at + 64 :]


def draws(program: Program) -> int:
    """Return how many challenges a proof of this program draws (FORMAT.md 7)."""
    count = 2 + program.c + 1
    if program.lookup == Lookup.GKR:
        count += sum(layer + 2 for layer in range(program.lam))
    else:
        count += 2 * program.lam + 1
    phases = (
        (program.terms, program.product_rounds),
        (program.instances, program.contraction_rounds),
        (program.links, program.link_rounds),
    )
    count += sum(1 + rounds for items, rounds in phases if items)
    return count + (3 if program.opening == Opening.HYPERKZG else 6)


@pytest.mark.parametrize("name", MODELS)
def test_challenges__honest_proof__as_many_as_the_format_draws(name: str) -> None:
    made, base = made_on(name), base_of(name)
    assert len(base.challenges) == draws(made.key.program)
    assert len(set(base.challenges)) == len(base.challenges)
    ends = [0, *(end for _, _, end, _ in base.messages)]
    assert [start for _, start, _, _ in base.messages] == ends[:-1]  # every byte, once, in order
    assert ends[-1] == len(made.proof)


def test_challenges__both_proofs__hold_every_message_of_the_format() -> None:
    seen = {tag for name in MODELS for tag, *_ in base_of(name).messages}
    assert seen == set(TAGS.values())


@pytest.mark.parametrize(
    ("name", "tag"),
    [
        pytest.param(name, tag, id=f"{name}-{label}")
        for label, tag in TAGS.items()
        for name in MODELS
    ],
)
def test_challenges__word_of_the_proof_changed__all_later_ones_change(name: str, tag: int) -> None:
    made, base = made_on(name), base_of(name)
    for _, start, end, drawn in (message for message in base.messages if message[0] == tag):
        for at in range(start, end, 64 if tag in POINTS else 32):
            proof = changed_word(made.proof, at, tag in POINTS, start)
            other = watch(replace(made, proof=proof)).challenges
            assert other[:drawn] == base.challenges[:drawn], at
            assert not set(other[drawn:]) & set(base.challenges[drawn:]), at
            assert drawn < len(other), "a message that no challenge follows"


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("field", [f.name for f in fields(Statement)])
def test_challenges__statement_field_changed__all_change(name: str, field: str) -> None:
    made, base = made_on(name), base_of(name)
    value = getattr(made.statement, field)
    if isinstance(value, int):
        other: int | bytes | str = value + 1
    elif isinstance(value, bytes):
        other = value[:-1] + bytes([value[-1] ^ 1])
    else:
        other = value[:-1] + ("0" if value[-1] != "0" else "1")
    statement = replace(made.statement, **{field: other})  # type: ignore[arg-type]
    changed = watch(replace(made, statement=statement)).challenges
    assert not set(changed) & set(base.challenges)


def changed_keys(key: VerificationKey) -> dict[str, VerificationKey]:
    """Return the key with one part changed."""
    program = key.program
    return {
        "graph hash": replace(key, graph_hash=bytes(32)),
        "SRS": replace(key, srs_id=bytes(32)),
        "program": replace(key, program=replace(program, op_count=program.op_count + 1)),
        "order of commitments": replace(key, commitments=key.commitments[::-1]),
        **{
            f"commitment {k}": replace(
                key, commitments=(*key.commitments[:k], encode(G1), *key.commitments[k + 1 :])
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


def test_challenges__other_domain__all_change() -> None:
    made, base = made_on("gkr"), base_of("gkr")
    with patch.object(verifier, "DOMAIN", bytes(32)):
        assert not set(watch(made).challenges) & set(base.challenges)
