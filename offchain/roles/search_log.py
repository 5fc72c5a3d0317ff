"""What a search has revealed so far, read back from the chain.

Events name the moves; the words are in their transactions' calldata.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import astuple, dataclass
from itertools import groupby, pairwise
from typing import Any, Final

from offchain.chain.abi import ContractAbi, DecodedEvent
from offchain.chain.client import ChainClient
from offchain.chain.contracts.pinpoint_types import EMPTY, Search, Tree
from offchain.chain.rpc import RpcError
from offchain.errors import TraceError
from offchain.roles.known_trace import (
    STEP_LEVELS,
    KnownOutput,
    KnownTrace,
    compute_steps,
    hash_operators,
)
from offchain.trace.tree import MerkleTree

# Functions that reveal, and what they tell beside job, challenger and position.
REVEALS: Final[Mapping[str, tuple[str, ...]]] = {
    "reveal": ("words",),
    "revealLeaves": ("digests", "opRoots"),
    "revealOps": ("digests", "opDigests"),
    "revealTileRoot": ("root",),
    "revealTile": ("tile",),
}
ReadCalls = Callable[[str], Sequence[bytes]]  # a transaction's hash -> calldata to the game


@dataclass(frozen=True)
class Revealed:
    """One reveal: the position that it answered, which function, what it told."""

    state: Search
    function: str
    told: Mapping[str, Any]


def read_calls(client: ChainClient, tx_hash: str, to: str) -> tuple[bytes, ...]:
    """Return the calldata of every call that a transaction makes to a contract.

    A transaction to another contract may hold it in its own calldata, or make it up on the way:
    then the node is asked to trace it, if it can.
    """
    sent = client.rpc.request("eth_getTransactionByHash", tx_hash)
    if sent is None:
        return ()
    own = bytes.fromhex(sent["input"][2:])
    if sent["to"] and sent["to"].lower() == to.lower():
        return (own,)
    with suppress(RpcError):
        tracer = {"tracer": "callTracer"}
        traced = client.rpc.request("debug_traceTransaction", tx_hash, tracer)
        return (*_list_calls(traced, to.lower()), own)
    return (own,)


def _list_calls(call: Mapping[str, Any], to: str) -> Iterator[bytes]:
    if str(call.get("to") or "").lower() == to:
        yield bytes.fromhex(str(call.get("input", "0x"))[2:])
    for inner in call.get("calls", ()):
        yield from _list_calls(inner, to)


def list_reveals(
    abi: ContractAbi,
    moves: Sequence[DecodedEvent],
    job_id: bytes,
    challenger: str,
    read: ReadCalls,
) -> tuple[Revealed, ...]:
    """Return what may have been revealed in one search, from its SearchMoved events in chain order.

    What answered a position is looked for in the transaction of the next event. A position may have
    several: calls that failed, or that only look like calls. Whoever learns from them checks them.
    """
    found = list[Revealed]()
    for before, after in pairwise(moves):
        state = Search.of(before.arguments["state"])
        found += _find_reveals(abi, state, job_id, challenger, read(after.tx_hash))
    return tuple(found)


def _find_reveals(
    abi: ContractAbi, state: Search, job_id: bytes, challenger: str, calls: Sequence[bytes]
) -> Iterator[Revealed]:
    expected = (job_id, challenger.lower(), astuple(state))
    for function, names in REVEALS.items():
        for calldata in calls:
            for arguments in abi.decode_calls(function, calldata):
                job, who, at, *told = arguments.values()
                if (bytes(job), str(who).lower(), tuple(at)) == expected:
                    yield Revealed(state, function, dict(zip(names, told, strict=True)))


def _learn_each(reveals: Sequence[Revealed], learn: Callable[[Revealed], None]) -> None:
    """Learn what leads to its node, whatever else names the same position.

    Raises TraceError where nothing does.
    """
    for _, group in groupby(reveals, key=lambda revealed: revealed.state):
        failures = list[TraceError | None]()
        for revealed in group:
            try:
                learn(revealed)
                failures.append(None)
            except TraceError as error:
                failures.append(error)
        if failures[0] is not None and None not in failures:
            raise failures[0]


def _require_length(words: Sequence[Any], count: int) -> None:
    if len(words) != count:
        raise TraceError(f"{len(words)} words are revealed where there are {count}")


def learn_trace(known: KnownTrace, reveals: Sequence[Revealed]) -> None:
    """Tell a trace what was revealed of it; raise TraceError for what leads to no node of it."""

    def learn(revealed: Revealed) -> None:
        if revealed.state.tree is Tree.LAYERS:
            _learn_layers(known, revealed)
        elif revealed.state.tree is Tree.OPS:
            _learn_ops(known, revealed)

    _learn_each(reveals, learn)


def _learn_ops(known: KnownTrace, revealed: Revealed) -> None:
    state, told = revealed.state, revealed.told
    node = known.op_root(state.layer) if state.node == EMPTY else state.node
    if revealed.function == "reveal":
        low, first = _place_inner(state, told["words"])
        known.ops(state.layer).tell(low, first, told["words"], node)
    elif revealed.function == "revealOps":
        digests = told["opDigests"]
        _require_length(digests, 1 << state.height)
        known.tell_ops(state.layer, state.height, state.position, node, digests)
    else:
        raise TraceError(f"{revealed.function} of the operators of a layer")


def _learn_layers(known: KnownTrace, revealed: Revealed) -> None:
    state, told = revealed.state, revealed.told
    if revealed.function == "reveal":
        low, first = _place_inner(state, told["words"])
        known.layers.tell(low, first, told["words"], state.node)
    elif revealed.function == "revealLeaves":
        digests, roots = told["digests"], told["opRoots"]
        _require_length(digests, 1 << state.height)
        _require_length(roots, len(digests) if known.is_op_granular else 0)
        known.tell_layers(state.height, state.position, state.node, digests, roots)
    elif revealed.function == "revealOps":
        _learn_whole_layers(known, state, told["digests"], told["opDigests"])
    else:
        raise TraceError(f"{revealed.function} of the layers of a trace")


def _learn_whole_layers(
    known: KnownTrace, state: Search, digests: Sequence[bytes], op_digests: Sequence[bytes]
) -> None:
    width = 1 << known.plan.op_depth
    _require_length(digests, 1 << state.height)
    _require_length(op_digests, len(digests) * width)
    groups = [op_digests[k * width : (k + 1) * width] for k in range(len(digests))]
    roots = [
        EMPTY if digest == EMPTY else MerkleTree(hash_operators(0, group)).root
        for digest, group in zip(digests, groups, strict=True)
    ]
    known.tell_layers(state.height, state.position, state.node, digests, roots)
    first = state.position << state.height
    for k, group in enumerate(groups):
        if first + k < len(known.plan.layers):
            known.tell_ops(first + k, known.plan.op_depth, 0, roots[k], group)


def learn_output(known: KnownOutput, reveals: Sequence[Revealed]) -> None:
    """Tell an output what was revealed of it; raise TraceError likewise."""

    def learn(revealed: Revealed) -> None:
        state, told = revealed.state, revealed.told
        if state.tree is not Tree.TILES:
            return
        if revealed.function == "reveal":
            low, first = _place(state, told["words"])
            known.tree.tell(low, first, told["words"], state.node)
        elif revealed.function == "revealTile":
            known.tell_tile(state.position, told["tile"], state.node)
        else:
            raise TraceError(f"{revealed.function} of the tiles of an output")

    _learn_each(reveals, learn)


def _place_inner(state: Search, words: Sequence[bytes]) -> tuple[int, int]:
    """Return the same where leaves are not shown by their words."""
    if state.height <= STEP_LEVELS:
        raise TraceError("leaves are revealed with what they hash")
    return _place(state, words)


def _place(state: Search, words: Sequence[bytes]) -> tuple[int, int]:
    """Return level and first place of what a reveal's words are; raise TraceError for too many."""
    steps = compute_steps(state.height)
    _require_length(words, 1 << steps)
    return state.height - steps, state.position << steps
