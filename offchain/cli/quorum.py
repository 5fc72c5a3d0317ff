"""`zkdps quorum`: one inference by several operators who cannot copy from each other."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from offchain.cli.options import (
    FILE,
    FOLDER,
    ContentPlace,
    account_options,
    chain_options,
    json_option,
    token_option,
)
from offchain.cli.output import EXIT_HELP, answer, answer_rows
from offchain.cli.quorum_lookup import describe_quorum, find_quorum_named, list_created
from offchain.errors import JobRefused
from offchain.types import ETH, Amount, QuorumTerms

if TYPE_CHECKING:
    from offchain.roles.account import Account
    from offchain.roles.context import Contracts

SALT_BITS: Final = 64
COUNTS: Final = ("1", "3", "5")


@click.group(name="quorum")
def command() -> None:
    """One inference by several operators who cannot copy from each other.

    Operators are drawn by stake after the order, commit to their results blindly and open them
    together. What most say is provisional for a while: one operator that knows better, or anybody,
    takes a replica out and disputes it as any job. Votes alone never cost anybody its stake.

    \b
    zkdps quorum create --version 0x... --input digit.json --models ./models \\
        --content ./content --fee-wei 2000000000000000 --count 3 --key-file client.key
    zkdps quorum show --quorum 0x3fa9
    zkdps quorum settle --quorum 0x3fa9 --key-file client.key
    """


def quorum_option(command: Any) -> Any:
    """Add --quorum."""
    return click.option(
        "--quorum",
        "named",
        required=True,
        help="Quorum's id, 0x and 64 hex digits, or its first digits where no other begins so.",
    )(command)


@command.command(epilog=EXIT_HELP)
@account_options
@click.option("--version", required=True, help="Model version, 0x and 64 hex digits.")
@click.option("--input", "input_file", type=FILE, required=True, help="Input: a JSON array.")
@click.option("--models", type=FOLDER, required=True, help="Folder of published model folders.")
@click.option(
    "--content",
    type=ContentPlace(),
    required=True,
    help="Where the input goes: a folder or a gateway's URL.",
)
@click.option("--fee-wei", type=click.IntRange(1), required=True, help="Price of each replica.")
@click.option(
    "--count",
    type=click.Choice(COUNTS),
    default="3",
    show_default=True,
    help="Replicas.",
)
@click.option(
    "--insured-wei",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="What a wrong result could gain somebody: the operators' locks grow with it.",
)
@click.option(
    "--audited",
    is_flag=True,
    help="With --count 1: the beacon may draw a second operator after the first has committed. The "
    "second fee comes back if it does not.",
)
@click.option("--salt", type=int, help="Tells equal orders apart; random by default.")
@token_option
@json_option
def create(
    account: Account,
    version: str,
    input_file: Path,
    models: Path,
    content: str,
    fee_wei: int,
    count: str,
    insured_wei: int,
    audited: bool,
    salt: int | None,
    token: str | None,
    as_json: bool,
) -> None:
    """Order replicas of one inference. The same order and salt twice are one quorum.

    An order cannot be withdrawn: a client that could would choose among draws. Where too few
    operators are enlisted it expires after T_assign and the fees come back.

    \b
    zkdps quorum create --version 0x... --input digit.json --models ./models \\
        --content ./content --fee-wei 2000000000000000 --key-file client.key
    """
    from offchain.cli.job_moves import allow
    from offchain.cli.lookup import parse_token, parse_version
    from offchain.roles.context import build_version_book
    from offchain.roles.quorum_order import place_quorum
    from offchain.submit.content import open_content
    from offchain.submit.models import encode_input

    book = build_version_book(models, account.client, account.manifest, account.contracts)
    model = book.reproduce(parse_version(version)).model
    raw = encode_input(model, json.loads(input_file.read_text(encoding="utf-8")))
    terms = QuorumTerms(
        client=account.address,
        version=parse_version(version),
        in_digest=open_content(content).put(raw, model.input_bits, model.input_shape),
        token=parse_token(account.contracts.vault, token),
        fee=Amount(fee_wei),
        count=int(count),
        insured=Amount(insured_wei),
        is_audited=audited,
        salt=secrets.randbits(SALT_BITS) if salt is None else salt,
    )
    if terms.token != ETH:
        allow(account, terms.token, (terms.count + terms.is_audited) * terms.fee)
    quorum, receipt = place_quorum(account, terms)
    facts = describe_quorum(account.client.chain_id, account.contracts, quorum)
    transaction = None if receipt is None else receipt.tx_hash
    answer({**facts, "salt": terms.salt, "transaction": transaction}, as_json)


@command.command(epilog=EXIT_HELP)
@chain_options
@quorum_option
@json_option
def show(rpc_url: str, manifest: Path, named: str, as_json: bool) -> None:
    """Show a quorum, its replicas and what anybody may do for it now; needs no key.

    \b
    zkdps quorum show --quorum 0x3fa9 --json
    """
    from offchain.roles.context import bind_contracts, connect

    client, deployment = connect(rpc_url, manifest)
    contracts = bind_contracts(client, deployment)
    quorum = find_quorum_named(client, deployment, contracts, named)
    answer(describe_quorum(client.chain_id, contracts, quorum), as_json)


@command.command(name="list", epilog=EXIT_HELP)
@chain_options
@click.option("--client", "client_address", help="Only the quorums of this client.")
@json_option
def list_(rpc_url: str, manifest: Path, client_address: str | None, as_json: bool) -> None:
    """List quorums, oldest first; needs no key.

    \b
    zkdps quorum list --client 0x... --json
    """
    from offchain.cli.lookup import parse_account
    from offchain.roles.context import bind_contracts, connect

    client, deployment = connect(rpc_url, manifest)
    contracts = bind_contracts(client, deployment)
    wanted = None if client_address is None else parse_account(client_address)
    rows = [
        describe_row(contracts, created)
        for created in list_created(client, deployment, contracts)
        if wanted is None or created.terms.client == wanted
    ]
    answer_rows(rows, as_json)


def describe_row(contracts: Contracts, created: Any) -> dict[str, Any]:
    """Return one line of the list."""
    found = contracts.quorum.get_quorum(created.id)
    return {
        "quorum": created.id,
        "state": found.state.name,
        "replicas": f"{found.size}/{found.terms.count}",
        "fee": int(found.terms.fee),
        "version": "0x" + found.terms.version.hex(),
        "block": int(created.block_number),
    }


@command.command(epilog=EXIT_HELP)
@account_options
@quorum_option
@json_option
def settle(account: Account, named: str, as_json: bool) -> None:
    """Take the step that a quorum waits for now, whatever it is; anybody may.

    Draw the replicas, end the time for commitments, decide about an audit, count, end a round,
    refund an order for which nobody was drawn; in the refund mode, give everybody its money back.
    Operators do all this for themselves; it does no harm to be faster.

    \b
    zkdps quorum settle --quorum 0x3fa9 --key-file any.key
    """
    from offchain.roles.quorum_order import keep_quorum

    contracts = account.contracts
    quorum = find_quorum_named(account.client, account.manifest, contracts, named)
    kept = keep_quorum(account, quorum)
    facts = describe_quorum(account.client.chain_id, contracts, quorum)
    if kept is None and not contracts.quorum.get_quorum(quorum).state.is_over:
        raise JobRefused(f"quorum {quorum} is {facts['state']} and waits: see zkdps quorum show")
    step, receipt = kept or (None, None)
    done = None if step is None else step.partition(":")[0]
    transaction = None if receipt is None else receipt.tx_hash
    answer({**facts, "done": done, "transaction": transaction}, as_json)


@command.command(epilog=EXIT_HELP)
@account_options
@quorum_option
@click.option("--replica", type=click.IntRange(0, 4), required=True, help="Its number, from 0.")
@json_option
def extract(account: Account, named: str, replica: int, as_json: bool) -> None:
    """Make a replica of the provisional result a job of its own, to dispute it or to stand by it.

    \b
    zkdps quorum extract --quorum 0x3fa9 --replica 1 --key-file watcher.key
    zkdps challenge open --job 0x... --key-file watcher.key
    """
    from offchain.roles.quorum_book import QuorumBook

    contracts = account.contracts
    quorum = find_quorum_named(account.client, account.manifest, contracts, named)
    found = QuorumBook(account.client.chain_id, contracts).find(quorum)
    if found is None or replica >= len(found.replicas):
        raise JobRefused(f"quorum {quorum} has no replica {replica}")
    receipt = account.send(contracts.quorum.build_extract(quorum, replica))
    job = QuorumBook(account.client.chain_id, contracts).get_job_id(found, replica)
    answer({"quorum": quorum, "job": job, "transaction": receipt.tx_hash}, as_json)
