"""`zkdps model`: train, check and register models."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from offchain.cli.options import FOLDER, account_options, chain_options, json_option
from offchain.cli.output import EXIT_HELP, answer, progress

if TYPE_CHECKING:
    from offchain.roles.account import Account

MODEL = click.Path(exists=True, file_okay=False, path_type=Path, resolve_path=True)


@click.group(name="model")
def command() -> None:
    """Train, check and register models. A published model is a folder of plain files."""


@command.command(epilog=EXIT_HELP)
@click.option("--out", type=FOLDER, required=True, help="Folder to write; must not exist.")
@click.option("--seed", default=0, show_default=True, help="Seed of the training.")
@json_option
def train(out: Path, seed: int, as_json: bool) -> None:
    """Train the digits network, import it through ONNX, quantize it, publish it.

    Real scans (scikit-learn's digits); refused when held-out accuracy is below 95 % or the integer
    graph agrees with the float network on less than 99 %.
    """
    from offchain.commit.digits import build_digits_model

    with progress("training and quantizing"):
        built = build_digits_model(out, seed)
    held_out = built.model.report["sets"]["heldOut"]
    answer(
        {
            "folder": str(out),
            "graph_hash": "0x" + built.model.graph.hash().hex(),
            "train_s": round(built.train_s, 2),
            "quantize_s": round(built.quantize_s, 2),
            "held_out_accuracy": held_out["integerAccuracy"],
            "held_out_agreement": held_out["agreement"],
        },
        as_json,
    )


@command.command(epilog=EXIT_HELP)
@chain_options
@click.option("--model", type=MODEL, required=True, help="Published model folder.")
@click.option("--version", required=True, help="Registered version, 0x and 64 hex digits.")
@json_option
def verify(rpc_url: str, manifest: Path, model: Path, version: str, as_json: bool) -> None:
    """Recompute every digest of a registered version from the model's files.

    Graph, weights, program, commitments and reference string; exit code 5 where any differs.
    """
    from offchain.cli.job import parse_version
    from offchain.roles.context import bind_contracts, connect
    from offchain.submit.models import load_model
    from offchain.submit.versions import verify_version

    client, deployment = connect(rpc_url, manifest)
    registered = bind_contracts(client, deployment).registry.get_version(parse_version(version))
    with progress("recomputing digests and commitments"):
        loaded = load_model(model)
        code = client.get_code(registered.vk_data)
        verify_version(registered, loaded, code, deployment.srs_id)
    answer({"version": version, "model": str(model), "reproduced": True}, as_json)


@command.command(epilog=EXIT_HELP)
@account_options
@click.option("--model", type=MODEL, required=True, help="Published model folder.")
@click.option("--prove-seconds", type=int, help="Time an ordinary machine needs; default: a bound.")
@click.option("--proof-gas", type=int, help="Gas of one proof transaction; default: a bound.")
@click.option("--uri", default="", help="Where others find the files.")
@json_option
def register(
    account: Account,
    model: Path,
    prove_seconds: int | None,
    proof_gas: int | None,
    uri: str,
    as_json: bool,
) -> None:
    """Publish a model's verification key on chain and register its version, for ever."""
    with progress("committing to the weights and registering"):
        registered = account.register_version(model, uri or model.name, prove_seconds, proof_gas)
    answer(registered, as_json)
