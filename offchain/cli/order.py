"""`zkdps order`: a job ordered by signature, at a price that rises until an operator takes it."""

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
    gateway_option,
    json_option,
    token_option,
)
from offchain.cli.output import EXIT_HELP, answer
from offchain.errors import ConfigError
from offchain.types import ETH, Amount, OrderHash, Seconds, VerifyMask

if TYPE_CHECKING:
    from offchain.roles.account import Account
    from offchain.submit.gateway import SignedOrder
    from offchain.types import Order

SALT_BITS: Final = 64
OUT: Final = click.Path(dir_okay=False, path_type=Path, resolve_path=True)


@click.group(name="order")
def command() -> None:
    """Order by signature, at a price that rises until an operator takes it.

    Signing costs no gas. The fee is charged to the client's credit in the vault when an operator
    takes the order; until then it can be cancelled, and the credit withdrawn.

    \b
    zkdps order fund --amount-wei 10000000000000000 --key-file client.key
    zkdps order sign --version 0x... --input digit.json --min-fee-wei 100000000000000 \\
        --max-fee-wei 2000000000000000 --out order.json ...
    zkdps order post --file order.json --gateway http://127.0.0.1:8000
    zkdps order show --file order.json
    """


def file_option(command: Any) -> Any:
    """Add --file."""
    return click.option(
        "--file", "file", type=FILE, required=True, help="Order, as `zkdps order sign` wrote it."
    )(command)


@command.command(epilog=EXIT_HELP)
@account_options
@click.option("--amount-wei", type=int, required=True, help="Credit to add, in wei or token units.")
@token_option
@json_option
def fund(account: Account, amount_wei: int, token: str | None, as_json: bool) -> None:
    """Add to this key's credit in the vault, from which its orders are paid.

    What no order takes can be withdrawn at any time: `zkdps withdraw`.

    \b
    zkdps order fund --amount-wei 10000000000000000 --key-file client.key
    """
    from offchain.cli.job_moves import allow
    from offchain.cli.lookup import parse_token

    vault = account.contracts.vault
    key = parse_token(vault, token)
    if key != ETH:
        allow(account, key, amount_wei)
    receipt = account.send(vault.build_fund(amount_wei, key))
    answer(
        {
            "account": account.address,
            "token": "ETH" if key == ETH else key,
            "credit": int(vault.get_account(account.address, key).credit),
            "transaction": receipt.tx_hash,
        },
        as_json,
    )


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
@click.option("--min-fee-wei", type=int, required=True, help="Price at first.")
@click.option("--max-fee-wei", type=int, required=True, help="Price in the end: the most it costs.")
@click.option(
    "--ramp-seconds",
    type=click.IntRange(0),
    default=60,
    show_default=True,
    help="How long the price takes to rise, from now on, in block time.",
)
@click.option(
    "--take-seconds",
    type=click.IntRange(1),
    default=600,
    show_default=True,
    help="How long the order can be taken.",
)
@click.option("--proof-required", is_flag=True, help="Never final without a proof.")
@token_option
@click.option("--out", type=OUT, required=True, help="File to write: order and signature.")
@json_option
def sign(
    account: Account,
    version: str,
    input_file: Path,
    models: Path,
    content: str,
    min_fee_wei: int,
    max_fee_wei: int,
    ramp_seconds: int,
    take_seconds: int,
    proof_required: bool,
    token: str | None,
    out: Path,
    as_json: bool,
) -> None:
    """Sign an order and write it to a file; nothing is sent but the input to where content is.

    The version is reproduced from the published files first. Whoever has the file can have the
    order taken, by an operator, at its price, once.

    \b
    zkdps order sign --version 0x... --input digit.json --models ./models \\
        --content http://127.0.0.1:8000 --min-fee-wei 100000000000000 \\
        --max-fee-wei 2000000000000000 --out order.json --key-file client.key
    """
    from offchain.cli.lookup import parse_token, parse_version
    from offchain.roles.context import build_version_book
    from offchain.submit.content import open_content
    from offchain.submit.gateway import SignedOrder
    from offchain.submit.models import encode_input
    from offchain.types import Order

    if out.exists():
        raise ConfigError(f"{out} exists; a signed order is never overwritten")
    if not 0 <= min_fee_wei <= max_fee_wei:
        raise ConfigError("the price rises from --min-fee-wei to --max-fee-wei")
    book = build_version_book(models, account.client, account.manifest, account.contracts)
    model = book.reproduce(parse_version(version)).model
    raw = encode_input(model, json.loads(input_file.read_text(encoding="utf-8")))
    digest = open_content(content).put(raw, model.input_bits, model.input_shape)
    now = account.contracts.market.get_time().now
    order = Order(
        client=account.address,
        version=parse_version(version),
        in_digest=digest,
        token=parse_token(account.contracts.vault, token),
        min_fee=Amount(min_fee_wei),
        max_fee=Amount(max_fee_wei),
        ramp_start=now,
        ramp_end=Seconds(now + ramp_seconds),
        take_until=Seconds(now + take_seconds),
        verify_mask=int(VerifyMask.PROOF_REQUIRED if proof_required else VerifyMask.NONE),
        salt=secrets.randbits(SALT_BITS),
    )
    orders = account.contracts.orders
    signed = SignedOrder(order, account.sign_typed(orders.build_message(order)))
    write_order(out, signed)
    answer({"order": orders.hash_order(order), "file": str(out), **describe(order)}, as_json)


@command.command(epilog=EXIT_HELP)
@file_option
@gateway_option
@json_option
def post(file: Path, gateway: str, as_json: bool) -> None:
    """Show a signed order to the operators of a gateway; needs no key.

    \b
    zkdps order post --file order.json --gateway http://127.0.0.1:8000
    """
    from offchain.submit.gateway import GatewayClient

    told = GatewayClient(gateway).post_order(read_order(file))
    answer({"order": told.get("orderHash"), "price": told.get("price")}, as_json)


@command.command(epilog=EXIT_HELP)
@account_options
@file_option
@json_option
def cancel(account: Account, file: Path, as_json: bool) -> None:
    """Withdraw an order that nobody has taken. Sign with its client's key.

    \b
    zkdps order cancel --file order.json --key-file client.key
    """
    orders, signed = account.contracts.orders, read_order(file)
    order_hash = orders.hash_order(signed.order)
    transaction = None
    if not orders.is_cancelled(order_hash):
        transaction = account.send(orders.build_cancel_order(signed.order)).tx_hash
    answer({"order": order_hash, "state": "cancelled", "transaction": transaction}, as_json)


@command.command(epilog=EXIT_HELP)
@chain_options
@file_option
@json_option
def show(rpc_url: str, manifest: Path, file: Path, as_json: bool) -> None:
    """Show what became of an order, as the chain has it, and its price now; needs no key.

    \b
    zkdps order show --file order.json --json
    """
    from offchain.roles.context import bind_contracts, connect

    client, deployment = connect(rpc_url, manifest)
    contracts = bind_contracts(client, deployment)
    order, orders = read_order(file).order, contracts.orders
    order_hash, now = orders.hash_order(order), contracts.market.get_time().now
    job = orders.find_job(OrderHash(order_hash))
    credit = contracts.vault.get_account(order.client, order.token).credit
    state = "open" if now <= order.take_until else "expired"
    if orders.is_cancelled(order_hash):
        state = "cancelled"
    if job is not None:
        state = "taken"
    answer(
        {
            "order": order_hash,
            "state": state,
            "job": job,
            "price": int(orders.get_price(order)),
            "clock": int(now),
            "credit": int(credit),
            **describe(order),
        },
        as_json,
    )


def describe(order: Order) -> dict[str, Any]:
    """Return an order's terms in plain facts."""
    return {
        "client": order.client,
        "version": "0x" + order.version.hex(),
        "in_digest": "0x" + order.in_digest.hex(),
        "token": "ETH" if order.token == ETH else order.token,
        "min_fee": int(order.min_fee),
        "max_fee": int(order.max_fee),
        "ramp_start": int(order.ramp_start),
        "ramp_end": int(order.ramp_end),
        "take_until": int(order.take_until),
        "proof_required": bool(order.verify_mask & VerifyMask.PROOF_REQUIRED),
    }


def write_order(file: Path, signed: SignedOrder) -> None:
    """Write an order and its signature atomically; raises StorageError."""
    from offchain.submit.content import write_atomically
    from offchain.submit.gateway import order_to_json

    document = {"order": order_to_json(signed.order), "signature": "0x" + signed.signature.hex()}
    write_atomically(file, (json.dumps(document, indent=1) + "\n").encode())


def read_order(file: Path) -> SignedOrder:
    """Read what `write_order` wrote; raise ConfigError for anything else."""
    from offchain.submit.gateway import parse_signed_order

    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        return parse_signed_order(document)
    except (ValueError, AttributeError, TypeError) as error:
        raise ConfigError(f"{file} is no signed order: {error}") from None
