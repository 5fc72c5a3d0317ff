"""From what a program names to a connection: chain, deployment, key, content, models, memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from eth_utils.crypto import keccak

from offchain.chain.client import Call, ChainClient, Receipt
from offchain.chain.contracts.order_book import OrderBook
from offchain.chain.contracts.result_relay import ResultRelay
from offchain.chain.contracts.session_market import SessionMarket
from offchain.chain.journal import Journal, StepKey, StepStatus
from offchain.chain.keys import LocalSigner, MemoryAccount, Signer, load_signer
from offchain.chain.manifest import Manifest, load_manifest, verify_code
from offchain.chain.rpc import Rpc
from offchain.errors import ConfigError
from offchain.params.presets import Parameters
from offchain.params.settings import DATA_FOLDER, LOCAL_CHAIN_IDS, is_url
from offchain.roles.context import (
    Contracts,
    bind_contracts,
    build_version_book,
    read_parameters,
)
from offchain.sdk.deployment import find_rpc, read_deployment
from offchain.submit.bundle_pull import Puller
from offchain.submit.content import ContentStore, open_content
from offchain.submit.fetch import FetchPolicy
from offchain.submit.gateway import GatewayClient
from offchain.submit.transactions import Submitter
from offchain.submit.versions import VersionBook
from offchain.types import Address, JobId

ROLE: Final = "sdk"  # in the journal
POLL_S: Final = 0.5


@dataclass(frozen=True)
class Options:
    """What a program names; `Client.connect` says what each of them is."""

    gateway: str | None = None
    rpc: str | None = None
    manifest: Path | None = None
    market: str | None = None
    key_file: Path | None = None
    password_file: Path | None = None
    account: MemoryAccount | None = None
    signer: Signer | None = None
    content: str | None = None
    models: Path | None = None
    pull: bool = True
    home: Path | None = None
    poll_s: float = POLL_S


@dataclass(frozen=True)
class Connection:
    """One account on one deployment; without a key it can read and recompute, nothing else."""

    client: ChainClient
    manifest: Manifest
    contracts: Contracts
    parameters: Parameters
    versions: VersionBook
    journal: Journal
    poll_s: float
    submitter: Submitter | None = None
    own_signer: Signer | None = None
    store: ContentStore | None = None
    own_gateway: GatewayClient | None = None

    @property
    def signer(self) -> Signer:
        """Return what signs; raise ConfigError without a key."""
        if self.own_signer is None:
            raise ConfigError("connect with key_file, account or signer: this step is signed")
        return self.own_signer

    @property
    def account(self) -> Address:
        """Return the account that signs; raise ConfigError without a key."""
        return Address(self.signer.address)

    @property
    def content(self) -> ContentStore:
        """Return where inputs and outputs are; raise ConfigError without a place."""
        if self.store is None:
            raise ConfigError("connect with a gateway, or with content: where operators look")
        return self.store

    @property
    def gateway(self) -> GatewayClient:
        """Return the gateway; raise ConfigError without one."""
        if self.own_gateway is None:
            raise ConfigError("connect with a gateway: orders and requests travel through it")
        return self.own_gateway

    @property
    def sessions(self) -> SessionMarket:
        """Return the sessions' market."""
        return self.contracts.sessions

    @property
    def orders(self) -> OrderBook:
        """Return the order book."""
        return self.contracts.orders

    @property
    def relay(self) -> ResultRelay:
        """Return the relay of results."""
        return ResultRelay(self.client, self.manifest)

    def key(self, job: str, step: str) -> StepKey:
        """Return the journal's key of a step: performing it twice is performing it once."""
        return StepKey(ROLE, job, step)

    def send(self, job: str, step: str, call: Call) -> Receipt:
        """Send a step's transaction unless it was sent, and wait for it.

        Raises what `Submitter.submit` raises.
        """
        signer = self.signer  # says what is missing
        if self.submitter is None:
            raise ConfigError(f"{signer.address} has no journal")
        key = self.key(job, step)
        # Two that come at once, in whatever process: the second finds what the first has sent.
        with self.journal.locks.hold(f"{ROLE}-{job}-{step}"):
            self.submitter.wait_for_pool()  # another tool of this account may be sending, too
            return self.submitter.submit(key, call)

    def remember(self, kind: str, name: str, detail: Mapping[str, Any]) -> None:
        """Write down what a name stands for."""
        self.journal.put_step(self.key(name, kind), StepStatus.DONE, detail)

    def recall(self, kind: str, name: str) -> Mapping[str, Any] | None:
        """Return what a name stands for already, or None."""
        step = self.journal.get_step(self.key(name, kind))
        return None if step is None else step.detail

    def send_once(self, call: Call) -> Receipt:
        """Send a transaction that may be sent again for the same purpose, numbered in the journal.

        One that was interrupted keeps its number, so its repetition resumes it.
        """
        what = keccak(call.calldata + int(call.value_wei).to_bytes(32, "big")).hex()
        counter = f"{call.label}-{what}"
        number = self.journal.get_counter(counter)
        receipt = self.send(counter, str(number), call)
        with self.journal.atomic():
            self.journal.increment(counter)
        return receipt


def open_connection(options: Options) -> Connection:
    """Connect, and hold every contract's code against what it has to be.

    Raises ConfigError, ManifestError, KeyFileError, RpcUnavailable or GatewayUnavailable.
    """
    gateway = None if options.gateway is None else GatewayClient(options.gateway)
    signer = _choose_signer(options)
    client, manifest = _open_chain(options, gateway)
    contracts = bind_contracts(client, manifest)
    market = contracts.market.address
    if options.market is not None and options.market.lower() != market.lower():
        raise ConfigError(f"the deployment's market is {market}, not {options.market}")
    name = f"{manifest.chain_id}-{market[2:10].lower()}"
    base = (options.home or DATA_FOLDER / ROLE) / name
    home = base if signer is None else base / signer.address
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    journal = Journal(home / "journal.sqlite3")
    place = options.content or options.gateway
    models = options.models or base / "models"
    models.mkdir(parents=True, exist_ok=True)
    puller = _build_puller(options, models, manifest.chain_id)
    return Connection(
        client=client,
        manifest=manifest,
        contracts=contracts,
        parameters=read_parameters(manifest, contracts.market),
        versions=build_version_book(models, client, manifest, contracts, puller),
        journal=journal,
        poll_s=options.poll_s,
        submitter=None if signer is None else Submitter(client, journal, signer),
        own_signer=signer,
        store=None if place is None else open_content(_locate(place)),
        own_gateway=gateway,
    )


def _open_chain(options: Options, gateway: GatewayClient | None) -> tuple[ChainClient, Manifest]:
    if options.manifest is not None:
        manifest = load_manifest(options.manifest)
        told = {} if gateway is None or options.rpc else gateway.get_config()
        rpc = Rpc(find_rpc(options.rpc, told), chain_id=manifest.chain_id)
        rpc.verify_endpoints()
        client = ChainClient(rpc, manifest.build_error_book())
        for name, deployed in manifest.contracts.items():
            verify_code(name, deployed, client.get_code(deployed.address))
        return client, manifest
    if gateway is None:
        raise ConfigError("name a gateway, or an rpc and a manifest")
    return read_deployment(gateway.get_config(), options.rpc)


def _choose_signer(options: Options) -> Signer | None:
    named = [x for x in (options.key_file, options.account, options.signer) if x is not None]
    if len(named) > 1:
        raise ConfigError("name one of key_file, account and signer")
    if options.key_file is not None:
        return load_signer(options.key_file, options.password_file)
    if options.account is not None:
        return LocalSigner(options.account)
    return options.signer


def _build_puller(options: Options, models: Path, chain_id: int) -> Puller | None:
    if not options.pull:
        return None
    policy = FetchPolicy(is_private_allowed=chain_id in LOCAL_CHAIN_IDS)
    return Puller(models, policy, gateway=options.gateway or "")


def _locate(place: str) -> str:
    return place if is_url(place) else str(Path(place).resolve())


def parse_job_id(text: str) -> JobId:
    """Return a whole id; raise ConfigError for anything else."""
    digits = text.lower().removeprefix("0x")
    try:
        raw = bytes.fromhex(digits)
    except ValueError:
        raw = b""
    if len(raw) != 32:
        raise ConfigError(f"{text!r} is no id: 0x and 64 hex digits")
    return JobId("0x" + digits)
