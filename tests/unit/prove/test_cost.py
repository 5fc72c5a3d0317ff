"""Compiled programs are proven and verified natively, and their proofs are as long as foretold."""

from __future__ import annotations

import pytest

from offchain import native
from offchain.commit.srs import insecure_srs_id
from offchain.prove.compile import Choice, compile_graph
from offchain.prove.cost import compute_proof_bytes, estimate_cost
from offchain.prove.key import build_key
from offchain.prove.program import Lookup, Opening
from offchain.prove.witness import build_fixed, build_witness
from tests.unit.prove.graphs import EXAMPLES, Example

STATEMENT = bytes(range(32))


def encode(example: Example) -> tuple[bytes, bytes]:
    """Return the public bytes of inputs and output."""
    specs = [*example.graph.inputs, example.graph.output_spec()]
    raw = [example.execution.values[x.name].astype(f">i{x.bits // 8}").tobytes() for x in specs]
    return b"".join(raw[:-1]), raw[-1]


@pytest.mark.parametrize("stacks", [False, True], ids=["blocks", "stacks"])
@pytest.mark.parametrize("opening", list(Opening))
@pytest.mark.parametrize("lookup", list(Lookup))
@pytest.mark.parametrize("name", ["attention", "conv_stride", "embedding", "layer_norm", "argmax"])
def test_proof__is_accepted_and_as_long_as_foretold(
    name: str, lookup: Lookup, opening: Opening, stacks: bool
) -> None:
    example = EXAMPLES[name]()
    layout = compile_graph(example.graph, Choice(7, lookup, opening, stacks))
    program = layout.program
    fixed = build_fixed(layout, example.weights)
    srs = native.srs_insecure(program.c)
    key = build_key(
        layout, fixed, insecure_srs_id(), lambda x: native.commit_chunks(srs, x, program.c)
    ).to_bytes()
    filled = build_witness(layout, example.weights, example.execution, fixed)
    tensors = [filled.get(k) for k in range(len(program.tensors))]
    proof = native.prove(key, srs, STATEMENT, tensors)
    native.verify(key, native.tau_g2_insecure(), STATEMENT, *encode(example), proof)
    assert len(proof) == compute_proof_bytes(program)
    cost = estimate_cost(program, len(key))
    assert cost.calldata_bytes > len(proof) == cost.proof_bytes
    assert cost.gas > 40 * cost.calldata_bytes


def test_stacks__many_alike_lookups__fewer_blocks_no_more_bytes() -> None:
    graph = EXAMPLES["attention"]().graph
    plain, stacked = (
        compile_graph(graph, Choice(7, Lookup.GKR, Opening.MERCURY, stacks)).program
        for stacks in (False, True)
    )
    assert len(stacked.blocks) < len(plain.blocks) / 2
    assert compute_proof_bytes(stacked) <= compute_proof_bytes(plain)
