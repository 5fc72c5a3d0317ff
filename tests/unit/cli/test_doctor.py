"""The doctor finds what is wrong, says what to do, and fails only then."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from eth_utils.crypto import keccak

import offchain.cli.doctor.command as doctor_command
from offchain.chain.abi import ContractAbi
from offchain.chain.artifacts import Artifact, load_artifact
from offchain.chain.keys import create_key_file
from offchain.chain.manifest import Deployment, Manifest, save_manifest
from offchain.chain.signers import SignerSource
from offchain.cli.doctor import chain as doctor_chain
from offchain.cli.doctor.account import check_balance, check_key, check_models
from offchain.cli.doctor.chain import (
    Ground,
    check_code,
    check_endpoints,
    check_head,
    check_manifest,
    check_srs,
    open_client,
)
from offchain.cli.doctor.command import command
from offchain.cli.doctor.finding import Finding, Level, Subject, run_checks
from offchain.cli.doctor.machine import check_broker, check_database, check_home, check_native
from offchain.commit.srs import insecure_srs_id
from offchain.errors import ManifestError
from offchain.params.settings import Settings
from offchain.types import AccountId, Address
from tests.unit.chain.signer_service import SigningService, serve
from tests.unit.cli.node_service import Node, serve_node

AT = Address("0x" + "11" * 20)
CODE = b"\x60\x01\x60\x02"
SILENT = "http://127.0.0.1:9/token-in-path"


@pytest.fixture
def node() -> Iterator[Node]:
    with serve_node(Node(int(time.time()))) as serving:
        serving.code[AT.lower()] = CODE
        yield serving


def build_manifest(chain_id: int = 31337, is_insecure: bool = True) -> Manifest:
    return Manifest(
        chain_id=chain_id,
        preset="local",
        first_block=0,
        srs_id=b"\x05" * 32,
        srs_insecure=is_insecure,
        contracts={"Box": Deployment(AT, ContractAbi("Box", []), "0x1", keccak(CODE))},
    )


def ground(node: Node, manifest: Manifest | None = None) -> Ground:
    client = open_client(Subject(rpc_url=node.url))
    assert client is not None
    return Ground(client, manifest or build_manifest())


def levels(findings: Iterator[Finding] | Sequence[Finding]) -> list[Level]:
    listed = list(findings)
    for finding in listed:
        is_bad = finding.level in (Level.WARNING, Level.FAILURE)
        assert bool(finding.remedy) == is_bad, finding
    return [finding.level for finding in listed]


# The chain


def test_endpoints__one_that_answers__ok(node: Node) -> None:
    assert levels(check_endpoints(Subject(rpc_url=node.url))) == [Level.OK, Level.OK]


def test_endpoints__none_answers__failure_without_the_token() -> None:
    (finding,) = check_endpoints(Subject(rpc_url=SILENT))
    assert finding.level is Level.FAILURE
    assert "token-in-path" not in finding.found + finding.check


def test_endpoints__one_of_two_answers__warning_only(node: Node) -> None:
    found = check_endpoints(Subject(rpc_url=f"{SILENT},{node.url}"))
    assert levels(found) == [Level.WARNING, Level.OK]


@pytest.mark.parametrize(
    ("change", "level", "text"),
    [
        ({}, Level.OK, "agree on block 100"),
        ({"chain_id": 1}, Level.FAILURE, "chain 1"),
        ({"fork": "b"}, Level.FAILURE, "disagree about block 100"),
        ({"head": 90}, Level.WARNING, "at 90"),
    ],
    ids=["same", "chain", "fork", "behind"],
)
def test_endpoints__two__compared(
    node: Node, change: dict[str, object], level: Level, text: str
) -> None:
    with serve_node(Node(node.head_time)) as other:
        for name, value in change.items():
            setattr(other, name, value)
        *_, last = check_endpoints(Subject(rpc_url=f"{node.url},{other.url}"))
    assert last.level is level
    assert text in last.found


@pytest.mark.parametrize(
    ("age_s", "level"),
    [(0, Level.OK), (90, Level.WARNING), (3600, Level.FAILURE), (-3600, Level.WARNING)],
)
def test_head__age_and_clock(node: Node, age_s: int, level: Level) -> None:
    node.head_time -= age_s
    assert levels(check_head(Subject(), ground(node).client)) == [level]


def test_manifest__of_this_chain_only(node: Node, tmp_path: Path) -> None:
    client = ground(node).client
    for chain_id, level in ((31337, Level.OK), (1, Level.FAILURE)):
        save_manifest(tmp_path / "manifest.json", build_manifest(chain_id))
        subject = Subject(manifest=tmp_path / "manifest.json")
        assert levels(check_manifest(subject, client)) == [level]
    (tmp_path / "manifest.json").write_text("{}")
    assert levels(check_manifest(subject, client)) == [Level.FAILURE]
    assert levels(check_manifest(Subject(), client)) == [Level.FAILURE]


def test_code__as_deployed__gone__or_another(node: Node) -> None:
    assert levels(check_code(ground(node))) == [Level.OK]
    node.code[AT.lower()] = CODE + b"\x00"
    assert levels(check_code(ground(node))) == [Level.FAILURE]
    node.code.clear()
    (gone,) = check_code(ground(node))
    assert gone.level is Level.FAILURE and "no code" in gone.found


def test_code__of_other_sources_than_the_package__warning(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = Artifact(ContractAbi("Box", []), b"", CODE[:-1] + b"\x09", ((3, 1),))
    monkeypatch.setattr(doctor_chain, "list_artifacts", lambda: ("Box",))
    monkeypatch.setattr(doctor_chain, "load_artifact", lambda _: own)
    assert levels(check_code(ground(node))) == [Level.OK]
    other = Artifact(ContractAbi("Box", []), b"", CODE[:-1] + b"\x09", ())
    monkeypatch.setattr(doctor_chain, "load_artifact", lambda _: other)
    assert levels(check_code(ground(node))) == [Level.WARNING]


def test_artifact__missing_or_malformed__refused(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="no contract Box"):
        load_artifact("Box", tmp_path)
    (tmp_path / "Box.json").write_text('{"format": "zkdps-artifact/1"}')
    with pytest.raises(ManifestError, match="KeyError"):
        load_artifact("Box", tmp_path)


@pytest.mark.parametrize(
    ("chain_id", "is_insecure", "is_known", "expected"),
    [
        (31337, True, True, [Level.OK, Level.OK]),
        (1, True, True, [Level.FAILURE, Level.OK]),
        # A manifest that calls the development string secure is not believed.
        (1, False, True, [Level.FAILURE, Level.OK]),
        (1, False, False, [Level.OK, Level.FAILURE]),
    ],
)
def test_srs__insecure_outside_a_local_chain_or_not_at_hand__failure(
    node: Node,
    monkeypatch: pytest.MonkeyPatch,
    chain_id: int,
    is_insecure: bool,
    is_known: bool,
    expected: list[Level],
) -> None:
    monkeypatch.delenv("ZKDPS_SRS", raising=False)
    manifest = build_manifest(chain_id, is_insecure)
    if is_known:
        manifest = replace(manifest, srs_id=insecure_srs_id())
    assert levels(check_srs(ground(node, manifest))) == expected


def test_srs__variable_names_no_file__failure(
    node: Node, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ZKDPS_SRS", str(tmp_path / "absent"))
    assert levels(check_srs(ground(node)))[1] is Level.FAILURE


# The account


def test_key__private__open_to_others__absent(tmp_path: Path) -> None:
    create_key_file(tmp_path / "key")
    subject = Subject(signer=SignerSource(key_file=tmp_path / "key"))
    assert levels(check_key(subject, None)) == [Level.OK]
    (tmp_path / "key").chmod(0o644)
    assert levels(check_key(subject, None)) == [Level.FAILURE]
    assert levels(check_key(Subject(), None)) == [Level.SKIPPED]


def test_key__remote_signer__with_and_without_the_key() -> None:
    with serve(SigningService()) as service:
        for address, level in (
            (service.account.address, Level.OK),
            ("0x" + "55" * 20, Level.FAILURE),
        ):
            subject = Subject(signer=SignerSource(url=service.url, address=address))
            assert levels(check_key(subject, None)) == [level]


@pytest.mark.parametrize(
    ("balance_wei", "level"),
    [(10**19, Level.OK), (10**16, Level.WARNING), (10**14, Level.FAILURE)],
)
def test_balance__against_the_gas_of_a_job(node: Node, balance_wei: int, level: Level) -> None:
    node.balance_wei = balance_wei
    found = check_balance(Subject(role="operator"), ground(node).client, AccountId(AT))
    assert levels(found) == [level]


def test_models__damaged_folder__failure(tmp_path: Path) -> None:
    assert levels(check_models(Subject(models=tmp_path))) == [Level.WARNING]
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "graph.json").write_text("{}")
    assert levels(check_models(Subject(models=tmp_path))) == [Level.FAILURE]


# The machine


def settings(home: Path, **changes: str) -> Settings:
    return Settings(
        role="operator",
        home=home,
        rpc_url=SILENT,
        manifest=home / "manifest.json",
        key_file=home / "key",
        content=str(home / "content"),
        models=home / "models",
        **changes,  # type: ignore[arg-type]
    )


def test_native__computes() -> None:
    assert levels(check_native(Subject())) == [Level.OK]


def test_home__others_may_write__failure(tmp_path: Path) -> None:
    own = settings(tmp_path)
    own.save()
    subject = Subject(home=tmp_path, settings=own)
    tmp_path.chmod(0o700)
    assert levels(check_home(subject)) == [Level.OK]
    tmp_path.chmod(0o777)
    assert levels(check_home(subject)) == [Level.FAILURE]


def test_broker_and_database__of_their_own__ok(tmp_path: Path) -> None:
    subject = Subject(home=tmp_path, settings=settings(tmp_path))
    assert levels(check_broker(subject)) == [Level.OK]
    assert levels(check_database(subject)) == [Level.OK]
    assert not (tmp_path / "journal.sqlite3").exists()
    (tmp_path / "journal.sqlite3").write_text("no database")
    (tmp_path / "journal.sqlite3").chmod(0o600)
    assert levels(check_database(subject)) == [Level.FAILURE]


def test_broker__server_away__failure_without_its_password(tmp_path: Path) -> None:
    own = settings(tmp_path, broker_url="amqp://user:secret@127.0.0.1:9//")
    (finding,) = check_broker(Subject(home=tmp_path, settings=own))
    assert finding.level is Level.FAILURE
    assert "secret" not in finding.found


# The command


def test_run_checks__a_check_that_cannot_be_made__is_a_failure() -> None:
    def check() -> Iterator[Finding]:
        raise ManifestError("broken")
        yield

    assert levels(run_checks([("x", check)])) == [Level.FAILURE]


def test_doctor__json_and_exit_codes(node: Node, tmp_path: Path) -> None:
    create_key_file(tmp_path / "key")
    save_manifest(tmp_path / "manifest.json", build_manifest())
    options = [
        "--json", "--rpc", node.url, "--manifest", str(tmp_path / "manifest.json"),
        "--key-file", str(tmp_path / "key"), "--role", "client",
    ]  # fmt: skip
    done = CliRunner().invoke(command, options)
    report = json.loads(done.stdout)
    # This node runs no contracts, so whatever asks one must fail; nothing else may.
    failed = {f["check"] for f in report["findings"] if f["level"] == "failure"}
    assert failed == {"protocol", "credit", "powers of tau"}
    assert (done.exit_code, report["ok"]) == (1, False)
    assert report["failures"] == 3
    alone = CliRunner().invoke(command, ["--json", "--rpc", SILENT])
    assert alone.exit_code == 1


def test_doctor__no_native_core__said_and_not_a_crash() -> None:
    without = "import sys; sys.modules['offchain.native'] = None; "
    run = "from offchain.cli.main import main; sys.argv = ['zkdps', 'doctor', '--json']; main()"
    done = subprocess.run(
        [sys.executable, "-c", without + run], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stderr
    found = {f["check"]: f for f in json.loads(done.stdout)["findings"]}
    assert found["native core"]["level"] == "failure"
    assert "reinstall" in found["native core"]["remedy"]


@pytest.mark.parametrize(
    ("level", "options", "code"),
    [
        (Level.OK, [], 0),
        (Level.SKIPPED, ["--strict"], 0),
        (Level.WARNING, [], 0),
        (Level.WARNING, ["--strict"], 1),
        (Level.FAILURE, [], 1),
    ],
)
def test_doctor__exit_code__by_the_worst_finding(
    monkeypatch: pytest.MonkeyPatch, level: Level, options: list[str], code: int
) -> None:
    found = [Finding("a", Level.OK, "b"), Finding("x", level, "y", "do z")]
    monkeypatch.setattr(doctor_command, "examine", lambda _: found)
    done = CliRunner().invoke(command, options)
    assert done.exit_code == code
    assert "do z" in done.stdout
