"""`zkdps chain`: a local chain, deployment through ape, and what a deployment says of itself."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

import click

from offchain.cli.deploy import DeployOptions, run_deploy
from offchain.cli.options import DEFAULT_RPC, FILE, chain_options, json_option
from offchain.cli.output import EXIT_HELP, answer, progress, tell
from offchain.cli.stopping import listen_for_stop
from offchain.params.presets import PRESETS
from offchain.params.settings import DATA_FOLDER

WEI_AN_ETHER: Final = 10**18

any_node = click.option(
    "--rpc",
    envvar="ZKDPS_RPC",
    default=DEFAULT_RPC,
    show_default=True,
    help="The node's URL.",
)


@click.group(name="chain")
def command() -> None:
    """Start a local chain, deploy the contracts, look at a deployment.

    \b
    zkdps chain up &
    zkdps key create --key-file deployer.key
    zkdps chain fund 0x...            the address that `key create` showed
    zkdps chain deploy --key-file deployer.key
    """


@command.command(epilog=EXIT_HELP)
@click.option("--port", default=8545, show_default=True, help="Loopback port.")
@click.option("--block-time", default=1, show_default=True, help="Seconds between two blocks.")
@click.option("--chain-id", default=31337, show_default=True, help="The chain's id.")
@json_option
def up(port: int, block_time: int, chain_id: int, as_json: bool) -> None:
    """Run a fresh local chain until interrupted; what is on it ends with it.

    \b
    zkdps chain up
    zkdps chain up --port 9545 --block-time 12 --chain-id 4242     a rehearsal of a testnet
    """
    from offchain.chain.anvil import run_anvil

    log = DATA_FOLDER / "chains" / f"anvil-{port}.log"  # not in /tmp, where others can guess it
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    stop = listen_for_stop()
    with run_anvil(log, port, block_time, chain_id) as anvil:
        answer({"rpc": anvil.url, "pid": anvil.pid, "log": str(log)}, as_json)
        while not stop:
            time.sleep(1)


@command.command(epilog=EXIT_HELP)
@click.argument("accounts", nargs=-1, required=True)
@any_node
@click.option("--ether", default=10, show_default=True, help="Balance to set, in ether.")
@json_option
def fund(accounts: tuple[str, ...], rpc: str, ether: int, as_json: bool) -> None:
    """Give accounts play money; only a local chain knows how.

    \b
    zkdps chain fund 0x5B38Da6a701c568545dCfcB03FcB875f56beddC4 --ether 100
    """
    from offchain.chain.rpc import Rpc

    for account in accounts:
        Rpc(rpc).request("anvil_setBalance", account, hex(ether * WEI_AN_ETHER))
    answer(dict.fromkeys(accounts, f"{ether} ETH"), as_json)


@command.command(epilog=EXIT_HELP)
@click.option("--key-file", type=FILE, required=True, help="Deployer's key file or keystore.")
@click.option("--password-file", type=FILE, help="Password of the keystore.")
@any_node
@click.option(
    "--preset",
    type=click.Choice(list(PRESETS)),
    default="local",
    show_default=True,
    help="Parameters of the protocol; they can never change afterwards.",
)
@click.option(
    "--guardian",
    "guardians",
    multiple=True,
    help="Address of a guardian, three times: two of them together can pause the protocol or turn "
    "it to refunds. Only a local chain has a default: accounts 7 to 9 of the node.",
)
@click.option("--token", help="Address of the one ERC-20 beside ETH.")
@click.option(
    "--manifest",
    type=click.Path(path_type=Path, resolve_path=True),  # ape runs in another folder
    help="deployments/<chainId>.json by default.",
)
@click.option(
    "--srs",
    type=FILE,
    envvar="ZKDPS_SRS",
    help="Powers of a ceremony (`zkdps srs import`); the insecure development SRS by default.",
)
@click.option(
    "--accept-insecure-srs",
    is_flag=True,
    help="Deploy the development SRS on a chain that is not local. ANYBODY CAN FORGE PROOFS.",
)
@click.option("--restart", is_flag=True, help="Deploy afresh, whatever is on chain already.")
@json_option
def deploy(
    key_file: Path,
    password_file: Path | None,
    rpc: str,
    preset: str,
    guardians: tuple[str, ...],
    token: str | None,
    manifest: Path | None,
    srs: Path | None,
    accept_insecure_srs: bool,
    restart: bool,
    as_json: bool,
) -> None:
    """Deploy all contracts through ape, on a local chain or any other.

    Call it again after an interruption: what is on chain is left alone, the rest follows. A
    deployment that is complete is verified and left alone. Needs a checkout with its set-up.

    \b
    zkdps chain deploy --key-file deployer.key
    zkdps chain deploy --rpc https://... --preset testnet --key-file deployer.json \\
        --password-file password --guardian 0xA... --guardian 0xB... --guardian 0xC...
    """
    options = DeployOptions(
        key_file, rpc, preset, manifest, password_file, guardians, token,
        accept_insecure_srs, restart, srs,
    )  # fmt: skip
    with progress("deploying"):
        path = run_deploy(options, tell=tell)
    answer({"manifest": str(path)}, as_json)


@command.command(epilog=EXIT_HELP)
@chain_options
@json_option
def status(rpc_url: str, manifest: Path, as_json: bool) -> None:
    """Show a deployment: contracts, parameters, clock, guardian, money; needs no key.

    Every contract's code is compared with the manifest first.

    \b
    zkdps chain status --manifest deployments/31337.json
    """
    from offchain.cli.describe import describe_deployment
    from offchain.roles.context import bind_contracts, connect

    client, deployment = connect(rpc_url, manifest)
    answer(describe_deployment(client, deployment, bind_contracts(client, deployment)), as_json)
