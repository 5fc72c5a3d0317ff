"""What a check found, and the subject that all checks look at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final

from offchain.errors import OffchainError

if TYPE_CHECKING:
    from offchain.chain.signers import SignerSource
    from offchain.params.settings import Settings

ROLES: Final = ("client", "operator", "challenger")


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    SKIPPED = "skipped"  # not asked about, or what it needs was not found
    WARNING = "warning"  # works now; may not later, or not safely
    FAILURE = "failure"  # does not work


@dataclass(frozen=True)
class Finding:
    """One check's answer; everything that is not right says what to do."""

    check: str
    level: Level
    found: str
    remedy: str = ""


@dataclass(frozen=True)
class Subject:
    """What is looked at: as much of it as is known."""

    role: str = ""
    rpc_url: str = ""  # several endpoints are separated by commas
    manifest: Path | None = None
    signer: SignerSource | None = None
    home: Path | None = None
    models: Path | None = None
    versions: Sequence[str] = ()  # model versions, 0x and 64 hex digits
    fee_wei: int = 10**15  # of a job that an operator wants to take
    settings: Settings | None = None  # of the role's home


Check = Callable[[], Iterable[Finding]]


def run_checks(checks: Iterable[tuple[str, Check]]) -> list[Finding]:
    """Run every check; one that cannot be carried out is a failure of its own, never a crash."""
    findings = []
    for name, check in checks:
        try:
            findings += list(check())
        except OffchainError as error:
            findings.append(Finding(name, Level.FAILURE, str(error), "see the message"))
        except Exception as error:  # noqa: BLE001  # the other checks still have something to say
            found = f"could not be looked at: {type(error).__name__}: {error}"
            findings.append(Finding(name, Level.FAILURE, found, "report this"))
    return findings


def ok(check: str, found: str) -> Finding:
    """Return a finding that is as it should be."""
    return Finding(check, Level.OK, found)


def skipped(check: str, why: str) -> Finding:
    """Return a finding that was not looked for."""
    return Finding(check, Level.SKIPPED, why)


def warning(check: str, found: str, remedy: str) -> Finding:
    """Return what may become a failure."""
    return Finding(check, Level.WARNING, found, remedy)


def failure(check: str, found: str, remedy: str) -> Finding:
    """Return what does not work."""
    return Finding(check, Level.FAILURE, found, remedy)


def show_ether(wei: int) -> str:
    """Return an amount for people, to six places."""
    return f"{wei / 10**18:.6g} ETH"
