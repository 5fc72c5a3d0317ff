"""What every role holds: chain, bindings, journal, cursor, content and the models it knows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final

from eth_utils.crypto import keccak

from offchain.chain.client import ChainClient
from offchain.chain.clock import HeadWatch
from offchain.chain.contracts.adjudicator_registry import AdjudicatorRegistry
from offchain.chain.contracts.audits import Audits
from offchain.chain.contracts.beacon import Beacon
from offchain.chain.contracts.candidate_pool import CandidatePool
from offchain.chain.contracts.dispute_game import DisputeGame
from offchain.chain.contracts.job_market import JobMarket
from offchain.chain.contracts.model_registry import ModelRegistry
from offchain.chain.contracts.order_book import OrderBook
from offchain.chain.contracts.pinpoint_game import PinpointGame
from offchain.chain.contracts.quorum import Quorum
from offchain.chain.contracts.session_market import SessionMarket
from offchain.chain.contracts.stake_vault import StakeVault
from offchain.chain.cursor import EventCursor
from offchain.chain.journal import Journal, StepKey, StepStatus
from offchain.chain.keys import Signer
from offchain.chain.manifest import Manifest, load_manifest, verify_code
from offchain.chain.rpc import Notify, Rpc, ignore
from offchain.errors import (
    ContractRevert,
    MalformedAnswer,
    ManifestError,
    NoSuchJob,
    NoSuchSession,
    TermsMismatch,
)
from offchain.params.presets import Parameters, get_preset
from offchain.params.settings import Settings
from offchain.roles.jobs import JobBook
from offchain.roles.log import Log, Reminders
from offchain.roles.quorum_book import OpenQuorum, QuorumEvents, name_quorum
from offchain.roles.session_book import SessionBook
from offchain.submit.bundle_pull import Puller
from offchain.submit.content import ContentStore
from offchain.submit.gateway import GatewayClient
from offchain.submit.plans import PlanBook
from offchain.submit.transactions import Submitter
from offchain.submit.versions import VersionBook
from offchain.types import CommittedBatch, CreatedJob, Job, JobId, JobTerms

UNKNOWN_JOB: Final = "UnknownJob"  # the market's error
WORD: Final = 32
PULL_PATIENCE_S: Final = 5.0  # a role has deadlines; a longer download goes on beside it
ID_PREFIX: Final = "0x"  # of a job's id: sessions, batches and the account are named otherwise
ACCOUNT_JOB: Final = "account"  # journal key of steps that belong to the account, not to a job


@dataclass(frozen=True)
class Contracts:
    """Bindings of one deployment."""

    vault: StakeVault
    registry: ModelRegistry
    market: JobMarket
    game: DisputeGame
    sessions: SessionMarket
    orders: OrderBook
    pinpoint: PinpointGame
    adjudicators: AdjudicatorRegistry
    quorum: Quorum
    pool: CandidatePool
    beacon: Beacon
    audits: Audits


@dataclass(frozen=True)
class Context:
    """One role's whole world, opened once a process."""

    settings: Settings
    log: Log
    client: ChainClient
    manifest: Manifest
    contracts: Contracts
    journal: Journal
    cursor: EventCursor
    submitter: Submitter
    content: ContentStore
    versions: VersionBook
    plans: PlanBook
    signer: Signer
    parameters: Parameters
    reminders: Reminders = field(default_factory=Reminders)
    heads: HeadWatch = field(default_factory=HeadWatch)
    jobs: JobBook = field(default_factory=JobBook)
    gateway: GatewayClient | None = None

    @cached_property
    def sessions(self) -> SessionBook:
        """Return what is known of sessions and batches."""
        return SessionBook(self.cursor, self.contracts.sessions, self.contracts.market)

    @cached_property
    def quorums(self) -> QuorumEvents:
        """Return what is known of quorums."""
        return QuorumEvents(self.client.chain_id, self.contracts, self.cursor)

    def key(self, job: JobId | int | str, step: str) -> StepKey:
        """Return the journal's key of one of this role's steps."""
        return StepKey(self.settings.role, str(job), step)

    def give_up(self, key: StepKey, reason: str) -> None:
        """Record that a step is refused for good, and say why."""
        self.journal.put_step(key, StepStatus.GIVEN_UP, {"reason": reason})
        self.log.event("refused", job=key.job, step=key.step, reason=reason)

    def put_off(self, key: StepKey, reason: str, **facts: object) -> None:
        """Say, less and less often, why a step that is due is not done now."""
        if self.reminders.is_due((key, reason)):
            self.log.event("put-off", job=key.job, step=key.step, reason=reason, **facts)

    def list_jobs(self) -> tuple[JobId, ...]:
        """Return the jobs that confirmed events name and that ask for something yet."""
        live = self.cursor.get_live_jobs()
        return tuple(JobId(name) for name in live if name.startswith(ID_PREFIX))

    def read_jobs(self) -> Iterator[Job]:
        """Yield the live jobs that exist, some as they were read a few seconds ago."""
        return self.jobs.read(self.cursor, self.list_jobs(), self.find_job)

    def read_batches(self) -> Iterator[CommittedBatch]:
        """Yield the batches that are not settled, as their confirmed events tell them.

        One whose results are not those that its id names is told of and left out: a node lies, and
        nothing else has to wait for that.
        """
        for batch_id in self.sessions.list_batches():
            try:
                batch = self.sessions.get_committed(batch_id)
            except (TermsMismatch, NoSuchSession, MalformedAnswer) as error:
                self.put_off(self.key(batch_id, "read"), str(error))
                continue
            if batch is not None:
                yield batch

    def read_quorums(self) -> Iterator[OpenQuorum]:
        """Yield the quorums that are not over, as they stand at the head.

        One whose terms are not those that its id names is told of and left out.
        """
        for quorum_id in self.quorums.list_live():
            try:
                quorum = self.quorums.find(quorum_id)
            except (TermsMismatch, MalformedAnswer) as error:
                self.put_off(self.key(name_quorum(quorum_id), "read"), str(error))
                continue
            if quorum is not None and not quorum.facts.state.is_over:
                yield quorum

    def find_job(self, job_id: JobId) -> Job | None:
        """Return a job at the head, or None where a reorganisation took it."""
        try:
            return self.contracts.market.get_job(job_id)
        except ContractRevert as revert:
            if revert.name != UNKNOWN_JOB:
                raise
            return None

    def get_created(self, job_id: JobId) -> CreatedJob:
        """Return a job's terms from its confirmed event, checked against its id.

        Raises NoSuchJob where no event was read, TermsMismatch where they are not its terms.
        """
        for event in self.cursor.get_events("JobCreated", job_id):
            return self.contracts.market.read_created(event)
        raise NoSuchJob(job_id)

    def get_terms(self, job_id: JobId) -> JobTerms:
        """Return a job's terms; raises like `get_created`."""
        return self.get_created(job_id).terms


def connect(
    rpc_url: str, manifest_path: Path, notify: Notify = ignore
) -> tuple[ChainClient, Manifest]:
    """Connect; raise ManifestError when an endpoint's chain is not the one with this deployment."""
    manifest = load_manifest(manifest_path)
    rpc = Rpc(rpc_url, notify=notify, chain_id=manifest.chain_id)
    rpc.verify_endpoints()
    client = ChainClient(rpc, manifest.build_error_book())
    for name, deployment in manifest.contracts.items():
        verify_code(name, deployment, client.get_code(deployment.address))
    return client, manifest


def bind_contracts(client: ChainClient, manifest: Manifest) -> Contracts:
    """Return the bindings of a deployment."""
    return Contracts(
        vault=StakeVault(client, manifest),
        registry=ModelRegistry(client, manifest),
        market=JobMarket(client, manifest),
        game=DisputeGame(client, manifest),
        sessions=SessionMarket(client, manifest),
        orders=OrderBook(client, manifest),
        pinpoint=PinpointGame(client, manifest),
        adjudicators=AdjudicatorRegistry(client, manifest),
        quorum=Quorum(client, manifest),
        pool=CandidatePool(client, manifest),
        beacon=Beacon(client, manifest),
        audits=Audits(client, manifest),
    )


def build_version_book(
    models: Path,
    client: ChainClient,
    manifest: Manifest,
    contracts: Contracts,
    puller: Puller | None = None,
) -> VersionBook:
    """Return the versions that can be reproduced on this deployment from a folder of models.

    With a puller, what the folder lacks is fetched from where its registration says.
    """
    verifier = manifest.get("VerifierCore").address
    registry, srs_id = contracts.registry, manifest.srs_id
    return VersionBook(models, client, registry, srs_id, verifier, puller, manifest.first_block)


def read_parameters(manifest: Manifest, market: JobMarket) -> Parameters:
    """Return the deployment's parameters.

    Raises ManifestError unless the manifest's preset is what the contracts were built with, by
    PARAMETERS_HASH.
    """
    parameters = get_preset(manifest.preset)
    words = parameters.to_abi()
    found = keccak(b"".join(word.to_bytes(WORD, "big") for word in words))
    if market.get_parameters_hash() != found:
        raise ManifestError(f"the contracts were not built with preset {manifest.preset}")
    return parameters
