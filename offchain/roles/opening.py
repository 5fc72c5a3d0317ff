"""Opens everything a role needs: keys are read here, once, and nowhere else."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from offchain.chain.clock import HeadWatch
from offchain.chain.cursor import EventCursor
from offchain.chain.database import Place
from offchain.chain.journal import Journal
from offchain.chain.manifest import Manifest, load_manifest
from offchain.chain.signers import SignerSource, open_signer
from offchain.params.settings import LOCAL_CHAIN_IDS, Settings
from offchain.roles.context import (
    Context,
    bind_contracts,
    build_version_book,
    connect,
    read_parameters,
)
from offchain.roles.jobs import MAX_AGE_S, JobBook
from offchain.roles.log import Log
from offchain.submit.bundle_pull import Puller
from offchain.submit.content import open_content
from offchain.submit.fetch import FetchPolicy
from offchain.submit.gateway import GatewayClient
from offchain.submit.plans import PlanBook
from offchain.submit.transactions import Submitter
from offchain.types import AccountId, Wei

PULL_PATIENCE_S: Final = 5.0  # a role has deadlines; a longer download goes on beside it


def build_puller(settings: Settings, chain_id: int) -> Puller | None:
    """Return what fetches missing models, where the settings allow it."""
    if not settings.pull:
        return None
    policy = FetchPolicy(is_private_allowed=chain_id in LOCAL_CHAIN_IDS)
    return Puller(settings.models, policy, gateway=settings.gateway, patience_s=PULL_PATIENCE_S)


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


def locate(file: Path, settings: Settings, manifest: Manifest, account: AccountId) -> Place:
    """Return where a role keeps a part of its memory: the file or, by configuration, a server."""
    market = manifest.get("JobMarket").address
    space = f"{manifest.chain_id}/{market}/{settings.role}/{account}"
    return Place(file, settings.database_url, space)


def open_journal(settings: Settings) -> Journal:
    """Open a role's journal without asking its node for anything."""
    if not settings.database_url:
        return Journal(settings.journal)
    signer = open_signer(get_signer_source(settings))
    manifest = load_manifest(settings.manifest)
    return Journal(locate(settings.journal, settings, manifest, signer.address))


def open_context(settings: Settings) -> Context:
    """Open everything a role needs; keys are read here, once."""
    log = Log(settings.role)
    client, manifest = connect(settings.rpc_url, settings.manifest, log.event)
    contracts = bind_contracts(client, manifest)
    signer = open_signer(get_signer_source(settings))
    journal = Journal(locate(settings.journal, settings, manifest, signer.address))
    watched = (
        contracts.vault,
        contracts.registry,
        contracts.market,
        contracts.game,
        contracts.sessions,
        contracts.orders,
        contracts.pinpoint,
        contracts.quorum,
        contracts.pool,
        contracts.audits,
    )
    return Context(
        settings=settings,
        log=log,
        client=client,
        manifest=manifest,
        contracts=contracts,
        journal=journal,
        cursor=EventCursor(
            locate(settings.cursor, settings, manifest, signer.address),
            client,
            {binding.address: binding.abi for binding in watched},
            manifest.first_block,
            settings.confirmations,
            notify=log.event,
        ),
        signer=signer,
        parameters=read_parameters(manifest, contracts.market),
        submitter=Submitter(client, journal, signer, reserve_wei=Wei(settings.reserve_wei)),
        content=open_content(settings.content),
        versions=build_version_book(
            settings.models,
            client,
            manifest,
            contracts,
            build_puller(settings, client.chain_id),
        ),
        plans=PlanBook(contracts.adjudicators, manifest.first_block),
        jobs=JobBook(MAX_AGE_S),
        heads=HeadWatch(settings.max_head_age_s, settings.max_drift_s, log.event),
        gateway=GatewayClient(settings.gateway) if settings.gateway else None,
    )
