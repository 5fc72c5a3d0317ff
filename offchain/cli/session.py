"""`zkdps session`: one deposit, many signed requests, results committed in batches."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from offchain.cli.options import account_options, chain_options, json_option, token_option
from offchain.cli.output import EXIT_HELP, answer
from offchain.cli.session_lookup import find, find_session, read_events, session_option
from offchain.cli.session_request import request
from offchain.errors import JobRefused
from offchain.types import ETH, SessionId, SessionState, SessionTerms

if TYPE_CHECKING:
    from offchain.roles.account import Account
    from offchain.roles.context import Contracts

SALT_BITS: Final = 64
COMMITTED: Final = "BatchCommitted"


@click.group(name="session")
def command() -> None:
    """One deposit, many signed requests, results committed in batches.

    A session names one operator, one model version and one fee. Each request is a signature and
    costs no gas; the operator answers off chain with a signed result and commits up to 256 of them
    in one transaction, once their fees pay for its gas (some 320 k and 14 k a result). A result
    that is wrong is challenged alone, as a job of its own.

    \b
    zkdps session open --version 0x... --operator 0x... --fee-wei 100000000000000 \\
        --deposit-wei 10000000000000000 --key-file client.key
    zkdps session request --session 0x3fa9 --input digit.json --gateway http://127.0.0.1:8000 ...
    zkdps session close --session 0x3fa9 --key-file client.key
    zkdps session withdraw --session 0x3fa9 --key-file client.key       T_exec later
    """


command.add_command(request)


@command.command(name="open", epilog=EXIT_HELP)
@account_options
@click.option("--version", required=True, help="Model version, 0x and 64 hex digits.")
@click.option("--operator", required=True, help="Owner of the stake that answers for the results.")
@click.option("--fee-wei", type=int, required=True, help="Price of one result.")
@click.option("--deposit-wei", type=int, required=True, help="First deposit: one fee at least.")
@click.option("--signer", help="Address whose signatures count; this key's own by default.")
@click.option("--salt", type=int, help="Tells sessions of equal terms apart; random by default.")
@token_option
@json_option
def open_(
    account: Account,
    version: str,
    operator: str,
    fee_wei: int,
    deposit_wei: int,
    signer: str | None,
    salt: int | None,
    token: str | None,
    as_json: bool,
) -> None:
    """Open a session with a deposit. The same terms and salt twice are one session.

    \b
    zkdps session open --version 0x... --operator 0x... --fee-wei 100000000000000 \\
        --deposit-wei 10000000000000000 --key-file client.key
    """
    from offchain.chain.session_ids import compute_session_id
    from offchain.cli.job_moves import allow
    from offchain.cli.lookup import parse_account, parse_token, parse_version
    from offchain.types import Amount

    sessions = account.contracts.sessions
    terms = SessionTerms(
        client=account.address,
        signer=account.address if signer is None else parse_account(signer),
        operator=parse_account(operator),
        version=parse_version(version),
        token=parse_token(account.contracts.vault, token),
        fee=Amount(fee_wei),
        salt=secrets.randbits(SALT_BITS) if salt is None else salt,
    )
    session = compute_session_id(account.client.chain_id, sessions.address, terms)
    if terms.token != ETH:
        allow(account, terms.token, deposit_wei)
    call = sessions.build_open_session(
        terms.signer, terms.operator, terms.version, terms.token, fee_wei, terms.salt, deposit_wei
    )
    receipt = account.send(call)
    answer(
        {
            **describe_session(account.contracts, session),
            "salt": terms.salt,
            "transaction": receipt.tx_hash,
        },
        as_json,
    )


@command.command(epilog=EXIT_HELP)
@account_options
@session_option
@click.option("--amount-wei", type=int, required=True, help="What to add, in the session's token.")
@json_option
def deposit(account: Account, session: str, amount_wei: int, as_json: bool) -> None:
    """Add to the deposit of an open session. Sign with its client's key.

    \b
    zkdps session deposit --session 0x3fa9 --amount-wei 10000000000000000 --key-file client.key
    """
    from offchain.cli.job_moves import allow

    sessions = account.contracts.sessions
    found = find(account, session)
    token = sessions.get_session(found).terms.token
    if token != ETH:
        allow(account, token, amount_wei)
    receipt = account.send(sessions.build_add_deposit(found, amount_wei, token))
    answer({**describe_session(account.contracts, found), "transaction": receipt.tx_hash}, as_json)


@command.command(epilog=EXIT_HELP)
@account_options
@session_option
@json_option
def close(account: Account, session: str, as_json: bool) -> None:
    """Take no further results, so that the rest of the deposit comes back.

    The client's key: the operator may still post what it has answered, for T_exec; then `zkdps
    session withdraw`. The operator's owner or worker: at once.

    \b
    zkdps session close --session 0x3fa9 --key-file client.key
    """
    sessions = account.contracts.sessions
    found = find(account, session)
    transaction = None
    if sessions.get_session(found).state is SessionState.OPEN or is_operators(account, found):
        transaction = account.send(sessions.build_close_session(found)).tx_hash
    answer({**describe_session(account.contracts, found), "transaction": transaction}, as_json)


@command.command(epilog=EXIT_HELP)
@account_options
@session_option
@json_option
def withdraw(account: Account, session: str, as_json: bool) -> None:
    """Credit the rest of a closed session's deposit to its client; anybody may.

    \b
    zkdps session withdraw --session 0x3fa9 --key-file any.key
    zkdps withdraw --key-file client.key                  takes the credit out of the vault
    """
    sessions = account.contracts.sessions
    found = find(account, session)
    state, transaction = sessions.get_session(found).state, None
    if state is SessionState.OPEN and not account.contracts.market.get_time().is_refund_mode:
        raise JobRefused(f"session {found} is open: zkdps session close")
    if state in (SessionState.OPEN, SessionState.CLOSING):
        is_refund = account.contracts.market.get_time().is_refund_mode
        build = sessions.build_void_session if is_refund else sessions.build_withdraw_session
        transaction = account.send(build(found)).tx_hash
    answer({**describe_session(account.contracts, found), "transaction": transaction}, as_json)


@command.command(epilog=EXIT_HELP)
@chain_options
@session_option
@json_option
def show(rpc_url: str, manifest: Path, session: str, as_json: bool) -> None:
    """Show a session, its deposit and its batches; needs no key.

    \b
    zkdps session show --session 0x3fa9 --json
    """
    from offchain.roles.context import bind_contracts, connect

    client, deployment = connect(rpc_url, manifest)
    contracts = bind_contracts(client, deployment)
    found = find_session(client, deployment, contracts, session)
    batches = [
        describe_batch(contracts, event.arguments)
        for event in read_events(client, deployment, contracts, COMMITTED, found)
    ]
    answer({**describe_session(contracts, found), "batches": batches}, as_json)


def describe_session(contracts: Contracts, session: SessionId) -> dict[str, Any]:
    """Return all that the chain holds of a session."""
    found, time = contracts.sessions.get_session(session), contracts.market.get_time()
    terms = found.terms
    return {
        "session": found.id,
        "state": found.state.name,
        "clock": int(time.now),
        "closes_at": int(found.closes_at) or None,
        "client": terms.client,
        "signer": terms.signer,
        "operator": terms.operator,
        "version": "0x" + terms.version.hex(),
        "token": "ETH" if terms.token == ETH else terms.token,
        "fee": int(terms.fee),
        "deposit": int(found.deposit),
        "results_left": int(found.deposit // max(1, terms.fee)),
    }


def describe_batch(contracts: Contracts, told: Any) -> dict[str, Any]:
    """Return how a batch stands."""
    from offchain.chain.job_ids import to_job_id
    from offchain.types import BatchId

    batch = contracts.sessions.get_batch(BatchId(to_job_id(told["batchId"])))
    return {
        "batch": batch.id,
        "state": batch.state.name,
        "results": batch.count,
        "extracted": batch.extracted,
        "challenge_until": int(batch.challenge_until),
    }


def is_operators(account: Account, session: SessionId) -> bool:
    """Whether this account is a session's operator, or its worker."""
    operator = account.contracts.sessions.get_session(session).terms.operator
    owner = account.contracts.vault.get_owner_of(account.address)
    return operator in (account.address, owner)
