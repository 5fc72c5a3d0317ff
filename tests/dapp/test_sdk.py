"""The SDK against everything that runs for the web page: chain, gateway, honest and cheating operator."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
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
from offchain.sdk.deployment import read_deployment
from offchain.submit.gateway import GatewayClient
from offchain.types import Assurance, JobState, SessionState

ETHER = 10**18
FEE = ETHER // 500
SESSION_FEE = ETHER // 2000
LABEL = 2  # of the sample
WAIT_S = 60.0
EXAMPLE = re.compile(r"```python\n(from offchain import Client\n.*?)```", re.DOTALL)

Connect = Callable[..., Client]


@pytest.fixture
def key_file(stage: Showcase, tmp_path: Path) -> Path:
    """The key of an account with money that nobody else uses."""
    path = tmp_path / "client.key"
    stage.anvil.fund(create_key_file(path).address, 100 * ETHER)
    return path


@pytest.fixture
def connect(stage: Showcase, key_file: Path, tmp_path: Path) -> Connect:
    def open_client(**options: Any) -> Client:
        given = {"key_file": key_file, "home": tmp_path / "home", **options}
        return Client.connect(stage.gateway, **given)

    return open_client


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


def test_submit__honest__the_same_name_is_the_same_job(stage: Showcase, connect: Connect) -> None:
    client, version = connect(), stage.versions["digits"]
    pixels = np.array(load_sample()).reshape(8, 8)
    job = client.submit(version, pixels, FEE, name="first")
    again = connect().submit(version, pixels, FEE * 2, name="first")
    assert again.id == job.id
    assert [found.id for found in client.jobs()] == [job.id]
    job.wait(WAIT_S, until="committed")
    job.verify()
    assert job.label == LABEL
    assert job.output.shape == (1, 10)
    assert job.assurance is Assurance.NONE
    found = client.job(job.id)  # by its id alone, as anybody could
    found.verify()
    assert found.operator == stage.operators["honest"]
    stage.skip(job.facts().deadline + 1 - stage.get_time())
    found.wait(WAIT_S)
    assert found.assurance is Assurance.UNCHALLENGED


def test_verify__cheat__is_told_what_is_right(stage: Showcase, connect: Connect) -> None:
    client, version = connect(), stage.versions["cheat"]
    job = client.submit(version, load_sample(), FEE).wait(WAIT_S, until="committed")
    with pytest.raises(WrongResult) as wrong:
        job.verify()
    assert wrong.value.committed == job.out_digest
    assert wrong.value.recomputed != job.out_digest


def test_order__async__signed_taken_and_paid_from_credit(
    stage: Showcase, key_file: Path, tmp_path: Path
) -> None:
    async def play() -> None:
        client = await AsyncClient.connect(stage.gateway, key_file=key_file, home=tmp_path / "home")
        before = stage.anvil.rpc.request("eth_getTransactionCount", client.address, "latest")
        await client.fund(10 * FEE)
        version, pixels = stage.versions["digits"], load_sample()
        order = await client.order(version, pixels, FEE, name="one", ramp_seconds=10)
        again = await client.order(version, pixels, FEE * 3, name="one")
        assert again.hash == order.hash
        job = await order.wait(WAIT_S)
        assert await order.state() == "taken"
        await job.wait(WAIT_S, until="committed")
        await job.verify()
        assert await job.label == LABEL
        credit = await client.credit()
        assert 8 * FEE <= credit <= 9 * FEE
        assert await client.withdraw() == credit
        after = stage.anvil.rpc.request("eth_getTransactionCount", client.address, "latest")
        assert int(after, 16) - int(before, 16) == 2  # fund and withdraw: the order cost no gas

    asyncio.run(play())


def test_session__requests_batch_challenge_and_close(stage: Showcase, connect: Connect) -> None:
    client, version = connect(), stage.versions["digits"]
    honest = stage.operators["honest"]
    session = client.open_session(version, honest, 10 * SESSION_FEE, SESSION_FEE, name="one")
    assert connect().open_session(version, honest, 1, 1, name="one").id == session.id
    pixels = np.array(load_sample())
    results = [session.request(np.roll(pixels, k), name=f"request {k}") for k in range(3)]
    assert session.request(pixels, name="request 0").nonce == results[0].nonce
    for result in results:
        result.wait(WAIT_S, until="signed").verify()
    assert results[0].label == LABEL
    for result in results:
        result.wait(WAIT_S, until="committed").verify()
    assert client.session(session.id).deposit == 7 * SESSION_FEE
    assert [known.nonce for known in session.results] == [result.nonce for result in results]

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
    assert client.credit() >= 7 * SESSION_FEE


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


def test_connect__without_a_key__reads_and_recomputes_but_signs_nothing(
    stage: Showcase, connect: Connect, tmp_path: Path
) -> None:
    job = connect().submit(stage.versions["digits"], load_sample(), FEE)
    job.wait(WAIT_S, until="committed")
    reader = Client.connect(stage.gateway, home=tmp_path / "reader")
    found = reader.job(job.id)
    found.verify()
    assert found.label == LABEL
    with pytest.raises(ConfigError, match="signed"):
        found.challenge()
    assert replace(found.terms) == job.terms
