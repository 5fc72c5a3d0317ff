"""Many mutants in one build: each changed place asks at run time which mutant is on.

`a < b` becomes `(block.coinbase == address(N) ? a <= b : a < b)` (mutant schemata, Untch et al.
1993): forge's `block_coinbase` turns mutant N on, and judging it compiles nothing. Where an
expression begins and ends comes from the compiler's syntax tree. The stack is no deeper than
before, because each branch replaces the other; the code is larger, calls cost a few percent more
gas. Reading the block makes pure functions views.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.mutation.mutants import Mutant, find_end

FIRST_NUMBER: Final = 1 << 32  # above precompiled contracts and whatever addresses tests make up
EXPRESSIONS: Final = frozenset({"BinaryOperation", "UnaryOperation", "Assignment", "FunctionCall"})
SWITCH: Final = re.compile(r"[({] ?(?:if \()?block\.coinbase [!=]= address\((\d+)\)")
LIBRARY: Final = "scripts/npm/node_modules/@openzeppelin/contracts"

Source = Mapping[str, str]  # text by path from the root


@dataclass(frozen=True)
class Place:
    """The extent of an expression or statement, and what each mutant makes of it."""

    start: int
    end: int
    mutants: tuple[tuple[int, Mutant], ...]

    def render(self, source: str, original: str) -> str:
        """Return the text that chooses between the mutants and the original text."""
        if not self.mutants[0][1].new:  # a check that can be left out
            number = self.mutants[0][0]
            return f"{{ if (block.coinbase != address({number})) {original} }}"
        for number, mutant in self.mutants:
            changed = source[self.start : mutant.start] + mutant.new
            changed += source[mutant.start + len(mutant.old) : self.end]
            original = f"(block.coinbase == address({number}) ? {changed} : {original})"
        return original


@dataclass(frozen=True)
class Schemata:
    """Sources that hold many mutants, by number, and the mutants that fit into none."""

    sources: Source
    numbers: Mapping[Mutant, int]
    alone: tuple[Mutant, ...]


def weave(mutants: Sequence[Mutant], root: Path, solc: str) -> Schemata:
    """Put every mutant that one build can hold into the sources.

    Those in constants stay alone, because nothing runs there; so do those that break the types.
    """
    sources = {
        str(path.relative_to(root)): path.read_text(encoding="utf-8")
        for path in sorted((root / "contracts").glob("**/*.sol"))
    }
    trees = parse(sources, root, solc, sorted({mutant.path for mutant in mutants}))
    numbers = {mutant: FIRST_NUMBER + index for index, mutant in enumerate(mutants)}
    extents = {mutant: find_extent(trees[mutant.path], mutant) for mutant in mutants}
    woven = dict(sources)
    while True:
        fitting = [mutant for mutant in mutants if extents[mutant] is not None]
        for path in {mutant.path for mutant in mutants}:
            here = [mutant for mutant in fitting if mutant.path == path]
            woven[path] = render(sources[path], [(extents[m], numbers[m], m) for m in here])
        views = {path: make_views(text) for path, text in woven.items()}
        broken = set(find_broken(views, root, solc))
        if not broken:
            break
        for mutant in fitting:
            if numbers[mutant] in broken:
                extents[mutant] = None
    return Schemata(
        views,
        {mutant: numbers[mutant] for mutant in fitting},
        tuple(mutant for mutant in mutants if extents[mutant] is None),
    )


def compile_sources(
    sources: Source, root: Path, solc: str, outputs: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the compiler's answer to its standard JSON input; no code is generated for trees."""
    library = {
        f"@openzeppelin/contracts/{path.relative_to(root / LIBRARY)}": path.read_text("utf-8")
        for path in sorted((root / LIBRARY).glob("**/*.sol"))
    }
    request = {
        "language": "Solidity",
        "sources": {name: {"content": text} for name, text in {**sources, **library}.items()},
        "settings": {"evmVersion": "prague", "outputSelection": outputs},
    }
    answer = subprocess.run(
        [solc, "--standard-json"],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(answer.stdout)
    return found


def parse(sources: Source, root: Path, solc: str, paths: Sequence[str]) -> dict[str, Any]:
    """Return the syntax trees of some files; raise ValueError where the sources do not compile."""
    answer = compile_sources(sources, root, solc, {path: {"": ["ast"]} for path in paths})
    for error in _errors(answer):
        raise ValueError(error["formattedMessage"])
    for path in paths:
        if not sources[path].isascii():
            raise ValueError(f"{path} is not ASCII: the tree's offsets count bytes")
    return {path: answer["sources"][path]["ast"] for path in paths}


def find_broken(sources: Source, root: Path, solc: str) -> Iterator[int]:
    """Yield the numbers of mutants that do not compile; raise ValueError for other errors."""
    answer = compile_sources(sources, root, solc, {"*": {"": ["ast"]}})
    for error in _errors(answer):
        where = error.get("sourceLocation", {"file": "", "start": 0, "end": 0})
        text = sources.get(where["file"], "")
        around = [
            (find_end(text, match.start()) - match.start(), int(match[1]))
            for match in SWITCH.finditer(text)
            if match.start() <= where["start"] and where["end"] <= find_end(text, match.start())
        ]
        if not around:
            raise ValueError(error["formattedMessage"])
        yield min(around)[1]


def find_extent(tree: Any, mutant: Mutant) -> tuple[int, int] | None:
    """Return where the smallest thing that a mutant changes begins and ends; None in constants."""
    if not mutant.new:
        return mutant.start, mutant.start + len(mutant.old)
    best = None
    for node, start, end in _walk(tree):
        if not (start <= mutant.start and mutant.start + len(mutant.old) <= end):
            continue
        if node["nodeType"] == "VariableDeclaration" and node["constant"]:
            return None
        if node["nodeType"] in EXPRESSIONS and (best is None or end - start <= best[2] - best[1]):
            best = (node, start, end)
    if best is None or "_const " in best[0]["typeDescriptions"]["typeString"]:
        return None
    return best[1], best[2]


def render(source: str, found: Sequence[tuple[tuple[int, int] | None, int, Mutant]]) -> str:
    """Return a file's text with the mutants in it."""
    cases: defaultdict[tuple[int, int], list[tuple[int, Mutant]]] = defaultdict(list)
    for extent, number, mutant in found:
        if extent is not None:
            cases[extent].append((number, mutant))
    places = [Place(start, end, tuple(some)) for (start, end), some in cases.items()]
    places.sort(key=lambda place: (place.start, -place.end))
    return _render(source, 0, len(source), places)


def make_views(source: str) -> str:
    """Return the text with every pure function a view, which may read the block."""
    return re.sub(r"\bpure\b", "view", source)


def _render(source: str, start: int, end: int, places: Sequence[Place]) -> str:
    parts, position = [], start
    for index, place in enumerate(places):
        if place.start < position:  # inside the one before
            continue
        inner = [other for other in places[index + 1 :] if other.end <= place.end]
        original = _render(source, place.start, place.end, inner)
        parts += [source[position : place.start], place.render(source, original)]
        position = place.end
    return "".join(parts) + source[position:end]


def _walk(tree: Any) -> Iterator[tuple[dict[str, Any], int, int]]:
    """Yield every node of a syntax tree that has a place in the source."""
    if isinstance(tree, list):
        for item in tree:
            yield from _walk(item)
    elif isinstance(tree, dict):
        if "src" in tree and "nodeType" in tree:
            start, length, _ = map(int, tree["src"].split(":"))
            yield tree, start, start + length
        for value in tree.values():
            yield from _walk(value)


def _errors(answer: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    return (error for error in answer.get("errors", []) if error["severity"] == "error")
