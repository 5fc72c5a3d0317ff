"""What `./scripts/mutate` changes, and what it leaves alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutation.campaign import TARGETS, choose
from tests.mutation.mutants import Mutant, list_mutants
from tests.mutation.seeded import list_seeded

ROOT = Path(__file__).parents[3]
SOURCE = """\
pragma solidity >=0.8.0 <0.9.0; // a < b
import {A} from "../a/b.sol";
contract C {
    /* 1 + 1 */
    function f(uint256 a, int256 b) external returns (uint256 c) {
        if (a >= limit) revert TooMuch("a - b", a);
        requireOpen(a, b);
        int256 d = -b;
        c = expectJob(a) * 2;
        mapping(uint256 => bool) storage m = all;
        assembly ("memory-safe") { c := add(c, 1) /* c + 1 */ }
        c += Math.ceilDiv(a, c ** 2) << 1;
    }
}
"""


def changed(old: str) -> list[str]:
    return [m.new for m in list_mutants("C.sol", SOURCE) if m.old == old]


def test_list_mutants__comparison__ties_and_direction() -> None:
    assert changed(">=") == [">"]
    assert changed("*") == ["/"]
    assert changed("+=") == ["-=", "="]


def test_list_mutants__checks__removed() -> None:
    assert changed('if (a >= limit) revert TooMuch("a - b", a);') == [""]
    assert changed("requireOpen(a, b);") == [""]


def test_list_mutants__value_that_is_needed__stays() -> None:
    assert not [m for m in list_mutants("C.sol", SOURCE) if "expectJob" in m.old]


def test_list_mutants__rounding__down_instead_of_up() -> None:
    assert changed("Math.ceilDiv(a, c ** 2)") == ["((a) / (c ** 2))"]


def test_list_mutants__text_and_assembly__stay() -> None:
    touched = {m.line for m in list_mutants("C.sol", SOURCE)}
    assert touched == {6, 7, 9, 12}  # not pragma, import, comments, a sign, a mapping, assembly


def test_apply__other_source__refused() -> None:
    mutant = next(list_mutants("C.sol", SOURCE))
    assert mutant.apply(SOURCE) != SOURCE
    with pytest.raises(ValueError, match="not the source"):
        mutant.apply("contract D {}")


def test_choose__same_seed__same_mutants() -> None:
    first = choose(TARGETS, 20, 7)
    assert first == choose(TARGETS, 20, 7)
    assert len(first) == 20


def test_list_seeded__contracts__have_all_eight() -> None:
    found = list_seeded()
    assert len(found) == 8
    assert all(isinstance(m, Mutant) and (ROOT / m.path).exists() for m in found)
