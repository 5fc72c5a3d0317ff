"""SessionMarket: deposits, batches of signed requests, and the way out of a batch into a job."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Final

from offchain.chain.abi import DecodedEvent
from offchain.chain.binding import Binding, checksum
from offchain.chain.client import Call
from offchain.chain.job_ids import id_bytes, to_job_id
from offchain.chain.session_ids import compute_batch_id, compute_session_id
from offchain.errors import MalformedAnswer, TermsMismatch
from offchain.types import (
    ETH,
    Address,
    Amount,
    Assurance,
    Batch,
    BatchId,
    BatchItem,
    BatchLeaf,
    BatchState,
    CommittedBatch,
    Digest,
    JobId,
    Seconds,
    Session,
    SessionId,
    SessionState,
    SessionTerms,
    VersionId,
)

SESSION_OPENED: Final = "SessionOpened"
BATCH_COMMITTED: Final = "BatchCommitted"
ITEM_BYTES: Final = 68  # of BatchCommitted: nonce, input digest, output digest
NONCE_BYTES: Final = 4
DIGEST_BYTES: Final = 32
R_BYTES: Final = 32


class SessionMarket(Binding):
    """Many inferences under one deposit."""

    NAME: ClassVar[str] = "SessionMarket"

    # Views

    def get_session(self, session: SessionId) -> Session:
        """Return a session at the head; raise ContractRevert UnknownSession if there is none."""
        found = self.read_struct("getSession", id_bytes(JobId(session)))
        return Session(
            id=session,
            state=SessionState(found["state"]),
            terms=_read_terms(found["terms"]),
            deposit=Amount(found["deposit"]),
            closes_at=Seconds(found["closesAt"]),
        )

    def get_batch(self, batch: BatchId) -> Batch:
        """Return a batch at the head; raise ContractRevert UnknownBatch if there is none."""
        found = self.read_struct("getBatch", id_bytes(JobId(batch)))
        return Batch(
            id=batch,
            state=BatchState(found["state"]),
            session=SessionId(to_job_id(found["sessionId"])),
            operator=checksum(found["operator"]),
            count=found["count"],
            extracted=found["extracted"],
            challenge_until=Seconds(found["challengeUntil"]),
        )

    def is_nonce_used(self, session: SessionId, nonce: int) -> bool:
        """Whether the nonce's request was answered."""
        return bool(self.read("isNonceUsed", id_bytes(JobId(session)), nonce))

    def get_assurance(self, batch: BatchId, leaf: BatchLeaf, path: Sequence[bytes]) -> Assurance:
        """Return how much a consumer may rely on a result; ContractRevert NotInBatch for none."""
        return Assurance(self.read("assuranceOf", *_name_leaf(batch, leaf, path)))

    # Events

    def read_opened(self, event: DecodedEvent) -> tuple[SessionId, SessionTerms]:
        """Return a SessionOpened event's session; raise TermsMismatch unless its id is its hash."""
        terms = _read_terms(event.arguments["terms"])
        named = SessionId(to_job_id(event.arguments["sessionId"]))
        found = compute_session_id(self._client.chain_id, self.address, terms)
        if named != found:
            raise TermsMismatch(named, found)
        return named, terms

    def read_committed(self, event: DecodedEvent) -> CommittedBatch:
        """Return a BatchCommitted event's batch, whose id names its session and its root.

        Raises TermsMismatch unless it does, and MalformedAnswer where the results are not as many
        as told. That they hash to the root is for the reader to check, who knows the terms.
        """
        told = event.arguments
        session = SessionId(to_job_id(told["sessionId"]))
        named = BatchId(to_job_id(told["batchId"]))
        found = compute_batch_id(session, told["root"])
        if named != found:
            raise TermsMismatch(named, found)
        leaves = _read_leaves(told["items"])
        if len(leaves) != told["count"]:
            raise MalformedAnswer(f"batch {named}: {len(leaves)} results of {told['count']}")
        return CommittedBatch(
            id=found,
            session=session,
            operator=checksum(told["operator"]),
            root=told["root"],
            challenge_until=Seconds(told["challengeUntil"]),
            leaves=leaves,
        )

    # Client

    def build_open_session(
        self,
        signer: Address,
        operator: Address,
        version: VersionId,
        token: Address,
        fee: int,
        salt: int,
        deposit: int,
    ) -> Call:
        """Open a session of the sender's with a first deposit, at least one fee."""
        params = (signer, operator, version, token, fee, salt)
        return self.build("openSession", params, deposit, value_wei=_value(token, deposit))

    def build_add_deposit(self, session: SessionId, amount: int, token: str = ETH) -> Call:
        """Add to the deposit of the sender's session; `token` is the session's."""
        return self.build(
            "addDeposit", id_bytes(JobId(session)), amount, value_wei=_value(token, amount)
        )

    def build_close_session(self, session: SessionId) -> Call:
        """Close a session: as its client after T_exec, as its operator at once."""
        return self.build("closeSession", id_bytes(JobId(session)))

    def build_extract(self, batch: BatchId, leaf: BatchLeaf, path: Sequence[bytes]) -> Call:
        """Make a result of the sender's session a job of its own."""
        return self.build("extract", *_name_leaf(batch, leaf, path))

    # Worker

    def build_commit_batch(self, session: SessionId, items: Sequence[BatchItem]) -> Call:
        """Post answered requests, 1 to 256; the sender is the operator's worker."""
        return self.build("commitBatch", id_bytes(JobId(session)), [_pack(item) for item in items])

    # Anybody

    def build_challenge(
        self, batch: BatchId, leaf: BatchLeaf, path: Sequence[bytes], bond_wei: int
    ) -> Call:
        """Challenge one result of a batch; what is sent beyond the bond is credited."""
        return self.build("challenge", *_name_leaf(batch, leaf, path), value_wei=bond_wei)

    def build_withdraw_session(self, session: SessionId) -> Call:
        """Credit the rest of the deposit to the client, once its session has closed."""
        return self.build("withdrawSession", id_bytes(JobId(session)))

    def build_finalise_batch(self, batch: BatchId) -> Call:
        """Settle the results of a batch that nobody challenged in time."""
        return self.build("finaliseBatch", id_bytes(JobId(batch)))

    def build_void_session(self, session: SessionId) -> Call:
        """In the refund mode, give the rest of a deposit back."""
        return self.build("voidSession", id_bytes(JobId(session)))

    def build_void_batch(self, batch: BatchId) -> Call:
        """In the refund mode, give fees and lock of a batch back."""
        return self.build("voidBatch", id_bytes(JobId(batch)))


def _read_terms(told: Sequence[Any]) -> SessionTerms:
    client, signer, operator, version, token, fee, salt = told
    return SessionTerms(
        client=checksum(client),
        signer=checksum(signer),
        operator=checksum(operator),
        version=VersionId(version),
        token=checksum(token),
        fee=Amount(fee),
        salt=salt,
    )


def _read_leaves(items: bytes) -> tuple[BatchLeaf, ...]:
    """Return the results that BatchCommitted tells; raise MalformedAnswer for a part of one."""
    if len(items) % ITEM_BYTES:
        raise MalformedAnswer(f"{len(items)} bytes of results of {ITEM_BYTES} bytes")
    return tuple(
        BatchLeaf(
            index=index,
            nonce=int.from_bytes(items[start : start + NONCE_BYTES], "big"),
            in_digest=Digest(items[start + NONCE_BYTES : start + NONCE_BYTES + DIGEST_BYTES]),
            out_digest=Digest(items[start + NONCE_BYTES + DIGEST_BYTES : start + ITEM_BYTES]),
        )
        for index, start in enumerate(range(0, len(items), ITEM_BYTES))
    )


def _name_leaf(
    batch: BatchId, leaf: BatchLeaf, path: Sequence[bytes]
) -> tuple[bytes, tuple[int, int, Digest, Digest], list[bytes]]:
    fields = (leaf.index, leaf.nonce, leaf.in_digest, leaf.out_digest)
    return id_bytes(JobId(batch)), fields, list(path)


def _pack(item: BatchItem) -> tuple[Any, ...]:
    r, vs = item.signature[:R_BYTES], item.signature[R_BYTES:]
    return item.nonce, int(item.valid_until), item.in_digest, item.out_digest, r, vs


def _value(token: str, amount: int) -> int:
    return amount if token == ETH else 0
