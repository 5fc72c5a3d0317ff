"""The commands of `zkdps model` that know the chain: register, verify, list, show."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from offchain.cli.describe import show as show_value
from offchain.cli.options import account_options, chain_options, json_option
from offchain.cli.output import EXIT_HELP, ExitCode, answer, answer_rows, progress
from offchain.cli.plans import warn_of_undefendable

if TYPE_CHECKING:
    from offchain.roles.account import Account
    from offchain.types import Version

MODEL: Final = click.Path(exists=True, file_okay=False, path_type=Path, resolve_path=True)
SHORT: Final = 10


@click.command(epilog=EXIT_HELP)
@chain_options
@click.option("--model", type=MODEL, required=True, help="Published model folder.")
@click.option("--version", required=True, help="Registered version, 0x and 64 hex digits.")
@json_option
def verify(rpc_url: str, manifest: Path, model: Path, version: str, as_json: bool) -> None:
    """Recompute every digest of a registered version from the model's files; needs no key.

    Graph, weights, program, verification key with its commitments and tables, reference string, and
    the plan of its operators where there is one. Each is shown with what was registered; exit code
    5 where one differs: do not use the version. Operators that only a proof of the whole result
    defends are warned of.

    \b
    zkdps model verify --model models/mlp-digits --version 0x...
    """
    from offchain.chain.contracts.adjudicator_registry import AdjudicatorRegistry
    from offchain.chain.data_contract import read_data
    from offchain.cli.lookup import parse_version
    from offchain.roles.context import bind_contracts, connect
    from offchain.submit.models import load_model
    from offchain.submit.plans import PlanBook
    from offchain.submit.versions import ReproducedVersion, compare_version

    client, deployment = connect(rpc_url, manifest)
    registered = bind_contracts(client, deployment).registry.get_version(parse_version(version))
    with progress("recomputing digests and commitments"):
        loaded = load_model(model)
        vk_blob = read_data(registered.vk_data, client.get_code)
        verifier = deployment.get("VerifierCore").address
        checks = compare_version(registered, loaded, vk_blob, deployment.srs_id, verifier)
        plan, recomputed = AdjudicatorRegistry(client, deployment).get_plan(registered.id), None
        if plan is not None:
            book = PlanBook(AdjudicatorRegistry(client, deployment), deployment.first_block)
            recomputed, claims = book.recompute(ReproducedVersion(registered, loaded), plan)
            checks += tuple(claims)
    reproduced = all(check.agrees for check in checks)
    rows = [
        {
            "digest": check.what,
            "verdict": "match" if check.agrees else "MISMATCH",
            "registered": show_value(check.registered),
            "recomputed": show_value(check.recomputed),
        }
        for check in checks
    ]
    undefendable = [] if recomputed is None else [*recomputed.list_undefendable()]
    warn_of_undefendable(undefendable)
    if as_json:
        active_at = plan.active_at if plan else 0
        facts = {"version": version, "model": str(model), "reproduced": reproduced}
        facts |= {"plan_active_at": active_at, "only_whole_proofs": undefendable}
        answer({**facts, "digests": rows}, as_json)
    else:
        answer_rows(rows, as_json)
    sys.exit(ExitCode.OK if reproduced else ExitCode.MISMATCH)


@click.command(epilog=EXIT_HELP)
@account_options
@click.option("--model", type=MODEL, required=True, help="Published model folder.")
@click.option("--prove-seconds", type=int, help="Time an ordinary machine needs; default: a bound.")
@click.option("--proof-gas", type=int, help="Gas of one proof transaction; default: a bound.")
@click.option(
    "--royalty-bps",
    default=0,
    show_default=True,
    help="The registrant's part of every fee, in hundredths of a percent; at most 2,000.",
)
@click.option("--uri", default="", help="Where others find the files.")
@click.option(
    "--fault",
    type=click.Choice(["poisoned-program", "poisoned-root", "poisoned-weights"]),
    help="Drill on a development chain: register a lie about the model instead.",
)
@json_option
def register(
    account: Account,
    model: Path,
    prove_seconds: int | None,
    proof_gas: int | None,
    royalty_bps: int,
    uri: str,
    fault: str | None,
    as_json: bool,
) -> None:
    """Publish a model's verification key on chain and register its version, for ever.

    A version of the same files, terms and key that is registered already is left alone.

    \b
    zkdps model register --model models/mlp-digits --key-file registrant.key
    """
    from offchain.roles.poison import register_poisoned

    with progress("committing to the weights and registering"):
        if fault is None:
            registered = account.register_version(
                model, uri or model.name, prove_seconds, proof_gas, royalty_bps
            )
        else:
            registered = register_poisoned(account, model, fault)
    answer(registered, as_json)


@click.command(name="list", epilog=EXIT_HELP)
@chain_options
@json_option
def list_(rpc_url: str, manifest: Path, as_json: bool) -> None:
    """List every registered version; needs no key. A registration is a claim: verify it.

    \b
    zkdps model list --manifest deployments/31337.json
    """
    from offchain.roles.context import bind_contracts, connect

    client, deployment = connect(rpc_url, manifest)
    registry = bind_contracts(client, deployment).registry
    topics = [registry.abi.get_topic("VersionRegistered")]
    last = client.get_head().number
    logs = client.collect_logs([registry.address], deployment.first_block, last, topics)
    rows = []
    for event in filter(None, map(registry.abi.decode_event, logs)):
        version = registry.get_version(event.arguments["versionId"])
        rows.append(
            {
                "number": version.number,
                "version": show_value(version.id),
                "owner": version.owner,
                "royalty_bps": version.royalty_bps,
                "output_bytes": version.output_bytes,
                "proof_gas": version.proof_gas,
                "block": event.block_number,
            }
        )
    answer_rows(rows, as_json)


@click.command(epilog=EXIT_HELP)
@chain_options
@click.option("--version", required=True, help="Registered version, 0x and 64 hex digits.")
@json_option
def show(rpc_url: str, manifest: Path, version: str, as_json: bool) -> None:
    """Show what a version declares, and what a challenge and a proof of it cost now.

    \b
    zkdps model show --version 0x...
    """
    from offchain.cli.lookup import parse_version
    from offchain.roles.context import bind_contracts, connect

    client, deployment = connect(rpc_url, manifest)
    contracts = bind_contracts(client, deployment)
    found = contracts.registry.get_version(parse_version(version))
    answer(
        {
            **describe_version(found),
            "bond_wei": int(contracts.game.get_bond(found.id)),
            "least_fee_with_proof_wei": int(contracts.market.compute_proof_fee(found.id)),
        },
        as_json,
    )


COMMANDS: Final = (register, verify, list_, show)


def describe_version(version: Version) -> Mapping[str, Any]:
    """Return a version as the registry holds it."""
    facts = {name: show_value(value) for name, value in asdict(version).items()}
    return {"version": facts.pop("id"), **facts}
