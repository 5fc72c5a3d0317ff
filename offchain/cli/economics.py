"""`zkdps economics`: locks that make cheating unprofitable, and whether checking pays."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from offchain.cli.options import chain_options, json_option
from offchain.cli.output import EXIT_HELP, answer, answer_rows
from offchain.params.economics import (
    BPS,
    COLLUDING_BPS,
    is_challenge_paid,
    is_defence_paid,
    minimum_lock,
    minimum_slash,
    quorum_detection_rate,
)
from offchain.params.presets import PRESETS, get_preset, get_sampling
from offchain.types import ETH

ORDERS: Final = ((1, True), (3, False), (5, False))  # replicas, and whether one may be audited
AMOUNT: Final = click.IntRange(min=0)


@click.group(name="economics")
def command() -> None:
    """When cheating does not pay, and checking does, in the smallest units of a token.

    A cheat saves work and gains what the result insures while nobody notices. The lock has to make
    it lose on average. Everything here is computed by the contracts, too (Economics.sol).

    \b
    zkdps economics lock --fee-wei 2000000000000000 --insured-wei 1000000000000000000
    zkdps economics check --lock-wei 70000000000000000 --recompute-wei 1000000000000000
    zkdps economics chain --fee-wei 2000000000000000 --manifest deployments/31337.json
    """


@command.command(epilog=EXIT_HELP)
@click.option("--fee-wei", type=AMOUNT, required=True, help="Fee of a result.")
@click.option("--insured-wei", type=AMOUNT, default=0, help="What a wrong result could gain.")
@click.option("--saved-wei", type=AMOUNT, help="Work that a cheat saves; the fee if not given.")
@click.option(
    "--preset", type=click.Choice(sorted(PRESETS)), default="local", show_default=True,
    help="Whose audit rate and default lock.",
)  # fmt: skip
@json_option
def lock(fee_wei: int, insured_wei: int, saved_wei: int | None, preset: str, as_json: bool) -> None:
    """Say what has to be locked behind each replica of an order, before gas is reckoned.

    Detection is the chance, in hundredths of a percent, that an honest operator recomputes what a
    cheat commits, where a tenth of the stake colludes. The slash has to come to `slash_wei`; of a
    lock 35 percent may return to an accomplice, so it has to be more.

    \b
    zkdps economics lock --fee-wei 2000000000000000 --preset mainnet
    """
    saved = fee_wei if saved_wei is None else saved_wei
    default = get_preset(preset).lock_fees * fee_wei
    rows = []
    for count, is_audited in ORDERS:
        rate = quorum_detection_rate(count, is_audited, get_sampling(preset).audit_bps)
        least = minimum_lock(fee_wei, insured_wei, saved, rate)
        rows.append(
            {
                "order": f"{count} audited" if is_audited else f"{count} replicas",
                "detection_bps": rate,
                "slash_wei": minimum_slash(fee_wei, insured_wei, saved, rate),
                "least_lock_wei": least,
                "lock_wei": max(default, least),
            }
        )
    answer_rows(rows, as_json)


@command.command(epilog=EXIT_HELP)
@click.option("--lock-wei", type=AMOUNT, default=0, help="Lock behind the result in doubt.")
@click.option("--recompute-wei", type=AMOUNT, default=0, help="Recomputing, gas and interest.")
@click.option("--bond-wei", type=AMOUNT, default=0, help="Bond of a challenge.")
@click.option("--proof-wei", type=AMOUNT, default=0, help="A proof and its gas.")
@json_option
def check(lock_wei: int, recompute_wei: int, bond_wei: int, proof_wei: int, as_json: bool) -> None:
    """Say whether a challenger's reward covers its work, and a lost bond the defender's.

    \b
    zkdps economics check --lock-wei 70000000000000000 --recompute-wei 1000000000000000
    """
    answer(
        {
            "is_challenge_paid": is_challenge_paid(lock_wei, recompute_wei),
            "is_defence_paid": is_defence_paid(bond_wei, proof_wei),
            "colluding_share": COLLUDING_BPS / BPS,
        },
        as_json,
    )


@command.command(epilog=EXIT_HELP)
@chain_options
@click.option("--fee-wei", type=AMOUNT, required=True, help="Fee of a result.")
@click.option("--insured-wei", type=AMOUNT, default=0, help="What a wrong result could gain.")
@json_option
def chain(rpc_url: str, manifest: Path, fee_wei: int, insured_wei: int, as_json: bool) -> None:
    """Compare the locks of a deployment's replicas with those computed here; needs no key.

    The contract takes the larger of its market's lock, with gas at the present base fee, and of
    what deters, at its own rate of audits.

    \b
    zkdps economics chain --fee-wei 2000000000000000 --manifest deployments/31337.json
    """
    from offchain.roles.context import bind_contracts, connect

    client, deployment = connect(rpc_url, manifest)
    contracts = bind_contracts(client, deployment)
    audit_bps = contracts.quorum.get_audit_bps()
    market_lock = contracts.market.compute_lock(ETH, fee_wei)
    rows = []
    for count, is_audited in ORDERS:
        rate = quorum_detection_rate(count, is_audited, audit_bps)
        least = minimum_lock(fee_wei, insured_wei, fee_wei, rate)
        found = contracts.quorum.get_replica_lock(ETH, fee_wei, count, insured_wei, is_audited)
        rows.append(
            {
                "order": f"{count} audited" if is_audited else f"{count} replicas",
                "detection_bps": rate,
                "chain_lock_wei": int(found),
                "lock_wei": max(int(market_lock), least),
                "agrees": int(found) == max(int(market_lock), least),
            }
        )
    answer_rows(rows, as_json)
