"""`zkdps guardian`: pause, end of a pause, refunds, renunciation; two of three members."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from offchain.cli.options import account_options, chain_options, json_option
from offchain.cli.output import EXIT_HELP, answer
from offchain.errors import ConfigError
from offchain.types import GuardianAction

if TYPE_CHECKING:
    from offchain.roles.account import Account

ACTIONS: Final = [action.name.lower() for action in GuardianAction]


@click.group(name="guardian")
def command() -> None:
    """Pause the protocol, end a pause, turn it to refunds, or lay that power down.

    Two of the three members have to approve within a day. They can move no money: in the refund
    mode everybody gets its own back.
    """


@command.command(epilog=EXIT_HELP)
@account_options
@click.argument("action", type=click.Choice(ACTIONS))
@click.option("--take-back", is_flag=True, help="Withdraw this member's approval instead.")
@click.option("--yes", is_flag=True, help="Needed for refund and renounce, which are for ever.")
@json_option
def approve(account: Account, action: str, take_back: bool, yes: bool, as_json: bool) -> None:
    """Approve an action; the second member's approval executes it.

    \b
    zkdps guardian approve pause --key-file member.key
    zkdps guardian approve refund --yes --key-file member.key
    """
    chosen = GuardianAction[action.upper()]
    if chosen in (GuardianAction.REFUND, GuardianAction.RENOUNCE) and not (yes or take_back):
        raise ConfigError(f"{action} is for ever: say --yes")
    from offchain.chain.contracts.guardian import Guardian

    guardian = Guardian(account.client, account.manifest)
    build = guardian.build_withdraw_approval if take_back else guardian.build_approve
    receipt = account.send(build(chosen))
    time = account.contracts.market.get_time()
    answer(
        {
            "action": action,
            "paused": time.is_paused,
            "refund_mode": time.is_refund_mode,
            "renounced": guardian.is_renounced(),
            "transaction": receipt.tx_hash,
        },
        as_json,
    )


@command.command(epilog=EXIT_HELP)
@chain_options
@json_option
def status(rpc_url: str, manifest: Path, as_json: bool) -> None:
    """Show the members, and whether the protocol is paused or in the refund mode; needs no key.

    \b
    zkdps guardian status --manifest deployments/31337.json
    """
    from offchain.chain.contracts.guardian import Guardian
    from offchain.roles.context import bind_contracts, connect

    client, deployment = connect(rpc_url, manifest)
    guardian = Guardian(client, deployment)
    time = bind_contracts(client, deployment).market.get_time()
    answer(
        {
            "members": list(deployment.guardians),
            "renounced": guardian.is_renounced(),
            "paused": time.is_paused,
            "refund_mode": time.is_refund_mode,
            "clock": int(time.now),
            "chain_time": int(client.get_head().timestamp),
        },
        as_json,
    )
