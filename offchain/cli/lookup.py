"""Jobs, versions and tokens as people name them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from offchain.errors import ConfigError
from offchain.types import ETH, Address, CreatedJob, JobId, VersionId

if TYPE_CHECKING:
    from offchain.chain.contracts.stake_vault import StakeVault
    from offchain.chain.manifest import Manifest
    from offchain.roles.context import Contracts

DIGITS: Final = 64
PREFIX: Final = re.compile(r"(0x)?[0-9a-f]{1,64}")
ADDRESS: Final = re.compile(r"0x[0-9a-fA-F]{40}")


def find_job(contracts: Contracts, manifest: Manifest, named: str) -> CreatedJob:
    """Return the job of an id, or of the first digits of one that no other job shares.

    Raises ConfigError where none or several are meant.
    """
    text = named.strip().lower()
    if not PREFIX.fullmatch(text):
        raise ConfigError(f"job {named!r}: 0x and up to {DIGITS} hex digits")
    prefix = "0x" + text.removeprefix("0x")
    whole = JobId(prefix) if len(prefix) == DIGITS + 2 else None
    found = contracts.market.find_created(manifest.first_block, whole)
    return choose_job(found, prefix)


def choose_job(jobs: Sequence[CreatedJob], prefix: str) -> CreatedJob:
    """Return the one job whose id begins so; raise ConfigError where none or several do."""
    found = {job.id: job for job in jobs if job.id.startswith(prefix)}
    if not found:
        raise ConfigError(f"no job {prefix} on this chain; zkdps job list shows all")
    if len(found) > 1:
        raise ConfigError(f"{prefix} is ambiguous: {', '.join(sorted(found)[:5])}")
    (job,) = found.values()
    return job


def parse_version(text: str) -> VersionId:
    """Return a version's 32 bytes; raise ConfigError for anything else."""
    try:
        raw = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        raw = b""
    if len(raw) != 32:
        raise ConfigError(f"version {text!r}: 0x and 64 hex digits")
    return VersionId(raw)


def parse_account(text: str) -> Address:
    """Return a checksummed address; raise ConfigError for anything else."""
    from offchain.chain.binding import checksum

    if not ADDRESS.fullmatch(text):
        raise ConfigError(f"{text!r} is no address: 0x and 40 hex digits")
    return checksum(text)


def parse_token(vault: StakeVault, text: str | None) -> Address:
    """Return the key of a token in the ledger; raise ConfigError for one it does not hold."""
    if text is None:
        return ETH
    token = parse_account(text)
    if token not in vault.get_tokens():
        raise ConfigError(f"this deployment does not hold the token {token}")
    return token
