"""`zkdps key`: make key files."""

from __future__ import annotations

from pathlib import Path

import click

from offchain.cli.options import json_option
from offchain.cli.output import EXIT_HELP, answer


@click.group(name="key")
def command() -> None:
    """Make key files. Keys never appear on a command line, in an answer or in a log."""


@command.command(epilog=EXIT_HELP)
@click.option(
    "--key-file",
    type=click.Path(path_type=Path, resolve_path=True),
    required=True,
    help="File to write, readable by its owner only; must not exist.",
)
@json_option
def create(key_file: Path, as_json: bool) -> None:
    """Write a random key to a file and show its address."""
    from offchain.chain.keys import create_key_file

    answer({"address": create_key_file(key_file).address, "key_file": str(key_file)}, as_json)
