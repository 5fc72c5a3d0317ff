"""This machine: Python, the native core, packages, disk, the role's folder, broker, database."""

from __future__ import annotations

import platform
import shutil
import stat
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from offchain.chain.artifacts import list_artifacts
from offchain.cli.doctor.finding import Finding, Subject, failure, ok, skipped, warning
from offchain.errors import BrokerUnavailable, OffchainError
from offchain.params.settings import DATA_FOLDER

GIB: Final = 1 << 30
DISK_FAILURE: Final = GIB // 4  # journals, logs and a reference string
DISK_WARNING: Final = 2 * GIB
POINT_BYTES: Final = 64


def check_python(_: Subject) -> Iterator[Finding]:
    """Tell which Python and which copy of this package run."""
    found = f"Python {platform.python_version()}, {platform.machine()}"
    try:
        yield ok("python", f"{found}, package {version('offchain')} in {Path(__file__).parents[2]}")
    except PackageNotFoundError:
        yield warning("python", f"{found}, package not installed", "pip install the wheel")


def check_native(_: Subject) -> Iterator[Finding]:
    """Look whether the compiled core is there and computes."""
    try:
        from offchain import native

        powers = native.srs_insecure(1)
    except ImportError as error:
        yield failure(
            "native core",
            f"cannot be loaded: {error}",
            "reinstall the wheel; in a checkout ./scripts/demo builds it",
        )
        return
    # The first power is the generator (1, 2): a core that gets this wrong gets nothing right.
    if powers[:POINT_BYTES] != (1).to_bytes(32, "big") + (2).to_bytes(32, "big"):
        yield failure("native core", "computes wrongly", "reinstall; report the processor's type")
        return
    yield ok("native core", "loaded; first powers of the reference string are right")


def check_torch(subject: Subject) -> Iterator[Finding]:
    """Look for torch, which is optional: every runtime gives the same bits."""
    if find_spec("torch") is not None:
        yield ok("torch", f"{version('torch')}")
    elif subject.settings is not None and subject.settings.backend == "torch":
        yield failure(
            "torch", "not installed, but the role's backend is torch", "pip install '.[operator]'"
        )
    else:
        yield ok("torch", "not installed: the NumPy runtime is used, with the same bits")


def check_artifacts(_: Subject) -> Iterator[Finding]:
    """Look for the compiled contracts that come with the package."""
    names = list_artifacts()
    if names:
        yield ok("contracts in the package", ", ".join(names))
    else:
        yield warning(
            "contracts in the package",
            "none: deployed code can be compared with its manifest only",
            "in a checkout run ./scripts/demo once; a wheel is built by ./scripts/package",
        )


def check_disk(subject: Subject) -> Iterator[Finding]:
    """Look for room for journals, logs and reference strings."""
    place = subject.home or DATA_FOLDER
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    found = f"{free / GIB:.1f} GiB free at {place}"
    remedy = "free some space, or choose another --home"
    if free < DISK_FAILURE:
        yield failure("disk", found, remedy)
    elif free < DISK_WARNING:
        yield warning("disk", found, remedy)
    else:
        yield ok("disk", found)


def check_home(subject: Subject) -> Iterator[Finding]:
    """Look whether the role's folder is its owner's alone and holds settings."""
    home = subject.home
    if home is None:
        yield skipped("home", "give --home to look at a role's folder")
        return
    if not home.is_dir():
        yield warning("home", f"{home} does not exist", "start the role once: it makes the folder")
        return
    mode = home.stat().st_mode
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        yield failure("home", f"{home}: others may write to it", f"chmod go-w {home}")
    elif subject.settings is None:
        yield warning("home", f"{home} has no settings", "start the role once with its options")
    else:
        yield ok("home", f"{home}, settings of role {subject.settings.role}")


def check_database(subject: Subject) -> Iterator[Finding]:
    """Look whether the journal opens, wherever it is kept."""
    settings = subject.settings
    if settings is None:
        yield skipped("database", "known by a role's home: give --home")
        return
    from offchain.chain.database import Place
    from offchain.chain.journal import Journal

    where = "server" if settings.database_url else str(settings.journal)
    if not settings.database_url and not settings.journal.exists():
        yield ok("database", f"{where} will be made when the role starts")
        return
    try:
        Journal(Place(settings.journal, settings.database_url, "doctor")).close()
    except (OffchainError, SQLAlchemyError) as error:
        # The database's own messages may quote its URL.
        is_ours = isinstance(error, OffchainError)
        yield failure(
            "database",
            str(error) if is_ours else f"{where}: {type(error).__name__}",
            "start the server, or mend database_url in agent.json; what a lost database held is "
            "read from the chain again",
        )
        return
    yield ok("database", f"{where} answers")


def check_broker(subject: Subject) -> Iterator[Finding]:
    """Look whether the queue between an operator and its workers takes connections."""
    settings = subject.settings
    if settings is None or settings.role != "operator":
        yield skipped("broker", "only an operator has one: give its --home")
        return
    from offchain.workers.broker import ping_broker

    try:
        ping_broker(settings)
    except BrokerUnavailable as error:
        yield failure("broker", str(error), "start the broker, or mend broker_url in agent.json")
        return
    yield ok("broker", "takes connections" if settings.broker_url else "SQLite in the home folder")
