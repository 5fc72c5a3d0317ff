"""`zkdps doctor`: run the checks, tell what they found."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from offchain.cli.doctor.finding import ROLES, Check, Finding, Level, Subject, run_checks, skipped
from offchain.cli.options import DEFAULT_RPC, FILE, FOLDER, ask_password, json_option, key_options
from offchain.cli.output import ExitCode
from offchain.errors import ConfigError

if TYPE_CHECKING:
    from offchain.chain.signers import SignerSource
    from offchain.params.settings import Settings

MARKS: Final = {
    Level.OK: "ok  ",
    Level.SKIPPED: "-   ",
    Level.WARNING: "WARN",
    Level.FAILURE: "FAIL",
}


@click.command(
    name="doctor",
    epilog="""\b
Exit codes: 0 nothing fails (warnings are told), 1 something fails, or warns
with --strict; 2 wrong options.""",
)
@click.option("--role", type=click.Choice(ROLES), help="Look at what this role needs.")
@click.option(
    "--home", type=FOLDER, help="A role's home: its settings stand in for options not given here."
)
@click.option("--manifest", type=FILE, envvar="ZKDPS_MANIFEST", help="deployments/<chainId>.json.")
@click.option(
    "--rpc",
    "rpc_url",
    envvar="ZKDPS_RPC",
    help=f"The node's URL; several are separated by commas.  [default: {DEFAULT_RPC}]",
)
@click.option("--models", type=FOLDER, help="Folder of published model folders.")
@click.option("--version", "versions", multiple=True, help="Version to reproduce; repeatable.")
@click.option(
    "--fee-wei", default=10**15, show_default=True, help="Fee of a job that stake is needed for."
)
@key_options
@click.option("--strict", is_flag=True, help="Let warnings fail too.")
@json_option
def command(strict: bool, as_json: bool, **options: Any) -> None:
    """Look at everything that you stand on, and say what to do about what is wrong.

    Reads only: nothing is sent, and nothing is written. What is not named is not looked at.

    \b
    zkdps doctor                                            this machine and a local node
    zkdps doctor --manifest local.json --key-file client.key --role client
    zkdps doctor --home op                                  an operator that was started once
    """
    findings = examine(build_subject(options))
    failures = sum(f.level is Level.FAILURE for f in findings)
    warnings = sum(f.level is Level.WARNING for f in findings)
    is_well = not failures and not (strict and warnings)
    if as_json:
        told = [
            {"check": f.check, "level": str(f.level), "found": f.found, "remedy": f.remedy}
            for f in findings
        ]
        report = {"ok": is_well, "failures": failures, "warnings": warnings, "findings": told}
        print(json.dumps(report), flush=True)
    else:
        tell(findings)
        print(f"{len(findings)} checks: {failures} failures, {warnings} warnings", flush=True)
    sys.exit(ExitCode.OK if is_well else ExitCode.FAILED)


def build_subject(options: dict[str, Any]) -> Subject:
    """Return what is looked at: the options, and the role's own settings where they are silent."""
    from offchain.chain.signers import SignerSource
    from offchain.params.settings import load_settings

    home: Path | None = options["home"]
    try:
        settings = None if home is None else load_settings(home)
    except ConfigError:
        settings = None  # the check of the home says so
    signer = SignerSource(
        options["key_file"],
        options["password_file"],
        options["signer_url"],
        options["signer_address"],
        options["signer_api"],
        options["signer_ca_file"],
    )
    is_named = signer.key_file is not None or bool(signer.url)
    if not is_named and settings is not None:
        signer, is_named = read_signer(settings), True
    return Subject(
        role=options["role"] or (settings.role if settings else ""),
        rpc_url=options["rpc_url"] or (settings.rpc_url if settings else DEFAULT_RPC),
        manifest=options["manifest"] or (settings.manifest if settings else None),
        signer=signer if is_named else None,
        home=home,
        models=options["models"] or (settings.models if settings else None),
        versions=options["versions"],
        fee_wei=options["fee_wei"],
        settings=settings,
    )


def read_signer(settings: Settings) -> SignerSource:
    """Return where a role's signatures come from."""
    from offchain.chain.signers import SignerSource

    return SignerSource(
        settings.key_file,
        settings.password_file,
        settings.signer_url,
        settings.signer_address,
        settings.signer_api,
        settings.signer_ca_file,
    )


def examine(subject: Subject) -> Sequence[Finding]:
    """Run every check that makes sense for the subject, the cheapest first."""
    from offchain.cli.doctor import machine

    of_machine = (
        ("python", machine.check_python),
        ("native core", machine.check_native),
        ("torch", machine.check_torch),
        ("contracts in the package", machine.check_artifacts),
        ("disk", machine.check_disk),
        ("home", machine.check_home),
        ("database", machine.check_database),
        ("broker", machine.check_broker),
    )
    findings = run_checks((name, partial(check, subject)) for name, check in of_machine)
    try:
        from offchain.cli.doctor import account as money
        from offchain.cli.doctor import chain
    except ImportError:  # the native core, which was looked at above
        return [*findings, skipped("chain, deployment, account", "they need the native core")]
    findings += run_checks(
        [
            ("models", partial(money.check_models, subject)),
            ("endpoints", partial(chain.check_endpoints, subject)),
        ]
    )
    ask = remember_password()
    findings += run_checks([("key", lambda: money.check_key(subject, ask))])
    client = chain.open_client(subject)
    if client is None:
        return [*findings, skipped("chain, deployment, account", "no endpoint answers")]
    findings += run_checks(
        [
            ("head", lambda: chain.check_head(subject, client)),
            ("manifest", lambda: chain.check_manifest(subject, client)),
        ]
    )
    signer = money.find_account(subject, ask)
    if signer is not None:
        account = signer.address
        findings += run_checks([("balance", lambda: money.check_balance(subject, client, account))])
    ground = chain.open_ground(subject, client)
    if ground is None:
        return findings
    checks: list[tuple[str, Check]] = [
        ("code", lambda: chain.check_code(ground)),
        ("reference string", lambda: chain.check_srs(ground)),
        ("protocol", lambda: chain.check_protocol(ground)),
        ("versions", lambda: money.check_versions(subject, ground)),
    ]
    if signer is not None:
        checks += [
            ("stake", lambda: money.check_stake(subject, ground, account)),
            ("bond", lambda: money.check_bond(subject, ground, account)),
            ("credit", lambda: money.check_credit(ground, account)),
        ]
    return [*findings, *run_checks(checks)]


def remember_password() -> Any:
    """Return a prompt that asks once, however many checks open the keystore."""
    given: list[str] = []

    def ask(prompt: str) -> str:
        if not given:
            given.append(ask_password(prompt))
        return given[0]

    return ask


def tell(findings: Iterable[Finding]) -> None:
    """Print one finding a line, and below it what to do."""
    findings = list(findings)
    width = max(len(finding.check) for finding in findings)
    for finding in findings:
        print(f"{MARKS[finding.level]} {finding.check:<{width}}  {finding.found}")
        if finding.remedy:
            print(f"     {'':<{width}}  -> {finding.remedy}")
