"""Mutants of Solidity sources: one comparison, tie-break, sum or check of money and clocks changed.

Works on tokens, not on text: comments, strings, imports, natspec and assembly stay as they are.
(slither-mutate replaces whole statements at the first operator of that kind and compiles the
project twice for each mutant; here each operator is one mutant, and nearly all share a build.)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

SWAPS: Final[Mapping[str, tuple[str, ...]]] = {
    "<": ("<=", ">"),
    "<=": ("<",),
    ">": (">=", "<"),
    ">=": (">",),
    "==": ("!=",),
    "!=": ("==",),
    "&&": ("||",),
    "||": ("&&",),
    "+": ("-",),
    "-": ("+",),
    "*": ("/",),
    "/": ("*",),
    "+=": ("-=", "="),
    "-=": ("+=", "="),
    "++": ("--",),
    "--": ("++",),
    "Math.min": ("Math.max",),
    "Math.max": ("Math.min",),
    "Math.ceilDiv": ("floorDiv",),
}
# What must not be touched comes first: it swallows the operators inside.
TOKEN: Final = re.compile(
    r"""
      (?P<skip> //[^\n]* | /\*.*?\*/ | "(?:\\.|[^"\\])*" | '(?:\\.|[^'\\])*'
              | \b(?:import|pragma)\b[^;]*; | \bassembly\b[^{]*\{
              | => | -> | \*\* | <<=? | >>=? | [|^&]=? (?![|&]) )
    | (?P<name> Math\.(?:min|max|ceilDiv) \b )
    | (?P<operator> && | \|\| | \+\+ | -- | \+= | -= | <= | >= | == | != | [<>+*/-] )
    | (?P<check> \bif\s*\( )
    | (?P<call> \b(?:require|check|expect)[A-Z]\w* \s* \( )
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True)
class Mutant:
    """A source file with one place changed."""

    path: str  # of the file, from the repository's root
    line: int  # from 1
    start: int  # offset of what is replaced
    old: str
    new: str

    @property
    def name(self) -> str:
        """Return where and what, on one line."""
        return f"{self.path}:{self.line}: {_flat(self.old)} -> {_flat(self.new) or '(removed)'}"

    def apply(self, source: str) -> str:
        """Return the source with the change; raise ValueError if it is another source."""
        end = self.start + len(self.old)
        if source[self.start : end] != self.old:
            raise ValueError(f"{self.path} is not the source that this mutant was made from")
        return source[: self.start] + self.new + source[end:]


def list_mutants(path: str, source: str) -> Iterator[Mutant]:
    """Yield every mutant of a file, in the order of its text."""
    position = 0
    while (match := TOKEN.search(source, position)) is not None:
        position = match.end()
        if match["skip"] is not None:
            if match["skip"].startswith("assembly"):
                position = find_end(source, match.end() - 1)
        elif match["check"] is not None:
            yield from _remove(path, source, match.start(), find_end(source, match.end() - 1))
        elif match["call"] is not None:
            end = find_end(source, match.end() - 1)
            # A statement of its own, not a value that something else needs.
            if source[end : end + 1] == ";" and _before(source, match.start()) in tuple(";{}"):
                yield _make(path, source, match.start(), end + 1, "")
        elif not _is_unary(source, match):
            for new in SWAPS[match[0]]:
                # OpenZeppelin's Math has no function that rounds down: dividing does.
                if new == "floorDiv":
                    yield from _round_down(path, source, match.start())
                else:
                    yield _make(path, source, match.start(), match.end(), new)


def _remove(path: str, source: str, start: int, end: int) -> Iterator[Mutant]:
    """Yield the mutant without a check, where the `if` does nothing but revert."""
    rest = re.compile(r"\s*(?:\{\s*)?revert\b[^;]*;(?:\s*\})?").match(source, end)
    if rest is not None:
        yield _make(path, source, start, rest.end(), "")


def _round_down(path: str, source: str, start: int) -> Iterator[Mutant]:
    opening = source.index("(", start)
    end = find_end(source, opening)
    parts = _split(source[opening + 1 : end - 1])
    if len(parts) == 2:
        yield _make(path, source, start, end, f"(({parts[0]}) / ({parts[1]}))")


def _make(path: str, source: str, start: int, end: int, new: str) -> Mutant:
    return Mutant(path, source.count("\n", 0, start) + 1, start, source[start:end], new)


def _is_unary(source: str, match: re.Match[str]) -> bool:
    """Whether an operator stands before its only operand, or is no operator of an expression."""
    return match[0] == "-" and _before(source, match.start()) in tuple("(,=?:<>+-*/&|")


def _before(source: str, offset: int) -> str:
    """Return the last character before an offset that is neither space nor comment's text."""
    lines = source[:offset].split("\n")
    text = [line.partition("//")[0].rstrip() for line in lines]
    return next((line[-1] for line in reversed(text) if line), "")


def find_end(source: str, opening: int) -> int:
    """Return the offset behind the bracket that closes the one at `opening`."""
    closing = {"(": ")", "{": "}"}[source[opening]]
    depth = 0
    for offset in range(opening, len(source)):
        depth += (source[offset] == source[opening]) - (source[offset] == closing)
        if depth == 0:
            return offset + 1
    raise ValueError(f"no {closing} closes the bracket at {opening}")


def _split(arguments: str) -> list[str]:
    parts, depth = [""], 0
    for character in arguments:
        depth += (character in "([") - (character in ")]")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts]


def _flat(text: str) -> str:
    return " ".join(text.split())
