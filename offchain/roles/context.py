"""What every role holds: chain, bindings, journal, cursor, content and the models it knows."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from offchain.chain.client import ChainClient
from offchain.chain.clock import HeadWatch
from offchain.chain.contracts.dispute_game import DisputeGame
from offchain.chain.contracts.job_market import JobMarket
from offchain.chain.contracts.model_registry import ModelRegistry
from offchain.chain.contracts.stake_vault import StakeVault
from offchain.chain.cursor import EventCursor
from offchain.chain.database import Place
from offchain.chain.journal import Journal, StepKey, StepStatus
from offchain.chain.manifest import Manifest, load_manifest, verify_code
from offchain.chain.rpc import Notify, Rpc, ignore
from offchain.chain.signers import SignerSource, open_signer
from offchain.params.settings import Settings
from offchain.roles.log import Log
from offchain.submit.content import ContentStore
from offchain.submit.transactions import Submitter
from offchain.submit.versions import VersionBook
from offchain.types import JobId, Wei

ACCOUNT_JOB: Final = "account"  # journal key of steps that belong to the account, not to a job


@dataclass(frozen=True)
class Contracts:
    """Bindings of one deployment."""

    vault: StakeVault
    registry: ModelRegistry
    market: JobMarket
    game: DisputeGame


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
    heads: HeadWatch = field(default_factory=HeadWatch)

    def key(self, job: JobId | int | str, step: str) -> StepKey:
        """Return the journal's key of one of this role's steps."""
        return StepKey(self.settings.role, str(job), step)

    def give_up(self, key: StepKey, reason: str) -> None:
        """Record that a step is refused for good, and say why."""
        self.journal.put_step(key, StepStatus.GIVEN_UP, {"reason": reason})
        self.log.event("refused", job=key.job, step=key.step, reason=reason)

    def list_jobs(self) -> tuple[JobId, ...]:
        """Return all jobs that confirmed events name."""
        return tuple(JobId(e.arguments["jobId"]) for e in self.cursor.get_events("JobCreated"))


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
    )


def get_signer_source(settings: Settings) -> SignerSource:
    """Return where a role's signatures come from."""
    return SignerSource(
        key_file=settings.key_file,
        password_file=settings.password_file,
        url=settings.signer_url,
        address=settings.signer_address,
        api=settings.signer_api,
        ca_file=settings.signer_ca_file,
    )


def open_context(settings: Settings) -> Context:
    """Open everything a role needs; keys are read here, once."""
    log = Log(settings.role)
    client, manifest = connect(settings.rpc_url, settings.manifest, log.event)
    contracts = bind_contracts(client, manifest)
    signer = open_signer(get_signer_source(settings))
    space = f"{manifest.chain_id}/{contracts.market.address}/{settings.role}/{signer.address}"
    journal = Journal(Place(settings.journal, settings.database_url, space))
    watched = (contracts.vault, contracts.registry, contracts.market, contracts.game)
    return Context(
        settings=settings,
        log=log,
        client=client,
        manifest=manifest,
        contracts=contracts,
        journal=journal,
        cursor=EventCursor(
            Place(settings.cursor, settings.database_url, space),
            client,
            {binding.address: binding.abi for binding in watched},
            manifest.first_block,
            settings.confirmations,
            notify=log.event,
        ),
        submitter=Submitter(client, journal, signer, reserve_wei=Wei(settings.reserve_wei)),
        content=ContentStore(settings.content),
        versions=VersionBook(settings.models, client, contracts.registry, manifest.srs_id),
        heads=HeadWatch(settings.max_head_age_s, settings.max_drift_s, log.event),
    )
