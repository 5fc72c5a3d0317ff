"""What a dispute is about: one's own claim made again, or read back from calldata.

A contract may make calldata up on the way, and a node without traces cannot tell it then: an
asserter must not need it to answer what was pinned of its own trace.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from offchain.chain.contracts.pinpoint_game import PinpointGame
from offchain.chain.contracts.pinpoint_types import EMPTY, WHOLE, PinClaim, PinpointDispute, Search
from offchain.errors import TraceError
from offchain.roles.context import Context
from offchain.roles.known_trace import KnownTrace
from offchain.roles.pin_calldata import read_claim_struct, read_pin
from offchain.roles.pins import build_claim, claim_pin, hash_claim
from offchain.roles.search_log import read_calls
from offchain.roles.trace_book import OwnTrace, TraceBook, fits, get_granularity
from offchain.trace.plan import TraceOp
from offchain.types import Job


def read_claim(
    book: TraceBook,
    context: Context,
    job: Job,
    dispute: PinpointDispute,
    own: OwnTrace | None = None,
) -> PinClaim | None:
    """Return the claim that a dispute is about; None while it has none, or the events lag."""
    event = book.find_pinned(job.id, dispute)
    if event is None:
        return None
    seed, op = bytes(event.arguments["seed"]), int(event.arguments["op"])
    if own is not None and op < len(own.plan.plan.ops):
        elem = int(event.arguments["elem"])
        claim = build_claim(_know(book, own, job), job, own.plan.plan.ops[op], elem, seed)
        if fits(dispute, hash_claim(claim)):
            return claim
    calls = read_calls(context.client, event.tx_hash, str(book.game.address))
    for claim in list_claims(book.game, job, calls, seed):
        if fits(dispute, hash_claim(claim)):
            return claim
    return None


def list_claims(
    game: PinpointGame, job: Job, calls: Sequence[bytes], seed: bytes
) -> Iterator[PinClaim]:
    """Yield every claim that calls to the game may have pinned; its user checks the hash."""
    for calldata in calls:
        for function in ("pinpoint", "pinSearched", "searchTiles"):
            for told in game.abi.decode_calls(function, calldata):
                yield claim_pin(job.version, job.id, read_pin(told["pin"]), seed)
        for told in game.abi.decode_calls("pinElement", calldata):
            yield replace(read_claim_struct(told["claim"]), seed=seed)


def read_searched(
    book: TraceBook, context: Context, own: OwnTrace, job: Job, dispute: PinpointDispute
) -> TraceOp:
    """Return the operator whose output a search is in; raise TraceError where none is found."""
    for event in reversed(book.list_moves(job.id, dispute)):
        state = Search.of(event.arguments["state"])
        if state.context == EMPTY:
            continue
        known = _know(book, own, job)
        for op in own.plan.plan.ops:
            if hash_claim(build_claim(known, job, op, WHOLE, EMPTY)) == state.context:
                return op
        calls = read_calls(context.client, event.tx_hash, str(book.game.address))
        for claim in list_claims(book.game, job, calls, EMPTY):
            if claim.elem == WHOLE and hash_claim(claim) == state.context:
                return own.plan.plan.ops[claim.op]
    raise TraceError(f"no operator is named in the search of {dispute.key:#x}")


def _know(book: TraceBook, own: OwnTrace, job: Job) -> KnownTrace:
    return KnownTrace(own.trace, get_granularity(book.game.get_trace(job.id)))
