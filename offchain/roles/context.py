"""What every role holds: chain, bindings, journal, cursor, content and the models it knows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from offchain.chain.client import ChainClient
from offchain.chain.contracts.dispute_game import DisputeGame
from offchain.chain.contracts.job_market import JobMarket
from offchain.chain.contracts.model_registry import ModelRegistry
from offchain.chain.contracts.stake_vault import StakeVault
from offchain.chain.cursor import EventCursor
from offchain.chain.journal import Journal, StepKey, StepStatus
from offchain.chain.manifest import Manifest, load_manifest, verify_code
from offchain.chain.rpc import Rpc
from offchain.chain.signers import SignerSource, open_signer
from offchain.errors import ManifestError
from offchain.params.settings import Settings
from offchain.roles.log import Log
from offchain.submit.content import ContentStore
from offchain.submit.transactions import Submitter
from offchain.submit.versions import VersionBook
from offchain.types import JobId

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


def connect(rpc_url: str, manifest_path: Path) -> tuple[ChainClient, Manifest]:
    """Connect; raise ManifestError when the node's chain is not the one with this deployment."""
    manifest = load_manifest(manifest_path)
    client = ChainClient(Rpc(rpc_url), manifest.build_error_book())
    if client.chain_id != manifest.chain_id:
        raise ManifestError(
            f"{rpc_url} serves chain {client.chain_id}, "
            f"{manifest_path} is for chain {manifest.chain_id}"
        )
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
    client, manifest = connect(settings.rpc_url, settings.manifest)
    contracts = bind_contracts(client, manifest)
    journal = Journal(settings.journal)
    watched = (contracts.vault, contracts.registry, contracts.market, contracts.game)
    return Context(
        settings=settings,
        log=Log(settings.role),
        client=client,
        manifest=manifest,
        contracts=contracts,
        journal=journal,
        cursor=EventCursor(
            settings.cursor,
            client,
            {binding.address: binding.abi for binding in watched},
            manifest.first_block,
            settings.confirmations,
        ),
        submitter=Submitter(client, journal, open_signer(get_signer_source(settings))),
        content=ContentStore(settings.content),
        versions=VersionBook(settings.models, client, contracts.registry, manifest.srs_id),
    )
