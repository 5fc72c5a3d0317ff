"""`zkdps srs`: reference strings, imported from a ceremony or made insecurely."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from offchain.cli.options import FILE, json_option
from offchain.cli.output import EXIT_HELP, answer, progress, tell
from offchain.errors import ConfigError

if TYPE_CHECKING:
    from offchain.commit.ptau import Observer
    from offchain.commit.srs_file import SrsFile

TARGET: Final = click.Path(path_type=Path, resolve_path=True)
POWER: Final = click.IntRange(1, 20)
HASH_DIGITS: Final = 128


@click.group(name="srs")
def command() -> None:
    """Import and look at reference strings: powers of a secret tau that nobody may know.

    Whoever knows tau forges proofs. A ceremony makes powers of a tau that is unknown as long as one
    of its contributors was honest. Without a ceremony's file everything here uses an insecure
    development string, whose tau is public.

    \b
    zkdps srs import powersOfTau28_hez_final_16.ptau --power 14 --out powers.srs
    export ZKDPS_SRS=$PWD/powers.srs       for every command and role, the deployment too
    zkdps chain deploy ...                 the verifier takes [tau]_2 from that file
    zkdps model register ...               keys and proofs name the file's SRS id

    A verifier, its models and their proofs share one string; its id is in the verification key, in
    the registry and in the statement of every proof.
    """


@command.command(name="import", epilog=EXIT_HELP)
@click.argument("file", type=FILE)
@click.option(
    "--power",
    type=POWER,
    required=True,
    help="Keep 2^POWER powers: a proof needs as many as one committed chunk has cells. "
    "`zkdps model register` says so when they are too few.",
)
@click.option("--out", type=TARGET, required=True, help="File to write; must not exist.")
@click.option(
    "--blake2b",
    help="BLAKE2b-512 that the ceremony publishes for the file, 128 hex digits. Those of "
    "powersOfTau28_hez_final_08 to _27 are known already.",
)
@click.option(
    "--accept-unpublished",
    is_flag=True,
    help="Import a file whose hash nobody published: nothing then says whose ceremony it was.",
)
@json_option
def import_file(
    file: Path,
    power: int,
    out: Path,
    blake2b: str | None,
    accept_unpublished: bool,
    as_json: bool,
) -> None:
    """Verify a ceremony's .ptau file, every section of it, and keep its first powers.

    Checked are the container byte for byte, every point's curve and subgroup, that all points are
    powers of one tau (random combinations and pairings), the Lagrange sections of a prepared file,
    and each contribution's proof of knowledge. An error names the section; nothing is written then.

    \b
    zkdps srs import powersOfTau28_hez_final_16.ptau --power 14 --out powers.srs
    """
    from offchain.commit.ceremonies import find_ceremony
    from offchain.commit.ptau import choose_hash, import_ptau
    from offchain.commit.srs_file import srs_id

    _require_absent(out)
    with progress("reading"):
        expected = choose_hash(file, _parse_hash(blake2b), accept_unpublished)
    with _drawing() as observe:
        found = import_ptau(file, out, power, expected, observe)
    if blake2b is None and find_ceremony(expected) is None:
        tell(
            "nobody vouches for this file: contributors' names and the saved hashes of all "
            "contributions but the last are covered by no equation"
        )
    answer(
        {
            "out": str(out),
            "powers": 1 << power,
            "srs_id": "0x" + srs_id(found["tau_g2"]).hex(),
            "ceremony": find_ceremony(found["blake2b"]) or "not published here",
            "blake2b": found["blake2b"].hex(),
            "file_power": found["power"],
            "ceremony_power": found["ceremony_power"],
            "prepared": found["prepared"],
            "contributions": [_describe(entry) for entry in found["contributions"]],
        },
        as_json,
    )


@command.command(epilog=EXIT_HELP)
@click.argument("file", type=FILE)
@json_option
def show(file: Path, as_json: bool) -> None:
    """Check a file of powers (form, checksum, one pairing over all powers) and say whose it is.

    \b
    zkdps srs show powers.srs
    """
    from offchain.commit.ceremonies import find_ceremony
    from offchain.commit.srs import ReferenceString, verify_srs_file
    from offchain.commit.srs_file import read_srs_file

    with progress("checking the powers"):
        read = read_srs_file(file)
        verify_srs_file(read)
    insecure = ReferenceString(read.tau_g2, file).insecure
    answer(
        {
            "file": str(file),
            "powers": 1 << read.log_size,
            "srs_id": "0x" + read.id.hex(),
            "tau_g2": "0x" + read.tau_g2.hex(),
            "insecure": insecure,
            "ceremony": find_ceremony(read.source) or "not published here",
            "ptau_blake2b": read.source.hex() if any(read.source) else "",
        },
        as_json,
    )
    if insecure:
        _warn()


@command.command(epilog=EXIT_HELP)
@click.option(
    "--insecure-dev", is_flag=True, required=True, help="Yes, the string whose tau is public."
)
@click.option("--power", type=POWER, required=True, help="Make 2^POWER powers.")
@click.option("--out", type=TARGET, required=True, help="File to write; must not exist.")
@json_option
def generate(insecure_dev: bool, power: int, out: Path, as_json: bool) -> None:  # noqa: ARG001
    """Write the insecure development string to a file: ANYBODY CAN FORGE PROOFS under it.

    \b
    zkdps srs generate --insecure-dev --power 10 --out insecure.srs
    """
    from offchain.commit.srs import build_insecure_file, write_atomically

    _require_absent(out)
    with progress("multiplying"):
        made: SrsFile = build_insecure_file(power)
        write_atomically(out, made.to_bytes())
    answer({"out": str(out), "powers": 1 << power, "srs_id": "0x" + made.id.hex()}, as_json)
    _warn()


def _warn() -> None:
    tell("WARNING: insecure development string: its secret is public, anybody can forge proofs")


def _require_absent(out: Path) -> None:
    if out.exists():
        raise ConfigError(f"{out} exists already")
    if not out.parent.is_dir():
        raise ConfigError(f"{out.parent} is no folder")


def _parse_hash(text: str | None) -> bytes | None:
    if text is None:
        return None
    digits = text.removeprefix("0x")
    try:
        raw = bytes.fromhex(digits)
    except ValueError:
        raw = b""
    if len(digits) != HASH_DIGITS or len(raw) * 2 != HASH_DIGITS:
        raise ConfigError(f"--blake2b has {HASH_DIGITS} hex digits")
    return raw


def _describe(contribution: dict[str, Any]) -> str:
    """Return one line; a name is a stranger's text, so what is not printable is escaped."""
    name = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in contribution["name"])
    kind = "beacon" if contribution["beacon"] else "contribution"
    return f"{kind} {name or 'without name'}, response {contribution['response'].hex()[:16]}..."


@contextmanager
def _drawing() -> Iterator[Observer]:
    """Give an observer that draws on a terminal and is silent elsewhere."""
    watched = sys.stderr.isatty()

    def draw(section: str, done: int, total: int) -> None:
        if watched:
            text = f"\r\x1b[K{100 * done // total:3} % {section}"
            print(text, end="", file=sys.stderr, flush=True)

    try:
        yield draw
    finally:
        if watched:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
