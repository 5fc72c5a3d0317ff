"""Options that several commands share, and the settings that they make."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, Final

import click

from offchain.cli.deployments import choose_manifest
from offchain.errors import ConfigError
from offchain.params.settings import DATA_FOLDER, Settings, is_url

FOLDER: Final = click.Path(file_okay=False, path_type=Path, resolve_path=True)
FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path, resolve_path=True)
DEFAULT_RPC: Final = "http://127.0.0.1:8545"

Command = Callable[..., None]


class ContentPlace(click.ParamType):
    """A folder, made absolute, or the http(s) URL of a gateway."""

    name = "FOLDER|URL"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the place as settings hold it."""
        return value if is_url(value) else str(FOLDER.convert(value, param, ctx))


def json_option(command: Command) -> Command:
    """Add --json."""
    return click.option("--json", "as_json", is_flag=True, help="Answer with one JSON object.")(
        command
    )


def job_option(command: Command) -> Command:
    """Add --job."""
    return click.option(
        "--job",
        "job",
        required=True,
        help="Job's id, 0x and 64 hex digits, or its first digits where no other begins so.",
    )(command)


def token_option(command: Command) -> Command:
    """Add --token."""
    return click.option(
        "--token",
        help="Address of the deployment's ERC-20; ETH where it is not given.",
    )(command)


def chain_options(command: Command) -> Command:
    """Add the node and the deployment."""
    for option in (
        click.option(
            "--manifest",
            type=FILE,
            envvar="ZKDPS_MANIFEST",
            callback=choose_manifest,
            help="deployments/<chainId>.json, written by `zkdps chain deploy`. Public deployments "
            "that came with this package need none.",
        ),
        click.option(
            "--rpc",
            "rpc_url",
            is_eager=True,
            envvar="ZKDPS_RPC",
            default=DEFAULT_RPC,
            show_default=True,
            help="The node's URL; several, best first, separated by commas.",
        ),
    ):
        command = option(command)
    return command


def gateway_option(command: Command) -> Command:
    """Add --gateway."""
    return click.option(
        "--gateway",
        required=True,
        envvar="ZKDPS_GATEWAY",
        help="URL of the gateway that carries requests, results and orders. Nothing that it says "
        "is believed.",
    )(command)


def pull_options(command: Command) -> Command:
    """Add what lets a role fetch the files of a version that is not among its models."""
    for option in (
        click.option(
            "--gateway",
            envvar="ZKDPS_GATEWAY",
            default="",
            help="URL of a gateway; an operator takes signed orders and serves sessions from it.",
        ),
        click.option(
            "--pull",
            is_flag=True,
            help="Fetch the files of a version that is not among the models, from where its "
            "registration says or from the gateway; they are recomputed before they are used.",
        ),
    ):
        command = option(command)
    return command


def key_options(command: Command) -> Command:
    """Add the signer; keys are named by file and never given on a command line."""
    for option in (
        click.option(
            "--signer-ca-file",
            type=FILE,
            help="Certificate authority of the remote signer's TLS, where it is your own.",
        ),
        click.option(
            "--signer-api",
            type=click.Choice(["rpc", "rest"]),
            default="rpc",
            show_default=True,
            help="rpc: eth_signTransaction and eth_signTypedData, the signer sees what it signs. "
            "rest: /api/v1/eth1/sign, the signer sees bytes.",
        ),
        click.option(
            "--signer-address",
            envvar="ZKDPS_SIGNER_ADDRESS",
            default="",
            help="Account that the remote signer is to sign for.",
        ),
        click.option(
            "--signer-url",
            envvar="ZKDPS_SIGNER_URL",
            default="",
            help="Remote signer with web3signer's API, in place of a key file. What it returns is "
            "compared with what was asked before it is used.",
        ),
        click.option(
            "--password-file",
            type=FILE,
            help="Password of the keystore, in a file of mode 0600. Without it single commands ask "
            "at the terminal; services need it.",
        ),
        click.option(
            "--key-file",
            type=FILE,
            envvar="ZKDPS_KEY_FILE",
            help="Hex key file of mode 0600, or an encrypted keystore.",
        ),
    ):
        command = option(command)
    return command


def ask_password(prompt: str) -> str:
    """Ask for a password without showing it; raise ConfigError where nobody can answer."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise ConfigError(f"{prompt}: no terminal to ask at; give --password-file")
    password: str = click.prompt(prompt, hide_input=True, err=True)
    return password


def account_options(command: Command) -> Command:
    """Add what a command needs that signs for one account; it gets one `account` argument."""

    @wraps(command)
    def run(**options: Any) -> None:
        from offchain.roles.account import Account

        names = (
            "rpc_url", "manifest", "key_file", "password_file", "state",
            "signer_url", "signer_address", "signer_api", "signer_ca_file",
        )  # fmt: skip
        chosen = {name: options.pop(name) for name in names}
        command(account=Account(**chosen, ask=ask_password), **options)

    wrapped: Command = click.option(
        "--state",
        type=FOLDER,
        default=DATA_FOLDER / "accounts",
        show_default=True,
        help="Folder of journals: what was signed is stored before it is sent.",
    )(run)
    return chain_options(key_options(wrapped))


def role_options(role: str) -> Callable[[Command], Command]:
    """Add everything a role needs and hand its command one `settings` argument."""

    def decorate(command: Command) -> Command:
        @wraps(command)
        def run(**options: Any) -> None:
            names = set(Settings.__dataclass_fields__)
            chosen = {k: options.pop(k) for k in list(options) if k in names}
            given = {k: v for k, v in chosen.items() if v is not None}
            # Without a key file there is a remote signer, or opening the signer says so.
            command(settings=Settings(role=role, **{"key_file": None, **given}), **options)

        wrapped: Command = run
        for option in (
            click.option(
                "--reserve-wei",
                default=0,
                show_default=True,
                help="Balance kept for gas beyond what open jobs need.",
            ),
            click.option(
                "--database-url",
                envvar="ZKDPS_DATABASE",
                default="",
                help="postgresql://user@host/name for journal and events; SQLite in the home "
                "folder by default.",
            ),
            click.option(
                "--confirmations",
                default=1,
                show_default=True,
                help="Blocks to wait for, an event's own included.",
            ),
            click.option(
                "--content",
                type=ContentPlace(),
                required=True,
                help="Inputs and outputs by digest: a folder that the parties share, or a "
                "gateway's URL.",
            ),
            click.option(
                "--models", type=FOLDER, required=True, help="Folder of published model folders."
            ),
            click.option(
                "--home", type=FOLDER, required=True, help="Journal, event cursor, broker, logs."
            ),
        ):
            wrapped = option(wrapped)
        return chain_options(key_options(wrapped))

    return decorate
