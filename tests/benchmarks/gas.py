"""`./scripts/bench gas`: what every entry point costs, from receipts, and the contracts' sizes."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import click

from offchain.chain.artifacts import list_artifacts, load_artifact
from offchain.chain.deployment import WITHIN
from offchain.cli.demo.narrator import Narrator
from offchain.cli.demo.play import MODEL, load_sample, prepare_model
from offchain.submit.models import encode_input, load_model
from tests.benchmarks import element_points, pinpoint_points, verdict_points
from tests.benchmarks.element_points import ElementPoints
from tests.benchmarks.entry_points import EntryPoints
from tests.benchmarks.gas_chain import GasChain, Row, run_gas_chain
from tests.benchmarks.machine import ROOT, describe_machine
from tests.benchmarks.plan_points import PlanPoints
from tests.benchmarks.row_points import RowPoints
from tests.benchmarks.session_points import AMORTISED_MAXIMUM, FULL, OPENING, SIZES
from tests.benchmarks.verdict_points import VerdictPoints

HAPPY_PATH: Final = ("createJob", "acceptJob", "commitResult", "finalise")
HAPPY_PATH_MAXIMUM: Final = 350_000
SIZE_MAXIMUM: Final = 23_500  # bytes of deployed code; EIP-170 allows 24,576
INITCODE_MAXIMUM: Final = 49_152  # EIP-3860
# What only a module of the deployment may call; its gas is in the entry points that lead there.
MODULES_ONLY: Final = frozenset(
    {
        "StakeVault.addBond", "StakeVault.addDeposit", "StakeVault.addEscrow",
        "StakeVault.chargeCredit", "StakeVault.divideSlash", "StakeVault.fundBatch",
        "StakeVault.jail", "StakeVault.splitFunds",
        "StakeVault.lockStake", "StakeVault.recordMiss", "StakeVault.settleBonds",
        "StakeVault.settleJob", "StakeVault.slashStake",
        "JobMarket.adoptJob", "JobMarket.disputeJob", "JobMarket.divideSlash",
        "JobMarket.openOrder", "JobMarket.settleProven",
        "JobMarket.settleRejected", "JobMarket.settleVoided",
        "JobMarket.pause", "JobMarket.unpause", "JobMarket.enterRefundMode",
        "JobMarket.settleDefended",
        "DisputeGame.challengeFor", "DisputeGame.holdFor", "DisputeGame.releaseFor",
        "DisputeGame.rejectFor", "DisputeGame.cureFor", "DisputeGame.settleDefended",
        "DisputeGame.voidFor", "DisputeGame.auditFor",
    }
)  # fmt: skip


@click.command()
@click.option(
    "--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Write the table."
)
@click.option(
    "--models",
    type=click.Path(file_okay=False, path_type=Path, resolve_path=True),
    default=ROOT / ".local" / "models",
    show_default=".local/models of the checkout",
    help="Folder of published models; the digits network is trained into it when it is not there.",
)
def main(json_file: Path | None, models: Path) -> None:
    """Send every transaction of the protocol on a fresh chain and show what each cost.

    Exit status 1 when an entry point was never called, the happy path costs more than 350,000 gas,
    a job in a full batch of a session more than 15,000, an element check or a verdict by a proof
    more than its bar, a dispute over a trace more than its bar, or a contract is larger than
    23.5 kB.
    """
    prepare_model(models, Narrator(lambda _line: None))
    folder = models / MODEL
    with tempfile.TemporaryDirectory() as workspace, run_gas_chain(Path(workspace)) as chain:
        # Before the refund mode, with which the entry points end.
        VerdictPoints(chain).play()
        EntryPoints(chain, folder, encode_input(load_model(folder), load_sample())).play()
        ElementPoints(chain).play()
        RowPoints(chain).play()
        PlanPoints(chain).play()
        rows, missing = summarise(chain.rows), find_missing(chain)
    sizes = measure_sizes()
    happy = {case: sum_happy_path(rows, case) for case in ("first job", "later job", "ERC-20")}
    amortised = {size: amortise(rows, size) for size in SIZES}
    report = {
        "machine": describe_machine(),
        "happy_path_gas": happy["first job"],
        "happy_path_gas_later_jobs": happy["later job"],
        "happy_path_gas_erc20": happy["ERC-20"],
        "search_gas": pinpoint_points.sum_search(rows),
        "session_gas_a_job": {str(size): gas for size, gas in amortised.items()},
        "rows": [asdict(row) for row in rows],
        "sizes": sizes,
    }
    show(rows, sizes, happy, amortised)
    if json_file is not None:
        json_file.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    problems = [f"{name} was never called" for name in missing]
    problems += [
        f"{name}: {size['code_bytes']} bytes of code, {size['initcode_bytes']} to create it"
        for name, size in sizes.items()
        if size["code_bytes"] > SIZE_MAXIMUM or size["initcode_bytes"] > INITCODE_MAXIMUM
    ]
    if happy["first job"] > HAPPY_PATH_MAXIMUM:
        problems.append(f"the happy path costs {happy['first job']} gas")
    if amortised[FULL] > AMORTISED_MAXIMUM:
        problems.append(f"a job in a batch of {FULL} costs {amortised[FULL]} gas")
    problems += element_points.explain_excess(rows) + verdict_points.explain_excess(rows)
    problems += pinpoint_points.explain_excess(rows)
    for problem in problems:
        click.echo(f"FAILED: {problem}", err=True)
    sys.exit(1 if problems else 0)


def summarise(rows: Sequence[Row]) -> Sequence[Row]:
    """Return one row for each entry point and case: the dearest, by contract and function."""
    dearest: dict[tuple[str, str, str], Row] = {}
    for row in rows:
        key = (row.contract, row.function, row.case)
        if key not in dearest or row.gas > dearest[key].gas:
            dearest[key] = row
    return sorted(dearest.values(), key=lambda row: (row.contract, row.function, row.case))


def find_missing(chain: GasChain) -> Sequence[str]:
    """Return the functions that change state, may be called from outside and were not."""
    called = {f"{row.contract}.{row.function}" for row in chain.rows}
    changing = {
        f"{name}.{entry['name']}"
        for name, deployment in chain.manifest.contracts.items()
        if name not in WITHIN  # called in the name of what made it
        for entry in deployment.abi.entries
        if entry["type"] == "function" and entry["stateMutability"] in ("nonpayable", "payable")
    }
    return sorted(changing - called - MODULES_ONLY)


def sum_happy_path(rows: Sequence[Row], case: str) -> int:
    """Return what creation, acceptance, commit and payment of one job cost together."""
    gas = {row.function: row.gas for row in rows if row.case == case}
    return sum(gas[function] for function in HAPPY_PATH)


def amortise(rows: Sequence[Row], size: int) -> int:
    """Return the gas of one job of a session with one batch: opening to payment, rounded up."""
    gas = {(row.function, row.case): row.gas for row in rows}
    total = sum(gas.get((function, f"for {size}"), 0) for function in OPENING)
    total += sum(gas[function, f"{size} results"] for function in ("commitBatch", "finaliseBatch"))
    return -(-total // size)


def measure_sizes() -> Mapping[str, Mapping[str, int]]:
    """Return the size of every contract's deployed and creation code."""
    return {
        name: {
            "code_bytes": len(load_artifact(name).runtime_code),
            "initcode_bytes": len(load_artifact(name).creation_code),
        }
        for name in list_artifacts()
    }


def show(
    rows: Sequence[Row],
    sizes: Mapping[str, Mapping[str, int]],
    happy: Mapping[str, int],
    amortised: Mapping[int, int],
) -> None:
    """Print the tables."""
    table: list[tuple[Any, ...]] = [("entry point", "case", "gas", "calldata bytes")]
    table += [
        (f"{r.contract}.{r.function}", r.case, f"{r.gas:,}", f"{r.calldata_bytes:,}") for r in rows
    ]
    for name, case, gas, calldata in table:
        click.echo(f"{name:<32}{case:<28}{gas:>12}{calldata:>16}")
    click.echo()
    for case, gas in happy.items():
        click.echo(f"create + accept + commit + finalise, {case}: {gas:,}")
    for count, gas in amortised.items():
        click.echo(f"a job of a session, {count} in its batch, opening to payment: {gas:,}")
    search = pinpoint_points.sum_search(rows)
    click.echo(f"{pinpoint_points.SEARCH}, all moves: {search:,}")
    click.echo()
    click.echo(f"{'contract':<20}{'code bytes':>12}{'initcode bytes':>16}")
    for name, size in sizes.items():
        click.echo(f"{name:<20}{size['code_bytes']:>12,}{size['initcode_bytes']:>16,}")


if __name__ == "__main__":
    main()
