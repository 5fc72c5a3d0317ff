"""`zkdps evidence`: everything about a job's disputes in one file, and its check without a node."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from offchain.cli.options import FILE, FOLDER, ContentPlace, chain_options, json_option
from offchain.cli.output import EXIT_HELP, answer, answer_rows
from offchain.errors import ConfigError, EvidenceError

if TYPE_CHECKING:
    from offchain.roles.dossier import Finding


@click.group(name="evidence")
def command() -> None:
    """Take a job's disputes off the chain, and check them without it.

    \b
    zkdps evidence export 0x3fa9 --out dispute.json
    zkdps evidence check dispute.json --model ./models/mlp-digits
    """


@command.command(epilog=EXIT_HELP)
@click.argument("job")
@chain_options
@click.option(
    "--content",
    type=ContentPlace(),
    help="Where the trace was published: a folder or a gateway's URL.",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write; standard output otherwise.",
)
@json_option
def export(
    rpc_url: str,
    manifest: Path,
    job: str,
    content: str | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Write down all that an outsider needs to check the disputes about JOB.

    Terms, plan, trace, the calldata of every move, evidence and verdicts.

    \b
    zkdps evidence export 0x3fa9 --manifest deployments/31337.json --out dispute.json
    """
    from offchain.cli.lookup import find_job
    from offchain.roles.context import bind_contracts, connect
    from offchain.roles.dossier import export_dossier
    from offchain.submit.content import open_content

    client, deployment = connect(rpc_url, manifest)
    contracts = bind_contracts(client, deployment)
    found = find_job(contracts, deployment, job)
    store = None if content is None else open_content(content)
    document = export_dossier(client, deployment, contracts, store, found.id)
    text = json.dumps(document, indent=1)
    if out is None:
        print(text, flush=True)
        return
    out.write_text(text + "\n", encoding="utf-8")
    answer({"file": str(out), "job": found.id, "moves": len(document["moves"])}, as_json)


@command.command(epilog=EXIT_HELP)
@click.argument("file", type=FILE)
@click.option("--model", type=FOLDER, help="The model's published folder, to check the plan, too.")
@json_option
def check(file: Path, model: Path | None, as_json: bool) -> None:
    """Recompute whatever FILE says, without a node.

    \b
    zkdps evidence check dispute.json --model ./models/mlp-digits
    """
    from offchain.chain.artifacts import load_artifact
    from offchain.roles.dossier import Dossier
    from offchain.submit.models import load_model

    try:
        document: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ConfigError(f"{file}: {error}") from None
    dossier = Dossier(document, load_artifact("PinpointGame").abi)
    findings = dossier.check(None if model is None else load_model(model))
    answer_rows([_describe(finding) for finding in findings], as_json)
    wrong = [finding.what for finding in findings if finding.holds is False]
    if wrong:
        raise EvidenceError(f"{len(wrong)} checks fail: {wrong[0]}")


def _describe(finding: Finding) -> dict[str, str]:
    holds = {True: "holds", False: "FAILS", None: "not checked"}[finding.holds]
    return {"check": finding.what, "result": holds, "detail": finding.detail}
