"""What an asserter has called beside a reveal keeps nobody from learning what was revealed."""

from __future__ import annotations

import pytest

from offchain.chain.contracts.pinpoint_types import Search
from offchain.errors import TraceError
from offchain.roles.known_trace import KnownOutput, KnownTrace
from offchain.roles.search_log import Revealed, learn_output, learn_trace
from offchain.roles.search_moves import (
    Reveal,
    RevealLeaves,
    RevealOps,
    Select,
    answer_trace,
    follow_trace,
)
from offchain.trace.recorder import Granularity, Trace
from offchain.trace.tensors import TiledTensor
from tests.unit.roles.test_search_moves import Chain, chain_plan, make_trace

WRONG = b"\1" * 32


def reveal(theirs: Trace, state: Search) -> Revealed:
    answer = answer_trace(KnownTrace(theirs, Granularity.OP), state, is_expanded=False)
    assert isinstance(answer, Reveal)
    return Revealed(state, "reveal", vars(answer))


def test_learn__failed_calls_about_the_same_position__passed_over() -> None:
    plan = chain_plan(300)
    mine, theirs = make_trace(plan, None), make_trace(plan, 150)
    state = Chain(theirs, Granularity.OP).begin()
    right = reveal(theirs, state)
    words = right.told["words"]
    decoys = [
        Revealed(state, "reveal", {"words": (WRONG, *words[1:])}),
        Revealed(state, "reveal", {"words": (state.node,)}),
        Revealed(state, "reveal", {"words": ()}),
        Revealed(state, "revealLeaves", {"digests": (WRONG,), "opRoots": ()}),
        Revealed(state, "revealOps", {"digests": (), "opDigests": (WRONG,)}),
        Revealed(state, "revealTile", {"tile": bytes(1024)}),
    ]
    known = KnownTrace(mine, Granularity.OP)
    learn_trace(known, [*decoys, right, *decoys])
    move = follow_trace(known, state)
    assert isinstance(move, Select)
    assert move.child == words[move.index]
    with pytest.raises(TraceError):
        learn_trace(KnownTrace(mine, Granularity.OP), decoys)


def test_learn__two_calls_that_both_lead_to_the_node__both_learnt() -> None:
    plan = chain_plan(2)
    theirs = make_trace(plan, 1)
    state = Chain(theirs, Granularity.OP).begin()
    known = KnownTrace(theirs, Granularity.OP)
    ops = answer_trace(known, state, is_expanded=False)
    assert isinstance(ops, RevealOps)
    leaves = RevealLeaves(ops.digests, (known.op_root(0),))
    told = {"digests": leaves.digests, "opRoots": leaves.op_roots}
    first = Revealed(state, "revealLeaves", told)
    second = Revealed(state, "revealOps", {"digests": ops.digests, "opDigests": ops.op_digests})
    learner = KnownTrace(make_trace(plan, None), Granularity.OP)
    learn_trace(learner, [first, second])
    assert learner.op_digest(0, 1) == theirs.digests[1]


def test_learn__node_for_its_own_descendants__refused() -> None:
    """One word that is the node itself would be learnt as a node of a lower level."""
    output = TiledTensor(bytes(4096), 1)
    state = Search(output.root, WRONG, 3 << 112 | 2 << 104)
    with pytest.raises(TraceError):
        learn_output(KnownOutput(output), [Revealed(state, "reveal", {"words": (output.root,)})])
