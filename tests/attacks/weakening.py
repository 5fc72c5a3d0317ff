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
from types import CodeType
from typing import Any, Final
from unittest.mock import patch

from offchain.prove.reference.transcript import Transcript

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
