"""What a search has revealed so far, read back from the chain.

Events name the moves; the words are in their transactions' calldata.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import astuple, dataclass
from itertools import pairwise
from typing import Any, Final

from offchain.chain.abi import ContractAbi, DecodedEvent
from offchain.chain.client import ChainClient
from offchain.chain.contracts.pinpoint_types import EMPTY, Search, Tree
from offchain.chain.rpc import RpcError
from offchain.errors import TraceError
from offchain.roles.known_trace import KnownOutput, KnownTrace, compute_steps, hash_operators
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
    """Return what was revealed in one search, from its SearchMoved events in chain order.

    What answered a position is looked for in the transaction of the next event.
    """
    found = []
    for before, after in pairwise(moves):
        state = Search.of(before.arguments["state"])
        revealed = _find_reveal(abi, state, job_id, challenger, read(after.tx_hash))
        if revealed is not None:
            found.append(revealed)
    return tuple(found)


def _find_reveal(
    abi: ContractAbi, state: Search, job_id: bytes, challenger: str, calls: Sequence[bytes]
) -> Revealed | None:
    expected = (job_id, challenger.lower(), astuple(state))
    for function, names in REVEALS.items():
        for calldata in calls:
            for arguments in abi.decode_calls(function, calldata):
                job, who, at, *told = arguments.values()
                if (bytes(job), str(who).lower(), tuple(at)) == expected:
                    return Revealed(state, function, dict(zip(names, told, strict=True)))
    return None


def learn_trace(known: KnownTrace, reveals: Sequence[Revealed]) -> None:
    """Tell a trace what was revealed of it; raise TraceError for what leads to no node of it."""
    for revealed in reveals:
        state, told = revealed.state, revealed.told
        if state.tree is Tree.LAYERS:
            _learn_layers(known, revealed)
        elif state.tree is Tree.OPS:
            node = known.op_root(state.layer) if state.node == EMPTY else state.node
            if revealed.function == "reveal":
                low, first = _place(state)
                known.ops(state.layer).tell(low, first, told["words"], node)
            else:
                digests = told["opDigests"]
                known.tell_ops(state.layer, state.height, state.position, node, digests)


def _learn_layers(known: KnownTrace, revealed: Revealed) -> None:
    state, told = revealed.state, revealed.told
    place = (state.height, state.position, state.node)
    if revealed.function == "reveal":
        low, first = _place(state)
        known.layers.tell(low, first, told["words"], state.node)
    elif revealed.function == "revealLeaves":
        known.tell_layers(*place, told["digests"], told["opRoots"])
    elif revealed.function == "revealOps":
        _learn_whole_layers(known, state, told["digests"], told["opDigests"])
    else:
        raise TraceError(f"{revealed.function} of the layers of a trace")


def _learn_whole_layers(
    known: KnownTrace, state: Search, digests: Sequence[bytes], op_digests: Sequence[bytes]
) -> None:
    width = 1 << known.plan.op_depth
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
    for revealed in reveals:
        state, told = revealed.state, revealed.told
        if state.tree is Tree.DIGEST:
            known.tell_root(told["root"])
        elif state.tree is Tree.TILES and revealed.function == "reveal":
            low, first = _place(state)
            known.tree.tell(low, first, told["words"], state.node)
        elif state.tree is Tree.TILES:
            known.tell_tile(state.position, told["tile"], state.node)


def _place(state: Search) -> tuple[int, int]:
    """Return level and first place of what a reveal's words are."""
    steps = compute_steps(state.height)
    return state.height - steps, state.position << steps
