"""A search between a trace and another one ends in the operator, and the element, that differs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
import pytest

from offchain.chain.contracts.pinpoint_types import EMPTY, Pin, Search, Tree
from offchain.commit.digest import tile_leaf
from offchain.errors import TraceError
from offchain.model.graph import Graph
from offchain.model.operators import Requant, Sum, TensorSpec
from offchain.roles.known_trace import STEP_LEVELS, KnownOutput, KnownTrace, hash_operators
from offchain.roles.pins import build_pin, verify_pin
from offchain.roles.search_log import Revealed, learn_output, learn_trace
from offchain.roles.search_moves import (
    AsserterMove,
    Contradiction,
    Expand,
    Padding,
    PinElement,
    PinOperator,
    Reveal,
    RevealLeaves,
    RevealOps,
    RevealTile,
    RevealTileRoot,
    Select,
    SelectLayer,
    answer_output,
    answer_trace,
    follow_output,
    follow_trace,
)
from offchain.trace.plan import Plan, build_plan
from offchain.trace.recorder import Granularity, Trace
from offchain.trace.tensors import TiledTensor
from offchain.trace.tree import MerkleTree, layer_leaf, root_of_path
from offchain.types import ETH, NOBODY, Amount, Digest, JobTerms, RegisteredPlan, VersionId

TERMS = JobTerms(NOBODY, VersionId(bytes(32)), Digest(bytes(32)), ETH, Amount(0), 0, 0, 0)


def make_meta(tree: Tree, height: int, position: int, layer: int = 0) -> int:
    return position | layer << 32 | height << 104 | int(tree) << 112


@lru_cache
def chain_plan(count: int) -> Plan:
    """A chain of requantized sums: every eight operators are a layer."""
    ops, source = [], "x"
    for k in range(count):
        terms = ((source, 1),)
        ops += [
            Sum(f"a{k}", terms),
            Requant(f"y{k}", f"a{k}", 1 << 14, 16, (16,), 8, "identity", 8, -128, 127),
        ]
        source = f"y{k}"
    graph = Graph((TensorSpec("x", (1, 4), 8, -128, 127),), source, (), tuple(ops))
    return build_plan(graph, {})


def make_trace(plan: Plan, wrong_from: int | None) -> Trace:
    """Digests of nothing; from one operator on they are others."""

    def digest(k: int) -> Digest:
        is_wrong = wrong_from is not None and k >= wrong_from
        return Digest((b"wrong" if is_wrong else b"right").ljust(28, b".") + k.to_bytes(4, "big"))

    return Trace(plan, Digest(b"\7" * 32), tuple(digest(k) for k in range(len(plan.ops))))


@dataclass
class Chain:
    """What the contract does with moves: checks openings and keeps the position."""

    theirs: Trace
    granularity: Granularity
    reveals: list[Revealed] = field(default_factory=list)
    expanded: dict[int, bytes] = field(default_factory=dict)
    moves: int = 0

    def begin(self) -> Search:
        depth = self.theirs.plan.layer_depth
        root = self.theirs.root(self.granularity)
        return Search(root, EMPTY, make_meta(Tree.LAYERS, depth, 0))

    def reveal(self, state: Search, move: AsserterMove) -> Search:
        self.moves += 1
        names = {
            Reveal: "reveal",
            RevealLeaves: "revealLeaves",
            RevealOps: "revealOps",
            RevealTileRoot: "revealTileRoot",
            RevealTile: "revealTile",
        }
        fields = {"op_roots": "opRoots", "op_digests": "opDigests"}
        told = {fields.get(k, k): v for k, v in vars(move).items()}
        self.reveals.append(Revealed(state, names[type(move)], told))
        if isinstance(move, RevealOps):
            return replace(state, meta=make_meta(Tree.NONE, 0, 0))
        return state

    def select(self, state: Search, move: Select | SelectLayer) -> Search:
        self.moves += 1
        if isinstance(move, Select):
            assert root_of_path(move.child, move.index, move.siblings) == state.node
            steps = len(move.siblings)
            position = (state.position << steps) + move.index
            height = state.height - steps
            return Search(
                move.child, EMPTY, make_meta(state.tree, height, position, layer_of(state))
            )
        layer = (state.position << state.height) + move.index
        leaf = layer_leaf(layer, move.digest, move.op_root)
        assert root_of_path(leaf, move.index, move.siblings) == state.node
        depth = self.theirs.plan.op_depth
        is_op = self.granularity is Granularity.OP
        node = move.op_root if is_op else self.expanded.get(layer, EMPTY)
        return Search(node, EMPTY, make_meta(Tree.OPS, depth, 0, layer))


def layer_of(state: Search) -> int:
    return state.layer if state.tree is Tree.OPS else 0


def check_openings(chain: Chain, pin: Pin) -> None:
    """Open a pin as the contract does."""
    plan = chain.theirs.plan
    registered = RegisteredPlan(
        plan.root, len(plan.ops), len(plan.layers), plan.plan_depth, plan.layer_depth,
        plan.op_depth, 1, 1,
    )  # fmt: skip
    expansions = None if chain.granularity is Granularity.OP else chain.expanded
    root = chain.theirs.root(chain.granularity)
    verify_pin(pin, registered, root, chain.theirs.in_digest, expansions)
    for k, word in enumerate(pin.siblings):
        wrong = (*pin.siblings[:k], bytes([word[0] ^ 1]) + word[1:], *pin.siblings[k + 1 :])
        with pytest.raises(TraceError):
            verify_pin(
                replace(pin, siblings=wrong), registered, root, chain.theirs.in_digest, expansions
            )


def search(mine: Trace, theirs: Trace, granularity: Granularity) -> tuple[Pin, Chain]:
    chain = Chain(theirs, granularity)
    asserter = KnownTrace(theirs, granularity)
    state = chain.begin()
    while True:
        layer = layer_of(state)
        answer = answer_trace(asserter, state, layer in chain.expanded)
        if isinstance(answer, Expand):
            chain.expanded[answer.layer] = theirs.op_roots[answer.layer]
            continue
        state = chain.reveal(state, answer)
        known = KnownTrace(mine, granularity)
        for expanded, root in chain.expanded.items():
            known.tell_op_root(expanded, root)
        learn_trace(known, chain.reveals)
        move = follow_trace(known, state)
        if isinstance(move, PinOperator):
            return build_pin(known, move.op, 0, TERMS), chain
        assert isinstance(move, Select | SelectLayer)
        state = chain.select(state, move)


@pytest.mark.parametrize("granularity", Granularity)
@pytest.mark.parametrize(
    ("count", "wrong"),
    [(1, 0), (2, 0), (2, 1), (9, 7), (9, 8), (40, 0), (40, 17), (40, 39), (300, 0), (300, 150),
     (300, 263), (300, 299)],
)  # fmt: skip
def test_search__one_operator_wrong__pinned_with_openings_that_hold(
    granularity: Granularity, count: int, wrong: int
) -> None:
    plan = chain_plan(count)
    pin, chain = search(make_trace(plan, None), make_trace(plan, wrong), granularity)
    assert pin.op == wrong
    check_openings(chain, pin)
    assert chain.moves <= 2 * (plan.layer_depth // STEP_LEVELS + 2)


def test_follow__layer_that_contradicts_its_operators__is_told() -> None:
    plan = chain_plan(2)
    mine = make_trace(plan, None)
    known = KnownTrace(mine, Granularity.OP)
    theirs = layer_leaf(0, b"\5" * 32, known.ops(0).root)
    state = Search(theirs, EMPTY, make_meta(Tree.LAYERS, 0, 0))
    told = {"digests": [b"\5" * 32], "opDigests": [bytes(d) for d in mine.digests[:2]]}
    learn_trace(known, [Revealed(state, "revealOps", told)])
    done = replace(state, meta=make_meta(Tree.NONE, 0, 0))
    assert follow_trace(known, done) == Contradiction(0)


def test_follow__digest_behind_a_layers_last_operator__is_told() -> None:
    plan = chain_plan(20)  # layers of 8, 8 and 4 operators
    mine = make_trace(plan, None)
    known = KnownTrace(mine, Granularity.OP)
    digests = [bytes(d) for d in mine.digests[16:]] + [EMPTY, b"\6" * 32, EMPTY, EMPTY]
    leaves = hash_operators(0, digests)
    state = Search(MerkleTree(leaves).root, EMPTY, make_meta(Tree.OPS, 3, 0, 2))
    told = {"digests": [], "opDigests": digests}
    learn_trace(known, [Revealed(state, "revealOps", told)])
    done = replace(state, meta=make_meta(Tree.NONE, 0, 0))
    assert follow_trace(known, done) == Padding(2, 5, b"\6" * 32)
    path = known.ops(2).path(5)
    assert root_of_path(leaves[5], 5, path) == state.node


def test_learn__words_that_lead_elsewhere__refused() -> None:
    plan = chain_plan(300)
    mine = make_trace(plan, None)
    theirs = make_trace(plan, 150)
    chain = Chain(theirs, Granularity.OP)
    state = chain.begin()
    answer = answer_trace(KnownTrace(theirs, Granularity.OP), state, is_expanded=False)
    assert isinstance(answer, Reveal)
    words = (b"\1" * 32, *answer.words[1:])
    with pytest.raises(TraceError):
        learn_trace(KnownTrace(mine, Granularity.OP), [Revealed(state, "reveal", {"words": words})])


@pytest.mark.parametrize(("count", "wrong"), [(5, 3), (1024, 1023), (3000, 1500), (70_000, 69_999)])
def test_search_of_an_output__ends_in_the_element(count: int, wrong: int) -> None:
    rng = np.random.default_rng(1)
    values = rng.integers(-128, 127, (1, count))
    mine = TiledTensor.of(values, 8)
    changed = values.copy()
    changed[0, wrong] += 1
    theirs = TiledTensor.of(changed, 8)
    known, reveals = KnownOutput(mine), list[Revealed]()
    depth = len(theirs.levels) - 1
    state = Search(b"\1" * 32, b"\1" * 32, make_meta(Tree.DIGEST, depth, 0))
    for _ in range(20):
        answer = answer_output(theirs, state)
        if isinstance(answer, RevealTileRoot):
            reveals.append(Revealed(state, "revealTileRoot", vars(answer)))
            assert answer.root == theirs.root
            state = Search(answer.root, state.context, make_meta(Tree.TILES, depth, 0))
            continue
        name = "reveal" if isinstance(answer, Reveal) else "revealTile"
        reveals.append(Revealed(state, name, vars(answer)))
        known = KnownOutput(mine)
        learn_output(known, reveals)
        if isinstance(answer, RevealTile):
            assert tile_leaf(state.position, answer.tile) == state.node
            state = replace(state, meta=make_meta(Tree.NONE, 0, state.position))
        move = follow_output(known, state)
        if isinstance(move, PinElement):
            assert move.element == wrong
            assert known.open_tile().root == theirs.root
            return
        assert isinstance(move, Select)
        assert root_of_path(move.child, move.index, move.siblings) == state.node
        steps = len(move.siblings)
        place = (state.position << steps) + move.index
        meta = make_meta(Tree.TILES, state.height - steps, place)
        state = Search(move.child, state.context, meta)
    pytest.fail("the search did not end")
