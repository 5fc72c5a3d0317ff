"""`zkdps dapp`: serve the web page."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Final

import click
from eth_utils.address import is_address

from offchain.cli.options import FOLDER
from offchain.cli.output import EXIT_HELP, tell
from offchain.errors import ConfigError, NoAnswer

MAX_CONFIG_BYTES: Final = 1 << 20
PATIENCE_S: Final = 20.0  # with a gateway that does not answer yet
PAUSE_S: Final = 0.5


@click.command(name="dapp", epilog=EXIT_HELP)
@click.option(
    "--gateway", "gateway_url", required=True, envvar="ZKDPS_GATEWAY",
    help="URL of the gateway, as browsers reach it.",
)  # fmt: skip
@click.option(
    "--rpc", "rpc_url", default="",
    help="URL of a node that browsers may use; what the gateway's /config names by default.",
)  # fmt: skip
@click.option(
    "--market",
    default="",
    help="JobMarket of the deployment that is meant (deployments/<chainId>.json). On any chain but "
    "a local one it has to be named, and --rpc too: else the gateway would say who is paid.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=5173, show_default=True,
    help="Port to listen on; 0 is any free one, told in the log.",
)  # fmt: skip
@click.option(
    "--development-wallet",
    is_flag=True,
    help="Offer a wallet that signs with the accounts of a development node. Refused on any chain "
    "but a local one.",
)
@click.option(
    "--dist",
    type=FOLDER,
    default=None,
    help="Folder of the built page, where it is not in this package.",
)
def command(
    gateway_url: str,
    rpc_url: str,
    market: str,
    host: str,
    port: int,
    development_wallet: bool,
    dist: Path | None,
) -> None:
    """Serve the web page, with a policy that lets it talk to the gateway and the node only.

    The page is static files: any web server can serve them, with a config.json
    {"gateway", "rpc", "chainId", "developmentWallet", "market"} beside them. The gateway has to
    allow the page's origin (--dapp-origin there).

    \b
    zkdps gateway run --dapp-origin http://127.0.0.1:5173 ...
    zkdps dapp --gateway http://127.0.0.1:8000 --rpc http://127.0.0.1:8545 --development-wallet
    """
    try:
        from offchain.gateway.dapp import DIST, DappConfig, create_dapp_app
        from offchain.gateway.server import serve
    except ModuleNotFoundError as error:
        from offchain.errors import MissingDependencyError

        raise MissingDependencyError(error.name or "starlette", "gateway") from None
    from offchain.params.settings import LOCAL_CHAIN_IDS
    from offchain.roles.log import Log

    chain_id, public_rpc = read_config(gateway_url)
    if development_wallet and chain_id not in LOCAL_CHAIN_IDS:
        raise ConfigError(f"--development-wallet is for local chains, not for chain {chain_id}")
    if chain_id not in LOCAL_CHAIN_IDS and not (market and rpc_url):
        raise ConfigError(
            f"on chain {chain_id} name --market and --rpc: money goes where they say, which is "
            "not for a gateway to choose"
        )
    if market and not is_address(market):
        raise ConfigError("--market is an address: 0x and 40 hex digits")
    if not (rpc_url or public_rpc):
        raise ConfigError("the gateway names no node for browsers: give --rpc")
    config = DappConfig(gateway_url, rpc_url or public_rpc, chain_id, development_wallet, market)
    app = create_dapp_app(config, dist or DIST)
    tell(f"the web page: http://{host}:{port}/" if port else "the web page: see the log")
    serve(app, host, port, trust_proxy=False, log=Log("dapp"))


def read_config(gateway_url: str) -> tuple[int, str]:
    """Return the chain id and the node that a gateway names; raises NoAnswer, ConfigError.

    One that was started just now gets a little time.
    """
    from offchain.submit.http_client import HttpClient

    client = HttpClient(gateway_url)
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            reply = client.request("GET", "/config", MAX_CONFIG_BYTES)
            break
        except NoAnswer:
            if time.monotonic() > deadline:
                raise
            time.sleep(PAUSE_S)
    try:
        told = json.loads(reply.body)
        return int(told["chainId"]), str(told["rpcUrl"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ConfigError(
            f"{client.endpoint}: status {reply.status}, which is no gateway's answer"
        ) from None
