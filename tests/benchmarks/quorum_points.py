"""Quorums and audits: what drawing, blinded results, counting and every end cost."""

from __future__ import annotations

from typing import Final

from offchain.chain.contracts.audits import Audits
from offchain.chain.contracts.beacon import Beacon
from offchain.chain.contracts.candidate_pool import CandidatePool
from offchain.chain.contracts.quorum import Quorum
from offchain.chain.quorum_ids import compute_quorum_id
from offchain.params.presets import get_sampling
from offchain.types import (
    ETH,
    Address,
    Amount,
    Digest,
    JobId,
    JobTerms,
    QuorumId,
    QuorumState,
    QuorumTerms,
    VersionId,
)
from tests.benchmarks.gas_chain import GasChain

FEE: Final = 10**16
STAKE: Final = 10**19
REPLICAS: Final = 3
OPERATORS: Final = 5
SALT: Final = b"\7" * 32
KEY: Final = b"\x08" * 32
RIGHT: Final = Digest(b"\x09" * 32)
WRONG: Final = Digest(b"\x0a" * 32)


class QuorumPoints:
    """Plays quorums of one version with operators of its own."""

    def __init__(self, chain: GasChain, version: VersionId, in_digest: Digest) -> None:
        self.chain, self.version, self.in_digest = chain, version, in_digest
        self.quorum = Quorum(chain.client, chain.manifest)
        self.pool = CandidatePool(chain.client, chain.manifest)
        self.client, self.anybody = chain.create_account(), chain.create_account()
        self.workers: dict[str, Address] = {}
        self._salt = 0

    def play(self) -> None:
        """Send every transaction but that of the refund mode."""
        self._enlist()
        self._play_majority()
        self._play_split()
        self._play_audited()
        self._play_expiry()
        self._play_draws()
        self._play_refusal()

    def _enlist(self) -> None:
        chain, vault = self.chain, self.chain.contracts.vault
        for _ in range(OPERATORS):
            owner, worker = chain.create_account(), chain.create_account()
            chain.send(owner, vault.build_deposit(STAKE), "first")
            chain.send(owner, vault.build_propose_worker(worker))
            chain.send(worker, vault.build_accept_owner(owner))
            chain.send(worker, self.pool.build_enlist(self.version, ETH, owner, 0))
            self.workers[owner.lower()] = worker
        chain.send(owner, self.pool.build_admit(self.client, True))
        with chain.undone():
            chain.send(worker, self.pool.build_leave(self.version, ETH))

    # Quorums

    def order(self, count: int, is_audited: bool, case: str) -> QuorumId:
        """Order replicas; return the quorum."""
        self._salt += 1
        terms = QuorumTerms(
            self.client, self.version, self.in_digest, ETH, Amount(FEE), count, Amount(0),
            is_audited, self._salt,
        )  # fmt: skip
        self.chain.send(self.client, self.quorum.build_create(terms, "00" * 32), case)
        return compute_quorum_id(self.chain.client.chain_id, self.quorum.address, terms)

    def draw(self, quorum: QuorumId, case: str) -> None:
        """Draw the replicas once the seed is there."""
        self._pass_blocks()
        self.chain.send(self.anybody, self.quorum.build_draw(quorum), case)

    def commit(self, quorum: QuorumId, index: int, digest: Digest) -> None:
        """Commit one replica's result, blindly."""
        operator = self.quorum.get_replicas(quorum)[index].operator
        job = self.quorum.get_replica_job(quorum, index)
        commitment = self.quorum.hash_commitment(job, operator, digest, SALT)
        worker = self.workers[operator.lower()]
        self.chain.send(worker, self.quorum.build_commit(quorum, commitment))

    def reveal(self, quorum: QuorumId, index: int, digest: Digest) -> None:
        """Open one replica's commitment."""
        self.chain.send(self.anybody, self.quorum.build_reveal(quorum, index, digest, SALT))

    def count(self, digests: list[Digest | None], case: str) -> QuorumId:
        """Play a quorum up to its count; None says nothing."""
        quorum = self.order(len(digests), False, case)
        self.draw(quorum, case)
        said = [(k, digest) for k, digest in enumerate(digests) if digest is not None]
        for k, digest in said:
            self.commit(quorum, k, digest)
        if len(said) < len(digests):
            self._pass_deadline(quorum)
            self.chain.send(self.anybody, self.quorum.build_close_commits(quorum))
        for k, digest in said:
            self.reveal(quorum, k, digest)
        self.chain.send(self.anybody, self.quorum.build_tally(quorum), case)
        return quorum

    def _play_majority(self) -> None:
        """Count equal results; one where a replica is silent; take one out and leave it alone."""
        quorum = self.count([RIGHT] * REPLICAS, f"{REPLICAS} agree")
        self._settle(quorum, f"{REPLICAS} agree")
        quorum = self.count([RIGHT, RIGHT, None], "one is silent")
        self._settle(quorum, "one is silent")
        quorum = self.count([RIGHT, WRONG, RIGHT], "one differs")
        self.chain.send(self.anybody, self.quorum.build_extract(quorum, 0))
        job = self.quorum.get_replica_job(quorum, 0)
        market = self.chain.contracts.market
        self.chain.pass_deadline(market.get_job(job).deadline)
        self.chain.send(self.workers_of(quorum, 0), market.build_finalise(job), "a replica")
        self._settle(quorum, "one differs")

    def workers_of(self, quorum: QuorumId, index: int) -> Address:
        """Return the worker of a replica's operator."""
        return self.workers[self.quorum.get_replicas(quorum)[index].operator.lower()]

    def _play_split(self) -> None:
        """Challenge a replica of a quorum whose replicas all differ."""
        quorum = self.count([RIGHT, WRONG, Digest(b"\x0b" * 32)], "all differ")
        bond = self.chain.contracts.game.get_bond(self.version)
        self.chain.send(self.anybody, self.quorum.build_challenge(quorum, 1, bond))

    def _play_audited(self) -> None:
        """Let the beacon decide about a second replica."""
        quorum = self.order(1, True, "audited")
        self.draw(quorum, "audited")
        self.commit(quorum, 0, RIGHT)
        self._pass_blocks()
        self.chain.send(self.anybody, self.quorum.build_draw_audit(quorum))
        facts = self.quorum.get_quorum(quorum)
        if facts.state is QuorumState.COMMITTING:
            self.commit(quorum, 1, RIGHT)

    def _play_refusal(self) -> None:
        """Give a replica back whose input cannot be used."""
        quorum = self.order(1, False, "refused")
        self.draw(quorum, "refused")
        self.chain.send(self.workers_of(quorum, 0), self.quorum.build_refuse(quorum))

    def _play_expiry(self) -> None:
        quorum = self.order(1, False, "expired")
        self._pass_deadline(quorum)
        self.chain.send(self.anybody, self.quorum.build_expire(quorum))

    # Beacon and audits

    def _play_draws(self) -> None:
        beacon = Beacon(self.chain.client, self.chain.manifest)
        self.chain.send(self.anybody, beacon.build("request", KEY))
        self._pass_blocks()
        self.chain.send(self.anybody, beacon.build_fix(self.anybody, KEY))
        audits = Audits(self.chain.client, self.chain.manifest)
        job = self._commit_job()
        self.chain.send(self.anybody, audits.build_request(job))
        self._pass_blocks()
        self.chain.send(self.anybody, audits.build_draw(job))

    def _commit_job(self) -> JobId:
        market, case = self.chain.contracts.market, "later job"
        terms = JobTerms(self.client, self.version, self.in_digest, ETH, Amount(FEE), 0, 0, 1 << 40)
        job = market.compute_job_id(terms)
        worker = next(iter(self.workers.values()))
        self.chain.send(self.client, market.build_create_job(terms, ""), case)
        self.chain.send(worker, market.build_accept_job(job), case)
        self.chain.send(worker, market.build_commit_result(job, RIGHT, ""), case)
        return job

    # The refund mode

    def prepare_void(self) -> QuorumId:
        """Return a quorum whose replicas are drawn."""
        quorum = self.order(REPLICAS, False, "to be voided")
        self.draw(quorum, "to be voided")
        return quorum

    def play_void(self, quorum: QuorumId) -> None:
        """Give everybody its money back."""
        case = f"{REPLICAS} replicas"
        self.chain.send(self.anybody, self.quorum.build_void(quorum), case)

    # Steps

    def _settle(self, quorum: QuorumId, case: str) -> None:
        if self.quorum.get_quorum(quorum).state is not QuorumState.FINAL:
            self._pass_deadline(quorum)
            self.chain.send(self.anybody, self.quorum.build_settle(quorum), case)

    def _pass_deadline(self, quorum: QuorumId) -> None:
        self.chain.pass_deadline(self.quorum.get_quorum(quorum).deadline)

    def _pass_blocks(self) -> None:
        for _ in range(get_sampling("local").delay_blocks + 1):
            self.chain.anvil.rpc.request("evm_mine")
