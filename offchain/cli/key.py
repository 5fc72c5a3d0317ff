"""`zkdps key`: make, import and look at keys."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import click

from offchain.cli.options import FILE, ask_password, json_option, key_options
from offchain.cli.output import EXIT_HELP, answer
from offchain.errors import KeyFileError

TARGET: Final = click.Path(path_type=Path, resolve_path=True)
STANDARD_INPUT: Final = "-"


@click.group(name="key")
def command() -> None:
    """Make, import and look at keys. They never appear on a command line, in an answer or a log.

    \b
    A plain key file is readable by its owner only; a keystore is encrypted besides.
    A remote signer (web3signer) keeps the key on another machine: --signer-url.
    """


def target_options(function: Callable[..., None]) -> Callable[..., None]:
    """Add what is written and how."""
    for option in (
        json_option,
        click.option(
            "--password-file",
            type=FILE,
            help="Password of the keystore, in a file of mode 0600; asked for otherwise.",
        ),
        click.option(
            "--keystore", is_flag=True, help="Encrypt the file (Web3 Secret Storage, version 3)."
        ),
        click.option(
            "--key-file",
            type=TARGET,
            required=True,
            help="File to write, readable by its owner only; must not exist.",
        ),
    ):
        function = option(function)
    return function


@command.command(epilog=EXIT_HELP)
@target_options
def create(key_file: Path, keystore: bool, password_file: Path | None, as_json: bool) -> None:
    """Write a random key to a file and show its address.

    \b
    zkdps key create --key-file worker.key
    zkdps key create --key-file owner.json --keystore          asks for a password, twice
    """
    import secrets

    write(secrets.token_bytes(32), key_file, keystore, password_file, as_json)


@command.command(name="import", epilog=EXIT_HELP)
@click.option(
    "--from",
    "source",
    required=True,
    help="Key file (mode 0600) or keystore to read; `-`: hexadecimal digits from standard input.",
)
@click.option(
    "--from-password-file", type=FILE, help="Password of the keystore that is read; else asked for."
)
@target_options
def import_(
    source: str,
    from_password_file: Path | None,
    key_file: Path,
    keystore: bool,
    password_file: Path | None,
    as_json: bool,
) -> None:
    """Copy a key into a file of this kind or that; the source stays as it is.

    \b
    zkdps key import --from worker.key --key-file worker.json --keystore
    zkdps key import --from - --key-file worker.json --keystore     asks for the key, unseen
    """
    from offchain.chain.keys import parse_hex_key, read_key

    if source == STANDARD_INPUT:
        is_seen = sys.stdin.isatty()
        text = ask_password("Key in hexadecimal") if is_seen else sys.stdin.readline()
        key = parse_hex_key("standard input", text)
    else:
        key = read_key(Path(source), from_password_file, ask_password)
    write(key, key_file, keystore, password_file, as_json)


@command.command(epilog=EXIT_HELP)
@key_options
@json_option
def show(
    key_file: Path | None,
    password_file: Path | None,
    signer_url: str,
    signer_address: str,
    signer_api: str,
    signer_ca_file: Path | None,
    as_json: bool,
) -> None:
    """Show the address that a key file, keystore or remote signer signs for.

    A keystore is opened and a remote signer is asked, so that the answer is more than a claim.

    \b
    zkdps key show --key-file worker.key
    zkdps key show --signer-url https://127.0.0.1:9000 --signer-address 0x...
    """
    from offchain.chain.keys import is_keystore, read_private
    from offchain.chain.remote_signer import RemoteSigner
    from offchain.chain.signers import SignerSource, open_signer

    source = SignerSource(
        key_file, password_file, signer_url, signer_address, signer_api, signer_ca_file
    )
    signer = open_signer(source, ask_password)
    if isinstance(signer, RemoteSigner):
        signer.check()
        answer({"address": signer.address, "kind": "remote", "url": signer.endpoint}, as_json)
        return
    is_encrypted = key_file is not None and is_keystore(read_private(key_file))
    kind = "keystore" if is_encrypted else "plain"
    answer({"address": signer.address, "kind": kind, "key_file": str(key_file)}, as_json)


def write(
    key: bytes, key_file: Path, keystore: bool, password_file: Path | None, as_json: bool
) -> None:
    """Write a key in the wanted form and show where it is."""
    from offchain.chain.keys import write_key_file, write_keystore

    if keystore:
        signer = write_keystore(key_file, key, choose_password(password_file))
    elif password_file is not None:
        raise KeyFileError("--password-file encrypts a keystore: add --keystore")
    else:
        signer = write_key_file(key_file, key)
    answer({"address": signer.address, "key_file": str(key_file)}, as_json)


def choose_password(password_file: Path | None) -> str:
    """Return the password of a keystore to be written; typed twice where it is asked for."""
    from offchain.chain.keys import read_password

    password = read_password(password_file, ask_password, "Password of the keystore") or ""
    if password_file is None and ask_password("The same again") != password:
        raise KeyFileError("the two passwords differ")
    return password
