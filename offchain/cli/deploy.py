"""Run ape's deploy script: the one thing here that needs a checkout and the extra `deploy`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from offchain.errors import ConfigError, DeploymentError
from offchain.params.settings import LOCAL_CHAIN_IDS

ROOT: Final = Path(__file__).parents[2]
SCRIPT: Final = ROOT / "scripts" / "deploy.py"
LOCAL_NETWORK: Final = "ethereum:local:foundry"


@dataclass(frozen=True)
class DeployOptions:
    """What `ape run deploy` is told; see `zkdps chain deploy --help`."""

    key_file: Path
    rpc: str
    preset: str = "local"
    manifest: Path | None = None
    password_file: Path | None = None
    guardians: tuple[str, ...] = ()
    token: str | None = None
    accept_insecure_srs: bool = False
    restart: bool = False
    srs: Path | None = None  # the insecure development string, unless ZKDPS_SRS names another


def run_deploy(options: DeployOptions, tell: Callable[[str], None] = lambda _line: None) -> Path:
    """Deploy on a node that runs; return the manifest's path.

    Raises DeploymentError with what the script said; what was deployed by then stays, and the next
    call goes on from there.
    """
    from offchain.chain.rpc import Rpc

    # Asked first: where no node answers, ape would start one of its own that ends with it.
    chain_id = int(Rpc(options.rpc).request("eth_chainId"), 16)
    path = options.manifest or ROOT / "deployments" / f"{chain_id}.json"
    said: list[str] = []
    with subprocess.Popen(
        _build_command(options, chain_id, path),
        cwd=ROOT,
        env={**os.environ, "APE_FOUNDRY_HOST": options.rpc},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        for line in process.stdout or ():
            said.append(line.rstrip())
            tell(line.rstrip())
    if process.returncode != 0:
        raise DeploymentError("deployment failed:\n" + "\n".join(said))
    return path


def _build_command(options: DeployOptions, chain_id: int, manifest: Path) -> list[str]:
    ape = shutil.which("ape", path=str(Path(sys.executable).parent)) or shutil.which("ape")
    if ape is None or not SCRIPT.is_file():
        raise ConfigError(
            "deploying needs a checkout of the project and ape: pip install 'offchain[deploy]'"
        )
    network = LOCAL_NETWORK if chain_id in LOCAL_CHAIN_IDS else options.rpc
    arguments = [
        ape, "run", "deploy", "--network", network, "--key-file", str(options.key_file),
        "--preset", options.preset, "--manifest", str(manifest),
    ]  # fmt: skip
    for member in options.guardians:
        arguments += ["--guardian", member]
    if options.password_file is not None:
        arguments += ["--password-file", str(options.password_file)]
    if options.token is not None:
        arguments += ["--token", options.token]
    if options.srs is not None:
        arguments += ["--srs", str(options.srs)]
    if options.accept_insecure_srs:
        arguments.append("--accept-insecure-srs")
    if options.restart:
        arguments.append("--restart")
    return arguments
