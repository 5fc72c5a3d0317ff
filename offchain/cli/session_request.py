"""`zkdps session request`: one signed request, its result verified here."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from offchain.cli.options import FILE, FOLDER, account_options, gateway_option, json_option
from offchain.cli.output import EXIT_HELP, answer, progress
from offchain.cli.session_lookup import find, session_option
from offchain.errors import ContentError, JobRefused, SignerMismatch
from offchain.types import Digest, JobId, Seconds, Session, SessionId, SessionRequest

if TYPE_CHECKING:
    from offchain.roles.account import Account
    from offchain.submit.gateway import GatewayClient
    from offchain.submit.models import Model

POLL_S: Final = 0.5


@click.command(epilog=EXIT_HELP)
@account_options
@session_option
@gateway_option
@click.option("--models", type=FOLDER, required=True, help="Folder of published model folders.")
@click.option("--input", "input_file", type=FILE, required=True, help="Input: a JSON array.")
@click.option("--nonce", type=int, help="Number of the request; the next free one by default.")
@click.option(
    "--valid-seconds",
    type=click.IntRange(1),
    default=600,
    show_default=True,
    help="How long the operator may take to commit a result, in block time.",
)
@click.option("--no-wait", is_flag=True, help="Return once the gateway has the request.")
@json_option
def request(
    account: Account,
    session: str,
    gateway: str,
    models: Path,
    input_file: Path,
    nonce: int | None,
    valid_seconds: int,
    no_wait: bool,
    as_json: bool,
) -> None:
    """Ask for one inference of a session, and check what comes back. Sign with the signer's key.

    The version is reproduced from the published files, the result recomputed here and compared; the
    operator's signature on it is evidence: a second, different one costs its stake. What differs
    can be challenged as soon as it is in a batch (`zkdps challenge run` does).

    \b
    zkdps session request --session 0x3fa9 --input digit.json --models ./models \\
        --gateway http://127.0.0.1:8000 --key-file client.key
    """
    from offchain.roles.context import build_version_book
    from offchain.submit.content import open_content
    from offchain.submit.gateway import GatewayClient
    from offchain.submit.models import encode_input

    found = account.contracts.sessions.get_session(find(account, session))
    if str(found.terms.signer) != str(account.address):
        raise JobRefused(f"requests of this session are signed by {found.terms.signer}")
    book = build_version_book(models, account.client, account.manifest, account.contracts)
    model = book.reproduce(found.terms.version).model
    raw = encode_input(model, json.loads(input_file.read_text(encoding="utf-8")))
    door, content = GatewayClient(gateway), open_content(gateway)
    digest = content.put(raw, model.input_bits, model.input_shape)
    now = account.contracts.market.get_time().now
    wanted = SessionRequest(
        session=found.id,
        nonce=choose_nonce(account, door, found.id) if nonce is None else nonce,
        in_digest=digest,
        valid_until=Seconds(now + valid_seconds),
    )
    told = post_signed(account, door, wanted)
    if not no_wait:
        with progress("waiting for the signed result"):
            told = wait_for_result(account, door, wanted)
    facts: dict[str, Any] = {"session": found.id, "nonce": wanted.nonce, "job": told.get("jobId")}
    if not no_wait:
        facts |= check_result(account, found, wanted, model, raw, told, gateway)
    answer(facts, as_json)


def choose_nonce(account: Account, door: GatewayClient, session: SessionId) -> int:
    """Return a number above every request that the gateway knows, and that no batch holds."""
    known = [
        signed.request.nonce
        for state in ("open", "served")
        for signed in door.get_requests(session, state)
    ]
    nonce = max(known, default=-1) + 1
    while account.contracts.sessions.is_nonce_used(session, nonce):
        nonce += 1
    return nonce


def post_signed(account: Account, door: GatewayClient, wanted: SessionRequest) -> Mapping[str, Any]:
    """Sign a request and hand it to the gateway."""
    from offchain.chain.transaction import parse_signature
    from offchain.chain.typed_data import build_request
    from offchain.submit.gateway import SignedRequest

    sessions = account.contracts.sessions.address
    signature = account.sign_typed(build_request(account.client.chain_id, sessions, wanted))
    return door.post_request(SignedRequest(wanted, parse_signature(signature).to_compact()))


def wait_for_result(
    account: Account, door: GatewayClient, wanted: SessionRequest
) -> Mapping[str, Any]:
    """Return the request as the gateway tells it once it has a result; raise JobRefused if late."""
    while True:
        told = door.get_request(wanted.session, wanted.nonce)
        if told.get("outDigest"):
            return told
        if account.contracts.market.get_time().now > wanted.valid_until:
            raise JobRefused(f"request {wanted.nonce} was not answered while it was valid")
        time.sleep(POLL_S)


def check_result(
    account: Account,
    session: Session,
    wanted: SessionRequest,
    model: Model,
    raw: bytes,
    told: Mapping[str, Any],
    gateway: str,
) -> Mapping[str, Any]:
    """Return what the result is, who signed it, and whether it is what this machine computes."""
    from offchain.submit.content import compute_digest, open_content

    job_id = compute_job_id(account, session, wanted)
    out_digest = read_digest(told)
    expected = model.run(raw, "numpy")
    agrees = compute_digest(expected, model.output_bits, model.output_shape) == out_digest
    output: bytes | None = expected if agrees else None
    with suppress(ContentError):
        content = open_content(gateway)
        output = content.get(out_digest, model.output_bits, model.output_shape)
    return {
        "job": job_id,
        "out_digest": "0x" + out_digest.hex(),
        "label": None if output is None else model.decide(output),
        "agrees": agrees,
        "signed_by": find_signer(account, session, job_id, out_digest, told.get("receipts", ())),
        "batch": told.get("batchId"),
    }


def compute_job_id(account: Account, session: Session, wanted: SessionRequest) -> JobId:
    """Return the job that a request stands for."""
    from offchain.chain.session_ids import build_job_terms

    terms = build_job_terms(session.id, session.terms, wanted.nonce, wanted.in_digest)
    return account.contracts.market.compute_job_id(terms)


def read_digest(told: Mapping[str, Any]) -> Digest:
    """Return the result's digest; raise ContentError for what is none."""
    try:
        raw = bytes.fromhex(str(told["outDigest"]).removeprefix("0x"))
    except (KeyError, ValueError):
        raw = b""
    if len(raw) != 32:
        raise ContentError("the gateway tells a result that is no digest")
    return Digest(raw)


def find_signer(
    account: Account,
    session: Session,
    job_id: JobId,
    out_digest: Digest,
    receipts: Sequence[Mapping[str, Any]],
) -> str | None:
    """Return who of the session's operator signed exactly this result, or None."""
    from offchain.chain.job_ids import id_bytes
    from offchain.chain.transaction import parse_signature, recover_message
    from offchain.chain.typed_data import build_result_receipt

    market, vault = account.contracts.market.address, account.contracts.vault
    message = build_result_receipt(account.client.chain_id, market, id_bytes(job_id), out_digest)
    for receipt in receipts:
        try:
            signature = bytes.fromhex(str(receipt["signature"]).removeprefix("0x"))
            signer = str(recover_message(message.to_signable(), parse_signature(signature)))
        except (KeyError, TypeError, ValueError, SignerMismatch):
            continue
        if str(session.terms.operator) in (signer, str(vault.get_served_owner(signer))):
            return signer
    return None
