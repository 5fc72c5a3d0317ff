"""An asserter knows what was pinned of its own trace, whatever the node tells of calldata."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

import pytest

from offchain.chain.abi import DecodedEvent
from offchain.chain.contracts.pinpoint_types import EMPTY, WHOLE, Search
from offchain.errors import TraceError
from offchain.roles.context import Context
from offchain.roles.known_trace import KnownTrace
from offchain.roles.pinned import read_claim, read_searched
from offchain.roles.pins import HEAD_BYTES, build_claim, hash_claim
from offchain.roles.trace_book import OwnTrace
from offchain.trace.recorder import Granularity, Trace
from offchain.types import Job
from tests.unit.roles.test_search_moves import chain_plan, make_trace

SEED = b"\3" * 32


def make_event(arguments: Mapping[str, Any]) -> DecodedEvent:
    return DecodedEvent("PinpointGame", "any", arguments, 1, "0x", 0, "0x01")


def make_world(trace: Trace, head: bytes, state: Search) -> dict[str, Any]:
    """Everything but calldata: the node has no transaction."""
    event = make_event({"seed": SEED, "op": 3, "elem": 2})
    game = SimpleNamespace(
        address="0x00", get_trace=lambda _: SimpleNamespace(is_op_granular=False), abi=None
    )
    book = SimpleNamespace(
        game=game,
        find_pinned=lambda *_: event,
        list_moves=lambda *_: (make_event({"state": (state.node, state.context, state.meta)}),),
    )
    rpc = SimpleNamespace(request=lambda *_: None)
    return {
        "book": book,
        "context": cast(Context, SimpleNamespace(client=SimpleNamespace(rpc=rpc))),
        "job": cast(Job, SimpleNamespace(id="0x" + "11" * 32, version=b"\2" * 32)),
        "dispute": SimpleNamespace(head=head[:HEAD_BYTES] + bytes(32 - HEAD_BYTES), key=7),
        "own": cast(OwnTrace, SimpleNamespace(trace=trace, plan=SimpleNamespace(plan=trace.plan))),
    }


def test_read_claim__without_calldata__made_again_from_the_own_trace() -> None:
    trace = make_trace(chain_plan(9), None)
    world = make_world(trace, bytes(32), Search(EMPTY, EMPTY, 0))
    known = KnownTrace(trace, Granularity.LAYER)
    claim = build_claim(known, world["job"], trace.plan.ops[3], 2, SEED)
    world["dispute"].head = hash_claim(claim)[:HEAD_BYTES] + bytes(32 - HEAD_BYTES)
    assert read_claim(**world) == claim
    other = {**world, "own": world["own"].__class__(trace=make_trace(chain_plan(9), 3))}
    other["own"].plan = world["own"].plan
    assert read_claim(**other) is None


def test_read_searched__without_calldata__found_among_the_own_operators() -> None:
    trace = make_trace(chain_plan(9), None)
    world = make_world(trace, bytes(32), Search(EMPTY, EMPTY, 0))
    known = KnownTrace(trace, Granularity.LAYER)
    claim = build_claim(known, world["job"], trace.plan.ops[6], WHOLE, EMPTY)
    found = make_world(trace, bytes(32), Search(b"\1" * 32, hash_claim(claim), 0))
    assert read_searched(**found) is trace.plan.ops[6]
    lost = make_world(trace, bytes(32), Search(b"\1" * 32, b"\7" * 32, 0))
    with pytest.raises(TraceError):
        read_searched(**lost)
