"""Sessions: what opening, posting batches and taking results out of them cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from eth_utils.crypto import keccak

from offchain.chain.job_ids import id_bytes
from offchain.chain.keys import load_signer
from offchain.chain.session_ids import build_job_terms, compute_batch_id, compute_session_id
from offchain.chain.transaction import parse_signature
from offchain.chain.typed_data import build_request
from offchain.commit.batch_tree import compute_leaf, compute_path, compute_root
from offchain.params.presets import LOCAL
from offchain.types import (
    ETH,
    Address,
    Amount,
    BatchId,
    BatchItem,
    BatchLeaf,
    Digest,
    Seconds,
    SessionId,
    SessionRequest,
    SessionTerms,
    VersionId,
)
from tests.benchmarks.gas_chain import GasChain

FEE: Final = 10**13
FULL: Final = 256
SIZES: Final = (1, 16, FULL)
OPENING: Final = ("openSession", "addDeposit")
AMORTISED_MAXIMUM: Final = 15_000  # gas a job in a full batch, opening and deposit included


class SessionPoints:
    """Plays sessions of one version with one operator, whose stake backs a full batch."""

    def __init__(
        self, chain: GasChain, version: VersionId, owner: Address, worker: Address
    ) -> None:
        self.chain = chain
        self.sessions = chain.contracts.sessions
        self.version = version
        self.owner, self.worker = owner, worker
        self.client = Address(chain.open_account(f"caller of {worker}").address)
        self._signer = load_signer(chain.folder / f"caller of {worker}.key")
        self._salt = 0

    def play(self) -> None:
        """Post batches of every size, finalise them, take results out of one, close."""
        for size in SIZES:
            session, terms = self.open(size, f"for {size}")
            batch, _ = self.commit(session, terms, 0, size, f"{size} results")
            self.chain.pass_deadline(self.sessions.get_batch(batch).challenge_until)
            finalise = self.sessions.build_finalise_batch(batch)
            self.chain.send(self.worker, finalise, f"{size} results")
        self._play_leaves()
        self._play_closing()

    def open(self, count: int, case: str) -> tuple[SessionId, SessionTerms]:
        """Open a session whose deposit pays `count` results, a half of it added afterwards."""
        self._salt += 1
        terms = SessionTerms(
            self.client, self.client, self.owner, self.version, ETH, Amount(FEE), self._salt
        )
        later = count // 2 * FEE
        opening = self.sessions.build_open_session(
            terms.signer, self.owner, self.version, ETH, FEE, self._salt, count * FEE - later
        )
        self.chain.send(self.client, opening, case)
        session = compute_session_id(self.chain.client.chain_id, self.sessions.address, terms)
        if later:
            self.chain.send(self.client, self.sessions.build_add_deposit(session, later), case)
        return session, terms

    def commit(
        self, session: SessionId, terms: SessionTerms, first: int, count: int, case: str
    ) -> tuple[BatchId, Sequence[bytes]]:
        """Post `count` results; return the batch and its leaves."""
        items = [self._answer(session, nonce) for nonce in range(first, first + count)]
        self.chain.send(self.worker, self.sessions.build_commit_batch(session, items), case)
        market = self.chain.contracts.market
        leaves = [
            compute_leaf(
                id_bytes(
                    market.compute_job_id(
                        build_job_terms(session, terms, item.nonce, item.in_digest)
                    )
                ),
                item.out_digest,
            )
            for item in items
        ]
        # Were the tree, an id or a request's hash another on chain, there would be no such batch.
        batch = compute_batch_id(session, compute_root(leaves))
        assert self.sessions.get_batch(batch).count == count
        return batch, leaves

    def _play_leaves(self) -> None:
        session, terms = self.open(FULL, f"for {FULL}")
        batch, leaves = self.commit(session, terms, 0, FULL, f"{FULL} results")
        leaf, path = _find_leaf(leaves, 100)
        extract = self.sessions.build_extract(batch, leaf, path)
        self.chain.send(self.client, extract, f"out of {FULL}")
        anybody = self.chain.create_account()
        for index, case in ((7, f"out of {FULL}"), (100, "extracted before"), (7, "join")):
            leaf, path = _find_leaf(leaves, index)
            bond = 2 * self.chain.contracts.game.get_bond(self.version)
            challenge = self.sessions.build_challenge(batch, leaf, path, bond)
            self.chain.send(self.chain.create_account(), challenge, case)
        keeper_from = self.sessions.get_batch(batch).challenge_until + LOCAL.keeper_delay_seconds
        self.chain.pass_deadline(keeper_from)
        finalise = self.sessions.build_finalise_batch(batch)
        self.chain.send(anybody, finalise, "by a keeper")

    def _play_closing(self) -> None:
        session, _ = self.open(1, "for 1")
        close = self.sessions.build_close_session(session)
        self.chain.send(self.client, close, "by the client")
        self.chain.pass_deadline(self.sessions.get_session(session).closes_at)
        self.chain.send(self.client, self.sessions.build_withdraw_session(session))
        session, _ = self.open(1, "for 1")
        close = self.sessions.build_close_session(session)
        self.chain.send(self.worker, close, "by the operator")

    def prepare_void(self) -> tuple[SessionId, BatchId]:
        """Return a session and a batch of it that wait for the refund mode."""
        session, terms = self.open(2, "for 2")
        return session, self.commit(session, terms, 0, 2, "2 results")[0]

    def play_void(self, session: SessionId, batch: BatchId) -> None:
        """Give everybody its own back, in the refund mode."""
        self.chain.send(self.client, self.sessions.build_void_batch(batch), "2 results")
        self.chain.send(self.client, self.sessions.build_void_session(session))

    def _answer(self, session: SessionId, nonce: int) -> BatchItem:
        until = Seconds(self.chain.contracts.market.get_time().now + LOCAL.exec_seconds)
        request = SessionRequest(session, nonce, Digest(keccak(text=f"in {nonce}")), until)
        message = build_request(self.chain.client.chain_id, self.sessions.address, request)
        signature = parse_signature(self._signer.sign_typed(message)).to_compact()
        out_digest = Digest(keccak(text=f"out {nonce}"))
        return BatchItem(nonce, until, request.in_digest, out_digest, signature)


def _find_leaf(leaves: Sequence[bytes], index: int) -> tuple[BatchLeaf, Sequence[bytes]]:
    """Return a result of a batch whose nonces are its places, and its path."""
    inputs, outputs = (Digest(keccak(text=f"{kind} {index}")) for kind in ("in", "out"))
    return BatchLeaf(index, index, inputs, outputs), compute_path(leaves, index)
