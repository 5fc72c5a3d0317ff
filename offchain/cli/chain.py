"""`zkdps chain`: a local chain, and deployment through ape."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import click

from offchain.cli.options import DEFAULT_RPC, FILE, json_option
from offchain.cli.output import answer, progress
from offchain.cli.stopping import listen_for_stop
from offchain.errors import ConfigError, OffchainError

ROOT: Final = Path(__file__).parents[2]

local_node = click.option(
    "--rpc",
    envvar="ZKDPS_RPC",
    default=DEFAULT_RPC,
    show_default=True,
    help="The local node's URL.",
)


@click.group(name="chain")
def command() -> None:
    """Start a local chain and deploy the contracts."""


@command.command()
@click.option("--port", default=8545, show_default=True, help="Loopback port.")
@json_option
def up(port: int, as_json: bool) -> None:
    """Run a fresh local chain (one block a second) until interrupted."""
    from offchain.chain.anvil import run_anvil

    log = Path(tempfile.gettempdir()) / f"zkdps-anvil-{port}.log"
    stop = listen_for_stop()
    with run_anvil(log, port) as anvil:
        answer({"rpc": anvil.url, "pid": anvil.pid, "log": str(log)}, as_json)
        while not stop:
            time.sleep(1)


@command.command()
@click.argument("accounts", nargs=-1, required=True)
@local_node
@click.option("--ether", default=10, show_default=True, help="Balance to set, in ether.")
@json_option
def fund(accounts: tuple[str, ...], rpc: str, ether: int, as_json: bool) -> None:
    """Give accounts play money; only a local chain knows how."""
    from offchain.chain.rpc import Rpc

    for account in accounts:
        Rpc(rpc).request("anvil_setBalance", account, hex(ether * 10**18))
    answer(dict.fromkeys(accounts, f"{ether} ETH"), as_json)


@command.command()
@click.option("--key-file", type=FILE, required=True, help="Deployer's key file.")
@click.option("--password-file", type=FILE, help="Password of the keystore.")
@local_node
@click.option("--preset", default="local", show_default=True, help="Parameters of the protocol.")
@click.option(
    "--manifest",
    type=click.Path(path_type=Path, resolve_path=True),  # ape runs in another folder
    help="deployments/<chainId>.json by default.",
)
@json_option
def deploy(
    key_file: Path,
    password_file: Path | None,
    rpc: str,
    preset: str,
    manifest: Path | None,
    as_json: bool,
) -> None:
    """Deploy on a local chain; for other networks call `ape run deploy --network ...` itself."""
    with progress("deploying"):
        path = run_deploy(key_file, rpc, preset, manifest, password_file)
    answer({"manifest": str(path)}, as_json)


def run_deploy(
    key_file: Path,
    rpc: str,
    preset: str,
    manifest: Path | None = None,
    password_file: Path | None = None,
) -> Path:
    """Run ape's deploy script against a running local node; return the manifest's path."""
    from offchain.chain.rpc import Rpc

    Rpc(rpc).request("eth_chainId")  # ape would start a node of its own that ends with it
    ape = shutil.which("ape", path=str(Path(sys.executable).parent)) or shutil.which("ape")
    if ape is None:
        raise ConfigError("ape is not installed: pip install 'offchain[deploy]'")
    path = manifest or ROOT / "deployments" / "31337.json"
    arguments = [
        ape, "run", "deploy", "--network", "ethereum:local:foundry",
        "--key-file", str(key_file), "--preset", preset, "--manifest", str(path),
    ]  # fmt: skip
    if password_file is not None:
        arguments += ["--password-file", str(password_file)]
    done = subprocess.run(
        arguments,
        cwd=ROOT,
        env={**os.environ, "APE_FOUNDRY_HOST": rpc},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise OffchainError(f"deployment failed:\n{done.stdout}{done.stderr}")
    return path
