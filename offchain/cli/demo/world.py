"""Everything that the scenarios share: a fresh chain, a deployment, a registered version."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from offchain.chain.anvil import BLOCK_S, CHAIN_ID, Anvil, run_anvil
from offchain.chain.client import ChainClient
from offchain.chain.cursor import EventCursor
from offchain.chain.keys import create_key_file, read_password, write_keystore
from offchain.chain.manifest import Manifest
from offchain.cli.demo.narrator import ETHER, Narrator
from offchain.cli.deploy import DeployOptions, run_deploy
from offchain.params.presets import Parameters, get_preset
from offchain.roles.account import Account
from offchain.roles.context import Contracts, bind_contracts, connect
from offchain.roles.plans import publish_plan
from offchain.submit.models import load_model
from offchain.types import VersionId

FUNDS_WEI: Final = 10 * ETHER
KEY_BYTES: Final = 32
SCRYPT_N: Final = 1 << 12  # quick to open: these keys hold play money


@dataclass(frozen=True)
class Terrain:
    """What kind of chain the world stands on, and how its accounts keep their keys."""

    chain_id: int = CHAIN_ID
    preset: str = "local"
    block_s: int = BLOCK_S
    unlocked: int = 1  # accounts for which the node itself would sign
    guardians: tuple[str, ...] = ()
    accept_insecure_srs: bool = False
    password_file: Path | None = None  # keys are in keystores with this password


LOCAL_TERRAIN: Final = Terrain()


@dataclass(frozen=True)
class World:
    """A running chain with everything deployed and one model version registered."""

    folder: Path
    models: Path
    anvil: Anvil
    client: ChainClient
    manifest_file: Path
    manifest: Manifest
    contracts: Contracts
    parameters: Parameters
    version: str
    input_file: Path
    narrator: Narrator
    is_hurried: bool  # skip waits that nobody can cut short, by moving the chain's clock
    terrain: Terrain = LOCAL_TERRAIN
    model: str = ""  # folder of the registered model among the published ones

    @property
    def content(self) -> Path:
        """Return the folder of inputs and outputs that the parties share."""
        return self.folder / "content"

    def create_account(self, home: Path, name: str) -> tuple[Path, str]:
        """Return a fresh funded account's key file and address."""
        key_file = home / f"{name}.key"
        address = create_key(key_file, self.terrain)
        self.anvil.fund(address, FUNDS_WEI)
        return key_file, address

    def skip_to(self, timestamp: int) -> None:
        """Move the chain's clock on, in blocks of the chain's own pace where it has one."""
        head = self.client.get_head().timestamp
        if self.terrain.block_s > BLOCK_S:
            self.anvil.mine(-(-(timestamp - head) // self.terrain.block_s), self.terrain.block_s)
        else:
            self.anvil.jump_to(timestamp)

    def chain_arguments(self, key_file: Path) -> Sequence[str]:
        """Return the options that name node, deployment and key."""
        password_file = self.terrain.password_file
        password = () if password_file is None else ("--password-file", str(password_file))
        return (
            "--rpc", self.anvil.url, "--manifest", str(self.manifest_file),
            "--key-file", str(key_file), *password,
        )  # fmt: skip

    def open_cursor(self, path: Path) -> EventCursor:
        """Return a cursor over all of the deployment's events."""
        watched = (
            self.contracts.vault,
            self.contracts.registry,
            self.contracts.market,
            self.contracts.game,
            self.contracts.pinpoint,
        )
        addresses = {binding.address: binding.abi for binding in watched}
        return EventCursor(path, self.client, addresses, self.manifest.first_block, 1)


@contextmanager
def open_world(
    folder: Path,
    models: Path,
    model: str,
    sample: Sequence[int],
    narrator: Narrator,
    is_hurried: bool,
    terrain: Terrain = LOCAL_TERRAIN,
    part_keys: str = "",
) -> Iterator[World]:
    """Start a chain, deploy through ape, register the model; stop the chain afterwards.

    `part_keys`: with these the version gets a plan, so that its results are disputed over traces.
    """
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "anvil.log"
    with run_anvil(log, 0, 0, terrain.chain_id, terrain.unlocked) as anvil:
        narrator.say(f"fresh local chain at {anvil.url} (pid {anvil.pid})")
        manifest_file = deploy(anvil, folder, terrain)
        client, manifest = connect(anvil.url, manifest_file)
        narrator.say(f"contracts deployed through ape, preset {manifest.preset}:")
        for name, deployment in manifest.contracts.items():
            narrator.say(f"  {name:14} {deployment.address}")
        if manifest.srs_insecure:
            narrator.say(
                "  WARNING: insecure development SRS: its secret is public, anybody can forge"
            )
        registered = _register(anvil, folder, manifest_file, models / model, terrain, part_keys)
        narrator.say(f"model {model} registered as version {registered['version'][:12]}...")
        anvil.start_clock(terrain.block_s)
        input_file = folder / "input.json"
        input_file.write_text(json.dumps(list(sample)))
        yield World(
            folder=folder,
            models=models,
            anvil=anvil,
            client=client,
            manifest_file=manifest_file,
            manifest=manifest,
            contracts=bind_contracts(client, manifest),
            parameters=get_preset(terrain.preset),
            version=str(registered["version"]),
            input_file=input_file,
            narrator=narrator,
            is_hurried=is_hurried,
            terrain=terrain,
            model=model,
        )


def create_key(path: Path, terrain: Terrain) -> str:
    """Write a key file or, where there is a password, a keystore; return the address."""
    if terrain.password_file is None:
        return create_key_file(path).address
    password = read_password(terrain.password_file, None, "") or ""
    return write_keystore(path, secrets.token_bytes(KEY_BYTES), password, SCRYPT_N).address


def deploy(anvil: Anvil, folder: Path, terrain: Terrain) -> Path:
    """Deploy all contracts through ape with a funded key; return the manifest's path."""
    anvil.fund(create_key(folder / "deployer.key", terrain), FUNDS_WEI)
    return run_deploy(
        DeployOptions(
            key_file=folder / "deployer.key",
            rpc=anvil.url,
            preset=terrain.preset,
            manifest=folder / "deployment.json",
            password_file=terrain.password_file,
            guardians=terrain.guardians,
            accept_insecure_srs=terrain.accept_insecure_srs,
        )
    )


def _register(
    anvil: Anvil, folder: Path, manifest: Path, model: Path, terrain: Terrain, part_keys: str
) -> Mapping[str, Any]:
    key_file = folder / "registrant.key"
    anvil.fund(create_key(key_file, terrain), FUNDS_WEI)
    account = Account(anvil.url, manifest, key_file, terrain.password_file, folder / "state")
    registered = account.register_version(model, model.name)
    if part_keys:
        version = VersionId(bytes.fromhex(str(registered["version"])[2:]))
        publish_plan(account, load_model(model), version, part_keys)
        # A plan counts for results that were ordered after it: nobody has to wait for that here.
        parameters = get_preset(terrain.preset)
        head = account.client.get_head().timestamp
        anvil.jump_to(head + parameters.exec_seconds + parameters.challenge_seconds)
    return registered
