"""Every operator's lowering: honest witnesses satisfy it, changed ones do not.

Relations are checked on full tables (check_relations.py), so these tests know no prover.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from offchain.prove.compile import Choice, Layout, compile_graph
from offchain.prove.compile.layout import NormalizeFill, SoftmaxFill
from offchain.prove.program import Lookup, Opening, SlotKind, TensorKind
from offchain.prove.program_bytes import encode_program
from offchain.prove.program_reader import decode_program
from offchain.prove.witness import Array, build_witness, overlay
from tests.unit.prove.check_relations import RelationBroken, check_relations
from tests.unit.prove.graphs import EXAMPLES, Example


@pytest.fixture(scope="module", params=itertools.product(sorted(EXAMPLES), ("blocks", "stacks")))
def case(request: pytest.FixtureRequest) -> tuple[Example, Layout, dict[int, Array]]:
    name, form = request.param
    example = EXAMPLES[name]()
    layout = compile_graph(example.graph, Choice(stacks=form == "stacks"))
    return example, layout, build_witness(layout, example.weights, example.execution)


Case = tuple[Example, Layout, dict[int, Array]]


def test_honest_witness__satisfies_every_relation(case: Case) -> None:
    _, layout, witness = case
    check_relations(layout.program, witness)


def test_witness__fills_every_tensor_but_late_ones_in_small_types(case: Case) -> None:
    _, layout, witness = case
    for k, tensor in enumerate(layout.program.tensors):
        if tensor.kind == TensorKind.LATE:
            assert k not in witness
            continue
        assert witness[k].shape == (1 << tensor.n,)
        assert witness[k].dtype in (np.int8, np.int16, np.int32, np.int64)


def test_any_committed_cell_changed__breaks_a_relation(case: Case) -> None:
    _, layout, witness = case
    rng = np.random.default_rng(0)
    for k, tensor in enumerate(layout.program.tensors):
        if tensor.kind not in (TensorKind.PROOF, TensorKind.OUTPUT) or k in layout.stacks:
            continue
        # Cell 0 is never padding; the others may be, and only these are free in rows.
        for cell in {0, int(rng.integers(1 << tensor.n))} - _free_cells(layout, k):
            changed = dict(witness)
            changed[k] = witness[k].astype(np.int64)
            changed[k][cell] += 1 if rng.random() < 0.5 else -1
            overlay(layout, changed)
            with pytest.raises(RelationBroken):
                check_relations(layout.program, changed)


def _free_cells(layout: Layout, tensor: int) -> set[int]:
    """Return cells that nothing reads: a softmax's padding rows."""
    for fill in layout.fills:
        if isinstance(fill, SoftmaxFill) and tensor in (
            fill.maximum,
            fill.iota,
            *fill.iota_digits.tensors,
        ):
            rows = np.zeros(fill.shape[:-1], dtype=bool)
            widths = [(0, (1 << (s - 1).bit_length()) - s) for s in rows.shape]
            return set(np.flatnonzero(np.pad(rows, widths, constant_values=True)).tolist())
    return set()


def test_program__is_canonical_and_the_same_every_time(case: Case) -> None:
    example, layout, _ = case
    encoded = encode_program(layout.program)
    assert decode_program(encoded) == layout.program
    choice = Choice(stacks=bool(layout.stacks))
    assert encode_program(compile_graph(example.graph, choice).program) == encoded


def test_slots__of_one_phase__never_repeat(case: Case) -> None:
    _, layout, _ = case
    slots = [s for s in layout.program.slots if s.kind != SlotKind.VIRTUAL]
    counts = layout.program.counts
    assert len(set(slots[: counts.leaf + counts.direct])) == counts.leaf + counts.direct


def test_committed_tensors__never_overlap_and_keep_their_kinds_apart(case: Case) -> None:
    _, layout, _ = case
    p = layout.program
    ends = {
        TensorKind.FIXED: (0, p.fixed_chunks),
        TensorKind.PROOF: (p.fixed_chunks, p.fixed_chunks + p.proof_chunks),
        TensorKind.LATE: (p.fixed_chunks + p.proof_chunks, p.chunks),
    }
    taken: set[int] = set()
    for k, tensor in enumerate(p.tensors):
        if tensor.is_public or k in layout.stacks:
            continue
        first, last = ends[tensor.kind]
        start = (tensor.chunk << p.c) + (tensor.addr << tensor.n if tensor.n < p.c else 0)
        cells = range(start, start + (1 << tensor.n))
        assert first << p.c <= start
        assert cells[-1] < last << p.c
        assert taken.isdisjoint(cells)
        taken.update(cells)
    for stack, members in layout.stacks.items():
        assert len(members) == 1 << (p.tensors[stack].n - p.tensors[members[0]].n)


@pytest.mark.parametrize("lookup", list(Lookup))
@pytest.mark.parametrize("opening", list(Opening))
def test_choice__overrides_what_the_cost_model_chooses(lookup: Lookup, opening: Opening) -> None:
    example = EXAMPLES["attention"]()
    program = compile_graph(example.graph, Choice(6, lookup, opening)).program
    assert (program.c, program.lookup, program.opening) == (6, lookup, opening)
    late = [t for t in program.tensors if t.kind == TensorKind.LATE]
    assert len(late) == (len(program.blocks) if lookup == Lookup.INVERSES else 0)
    assert (program.late_chunks > 0) == (lookup == Lookup.INVERSES)


def test_rows_of_norms__have_digits_for_every_type_bound() -> None:
    """2^w_r > 2^f and 2^w > (2 r + 1) S for the largest S (proofs-spec.md 20)."""
    layout = compile_graph(EXAMPLES["layer_norm"]().graph)
    (fill,) = (f for f in layout.fills if isinstance(f, NormalizeFill))
    assert sum(fill.root_digits.widths) > fill.op.f
    size, largest = fill.shape[-1], 128
    total = size * size * largest**2 + fill.op.epsilon
    root = int((2 ** (2 * fill.op.f) / total) ** 0.5)
    assert sum(fill.below.widths) > ((2 * root + 1) * total).bit_length() - 1
