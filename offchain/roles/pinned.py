"""What a dispute is about: one's own claim made again, or read back from calldata.

A contract may make calldata up on the way, and a node without traces cannot tell it then: an
asserter must not need it to answer what was pinned of its own trace.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from offchain.chain.contracts.pinpoint_game import PinpointGame
from offchain.chain.contracts.pinpoint_types import EMPTY, WHOLE, PinClaim, PinpointDispute, Search
from offchain.chain.job_ids import id_bytes
from offchain.errors import TraceError
from offchain.roles.context import Context
from offchain.roles.known_trace import KnownTrace
from offchain.roles.pins import build_claim, hash_claim
from offchain.roles.search_log import read_calls
from offchain.roles.trace_book import OwnTrace, TraceBook, fits, get_granularity
from offchain.trace.plan import TraceOp
from offchain.types import NOBODY, Digest, Job, VersionId

PIN_FIELDS = 8  # of a Pin up to its inputs' digests


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
                yield _claim_of_pin(job, told["pin"], seed)
        for told in game.abi.decode_calls("pinElement", calldata):
            yield _claim_of_claim(told["claim"], seed)


def _claim_of_pin(job: Job, pin: Sequence[Any], seed: bytes) -> PinClaim:
    op, elem, desc, _, _, _, out_digest, in_digests = pin[:PIN_FIELDS]
    return PinClaim(
        version=job.version,
        job_id=id_bytes(job.id),
        seed=seed,
        prover=NOBODY,
        op=int(op),
        elem=int(elem),
        out_digest=Digest(bytes(out_digest)),
        in_digests=tuple(Digest(bytes(digest)) for digest in in_digests),
        desc=bytes(desc),
    )


def _claim_of_claim(claim: Sequence[Any], seed: bytes) -> PinClaim:
    version, job_id, _, _, op, elem, out_digest, in_digests, desc = claim
    return PinClaim(
        version=VersionId(bytes(version)),
        job_id=bytes(job_id),
        seed=seed,
        prover=NOBODY,
        op=int(op),
        elem=int(elem),
        out_digest=Digest(bytes(out_digest)),
        in_digests=tuple(Digest(bytes(digest)) for digest in in_digests),
        desc=bytes(desc),
    )


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
