"""Evidence about single elements: both verdicts, and every byte of it is bound."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from offchain.commit.digest import TILE_BYTES, digest_of_root, tile_leaf
from offchain.errors import DescriptorError, EvidenceError, EvidenceTooLarge, NotOpened, TraceError
from offchain.model.graph import Graph, Linear, Requant, TensorSpec, WeightSpec
from offchain.trace.evidence import WHOLE, build_evidence, judge_element
from offchain.trace.openings import EvidenceReader, merge_tiles, write_openings
from offchain.trace.tensors import RevealedTile, TiledTensor
from offchain.trace.tree import EMPTY, MerkleTree
from offchain.types import Verdict
from tests.random_models import RandomModel
from tests.unit.trace.runs import KINDS, Run, graph_run, operator_run


@pytest.mark.parametrize("kind", KINDS)
def test_judge__right_and_wrong_results__both_verdicts(kind: str) -> None:
    for seed in range(20, 24):
        check_verdicts(operator_run(kind, seed))


def test_judge__random_graphs__both_verdicts() -> None:
    for seed in range(20, 30):
        check_verdicts(graph_run(seed))


def check_verdicts(run: Run) -> None:
    for op in run.plan.ops:
        size = run.value(op).size
        for element in {0, size // 2, size - 1}:
            evidence = run.tensors.evidence(op, element)
            claim = run.trace.claim(op.index, element)
            assert judge_element(claim, evidence) is Verdict.CONSISTENT
            wrong, false = run.falsify(op, element)
            against = run.tensors.evidence(op, element, false)
            assert judge_element(wrong, against) is Verdict.INCONSISTENT
            whole = replace(wrong, element=WHOLE)
            assert judge_element(whole, against) is Verdict.INCONSISTENT
            with pytest.raises(EvidenceError, match="not the one of the claim's digest"):
                judge_element(wrong, evidence)


def large_linear(rows: int, inner: int, columns: int) -> Run:
    """Return y = x w of several tiles each."""
    rng = np.random.default_rng(rows * inner)
    x = TensorSpec("x", (rows, inner), 8, -100, 100)
    requant = Requant("y", "a", 3, 16, (16,), 16, "identity", 16, -(1 << 15), (1 << 15) - 1)
    spec = WeightSpec("w", (columns, inner), 8)
    graph = Graph((x,), "y", (spec,), (Linear("a", "x", "w", None), requant))
    graph.verify()
    w = rng.integers(-128, 128, spec.shape)
    return Run(RandomModel(graph, {"w": w}, rng.integers(-100, 101, x.shape)))


def test_judge__several_tiles__only_those_of_the_row_are_opened() -> None:
    run = large_linear(5, 3000, 7)
    op = run.plan.ops[0]
    for element in range(35):
        evidence = run.tensors.evidence(op, element)
        assert len(evidence) <= 8 + (4 + 4 + 1) * (TILE_BYTES + 160)
        assert judge_element(run.trace.claim(0, element), evidence) is Verdict.CONSISTENT


def test_judge__every_byte_changed__refused() -> None:
    for kind in ("linear", "softmax"):
        run = operator_run(kind, 21)
        op = run.plan.ops[-1]
        claim, evidence = run.trace.claim(op.index, 0), run.tensors.evidence(op, 0)
        for place in range(len(evidence)):
            changed = bytearray(evidence)
            changed[place] ^= 1 << place % 8
            with pytest.raises(EvidenceError):
                judge_element(claim, bytes(changed))


def test_judge__cut_or_extended__refused() -> None:
    run = operator_run("conv2d", 21)
    op = run.plan.ops[-1]
    claim, evidence = run.trace.claim(op.index, 0), run.tensors.evidence(op, 0)
    for end in range(0, len(evidence), 3):
        with pytest.raises(EvidenceError):
            judge_element(claim, evidence[:end])
    with pytest.raises(EvidenceError, match="1 bytes are left over"):
        judge_element(claim, evidence + b"\0")


def test_judge__another_element_claim_or_descriptor__refused() -> None:
    run = operator_run("linear", 22)
    op = run.plan.ops[-1]
    claim, evidence = run.trace.claim(op.index, 0), run.tensors.evidence(op, 0)
    with pytest.raises(EvidenceError, match="evidence about element 0, the claim names 1"):
        judge_element(replace(claim, element=1), evidence)
    with pytest.raises(EvidenceError, match="does not show the whole operator"):
        judge_element(replace(claim, element=WHOLE), evidence)
    with pytest.raises(EvidenceError, match="0 digests of 1 inputs"):
        judge_element(replace(claim, in_digests=()), evidence)
    with pytest.raises(EvidenceError, match="not the one of the claim's digest"):
        judge_element(replace(claim, in_digests=(bytes(32),)), evidence)
    with pytest.raises(DescriptorError):
        judge_element(replace(claim, descriptor=claim.descriptor[:-1]), evidence)


def test_judge__tiles_left_out__not_opened() -> None:
    run = large_linear(1, 3000, 2)
    op, d = run.plan.ops[0], run.plan.ops[0].descriptor
    x, w, y = (run.tensors.get(name) for name in ("x", "w", "y"))
    opened = [
        write_openings(x, [0, 2], False),
        write_openings(w, [0, 1, 2], True),
        write_openings(y, [0], False),
    ]
    claim = run.trace.claim(op.index, 0)
    with pytest.raises(NotOpened, match="element 1024 of tensor 0 is not opened"):
        judge_element(claim, bytes(8) + b"".join(opened))
    opened[0] = write_openings(x, [0, 1, 2], False)
    assert judge_element(claim, bytes(8) + b"".join(opened)) is Verdict.CONSISTENT
    opened[2] = b"\0"
    with pytest.raises(NotOpened, match="element 0 of tensor 2"):
        judge_element(claim, bytes(8) + b"".join(opened))
    assert d.out.count == 2


def test_judge__result_known_by_one_tile_only__inconsistent() -> None:
    run = large_linear(40, 30, 64)
    op = run.plan.ops[0]
    claim, false = run.falsify(op, 2000)
    tile, path = false.open(3, 1)
    revealed = RevealedTile(3, tile, tuple(path))
    assert revealed.root == false.root
    evidence = run.tensors.evidence(op, 2000, revealed)
    assert evidence == run.tensors.evidence(op, 2000, false)
    assert judge_element(claim, evidence) is Verdict.INCONSISTENT
    with pytest.raises(TraceError, match="only 3 is known"):
        run.tensors.evidence(op, 0, revealed)


def test_build__more_than_a_transaction_holds__too_large() -> None:
    run = large_linear(1, 60000, 2)
    op = run.plan.ops[0]
    with pytest.raises(EvidenceTooLarge) as caught:
        run.tensors.evidence(op, 0)
    assert caught.value.size > caught.value.limit
    tensors = [run.tensors.get("x")], [run.tensors.get("w")], run.tensors.get("y")
    evidence = build_evidence(op.descriptor, 0, *tensors, limit=1 << 20)
    assert judge_element(run.trace.claim(0, 0), evidence) is Verdict.CONSISTENT
    assert build_evidence(op.descriptor, 0, *tensors, limit=len(evidence)) == evidence
    with pytest.raises(EvidenceTooLarge):
        build_evidence(op.descriptor, 0, *tensors, limit=len(evidence) - 1)


def test_ranges__random_tiles__cover_them_and_do_not_touch() -> None:
    rng = np.random.default_rng(1)
    for most in (3, 30, 3000):
        tiles = {int(k) for k in rng.integers(0, most, most)}
        ranges = merge_tiles(tiles)
        assert tiles <= {k for r in ranges for k in r}
        assert len(ranges) <= 255
        assert all(a.stop < b.start for a, b in itertools.pairwise(ranges))
        if most < 3000:
            assert tiles == {k for r in ranges for k in r}


def test_reader__touching_empty_or_descending_ranges__refused() -> None:
    tensor = TiledTensor(bytes(range(256)) * 16, 1)

    def section(*ranges: tuple[int, int]) -> bytes:
        pieces = [bytes([len(ranges)]), tensor.root]
        for first, count in ranges:
            data, siblings = tensor.open(first, max(count, 1))
            pieces += [first.to_bytes(4, "big"), count.to_bytes(2, "big"), data, *siblings]
        return b"".join(pieces)

    good = EvidenceReader(section((0, 1), (2, 2))).tensor(0, 1, 4096)
    assert good.read(np.array([0, 1023, 2048, 4095])).tolist() == [0, -1, 0, -1]
    for bad in (((0, 1), (1, 1)), ((2, 1), (0, 1)), ((0, 0),), ((1, 1), (1, 1))):
        with pytest.raises(EvidenceError, match="tiles from"):
            EvidenceReader(section(*bad)).tensor(0, 1, 4096)
    outside = section((3, 1)).replace((3).to_bytes(4, "big"), (4).to_bytes(4, "big"))
    with pytest.raises(EvidenceError, match="1 tiles from 4 on, of 4"):
        EvidenceReader(outside).tensor(0, 1, 4096)


def test_judge__junk_behind_the_end__refused_with_the_last_tile() -> None:
    """Nobody can open the last element of a result whose padding is not zero."""
    run = large_linear(1, 30, 2600)  # six tiles of two bytes an element, two leaves of padding
    op = run.plan.ops[0]
    honest = run.tensors.get("y")
    spec = op.descriptor.out
    nodes = [tile_leaf(k, honest.tile(k)) for k in range(6)]
    tile = honest.tile(5)[:-1] + b"\1"
    junk_byte = MerkleTree([*nodes[:5], tile_leaf(5, tile)], 3)
    junk_leaf = MerkleTree([*nodes, EMPTY, b"\1" * 32], 3)
    for tree, last in ((junk_byte, tile), (junk_leaf, honest.tile(5))):
        digest = digest_of_root(tree.root, (spec.rows, spec.cols), 16)
        claim = replace(run.trace.claim(0, 0), out_digest=digest)
        first = RevealedTile(0, honest.tile(0), tree.path(0))
        evidence = run.tensors.evidence(op, 0, first)
        assert judge_element(claim, evidence) is Verdict.CONSISTENT
        evidence = run.tensors.evidence(op, 2599, RevealedTile(5, last, tree.path(5)))
        with pytest.raises(EvidenceError, match="behind the tensor's end are not zero"):
            judge_element(replace(claim, element=2599), evidence)


def test_judge__whole_claim_over_one_element__consistent() -> None:
    run = operator_run("argmax", 3)
    op = run.plan.ops[-1]
    claim, evidence = run.trace.claim(op.index, WHOLE), run.tensors.evidence(op, 0)
    assert judge_element(claim, evidence) is Verdict.CONSISTENT
