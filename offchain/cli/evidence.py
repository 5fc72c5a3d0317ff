"""`zkdps challenge evidence`: two results that one operator signed for one job."""

from __future__ import annotations

import json
import os
import secrets
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from offchain.cli.job_moves import find
from offchain.cli.options import FILE, FOLDER, account_options, job_option, json_option
from offchain.cli.output import EXIT_HELP, answer, progress
from offchain.errors import ConfigError
from offchain.params.settings import DATA_FOLDER
from offchain.types import Digest, DisputeState, JobId, SignedResult

if TYPE_CHECKING:
    from offchain.roles.account import Account

SALT_BYTES: Final = 32
DIGEST_BYTES: Final = 32
POLL_S: Final = 0.3
PRIVATE: Final = 0o600


@click.command(epilog=EXIT_HELP)
@account_options
@job_option
@click.option(
    "--results",
    "results_file",
    type=FILE,
    required=True,
    help='Two results: [{"outDigest": "0x...", "signature": "0x..."}, {...}]. No signature stands '
    "for the result that is committed on chain.",
)
@click.option(
    "--salts",
    type=FOLDER,
    default=DATA_FOLDER / "evidence",
    show_default=True,
    help="Folder that remembers what was announced, so that a second call goes on from there.",
)
@json_option
def evidence(account: Account, job: str, results_file: Path, salts: Path, as_json: bool) -> None:
    """Prove that an operator signed two different results for one job; the job is rejected.

    The evidence is announced first, as a hash, and shown a block later: who copies it from the
    pool comes too late. The reporter earns the challenger's share of the lock.

    \b
    zkdps challenge evidence --job 0x3fa9 --results two.json --key-file reporter.key
    """
    job_id = find(account, job).id
    first, second = read_results(results_file)
    game = account.contracts.game
    dispute = game.get_dispute_of(job_id)
    transaction = None
    if dispute is None or dispute.state is not DisputeState.FRAUD_PROVEN:
        salt = remember_salt(salts, account.address, job_id)
        with progress("announcing the evidence, then showing it a block later"):
            announce(account, job_id, first, second, salt)
            call = game.build_prove_equivocation(job_id, first, second, salt)
            transaction = account.send(call).tx_hash
    state = account.contracts.market.get_job(job_id).state.name
    answer({"job": job_id, "state": state, "transaction": transaction}, as_json)


def announce(
    account: Account, job_id: JobId, first: SignedResult, second: SignedResult, salt: bytes
) -> None:
    """Announce the evidence unless that was done, and wait for the block after."""
    from offchain.chain.contracts.dispute_game import compute_evidence_commitment

    game = account.contracts.game
    commitment = compute_evidence_commitment(account.address, job_id, first, second, salt)
    if game.get_announced_at(commitment) is None:
        account.send(game.build_announce_evidence(commitment))
    announced = game.get_announced_at(commitment)
    while announced is not None and account.client.get_head().number <= announced:
        time.sleep(POLL_S)


def remember_salt(folder: Path, reporter: str, job_id: JobId) -> bytes:
    """Return the salt of a report, chosen once and stored before it is used."""
    path = folder / f"{reporter}-{job_id}"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
    except FileExistsError:
        return bytes.fromhex(path.read_text(encoding="ascii"))
    salt = secrets.token_bytes(SALT_BYTES)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(salt.hex())
    return salt


def read_results(path: Path) -> tuple[SignedResult, SignedResult]:
    """Return the two results of a file; raise ConfigError for anything else."""
    try:
        read: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
        first, second = (
            SignedResult(
                Digest(bytes.fromhex(entry["outDigest"].removeprefix("0x"))),
                bytes.fromhex(str(entry.get("signature", "")).removeprefix("0x")),
            )
            for entry in read
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"{path}: not two signed results: {error}") from None
    if any(len(result.out_digest) != DIGEST_BYTES for result in (first, second)):
        raise ConfigError(f"{path}: a digest is {DIGEST_BYTES} bytes")
    return first, second
