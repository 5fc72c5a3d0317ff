"""Everything that the scenarios share: a fresh chain, a deployment, a registered version."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from offchain.chain.anvil import BLOCK_S, Anvil, run_anvil
from offchain.chain.client import ChainClient
from offchain.chain.cursor import EventCursor
from offchain.chain.keys import create_key_file
from offchain.chain.manifest import Manifest
from offchain.cli.demo.narrator import ETHER, Narrator
from offchain.cli.deploy import DeployOptions, run_deploy
from offchain.params.presets import Parameters, get_preset
from offchain.roles.account import Account
from offchain.roles.context import Contracts, bind_contracts, connect

PRESET: Final = "local"
FUNDS_WEI: Final = 10 * ETHER


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

    @property
    def content(self) -> Path:
        """Return the folder of inputs and outputs that the parties share."""
        return self.folder / "content"

    def create_account(self, home: Path, name: str) -> tuple[Path, str]:
        """Return a fresh funded account's key file and address."""
        key_file = home / f"{name}.key"
        address = create_key_file(key_file).address
        self.anvil.fund(address, FUNDS_WEI)
        return key_file, address

    def chain_arguments(self, key_file: Path) -> Sequence[str]:
        """Return the options that name node, deployment and key."""
        return (
            "--rpc", self.anvil.url, "--manifest", str(self.manifest_file),
            "--key-file", str(key_file),
        )  # fmt: skip

    def open_cursor(self, path: Path) -> EventCursor:
        """Return a cursor over all of the deployment's events."""
        watched = (
            self.contracts.vault,
            self.contracts.registry,
            self.contracts.market,
            self.contracts.game,
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
) -> Iterator[World]:
    """Start a chain, deploy through ape, register the model; stop the chain afterwards."""
    folder.mkdir(parents=True, exist_ok=True)
    with run_anvil(folder / "anvil.log", block_s=0) as anvil:
        narrator.say(f"fresh local chain at {anvil.url} (pid {anvil.pid})")
        deployer = create_key_file(folder / "deployer.key").address
        anvil.fund(deployer, FUNDS_WEI)
        manifest_file = run_deploy(
            DeployOptions(folder / "deployer.key", anvil.url, PRESET, folder / "deployment.json")
        )
        client, manifest = connect(anvil.url, manifest_file)
        narrator.say(f"contracts deployed through ape, preset {manifest.preset}:")
        for name, deployment in manifest.contracts.items():
            narrator.say(f"  {name:14} {deployment.address}")
        if manifest.srs_insecure:
            narrator.say(
                "  WARNING: insecure development SRS: its secret is public, anybody can forge"
            )
        registered = _register(anvil, folder, manifest_file, models / model)
        narrator.say(f"model {model} registered as version {registered['version'][:12]}...")
        anvil.start_clock(BLOCK_S)
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
            parameters=get_preset(PRESET),
            version=str(registered["version"]),
            input_file=input_file,
            narrator=narrator,
            is_hurried=is_hurried,
        )


def _register(anvil: Anvil, folder: Path, manifest: Path, model: Path) -> Mapping[str, Any]:
    key_file = folder / "registrant.key"
    anvil.fund(create_key_file(key_file).address, FUNDS_WEI)
    account = Account(anvil.url, manifest, key_file, None, folder / "state")
    return account.register_version(model, model.name)
