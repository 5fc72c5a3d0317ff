"""The commands of `zkdps model` that move files: bundle and pull."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from offchain.cli.deployments import choose_manifest
from offchain.cli.options import DEFAULT_RPC, FILE, FOLDER, json_option
from offchain.cli.output import EXIT_HELP, answer, progress
from offchain.errors import ConfigError

if TYPE_CHECKING:
    from offchain.submit.bundle_pull import Wanted
    from offchain.submit.fetch import FetchPolicy

MODEL: Final = click.Path(exists=True, file_okay=False, path_type=Path, resolve_path=True)
MIB: Final = 2**20
DEFAULT_MAX_MIB: Final = 4096


@click.command(epilog=EXIT_HELP)
@click.option("--model", type=MODEL, required=True, help="Published model folder.")
@click.option(
    "--mirror",
    "mirrors",
    multiple=True,
    help="URL below which the folder's files lie, best first; may be repeated.",
)
@json_option
def bundle(model: Path, mirrors: Sequence[str], as_json: bool) -> None:
    """Write bundle.json beside a model's files: their sizes, SHA-256, and where they may be had.

    Register the printed `pinned` text after the bundle's URL as --uri, and whoever pulls the
    version also knows that title and labels are the registrant's.

    \b
    zkdps model bundle --model models/mlp-digits --mirror https://example.org/mlp-digits
    """
    from offchain.submit.bundle import BUNDLE_FILE, make_bundle
    from offchain.submit.content import write_atomically

    with progress("recomputing digests"):
        made = make_bundle(model, mirrors)
    raw = made.to_bytes()
    write_atomically(model / BUNDLE_FILE, raw)
    answer(
        {
            "file": str(model / BUNDLE_FILE),
            "key": made.key,
            "graph_hash": "0x" + made.graph_hash.hex(),
            "weight_root": "0x" + made.weight_root.hex(),
            "files": len(made.files),
            "bytes": made.size,
            "pinned": f"#sha256={hashlib.sha256(raw).hexdigest()}",
        },
        as_json,
    )


@click.command(epilog=EXIT_HELP)
@click.option("--version", "version", help="Registered version, 0x and 64 hex digits.")
@click.option(
    "--uri",
    "uris",
    multiple=True,
    help="Where a bundle is: http, https, ipfs, file or a path; may be repeated.",
)
@click.option("--out", type=FOLDER, required=True, help="Folder of published models.")
@click.option("--gateway", default="", help="Gateway that may have it: http(s) URL.")
@click.option(
    "--ipfs-gateway",
    envvar="ZKDPS_IPFS_GATEWAY",
    default="",
    help="URL of a gateway that serves /ipfs/CID, for ipfs:// addresses.",
)
@click.option(
    "--max-mib",
    default=DEFAULT_MAX_MIB,
    show_default=True,
    type=click.IntRange(1),
    help="Largest model that is fetched.",
)
@click.option("--manifest", type=FILE, envvar="ZKDPS_MANIFEST", help="The deployment.")
@click.option(
    "--rpc",
    "rpc_url",
    is_eager=True,
    envvar="ZKDPS_RPC",
    default=DEFAULT_RPC,
    show_default=True,
    help="The node, with --version.",
)
@json_option
@click.pass_context
def pull(
    context: click.Context,
    version: str | None,
    uris: Sequence[str],
    out: Path,
    gateway: str,
    ipfs_gateway: str,
    max_mib: int,
    manifest: Path | None,
    rpc_url: str,
    as_json: bool,
) -> None:
    """Fetch a model's files, reproduce it, and only then put it among the models.

    With --version, from your --uri, then from where its registrant says, then from --gateway; every
    digest of the registration is recomputed. With --uri alone, the model is what its bundle claims.
    What an interrupted pull received is not fetched again. Needs no key.

    \b
    zkdps model pull --version 0x... --out models --manifest deployments/31337.json
    zkdps model pull --uri https://example.org/mlp-digits/bundle.json --out models
    """
    from offchain.cli.meter import Meter
    from offchain.submit.bundle_pull import list_addresses, pull_model
    from offchain.submit.fetch import FetchPolicy, parse_user_uri

    if version is None and not uris:
        raise click.UsageError("give --version, --uri or both")
    named = [parse_user_uri(uri) for uri in uris]
    policy = FetchPolicy(ipfs_gateway=ipfs_gateway)
    for url in (*named, gateway, ipfs_gateway):
        policy = policy.trusting(url)
    wanted, addresses = None, list(named)
    if version is not None:
        chosen = choose_manifest(context, context.command.params[0], manifest)
        wanted, registered, policy = _read_version(version, chosen, rpc_url, policy)
        addresses += list_addresses(registered, gateway, wanted.key)
        if not addresses:
            raise ConfigError(
                f"the version was registered with {registered!r}, which is no address: "
                "give --uri or --gateway"
            )
    meter = Meter()
    try:
        pulled = pull_model(addresses, out, policy, wanted, max_mib * MIB, meter.report)
    finally:
        meter.close()
    facts: dict[str, Any] = {
        "folder": str(pulled.model.folder),
        "key": pulled.key,
        "fetched": bool(pulled.source),
        "bytes": pulled.size,
        "source": pulled.source,
        "graph_hash": "0x" + pulled.model.graph.hash().hex(),
        "weight_root": "0x" + pulled.model.compute_weight_root().hex(),
        "compared_with_registration": wanted is not None,
    }
    answer(facts, as_json)


def _read_version(
    version: str, manifest: Path | None, rpc_url: str, policy: FetchPolicy
) -> tuple[Wanted, str, FetchPolicy]:
    """Return what is registered, where its registrant says it is, and the policy of the chain."""
    from dataclasses import replace

    from offchain.chain.data_contract import read_data
    from offchain.cli.lookup import parse_version
    from offchain.params.settings import LOCAL_CHAIN_IDS
    from offchain.roles.context import bind_contracts, connect
    from offchain.submit.bundle_pull import Wanted
    from offchain.submit.models import Model
    from offchain.submit.versions import verify_version

    if manifest is None:
        raise ConfigError("--version needs --manifest")
    client, deployment = connect(rpc_url, manifest)
    registry = bind_contracts(client, deployment).registry
    registered = registry.get_version(parse_version(version))
    params = registry.find_params(registered.id, deployment.first_block)
    vk_blob = read_data(registered.vk_data, client.get_code)
    verifier = deployment.get("VerifierCore").address

    def check(model: Model) -> None:
        verify_version(registered, model, vk_blob, deployment.srs_id, verifier)

    wanted = Wanted(registered.graph_hash, registered.weight_root, check)
    is_local = deployment.chain_id in LOCAL_CHAIN_IDS
    return wanted, params.uri if params else "", replace(policy, is_private_allowed=is_local)


COMMANDS: Final = (bundle, pull)
