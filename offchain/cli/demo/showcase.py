"""Everything that the web page needs: chain, contracts, versions, operators, gateway and page.

Two operators: one serves digits and languages honestly; the other serves a version of digits whose
title names it a cheat, and computes it with perturbed weights. Nobody challenges but who looks at
the page.
"""

from __future__ import annotations

import hashlib
import json
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from offchain.chain.anvil import BLOCK_S, CHAIN_ID, Anvil, run_anvil
from offchain.cli.demo.narrator import ETHER, Narrator
from offchain.cli.demo.offers import CHEATED, DIGITS, LANGUAGES, Offer, prepare_offer
from offchain.cli.demo.processes import THIS_PACKAGE, Party
from offchain.cli.demo.world import Terrain, create_key, deploy
from offchain.commit.model_folder import publish_model_folder
from offchain.errors import ConfigError, NoAnswer, OffchainError
from offchain.roles.account import Account
from offchain.submit.bundle import BUNDLE_FILE, make_bundle
from offchain.submit.http_client import HttpClient

PRESET: Final = "showcase"
ACCOUNTS: Final = 4  # of the development wallet; the guardian's accounts are not among them
STAKE_WEI: Final = 20 * ETHER
FUNDS_WEI: Final = 100 * ETHER
POLL_S: Final = 0.2
READY_S: Final = 120.0  # wall clock; only a broken installation gets there
LOOPBACK: Final = "127.0.0.1"
MAX_ANSWER: Final = 1 << 20


@dataclass(frozen=True)
class Ports:
    """Where to listen; 0 is any free port."""

    rpc: int = 0
    gateway: int = 0
    dapp: int = 0


PREFERRED: Final = Ports(rpc=8545, gateway=8000, dapp=5173)


@dataclass(frozen=True)
class Showcase:
    """What runs, and how to reach it."""

    folder: Path
    anvil: Anvil
    manifest: Path
    gateway: str
    dapp: str
    versions: Mapping[str, str]  # digits, languages, cheat -> version
    operators: Mapping[str, str]  # honest, cheat -> owner's address
    accounts: Sequence[str]  # of the development wallet
    parties: Sequence[Party]

    def check(self) -> None:
        """Raise OffchainError where a process ended."""
        for party in self.parties:
            party.check()
            if not party.is_running():
                raise OffchainError(f"{party.name} ended")

    def get_time(self) -> int:
        """Return the timestamp of the chain's head."""
        head = self.anvil.rpc.request("eth_getBlockByNumber", "latest", False)
        return int(head["timestamp"], 16)

    def skip(self, seconds: int) -> None:
        """Move the chain's clock on at once: what nobody can cut short need not be waited for."""
        self.anvil.jump_to(self.get_time() + seconds)

    def to_json(self) -> Mapping[str, Any]:
        """Return addresses and ids for scripts."""
        return {
            "dapp": self.dapp,
            "gateway": self.gateway,
            "rpc": self.anvil.url,
            "chainId": CHAIN_ID,
            "preset": PRESET,
            "manifest": str(self.manifest),
            "versions": dict(self.versions),
            "operators": dict(self.operators),
            "accounts": list(self.accounts),
            "pids": {party.name: party.pid for party in self.parties} | {"chain": self.anvil.pid},
        }


@dataclass(frozen=True)
class Cast:
    """One operator of the showcase: which models it has, and how it misbehaves."""

    name: str
    offers: tuple[Offer, ...]
    fault: str = ""


CASTS: Final = (
    Cast("honest", (DIGITS, LANGUAGES)),
    Cast("cheat", (CHEATED,), fault="perturbed-weights"),
)
VERSIONS: Final = {"digits": DIGITS, "languages": LANGUAGES, "cheat": CHEATED}


@contextmanager
def open_showcase(
    folder: Path,
    models: Path,
    narrator: Narrator,
    ports: Ports = Ports(),
    command: Sequence[str] = THIS_PACKAGE,
) -> Iterator[Showcase]:
    """Start everything and yield it once it answers; stop every process afterwards.

    Raises OffchainError, with the end of its log, for whatever does not come up.
    """
    folder.mkdir(parents=True, exist_ok=True)
    published = [prepare_offer(models, offer, narrator) for offer in VERSIONS.values()]
    del published  # their digests were recomputed
    ports = choose_ports(ports)
    terrain = Terrain(preset=PRESET, unlocked=ACCOUNTS)
    with ExitStack() as stack:
        anvil = stack.enter_context(
            run_anvil(folder / "anvil.log", ports.rpc, 0, CHAIN_ID, ACCOUNTS)
        )
        narrator.say(f"local chain at {anvil.url}, one block a second")
        manifest = deploy(anvil, folder, terrain)
        narrator.say(f"contracts deployed, preset {PRESET}")
        builder = Builder(folder, models, anvil, manifest, ports, terrain, command)
        versions = builder.register()
        narrator.say("versions registered: " + ", ".join(versions))
        parties: list[Party] = []
        stack.callback(stop_all, parties)
        owners = {}
        parties += builder.start_services()
        anvil.start_clock(BLOCK_S)
        for cast in CASTS:
            owners[cast.name] = builder.start_operator(cast, parties)
        accounts = [str(account) for account in anvil.rpc.request("eth_accounts")]
        showcase = Showcase(
            folder, anvil, manifest, builder.gateway, builder.dapp, versions, owners, accounts,
            parties,
        )  # fmt: skip
        wait_until(showcase, builder.is_ready, "gateway, page and operators to be ready")
        narrator.say(f"gateway at {showcase.gateway}, page at {showcase.dapp}")
        yield showcase


class Builder:
    """Registers versions and starts processes of one showcase."""

    def __init__(
        self,
        folder: Path,
        models: Path,
        anvil: Anvil,
        manifest: Path,
        ports: Ports,
        terrain: Terrain,
        command: Sequence[str],
    ) -> None:
        self._folder = folder
        self._anvil = anvil
        self._manifest = manifest
        self._ports = ports
        self._terrain = terrain
        self._command = command
        self._workers: dict[str, str] = {}  # worker -> owner
        self._models = folder / "models"
        for offer in VERSIONS.values():
            publish_model_folder(models / offer.folder, self._models)

    @property
    def gateway(self) -> str:
        """Return the gateway's URL."""
        return f"http://{LOOPBACK}:{self._ports.gateway}"

    @property
    def dapp(self) -> str:
        """Return the page's URL."""
        return f"http://{LOOPBACK}:{self._ports.dapp}/"

    def register(self) -> Mapping[str, str]:
        """Register every version where the gateway will have its bundle, pinned by hash."""
        versions = {}
        for name, offer in VERSIONS.items():
            bundle = make_bundle(self._models / offer.folder)
            pin = hashlib.sha256(bundle.to_bytes()).hexdigest()
            uri = f"{self.gateway}/models/{bundle.key}/{BUNDLE_FILE}#sha256={pin}"
            # Opened anew for each: a journal remembers a step as done, by its name.
            registrant = self._open_account("registrant")
            answer = registrant.register_version(self._models / offer.folder, uri)
            versions[name] = str(answer["version"])
        return versions

    def start_services(self) -> Sequence[Party]:
        """Start the gateway and the page's server."""
        chain = ("--rpc", self._anvil.url, "--manifest", str(self._manifest))
        gateway = self._start(
            "gateway",
            ("gateway", "run", *chain, "--home", str(self._folder / "gateway"),
             "--models", str(self._models), "--port", str(self._ports.gateway),
             "--public-rpc", self._anvil.url, "--dapp-origin", self.dapp.rstrip("/")),
        )  # fmt: skip
        # The page's server asks the gateway for its chain, once, when it starts.
        wait_for_http(gateway, f"{self.gateway}/config")
        page = self._start(
            "dapp",
            ("dapp", "--gateway", self.gateway, "--rpc", self._anvil.url,
             "--port", str(self._ports.dapp), "--development-wallet"),
        )  # fmt: skip
        return (gateway, page)

    def start_operator(self, cast: Cast, parties: list[Party]) -> str:
        """Stake for an operator and start it; return its owner's address."""
        home = self._folder / cast.name
        owner = self._open_account(f"{cast.name}-owner")
        worker_key = self._folder / f"{cast.name}-worker.key"
        worker = create_key(worker_key, self._terrain)
        self._anvil.fund(worker, FUNDS_WEI)
        owner.send(owner.contracts.vault.build_deposit(STAKE_WEI))
        owner.send(owner.contracts.vault.build_propose_worker(worker))
        self._workers[worker] = owner.address
        for offer in cast.offers:
            publish_model_folder(self._models / offer.folder, home / "models")
        fault = ("--fault", cast.fault) if cast.fault else ()
        parties.append(
            self._start(
                f"{cast.name}-operator",
                ("operator", "run", "--home", str(home / "role"), "--models", str(home / "models"),
                 "--content", self.gateway, "--gateway", self.gateway, "--owner", owner.address,
                 "--rpc", self._anvil.url,
                 "--manifest", str(self._manifest), "--key-file", str(worker_key), *fault),
            )
        )  # fmt: skip
        return owner.address

    def is_ready(self) -> bool:
        """Whether gateway and page answer, and every worker has agreed to work."""
        vault = self._open_account("registrant").contracts.vault
        return (
            get_status(f"{self.gateway}/health") == 200
            and get_status(self.dapp) == 200
            and all(vault.get_owner_of(w) == owner for w, owner in self._workers.items())
        )

    def _open_account(self, name: str) -> Account:
        key_file = self._folder / f"{name}.key"
        if not key_file.exists():
            self._anvil.fund(create_key(key_file, self._terrain), FUNDS_WEI)
        return Account(self._anvil.url, self._manifest, key_file, None, self._folder / "state")

    def _start(self, name: str, arguments: Sequence[str]) -> Party:
        return Party(name, arguments, self._folder / "processes", self._command)


def stop_all(parties: Sequence[Party]) -> None:
    """Stop every process, all of them at once."""
    for party in parties:
        party.ask_to_stop()
    for party in parties:
        party.stop()


def wait_until(showcase: Showcase, condition: Callable[[], bool], what: str) -> None:
    """Wait; raise OffchainError when a process ends meanwhile, or after too long."""
    deadline = time.monotonic() + READY_S
    while not condition():
        showcase.check()
        if time.monotonic() > deadline:
            raise OffchainError(f"waited {READY_S:.0f} s for {what}")
        time.sleep(POLL_S)


def wait_for_http(party: Party, url: str) -> None:
    """Wait until a process answers at a URL; raise OffchainError when it ends instead."""
    deadline = time.monotonic() + READY_S
    while get_status(url) != 200:
        party.check()
        if not party.is_running() or time.monotonic() > deadline:
            raise OffchainError(f"{party.name} does not answer at {url}")
        time.sleep(POLL_S)


def get_status(url: str) -> int:
    """Return the status with which a URL answers, 0 where nobody does."""
    with suppress(NoAnswer):
        return HttpClient(url).request("GET", "", MAX_ANSWER).status
    return 0


def choose_ports(wanted: Ports) -> Ports:
    """Return the wanted ports, or free ones where they are 0 or taken."""
    chosen: list[int] = []
    with ExitStack() as held:
        for port in (wanted.rpc, wanted.gateway, wanted.dapp):
            probe = held.enter_context(socket.socket())
            # A port that was in use a moment ago is free for a server, too.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                probe.bind((LOOPBACK, 0))
            probe.listen()  # two that may reuse an address and do not listen could share it
            chosen.append(probe.getsockname()[1])
    return Ports(*chosen)


def run_until_interrupted(showcase: Showcase, stopped: Sequence[int]) -> None:
    """Keep everything running; raise OffchainError when a process ends by itself."""
    while not stopped:
        showcase.check()
        time.sleep(POLL_S)


def write_facts(showcase: Showcase, path: Path) -> None:
    """Write the addresses as JSON, whole or not at all."""
    if path.is_dir():
        raise ConfigError(f"{path} is a folder")
    draft = path.with_name(path.name + ".tmp")
    draft.write_text(json.dumps(showcase.to_json(), indent=1) + "\n", encoding="utf-8")
    draft.replace(path)
