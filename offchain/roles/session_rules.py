"""What an operator does about sessions, decided from facts alone: serve, wait, commit, finalise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from offchain.chain.transaction import parse_compact, parse_signature
from offchain.errors import OrderRefused, SignerMismatch
from offchain.types import (
    BatchItem,
    Digest,
    Seconds,
    Session,
    SessionId,
    SessionRequest,
    SessionState,
)

SAFETY_BLOCKS: Final = 5  # a commitment that is due is sent so many blocks before its last second
LEAST_SAFETY_S: Final = 3  # where blocks come faster than anything else happens
BLOCK_OF_NONCES: Final = 16  # requests of neighbouring nonces are served by one step
COMPACT: Final = 64  # bytes of the one form of signature that the contract reads


@dataclass(frozen=True)
class Result:
    """A request that was served: what a batch commits, once it is due."""

    request: SessionRequest
    signature: bytes  # the client's, 64 bytes (EIP-2098)
    out_digest: Digest
    served_at: Seconds  # on the protocol's clock

    def to_item(self) -> BatchItem:
        """Return the result as the contract takes it."""
        return BatchItem(
            nonce=self.request.nonce,
            valid_until=self.request.valid_until,
            in_digest=self.request.in_digest,
            out_digest=self.out_digest,
            signature=self.signature,
        )


@dataclass(frozen=True)
class BatchRules:
    """When results are committed."""

    size: int  # as soon as there are so many
    seconds: int  # or the oldest has waited for so long
    safety_s: int  # or so little is left of the first one's validity, or of the session
    least: int = 1  # never fewer: their fees would not pay for the gas of their batch


def compute_safety_s(block_s: float) -> int:
    """Return the seconds before a last second at which a commitment has to be on its way."""
    return max(LEAST_SAFETY_S, round(SAFETY_BLOCKS * block_s))


def get_last_second(session: Session) -> int | None:
    """Return the last second for a commitment, None where no end is in sight; -1 where it is over.

    An open session has no end. One that its client closes ends at `closes_at`.
    """
    if session.state is SessionState.OPEN:
        return None
    return int(session.closes_at) if session.state is SessionState.CLOSING else -1


def may_serve(session: Session) -> bool:
    """Whether further requests of a session are taken: not after its client began to close it."""
    return session.state is SessionState.OPEN


def can_commit(session: Session, now: int) -> bool:
    """Whether a batch of the session can still be committed."""
    last = get_last_second(session)
    return last is None or now <= last


def is_lost(result: Result, now: int) -> bool:
    """Whether a result came too late: a block later than its last second would refuse it."""
    return result.request.valid_until <= now


def choose_batch(
    waiting: Iterable[Result], session: Session, now: int, rules: BatchRules, room: int
) -> tuple[Result, ...]:
    """Return the results to commit now, the most urgent first, or none.

    `room`: how many the deposit, the stake and the time to prove leave room for. Nothing is waited
    for where the session is being closed: no other result comes. Results too few to pay for their
    batch wait for others until their time is over, or a client could have one committed after the
    other at the operator's expense.
    """
    usable = [result for result in waiting if not is_lost(result, now)]
    count = min(len(usable), rules.size, room)
    if count < max(1, rules.least) or not can_commit(session, now):
        return ()
    if not _is_due(usable, session, now, rules):
        return ()
    usable.sort(key=lambda result: (result.request.valid_until, result.request.nonce))
    return tuple(usable[:count])


def _is_due(usable: Sequence[Result], session: Session, now: int, rules: BatchRules) -> bool:
    if len(usable) >= rules.size or not may_serve(session):
        return True
    oldest = min(result.served_at for result in usable)
    first_to_end = min(result.request.valid_until for result in usable)
    return now - oldest >= rules.seconds or first_to_end - now <= rules.safety_s


def verify_request(request: SessionRequest, now: int, safety_s: int) -> None:
    """Raise OrderRefused for a request that leaves no time to run and commit it."""
    if request.valid_until - now <= 2 * safety_s:
        left = request.valid_until - now
        raise OrderRefused(f"request {request.nonce}: {left} s are too few to run and commit it")


def compact(signature: bytes) -> bytes:
    """Return a client's signature in 64 bytes; raise SignerMismatch unless it is one, s low."""
    if len(signature) == COMPACT:
        return parse_compact(signature).to_compact()
    return parse_signature(signature).to_compact()


def group_by_step(nonces: Iterable[int]) -> tuple[int, ...]:
    """Return the blocks of neighbouring nonces that these belong to, lowest first."""
    return tuple(sorted({nonce // BLOCK_OF_NONCES for nonce in nonces}))


# What the journal holds


def request_to_detail(request: SessionRequest, signature: bytes) -> dict[str, Any]:
    """Return a request as the journal holds it."""
    return {
        "in_digest": request.in_digest.hex(),
        "valid_until": int(request.valid_until),
        "signature": signature.hex(),
    }


def read_request(
    session: SessionId, nonce: int, detail: Mapping[str, Any]
) -> tuple[SessionRequest, bytes]:
    """Return a journalled request and its signature."""
    request = SessionRequest(
        session=session,
        nonce=nonce,
        in_digest=Digest(bytes.fromhex(detail["in_digest"])),
        valid_until=Seconds(detail["valid_until"]),
    )
    return request, bytes.fromhex(detail["signature"])


def read_result(session: SessionId, nonce: int, detail: Mapping[str, Any]) -> Result | None:
    """Return a journalled result, or None where the request was not run yet."""
    if "out_digest" not in detail:
        return None
    request, signature = read_request(session, nonce, detail)
    digest = Digest(bytes.fromhex(detail["out_digest"]))
    return Result(request, signature, digest, Seconds(detail["served_at"]))


def compact_or_none(signature: bytes) -> bytes | None:
    """Return the compact form of a signature, or None for what is none."""
    try:
        return compact(signature)
    except (SignerMismatch, ValueError):
        return None
