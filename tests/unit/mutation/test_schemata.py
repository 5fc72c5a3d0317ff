"""Mutants that share a build: each where its expression is, and only what has to be left out is."""

from __future__ import annotations

from tests.mutation import equivalents, workplace
from tests.mutation.campaign import TARGETS, choose
from tests.mutation.equivalents import list_equivalents
from tests.mutation.mutants import Mutant, list_mutants
from tests.mutation.schemata import find_extent, make_views, render

SOURCE = "function f() pure { x = a + b * c; if (a < b) revert Late(a); i++; }"
CONSTANT = "uint256 constant A = 6 * B;"


def node(kind: str, source: str, text: str, **more: object) -> dict[str, object]:
    types = {"typeString": more.pop("type", "uint256")}
    place = f"{source.index(text)}:{len(text)}:0"
    return {"nodeType": kind, "src": place, "typeDescriptions": types, **more}


TREE = {
    "nodes": [
        node("Assignment", SOURCE, "x = a + b * c"),
        node(
            "BinaryOperation", SOURCE, "a + b * c", right=node("BinaryOperation", SOURCE, "b * c")
        ),
        node("BinaryOperation", SOURCE, "a < b"),
        node("UnaryOperation", SOURCE, "i++"),
    ]
}


def switch(*names: str) -> str:
    """Return the source with the mutants of these operators in it, numbered from 1."""
    chosen = [m for m in list_mutants("C.sol", SOURCE) if m.old in names]
    found = [(find_extent(TREE, m), number, m) for number, m in enumerate(chosen, 1)]
    return render(SOURCE, found)


def test_render__operator_inside_another__each_branch_changes_one() -> None:
    times = "(block.coinbase == address(2) ? b / c : b * c)"
    assert f"x = (block.coinbase == address(1) ? a - b * c : a + {times});" in switch("+", "*")


def test_render__several_mutants_of_one_operator__are_nested() -> None:
    less = (
        "(block.coinbase == address(2) ? a > b : (block.coinbase == address(1) ? a <= b : a < b))"
    )
    assert f"if ({less}) revert" in switch("<")


def test_render__check__is_skipped_as_a_whole() -> None:
    check = "if (a < b) revert Late(a);"
    assert f"{{ if (block.coinbase != address(1)) {check} }} i++;" in switch(check)


def test_render__nothing_chosen__is_the_source() -> None:
    assert switch() == SOURCE


def test_find_extent__constants__stay_alone() -> None:
    (mutant,) = list_mutants("C.sol", CONSTANT)
    product = node("BinaryOperation", CONSTANT, "6 * B")
    whole = node("VariableDeclaration", CONSTANT, CONSTANT[:-1], constant=True, value=product)
    assert find_extent(whole, mutant) is None
    assert find_extent({**whole, "constant": False}, mutant) == (21, 26)
    literal = node("BinaryOperation", CONSTANT, "6 * B", type="int_const 12")
    assert find_extent(literal, mutant) is None


def test_make_views__pure_functions_alone() -> None:
    assert make_views("function purely() pure returns") == "function purely() view returns"


def test_order__every_suite_that_can__area_and_killers_first() -> None:
    order, mutant = workplace.Order(), Mutant("contracts/quorum/Beacon.sol", 1, 0, "<", "<=")
    near, others, slow = order.list_steps(mutant)
    assert "Beacon" in near and "JobMarket" in others and "GameReplay" in slow
    assert "Ledger" not in near + others  # it knows nothing of beacons
    assert len({*near, *others, *slow}) == len(near) + len(others) + len(slow)
    order.learn(mutant, "JobMarket")
    assert "JobMarket" in next(order.list_steps(mutant))


def test_adapt_test__creation_that_reverts__calls_no_cheat() -> None:
    others = "\n    A a =\n        new A(b, 2);"
    adapted = workplace.adapt_test("vm.expectRevert();\n    new A(b, f(1));" + others)
    code = "abi.encodePacked(type(A).creationCode, abi.encode(b, f(1)))"
    create = "assembly { if iszero(create(0, add(code, 32), mload(code))) { revert(0, 0) } }"
    assert adapted == f"vm.expectRevert();\n{{ bytes memory code = {code}; {create} }}{others}"


def test_list_needed__imports__are_followed() -> None:
    needed = workplace.list_needed(["Settlement"])
    assert "contracts/libraries/Settlement.sol" in needed
    assert "contracts/types/Split.sol" in needed
    assert "tests/contracts/GameReplay.t.sol" not in needed


def test_list_needed__suites_that_judge__need_every_target() -> None:
    needed = set(workplace.list_needed(workplace.list_suites()))
    targets = {
        str(path.relative_to(workplace.ROOT))
        for glob in TARGETS
        for path in workplace.ROOT.glob(glob)
    }
    assert targets <= needed


def test_list_equivalents__contracts__have_all() -> None:
    found = list_equivalents()
    assert len(set(found)) == len(equivalents.EQUIVALENTS)
    assert set(found) <= set(choose(TARGETS, None, 1))
    assert all(len(reason) > 20 for _, reason in equivalents.EQUIVALENTS)


def test_run_tests__that_fails__names_test_and_suite() -> None:
    printed = (
        "Ran 3 tests for tests/contracts/Late.t.sol:LateTest\n"
        "[FAIL: Odd([1, 2]); counterexample: args=[5]] test_tie__reverts(uint8) (runs: 1)\n"
    )
    failed = workplace.FAILED_TEST.search(printed)
    assert failed is not None and failed[1] == "test_tie__reverts"
    assert workplace.SUITE.findall(printed) == ["Late"]
