"""The SDK against what runs for the web page: chain, gateway, an honest operator and a cheat.

Everything is ordered at once, at the first test; who comes last finds it done.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from offchain import AsyncClient, Client
from offchain.chain.artifacts import load_artifact
from offchain.chain.keys import create_key_file
from offchain.cli.demo.command import ROOT
from offchain.cli.demo.play import load_sample
from offchain.cli.demo.showcase import Showcase
from offchain.errors import ConfigError, ContractRevert, ManifestError, WrongChain, WrongResult
from offchain.sdk import Job, PendingResult, PlacedOrder, Session
from offchain.sdk.deployment import read_deployment
from offchain.submit.gateway import GatewayClient
from offchain.types import Assurance, JobState, SessionState

ETHER = 10**18
FEE = ETHER // 500
SESSION_FEE = ETHER // 1000
LABEL = 2  # of the sample
WAIT_S = 60.0
EXAMPLE = re.compile(r"```python\n(from offchain import Client\n.*?)```", re.DOTALL)

Connect = Callable[..., Client]


@dataclass(frozen=True)
class Ordered:
    """What the tests look at; nothing of it was waited for."""

    client: Client
    job: Job
    cheated: Job
    order: PlacedOrder
    session: Session
    requests: tuple[PendingResult, ...]


@pytest.fixture(scope="module")
def key_file(stage: Showcase, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The key of an account with money that nobody else uses."""
    path = tmp_path_factory.mktemp("sdk") / "client.key"
    stage.anvil.fund(create_key_file(path).address, 100 * ETHER)
    return path


@pytest.fixture(scope="module")
def connect(stage: Showcase, key_file: Path) -> Connect:
    def open_client(**options: Any) -> Client:
        given = {"key_file": key_file, "home": key_file.parent / "home", **options}
        return Client.connect(stage.gateway, **given)

    return open_client


@pytest.fixture(scope="module", autouse=True)
def ordered(stage: Showcase, connect: Connect) -> Ordered:
    client, version, pixels = connect(), stage.versions["digits"], np.array(load_sample())
    honest = stage.operators["honest"]
    session = client.open_session(version, honest, 10 * SESSION_FEE, SESSION_FEE, name="one")
    requests = [session.request(np.roll(pixels, k), name=f"request {k}") for k in range(3)]
    client.fund(10 * FEE)
    return Ordered(
        client=client,
        job=client.submit(version, pixels.reshape(8, 8), FEE, name="one"),
        cheated=client.submit(stage.versions["cheat"], pixels, FEE),
        order=client.order(version, pixels, FEE, name="one", ramp_seconds=10),
        session=session,
        requests=tuple(requests),
    )


def test_readme__ten_lines__a_verified_result(
    stage: Showcase, key_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (example,) = EXAMPLE.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    assert len(example.strip().splitlines()) <= 10
    digit = tmp_path / "digit.json"
    digit.write_text(str(load_sample()))
    told = {
        "https://gateway.example": stage.gateway,
        "client.key": str(key_file),
        "VERSION": stage.versions["digits"],
        "digit.json": str(digit),
    }
    for name, value in told.items():
        assert name in example
        example = example.replace(name, value)
    exec(compile(example, "README.md", "exec"), {})
    assert capsys.readouterr().out.split()[-1] == str(LABEL)


# A gateway is not believed


def read_config(stage: Showcase) -> dict[str, Any]:
    return dict(GatewayClient(stage.gateway).get_config())


def tamper(config: Mapping[str, Any], **contracts: str) -> dict[str, Any]:
    return {**config, "contracts": {**config["contracts"], **contracts}}


def test_connect__true_config__is_the_manifest(stage: Showcase, connect: Connect) -> None:
    client = connect(market=read_config(stage)["contracts"]["JobMarket"])
    by_manifest = connect(manifest=stage.manifest, rpc=stage.anvil.url)
    told, held = client.connection.manifest, by_manifest.connection.manifest
    assert told.srs_id == held.srs_id
    assert {n: (d.address, d.code_hash) for n, d in told.contracts.items()} == {
        n: (d.address, d.code_hash) for n, d in held.contracts.items()
    }


def test_connect__another_market_than_the_one_meant__refused(connect: Connect) -> None:
    with pytest.raises(ConfigError, match="market"):
        connect(market="0x" + "11" * 20)


def test_read_deployment__lies__refused(stage: Showcase) -> None:
    config = read_config(stage)
    at = config["contracts"]
    lies = [
        tamper(config, JobMarket="0x" + "11" * 20),  # no code
        tamper(config, StakeVault=at["JobMarket"]),  # another contract's
        tamper(config, HyperKzgOpening=at["MercuryOpening"]),
        {**config, "preset": "devnet"},  # other parameters
        {**config, "token": at["OrderBook"]},
        {**config, "contracts": {}},
    ]
    for lie in lies:
        with pytest.raises(ManifestError):
            read_deployment(lie, stage.anvil.url)
    with pytest.raises(WrongChain):
        read_deployment({**config, "chainId": 1}, stage.anvil.url)


def test_read_deployment__market_of_another_deployment__refused(stage: Showcase) -> None:
    config = read_config(stage)
    rpc = stage.anvil.rpc
    # The same code elsewhere: it names the same neighbours, but they do not name it.
    code = rpc.request("eth_getCode", config["contracts"]["JobMarket"], "latest")
    twin = "0x" + "77" * 20
    rpc.request("anvil_setCode", twin, code)
    with pytest.raises(ManifestError):
        read_deployment(tamper(config, JobMarket=twin), stage.anvil.url)


def test_read_deployment__openings_with_another_tau__refused(stage: Showcase) -> None:
    config = read_config(stage)
    rpc, name = stage.anvil.rpc, "HyperKzgOpening"
    address = config["contracts"][name]
    code = rpc.request("eth_getCode", address, "latest")
    raw = bytearray(bytes.fromhex(code[2:]))
    artifact = load_artifact(name)
    client, manifest = read_deployment(config, stage.anvil.url)
    (start, length) = next(
        (s, n) for s, n in artifact.immutables if bytes(raw[s : s + n]) != manifest.srs_id
    )
    raw[start + length - 1] ^= 1
    try:
        rpc.request("anvil_setCode", address, "0x" + raw.hex())
        assert artifact.is_code_of(client.get_code(address))  # constructors may fill in anything
        with pytest.raises(ManifestError, match="reference string"):
            read_deployment(config, stage.anvil.url)
    finally:
        rpc.request("anvil_setCode", address, code)


# What was ordered comes


def test_names__said_again__nothing_happens_twice(
    stage: Showcase, connect: Connect, ordered: Ordered
) -> None:
    client, version, pixels = connect(), stage.versions["digits"], np.array(load_sample())
    assert client.submit(version, pixels, FEE * 2, name="one").id == ordered.job.id
    assert client.order(version, pixels, FEE * 2, name="one").hash == ordered.order.hash
    session = client.open_session(version, stage.operators["honest"], 1, 1, name="one")
    assert session.id == ordered.session.id
    again = session.request(pixels, name="request 0")
    assert (again.nonce, again.job_id) == (0, ordered.requests[0].job_id)
    mine = [job.id for job in client.jobs()]
    assert sorted(mine[:2]) == sorted([ordered.job.id, ordered.cheated.id])
    with pytest.raises(ConfigError, match="another"):
        client.order(version, np.roll(pixels, 1), FEE, name="one")
    with pytest.raises(ConfigError, match="another"):
        session.request(np.roll(pixels, 1), name="request 0")


def test_verify__cheat__is_told_what_is_right(ordered: Ordered) -> None:
    job = ordered.cheated.wait(WAIT_S, until="committed")
    with pytest.raises(WrongResult) as wrong:
        job.verify()
    assert wrong.value.committed == job.out_digest
    assert wrong.value.recomputed != job.out_digest


def test_order__taken__paid_from_credit_without_gas(ordered: Ordered) -> None:
    job = ordered.order.wait(WAIT_S)
    assert ordered.order.state() == "taken"
    job.wait(WAIT_S, until="committed").verify()
    assert job.label == LABEL
    assert FEE <= job.facts().fee <= 2 * FEE
    assert job.facts().client == ordered.client.address
    assert ordered.client.credit() == 10 * FEE - job.facts().fee
    with pytest.raises(ContractRevert, match="OrderTakenBefore"):
        ordered.order.cancel()


def test_async__same_names__awaited(stage: Showcase, key_file: Path, ordered: Ordered) -> None:
    async def play() -> None:
        home = key_file.parent / "home"
        client = await AsyncClient.connect(stage.gateway, key_file=key_file, home=home)
        session = await client.session(ordered.session.id)
        (first, *_), versions = await asyncio.gather(session.results, client.versions())
        await first.wait(WAIT_S, until="signed")
        await first.verify()
        assert await first.label == LABEL
        assert stage.versions["digits"] in [version.id for version in versions]
        job = await client.job(ordered.job.id)
        await job.wait(WAIT_S, until="committed")
        output, label = await asyncio.gather(job.output, job.label)
        assert (output.shape, label) == ((1, 10), LABEL)
        assert await client.withdraw() > 0
        assert await client.credit() == 0

    # In a thread of its own: a browser of other tests keeps an event loop in this one.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: asyncio.run(play())).result()


def test_session__batch_challenge_and_end(stage: Showcase, ordered: Ordered) -> None:
    session, results = ordered.session, ordered.requests
    for result in results:
        result.wait(WAIT_S, until="committed").verify()
    assert session.deposit == 7 * SESSION_FEE
    assert [known.nonce for known in session.results] == [0, 1, 2]

    # Its client doubts one of them: out of the batch it comes, and the operator proves it.
    challenge = results[1].challenge()
    assert results[1].challenge() == challenge
    job = results[1].find_job()
    assert job is not None
    job.wait(WAIT_S)
    assert job.state() is JobState.PROVEN
    assert results[1].assurance is Assurance.PROVEN

    inclusion = results[0].find_inclusion()
    assert inclusion is not None
    stage.skip(inclusion.batch.challenge_until + 1 - stage.get_time())
    results[0].settle()
    results[0].wait(WAIT_S, until="final")
    assert results[0].assurance is Assurance.UNCHALLENGED
    closes_at = session.close()
    with pytest.raises(ContractRevert):
        session.withdraw()
    stage.skip(closes_at + 1 - stage.get_time())
    session.withdraw()
    assert session.state() is SessionState.CLOSED
    assert ordered.client.credit() >= 7 * SESSION_FEE


def test_job__honest__final_for_whoever_knows_its_id(
    stage: Showcase, tmp_path: Path, ordered: Ordered
) -> None:
    reader = Client.connect(stage.gateway, home=tmp_path / "reader")
    job = reader.job(ordered.job.id)
    job.wait(WAIT_S, until="committed")
    job.verify()
    assert job.terms == ordered.job.terms
    assert job.operator == stage.operators["honest"]
    with pytest.raises(ConfigError, match="signed"):
        job.challenge()
    if job.state() is JobState.COMMITTED:
        stage.skip(max(0, job.facts().deadline + 1 - stage.get_time()))
        ordered.job.settle()
    job.wait(WAIT_S)
    assert job.assurance is Assurance.UNCHALLENGED
