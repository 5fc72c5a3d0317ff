"""`zkdps model plan`: what operators of a version may be disputed about, tested and made active."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from offchain.cli.options import account_options, json_option
from offchain.cli.output import EXIT_HELP, answer

if TYPE_CHECKING:
    from offchain.roles.account import Account

MODEL: Final = click.Path(exists=True, file_okay=False, path_type=Path, resolve_path=True)


@click.command(epilog=EXIT_HELP)
@account_options
@click.option("--model", type=MODEL, required=True, help="Published model folder.")
@click.option("--version", required=True, help="A version of yours, 0x and 64 hex digits.")
@click.option(
    "--part-keys",
    default="auto",
    show_default=True,
    metavar="auto|all|none|NAMES",
    help="Operators that can be proven alone, in one transaction; auto: and whose keys are cheap to"
    " set up. Everybody who uses the version sets up the same keys. NAMES: these alone,"
    " separated by commas.",
)
@json_option
def plan(account: Account, model: Path, version: str, part_keys: str, as_json: bool) -> None:
    """Submit the plan of a version, test it, and make it active, for ever.

    Disputes about single operators need it. Each adjudicator first decides real and falsified
    computations on chain, and refuses them damaged. Called again it goes on where it stopped.
    Operators that only a proof of the whole result defends are warned of: give those a part key
    whose evidence about an element is too large, and none to those whose input and output are.

    \b
    zkdps model plan --model models/mlp-digits --version 0x... --key-file registrant.key
    """
    from offchain.cli.lookup import parse_version
    from offchain.roles.plans import publish_plan
    from offchain.submit.models import load_model

    def tell(what: str) -> None:
        if sys.stderr.isatty():
            click.echo(what, err=True)

    published = publish_plan(account, load_model(model), parse_version(version), part_keys, tell)
    warn_of_undefendable(published["only_whole_proofs"])
    answer(published, as_json)


def warn_of_undefendable(operators: Sequence[str]) -> None:
    """Say on standard error which operators of a plan only a proof of the whole result defends."""
    if operators:
        click.echo(
            f"warning: a claim about {', '.join(operators)}, or about an element of it, may take "
            "more than fits a transaction: only a proof of the whole result defends it. Operators "
            "refuse the version unless they are set to --whole-proofs. Another choice of part keys "
            "(none where input and output are large) may help.",
            err=True,
        )
