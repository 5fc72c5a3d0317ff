"""How the SDK is reached: one lazy import, options that make sense, two worlds of one shape."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_utils.crypto import keccak

import offchain
from offchain import sdk
from offchain.chain.artifacts import Artifact, load_artifact
from offchain.chain.deployment import SRS_PREFIX
from offchain.errors import ConfigError, ManifestError
from offchain.sdk.connection import Options, open_connection
from offchain.sdk.deployment import verify_reference_string

LAZY = "import offchain, sys; print('offchain.sdk' in sys.modules, 'web3' in sys.modules)"
# Of a contract and its gas, which a program that awaits has another hand for.
SYNC_ONLY = {
    "Job": {"facts", "out_digest", "operator", "subscribe", "deliver"},
    "Client": set(),
    "Session": {"facts", "exists"},
    "PlacedOrder": {"find_job", "show"},
    "PendingResult": {
        "find_inclusion", "find_job", "find_signed", "out_digest", "extract",
    },
}  # fmt: skip


def test_import__of_the_package__loads_nothing() -> None:
    told = subprocess.run([sys.executable, "-c", LAZY], capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["False", "False"]


def test_import__of_the_doors__by_name() -> None:
    assert offchain.Client is sdk.Client
    assert offchain.AsyncClient is sdk.AsyncClient
    with pytest.raises(AttributeError):
        _ = offchain.Nothing


def public(kind: type) -> set[str]:
    return {name for name, _ in inspect.getmembers(kind) if not name.startswith("_")}


@pytest.mark.parametrize("name", sorted(SYNC_ONLY))
def test_async__has_the_same_names(name: str) -> None:
    blocking, awaited = getattr(sdk, name), getattr(sdk, f"Async{name}")
    assert public(blocking) - public(awaited) == SYNC_ONLY[name]
    assert public(awaited) - public(blocking) == set()
    for method in public(awaited):
        mine, other = getattr(awaited, method), getattr(blocking, method)
        assert isinstance(mine, property) == isinstance(other, property), method


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({}, "gateway"),
        ({"rpc": "http://127.0.0.1:1"}, "gateway"),
        ({"gateway": "ftp://x"}, "http"),
        (
            {"gateway": "http://x", "account": Account.create(), "key_file": Path("key")},
            "one of key_file",
        ),
    ],
)
def test_connect__options_that_make_no_sense__refused(options: dict[str, Any], match: str) -> None:
    with pytest.raises(ConfigError, match=match):
        open_connection(Options(**options))


# The reference string in an opening's code


def fill(artifact: Artifact, words: list[bytes]) -> bytes:
    """Return an opening's code as a constructor leaves it."""
    code = bytearray(artifact.runtime_code)
    for (start, length), word in zip(artifact.immutables, words, strict=True):
        code[start : start + length] = word
    return bytes(code)


@pytest.mark.parametrize("name", ["HyperKzgOpening", "MercuryOpening"])
def test_verify_reference_string__only_the_tau_of_the_name(name: str) -> None:
    artifact = load_artifact(name)
    tau = [bytes([k]) * 32 for k in (4, 3, 2, 1)]
    srs_id = keccak(SRS_PREFIX + b"".join(tau))
    good = fill(artifact, [srs_id, *tau])
    verify_reference_string(name, artifact, good, srs_id)
    verify_reference_string(name, artifact, fill(artifact, [*reversed(tau), srs_id]), srs_id)
    for code, named in (
        (fill(artifact, [srs_id, *tau[:3], rb"\9" * 32]), srs_id),
        (good, bytes(32)),
        (fill(artifact, [rb"\9" * 32, *tau]), srs_id),
    ):
        with pytest.raises(ManifestError, match="reference string"):
            verify_reference_string(name, artifact, code, named)
