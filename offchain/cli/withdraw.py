"""`zkdps withdraw`: take credit out of the vault."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from offchain.cli.options import account_options, json_option, token_option
from offchain.cli.output import EXIT_HELP, answer
from offchain.types import ETH

if TYPE_CHECKING:
    from offchain.roles.account import Account


@click.command(name="withdraw", epilog=EXIT_HELP)
@account_options
@token_option
@json_option
def command(account: Account, token: str | None, as_json: bool) -> None:
    """Take all credit of this key's account: fees, refunds, rewards, bonds.

    Works at all times, in a pause too. Where there is no credit, nothing is sent. Stake leaves by
    `zkdps operator unbond`.

    \b
    zkdps withdraw --key-file client.key
    zkdps withdraw --key-file client.key --token 0x...       the ERC-20 of the deployment
    """
    from offchain.cli.lookup import parse_token

    vault = account.contracts.vault
    key = parse_token(vault, token)
    amount = vault.get_account(account.address, key).credit
    transaction = None
    if amount:
        transaction = account.send(vault.build_withdraw_credit(key)).tx_hash
    answer(
        {
            "account": account.address,
            "token": "ETH" if key == ETH else key,
            "amount": int(amount),
            "transaction": transaction,
        },
        as_json,
    )
