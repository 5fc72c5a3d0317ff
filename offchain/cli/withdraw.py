"""`zkdps withdraw`: take credit out of the vault."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from offchain.cli.options import account_options, json_option
from offchain.cli.output import EXIT_HELP, answer

if TYPE_CHECKING:
    from offchain.roles.account import Account


@click.command(name="withdraw", epilog=EXIT_HELP)
@account_options
@json_option
def command(account: Account, as_json: bool) -> None:
    """Take all ripe credit of this key's account: fees, refunds, rewards, bonds.

    The proceeds of a slash stay in the vault for the airgap; a later call takes them.
    """
    answer(account.withdraw(), as_json)
