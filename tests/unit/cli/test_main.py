"""The command line explains itself, loads lazily, and its exit codes mean what its help says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from offchain.cli.hints import KINDS, REVERTS, find_hint
from offchain.cli.lookup import choose_job, parse_account, parse_version
from offchain.cli.main import NOUNS, cli
from offchain.cli.output import ExitCode, get_exit_code
from offchain.errors import (
    ConfigError,
    ContentError,
    ContractRevert,
    OffchainError,
    RangeError,
    RpcUnavailable,
    VersionMismatch,
)
from offchain.types import (
    NOBODY,
    Amount,
    BlockNumber,
    CreatedJob,
    Digest,
    JobId,
    JobTerms,
    VersionId,
)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("x"), ExitCode.USAGE),
        (RangeError("x"), ExitCode.USAGE),
        (ContractRevert("Late", {}, "Market.commit", b""), ExitCode.REFUSED),
        (RpcUnavailable("eth_call", 6, "down"), ExitCode.UNAVAILABLE),
        (VersionMismatch("graph hash", b"\0", b"\1"), ExitCode.MISMATCH),
        (ContentError("x"), ExitCode.MISMATCH),
        (OffchainError("x"), ExitCode.FAILED),
    ],
)
def test_get_exit_code__every_kind_of_error(error: OffchainError, code: ExitCode) -> None:
    assert get_exit_code(error) is code


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "offchain.cli.main", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_help__lists_every_noun__and_imports_nothing_heavy() -> None:
    done = run("--help")
    assert done.returncode == 0
    assert all(noun in done.stdout for noun in NOUNS)
    assert "Exit codes" in done.stdout
    for package in ("torch", "web3", "celery", "numpy"):
        assert f" {package}\n" not in done.stderr


def test_unknown_noun__usage_error() -> None:
    done = run("dance")
    assert done.returncode == ExitCode.USAGE


def test_job_help__does_not_import_the_operators_packages() -> None:
    done = run("job", "submit", "--help")
    assert done.returncode == 0
    for package in ("torch", "celery"):
        assert f" {package}\n" not in done.stderr


def list_commands() -> list[tuple[str, click.Command]]:
    """Return every command with the words that call it."""
    context = click.Context(cli)
    found: list[tuple[str, click.Command]] = []
    for noun in NOUNS:
        command = cli.get_command(context, noun)
        assert command is not None
        if isinstance(command, click.Group):
            found += [(f"{noun} {verb}", verb_of) for verb, verb_of in command.commands.items()]
        else:
            found.append((noun, command))
    return found


COMMANDS = dict(list_commands())


@pytest.mark.parametrize("name", COMMANDS)
def test_help__every_command_says_what_it_does_and_documents_every_option(name: str) -> None:
    command = COMMANDS[name]
    assert command.help
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{name}: {parameter.name}"


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_help__every_command_shows_an_example(name: str) -> None:
    if name == "demo":
        return  # needs nothing; the group's help names it
    text = COMMANDS[name].help or ""
    assert f"zkdps {name}" in text, f"{name}: no example in its help"


def test_commands__those_of_every_role_are_there() -> None:
    wanted = {
        "chain": "up fund deploy status",
        "model": "train import publish register verify list show",
        "operator": "stake unbond withdraw-stake propose join run unjail status",
        "job": "submit list show watch cancel request-delivery expire finalise evidence",
        "challenge": "run open join claim distribute evidence",
        "guardian": "approve status",
    }
    for noun, verbs in wanted.items():
        assert {f"{noun} {verb}" for verb in verbs.split()} <= set(COMMANDS)


# Services log JSON; the others answer with it.
WITHOUT_JSON = {"operator run", "challenge run", "gateway run", "dapp", "completion", "demo"}


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - WITHOUT_JSON))
def test_commands__answer_in_json_on_request(name: str) -> None:
    assert any("--json" in p.opts for p in COMMANDS[name].params)


def created(job_id: str) -> CreatedJob:
    terms = JobTerms(NOBODY, VersionId(bytes(32)), Digest(bytes(32)), NOBODY, Amount(1), 0, 0, 0)
    return CreatedJob(JobId(job_id), terms, "", BlockNumber(1))


ONE, OTHER = created("0xab" + "0" * 62), created("0xac" + "0" * 62)


def test_choose_job__prefix_of_one__that_one() -> None:
    assert choose_job([ONE, OTHER], "0xab") is ONE
    assert choose_job([ONE, ONE], "0xa") is ONE


def test_choose_job__prefix_of_two_or_none__refused() -> None:
    with pytest.raises(ConfigError, match="ambiguous"):
        choose_job([ONE, OTHER], "0xa")
    with pytest.raises(ConfigError, match="no job"):
        choose_job([ONE, OTHER], "0xb")


def test_parse__what_is_no_version_or_address__refused() -> None:
    for text in ("0x12", "zz", "0x" + "g" * 64):
        with pytest.raises(ConfigError):
            parse_version(text)
    for text in ("0x12", "0x" + "g" * 40, "1" * 40):
        with pytest.raises(ConfigError):
            parse_account(text)


def test_hints__name_errors_that_the_contracts_have_and_commands_that_exist() -> None:
    interfaces = Path(__file__).parents[3] / "contracts" / "interfaces"
    declared = {
        name
        for file in interfaces.glob("*.sol")
        for name in re.findall(r"^    error (\w+)\(", file.read_text(), re.MULTILINE)
    }
    assert set(REVERTS) <= declared
    for hint in (*REVERTS.values(), *KINDS.values()):
        for words in re.findall(r"`zkdps ([a-z]+(?: [a-z-]+)?)", hint):
            assert words in COMMANDS, hint


def test_find_hint__of_a_revert_by_its_name() -> None:
    revert = ContractRevert("OperatorJailed", {}, "Vault.lockStake", b"")
    assert "unjail" in str(find_hint(revert))
    assert find_hint(ContractRevert("Empty", {}, "x", b"")) is None
    assert find_hint(OffchainError("x")) is None
