"""Verifiers with one check, or one dependence of a challenge, taken away.

An attack that is accepted without a check and refused with it is refused by that check, not by
luck. All of this acts on the Python reference in this process, inside a `with` block.
"""

from __future__ import annotations
import __future__

import inspect
import textwrap
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from types import CodeType
from typing import Any, Final
from unittest.mock import patch

from offchain.prove.program import Program
from offchain.prove.reference.transcript import Transcript
from offchain.prove.verification_key import VerificationKey

Weakening = Callable[[], AbstractContextManager[None]]

REWRITTEN: Final[dict[CodeType, str]] = {}  # the source of what is rewritten already


@contextmanager
def rewritten(function: Any, old: str, new: str) -> Iterator[None]:
    """Replace `old`, which occurs exactly once in the function's source, by `new`."""
    kept = function.__code__
    source = REWRITTEN.get(kept) or textwrap.dedent(inspect.getsource(function))
    if source.count(old) != 1:
        raise ValueError(f"{function.__qualname__} holds {old!r} {source.count(old)} times")
    flags, file = __future__.annotations.compiler_flag, inspect.getsourcefile(function)
    code = compile(source.replace(old, new), str(file), "exec", flags, dont_inherit=True)
    scope: dict[str, Any] = {}
    exec(code, function.__globals__, scope)
    function.__code__ = scope[function.__name__].__code__
    REWRITTEN[function.__code__] = source.replace(old, new)
    try:
        yield
    finally:
        del REWRITTEN[function.__code__]
        function.__code__ = kept


@contextmanager
def unabsorbed(*tags: int) -> Iterator[None]:
    """Leave the content of messages with these tags out of the transcript, on both sides."""
    original = Transcript.absorb

    def absorb(transcript: Transcript, tag: int, words: bytes) -> None:
        original(transcript, tag, b"" if tag in tags else words)

    with patch.object(Transcript, "absorb", absorb):
        yield


@contextmanager
def constant_challenge(index: int, value: int) -> Iterator[None]:
    """Give the challenge that is drawn after `index` others a value that depends on nothing."""
    original = Transcript.challenge

    def challenge(transcript: Transcript) -> int:
        drawn = vars(transcript).setdefault("drawn", 0)
        vars(transcript)["drawn"] = drawn + 1
        result = original(transcript)
        return value if drawn == index else result

    with patch.object(Transcript, "challenge", challenge):
        yield


@contextmanager
def both(*weakenings: AbstractContextManager[None]) -> Iterator[None]:
    """Enter all of them."""
    with ExitStack() as stack:
        for weakening in weakenings:
            stack.enter_context(weakening)
        yield


# -------------------------------------------------------------------- programs without an item

Change = Callable[[Program], Program]


@dataclass(frozen=True)
class AlteredKey(VerificationKey):
    """A key whose program is read with one item changed, while bytes and hash stay the true ones.

    What a verifier is that forgets the item, or a prover who follows a program of his own.
    """

    truth: VerificationKey | None = None

    def to_bytes(self) -> bytes:
        """Return the true key's bytes."""
        assert self.truth is not None
        return self.truth.to_bytes()


def altered(key: VerificationKey, change: Change) -> AlteredKey:
    """Return the key read with a changed program."""
    return AlteredKey(key.graph_hash, key.srs_id, change(key.program), key.commitments, key)


def without_block(index: int) -> Change:
    """Return the program in which a block of lookups looks nothing up: its numerator is 0."""

    def change(program: Program) -> Program:
        blocks = list(program.blocks)
        blocks[index] = replace(blocks[index], numerator=())
        return replace(program, blocks=tuple(blocks))

    return change
