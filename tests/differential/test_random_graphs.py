"""Random graphs of all operators: what is executed honestly is proven, any one lie is refused.

Reference and torch agree on them in test_runtime_torch.py; here the witness of the reference's
execution is proven natively and by the Python reference, and verified by both. What Solidity says
to the same submissions is in test_solidity_verifier.py.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pytest

from offchain.execute.torch_runtime import TorchRuntime
from offchain.prove.compile import Choice
from offchain.prove.program import Lookup, Opening, TensorKind
from offchain.prove.reference.prover import prove
from offchain.prove.reference.srs import insecure_srs
from offchain.prove.witness import Array, build_witness
from tests.attacks.lookups import recount
from tests.differential.submissions import Case
from tests.random_models import RandomModel, draw_graph, draw_operator
from tests.random_operators import DRAWERS

CHOICES: Final = tuple(Choice(None, lookup, opening) for lookup in Lookup for opening in Opening)
GRAPHS: Final = range(100, 108)
MANY: Final = range(200, 300)
SMALL: Final = 1 << 11  # leaves that plain Python proves in half a second


def case_of(model: RandomModel, seed: int) -> Case:
    """Return the model under one of the four arguments, by turns."""
    return Case(model, CHOICES[seed % len(CHOICES)])


def leaves(case: Case) -> int:
    """Return the number of looked-up cells and rows."""
    return sum(1 << block.n for block in case.program.blocks)


def lie(case: Case, rng: np.random.Generator) -> tuple[dict[int, Array], str]:
    """Change one cell of one tensor that the prover chooses; multiplicities follow if they can."""
    tensors = {k: values.astype(np.int64) for k, values in case.tensors.items()}
    counts = {table.counts for table in case.layout.tables}
    mine = [
        k
        for k, t in enumerate(case.program.tensors)
        if t.kind in (TensorKind.PROOF, TensorKind.OUTPUT) and k in tensors and k not in counts
    ]
    index = int(mine[rng.integers(len(mine))])
    cell = int(rng.integers(len(tensors[index])))
    step = int(rng.choice((-1, 1))) << int(rng.integers(6))
    tensors[index][cell] += step
    if leaves(case) <= SMALL:
        lists = {k: [int(v) for v in values] for k, values in tensors.items()}
        recount(case.program, lists)
        tensors = {k: np.array(values, dtype=np.int64) for k, values in lists.items()}
    return tensors, f"tensor {index} cell {cell}: {step:+}"


def check(case: Case, seed: int, lies: int) -> None:
    """Require that the truth is accepted and lies are not."""
    assert case.submit().accepted_by_rust()
    rng = np.random.default_rng(seed)
    for _ in range(lies):
        tensors, what = lie(case, rng)
        if is_outside(case, tensors):
            continue
        assert not case.submit(tensors).accepted_by_rust(), what


def is_outside(case: Case, tensors: dict[int, Array]) -> bool:
    """Whether the output has no bytes, or the lie is about a padding cell of the output."""
    spec = case.program.output
    limit = 1 << (8 * spec.bytes_per_element - 1)
    values = tensors[spec.tensor]
    if (values < -limit).any() or (values >= limit).any():
        return True
    same = all(np.array_equal(tensors[k], v) for k, v in case.tensors.items() if k != spec.tensor)
    return same and case.shown(tensors) == case.shown(case.tensors)


@pytest.mark.parametrize("kind", DRAWERS)
def test_native__every_operator__honest_accepted_and_lies_refused(kind: str) -> None:
    seed = list(DRAWERS).index(kind)
    check(case_of(draw_operator(kind, seed, max_width=8), seed), seed, lies=2)


@pytest.mark.parametrize("seed", GRAPHS)
def test_native__random_graph__honest_accepted_and_lies_refused(seed: int) -> None:
    check(case_of(draw_graph(seed, operators=4, max_width=8), seed), seed, lies=2)


@pytest.mark.slow
@pytest.mark.parametrize("seed", MANY)
def test_native__many_random_graphs__honest_accepted_and_lies_refused(seed: int) -> None:
    check(case_of(draw_graph(seed, operators=6), seed), seed, lies=2)


@pytest.mark.parametrize("seed", range(400, 408))
def test_reference__same_proof_as_native_and_accepted(seed: int) -> None:
    case = next(
        case
        for k in range(seed * 100, seed * 100 + 100)
        if leaves(case := case_of(draw_graph(k, operators=2, max_width=6), seed)) <= SMALL
    )
    made = case.submit()
    tensors = {k: [int(v) for v in values] for k, values in case.tensors.items()}
    tokens = {0: [int(v) for v in np.asarray(case.model.x).reshape(-1)]}
    powers = insecure_srs(case.program.c)
    assert prove(case.key, powers, made.statement.hash(), tensors, tokens) == made.proof
    assert made.accepted_by_rust()
    assert made.accepted_by_reference()


@pytest.mark.parametrize("seed", GRAPHS)
def test_witness__of_torch_s_execution__is_that_of_the_reference_s(seed: int) -> None:
    case = case_of(draw_graph(seed, operators=4, max_width=8), seed)
    traced = TorchRuntime(case.model.graph, case.model.weights).run_traced(case.model.x)
    assert np.array_equal(traced.output, case.execution.output)
    witness = build_witness(case.layout, case.model.weights, traced)
    assert witness.keys() == case.tensors.keys()
    assert all(np.array_equal(witness[k], case.tensors[k]) for k in witness)


def test_drawn_graphs__reach_the_corners_they_are_meant_for() -> None:
    """A generator that avoids a corner would make the tests above say less than they seem to."""
    programs = [
        case_of(draw_operator(kind, k, max_width=8), k).program for k, kind in enumerate(DRAWERS)
    ]
    programs += [case_of(draw_graph(s, operators=4, max_width=8), s).program for s in GRAPHS]
    assert {(p.lookup, p.opening) for p in programs} == {
        (lookup, opening) for lookup in Lookup for opening in Opening
    }
    assert any(p.terms for p in programs)
    assert any(p.links for p in programs)
    assert any(i.is_weighted for p in programs for i in p.instances)
    assert any(t.n > p.c for p in programs for t in p.tensors if not t.is_public)
    assert any(t.n == 0 for p in programs for t in p.tensors)
