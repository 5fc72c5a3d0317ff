"""`zkdps gateway`: content, signed orders, sessions and the explorer's index, over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import click

from offchain.cli.options import FOLDER, chain_options
from offchain.cli.output import EXIT_HELP

IN_FLIGHT_BYTES: Final = 2**28  # of large uploads at one time


@click.group(name="gateway")
def command() -> None:
    """Serve inputs and outputs, signed orders, sessions and an index of the chain.

    A gateway is a convenience: nobody has to trust it. Bytes have digests, orders and requests have
    signatures, and everything else can be read from the chain.

    \b
    zkdps gateway run --manifest deployments/31337.json --home ./gateway --models ./models
    zkdps operator run --content http://127.0.0.1:8000 --gateway http://127.0.0.1:8000 ...
    zkdps dapp --gateway http://127.0.0.1:8000
    """


@command.command(epilog=EXIT_HELP)
@chain_options
@click.option(
    "--home",
    type=FOLDER,
    required=True,
    help="Database, index and, with the storage `folder`, content. The index may be deleted: it is "
    "read again from the chain.",
)
@click.option("--models", type=FOLDER, help="Folder of published model folders to hand out.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8000, show_default=True,
    help="Port to listen on; 0 is any free one, told in the log.",
)  # fmt: skip
@click.option(
    "--dapp-origin",
    "dapp_origins",
    multiple=True,
    help="Origin of a web page that may call, such as https://app.example; several times, or '*' "
    "for any. What is served is public and has no cookies.",
)
@click.option(
    "--public-rpc",
    "public_rpc_url",
    default="",
    help="URL of a node that browsers may use; told to everybody in /config. --rpc never is: it "
    "may hold a token.",
)
@click.option(
    "--storage",
    type=click.Choice(["folder", "s3", "ipfs"]),
    default="folder",
    show_default=True,
    help="Where content is kept. s3 reads its credentials from AWS_ACCESS_KEY_ID and "
    "AWS_SECRET_ACCESS_KEY or a profile, and needs the package's extra 's3'.",
)
@click.option("--bucket", default="", help="s3: the bucket.")
@click.option("--prefix", default="zkdps/", show_default=True, help="s3: beginning of every key.")
@click.option(
    "--endpoint",
    default="",
    help="s3: URL of the service where it is not AWS; ipfs: URL of a node's HTTP API, such as "
    "http://127.0.0.1:5001, which must not be open to others.",
)
@click.option(
    "--trust-proxy",
    is_flag=True,
    help="The one who connects is a reverse proxy of yours that writes X-Forwarded-For: limits go "
    "by the last address in it. Without a proxy anybody could write what he likes there.",
)
@click.option(
    "--max-content-mib", type=click.IntRange(1, 1024), default=8, show_default=True,
    help="Largest tensor.",
)  # fmt: skip
@click.option(
    "--storage-gib", type=click.IntRange(1), default=10, show_default=True,
    help="All content together.",
)  # fmt: skip
@click.option(
    "--writes-per-minute", type=click.IntRange(1), default=600, show_default=True,
    help="Of one client address; what an operator signs does not count.",
)  # fmt: skip
@click.option(
    "--requests-per-minute", type=click.IntRange(1), default=6000, show_default=True,
    help="Of one client address, reads and writes.",
)  # fmt: skip
@click.option(
    "--retention-hours", type=click.IntRange(0), default=24, show_default=True,
    help="How long content is kept after the last job that names it is final, or after the upload; "
    "by the protocol's clock.",
)  # fmt: skip
@click.option(
    "--confirmations", type=click.IntRange(1), default=1, show_default=True,
    help="Blocks the index waits for, an event's own included.",
)  # fmt: skip
@click.option(
    "--database-url",
    envvar="ZKDPS_DATABASE",
    default="",
    help="postgresql://user@host/name for orders, requests and the catalogue; SQLite in the home "
    "folder by default.",
)
@click.option("--access-log", is_flag=True, help="Also log a line about each request.")
def run(**options: Any) -> None:
    """Run the gateway until it is interrupted or terminated.

    It listens on this machine only unless --host says otherwise; in public it belongs behind a
    reverse proxy with TLS. Logs are one JSON event a line on standard error. The description of
    every route is at /openapi.json, whether all is well at /health.

    \b
    On one's own machine, for a web page at port 5173:
      zkdps gateway run --manifest deployments/31337.json --home ./gateway \\
          --models ./models --dapp-origin http://127.0.0.1:5173
    In public, behind a proxy, content in a bucket:
      zkdps gateway run --rpc https://node.example --public-rpc https://rpc.example \\
          --home /var/lib/zkdps --storage s3 --bucket tensors --trust-proxy \\
          --dapp-origin https://app.example --confirmations 3
    Content at an IPFS node:
      zkdps gateway run --home ./gateway --storage ipfs --endpoint http://127.0.0.1:5001 ...
    """
    try:
        from offchain.gateway.app import create_app, hold_home
        from offchain.gateway.core import open_gateway
        from offchain.gateway.limits import ClientLimits
        from offchain.gateway.server import serve
    except ModuleNotFoundError as error:
        from offchain.errors import MissingDependencyError

        raise MissingDependencyError(error.name or "fastapi", "gateway") from None
    from offchain.roles.log import Log

    host, port = options.pop("host"), options.pop("port")
    config = build_config(**options)
    log = Log("gateway")
    log.event(
        "settings", manifest=config.manifest, home=config.home, models=config.models,
        storage=config.storage.kind, dapp_origins=config.dapp_origins,
        trust_proxy=config.trust_proxy, confirmations=config.confirmations,
        retention_s=config.retention_s, limits=vars(config.limits),
    )  # fmt: skip
    # Opened here: what is wrong with node, deployment or home ends the command with its exit code.
    opened = open_gateway(config, ClientLimits(config.limits, config.trust_proxy), log)
    with hold_home(opened):
        serve(create_app(config, opened), host, port, config.trust_proxy, log)


def build_config(
    manifest: Path,
    rpc_url: str,
    home: Path,
    models: Path | None,
    storage: str,
    bucket: str,
    prefix: str,
    endpoint: str,
    max_content_mib: int,
    storage_gib: int,
    writes_per_minute: int,
    requests_per_minute: int,
    retention_hours: int,
    **others: Any,
) -> Any:
    """Return the settings of the options."""
    from offchain.gateway.config import GatewayConfig, Limits, Storage

    largest = max_content_mib * 2**20
    limits = Limits(
        max_content_bytes=largest,
        upload_bytes_per_minute=max(8 * largest, Limits.upload_bytes_per_minute),
        download_bytes_per_minute=max(8 * largest, Limits.download_bytes_per_minute),
        # What is on its way stays within the same memory, however large one may be.
        uploads_at_once=max(IN_FLIGHT_BYTES // largest, 1),
        downloads_at_once=max(4 * IN_FLIGHT_BYTES // largest, 4),
        stored_bytes=storage_gib * 2**30,
        stored_bytes_per_client=min(storage_gib * 2**30, Limits.stored_bytes_per_client),
        writes_per_minute=writes_per_minute,
        requests_per_minute=requests_per_minute,
    )
    return GatewayConfig(
        manifest=manifest,
        rpc_url=rpc_url,
        home=home,
        models=models,
        storage=Storage(kind=storage, bucket=bucket, prefix=prefix, endpoint=endpoint),
        limits=limits,
        retention_s=retention_hours * 3600,
        **others,
    )
