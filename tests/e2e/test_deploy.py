"""Deployment refuses what would let anybody forge proofs, and goes on where it stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from offchain.chain.anvil import Anvil, run_anvil
from offchain.chain.binding import checksum
from offchain.chain.deployment import ORDER, Plan, compute_create_address, verify_deployment
from offchain.chain.keys import create_key_file, load_signer
from offchain.chain.manifest import load_manifest
from offchain.cli.demo.world import World
from offchain.cli.deploy import DeployOptions, run_deploy
from offchain.commit.srs import choose_srs
from offchain.errors import DeploymentError, ManifestError
from offchain.roles.context import bind_contracts, connect
from offchain.types import NOBODY

CHAIN_ID: Final = 4242
GUARDIANS: Final = tuple("0x" + f"{i:02x}" * 20 for i in (0xA1, 0xA2, 0xA3))
WAIT_S: Final = 90.0


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Anvil, DeployOptions]]:
    """A chain that is not local, and what a deployment on it is told."""
    folder = tmp_path_factory.mktemp("public")
    with run_anvil(folder / "anvil.log", block_s=1, chain_id=CHAIN_ID, unlocked=0) as anvil:
        key_file = folder / "key"
        anvil.fund(create_key_file(key_file).address, 10**20)
        yield (
            anvil,
            DeployOptions(
                key_file=key_file,
                rpc=anvil.url,
                preset="devnet",
                manifest=folder / "manifest.json",
                guardians=GUARDIANS,
                accept_insecure_srs=True,
            ),
        )


def count_sent(anvil: Anvil, options: DeployOptions) -> int:
    signer = create_address(options.key_file)
    return int(anvil.rpc.request("eth_getTransactionCount", signer, "latest"), 16)


def create_address(key_file: Path) -> str:
    return load_signer(key_file).address


def test_deploy__insecure_srs_on_a_chain_that_is_not_local__refused_before_anything_is_sent(
    public: tuple[Anvil, DeployOptions],
) -> None:
    anvil, options = public
    with pytest.raises(DeploymentError, match="anybody could forge"):
        run_deploy(replace(options, accept_insecure_srs=False))
    assert count_sent(anvil, options) == 0
    assert options.manifest is not None
    assert not options.manifest.exists()


def test_deploy__killed_in_the_middle__goes_on_and_sends_nothing_twice(
    public: tuple[Anvil, DeployOptions],
) -> None:
    anvil, options = public
    assert options.manifest is not None
    deployer = create_address(options.key_file)
    kill_after(anvil, options, deployer, contracts=2)
    assert not options.manifest.exists()
    exist = [bool(code) for code in read_codes(anvil, deployer)]
    assert any(exist) and not all(exist)

    said: list[str] = []
    run_deploy(options, said.append)
    assert any("exists" in line for line in said)
    assert count_sent(anvil, options) == len(ORDER)
    manifest = load_manifest(options.manifest)
    assert [d.address for d in (manifest.get(name) for name in ORDER)] == [
        compute_create_address(deployer, nonce) for nonce in range(len(ORDER))
    ]
    for name in ORDER:
        receipt = anvil.rpc.request("eth_getTransactionReceipt", manifest.get(name).tx_hash)
        assert receipt["contractAddress"].lower() == manifest.get(name).address.lower()


def kill_after(anvil: Anvil, options: DeployOptions, deployer: str, contracts: int) -> None:
    """Start a deployment in a process of its own and kill it once so many contracts are there."""
    fields = {k: str(v) if isinstance(v, Path) else v for k, v in options.__dict__.items()}
    script = (
        "import json, sys; from pathlib import Path; "
        "from offchain.cli.deploy import DeployOptions, run_deploy; o = json.loads(sys.argv[1]); "
        "o['key_file'], o['manifest'] = Path(o['key_file']), Path(o['manifest']); "
        "o['guardians'] = tuple(o['guardians']); run_deploy(DeployOptions(**o))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, json.dumps(fields)], start_new_session=True
    )
    deadline = time.monotonic() + WAIT_S
    while sum(bool(code) for code in read_codes(anvil, deployer)) < contracts:
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def read_codes(anvil: Anvil, deployer: str) -> list[bytes]:
    """Return the code at each address where a first deployment's contracts come to lie."""
    codes = []
    for nonce in range(len(ORDER)):
        address = compute_create_address(deployer, nonce)
        codes.append(bytes.fromhex(anvil.rpc.request("eth_getCode", address, "latest")[2:]))
    return codes


def test_deploy__manifest__names_what_is_on_chain(world: World) -> None:
    manifest = load_manifest(world.manifest_file)
    assert manifest.srs_insecure
    assert manifest.preset == "local"
    assert len(set(manifest.guardians)) == 3
    for deployment in manifest.contracts.values():
        assert len(world.client.get_code(deployment.address)) > 0
    contracts = bind_contracts(world.client, manifest)
    assert contracts.vault.read("MARKET").lower() == contracts.market.address.lower()
    assert contracts.vault.read("GAME").lower() == contracts.game.address.lower()
    assert contracts.market.read("VAULT").lower() == contracts.vault.address.lower()
    assert contracts.vault.read("TOKEN") == NOBODY


def test_verify_deployment__contracts_that_know_others__named(world: World) -> None:
    manifest = world.manifest
    deployer = create_address(world.folder / "deployer.key")
    plan = Plan(
        chain_id=manifest.chain_id,
        genesis="",
        preset=manifest.preset,
        deployer=checksum(deployer),
        first_nonce=0,
        first_block=0,
        guardians=manifest.guardians,
        token=NOBODY,
        tau_g2=choose_srs().tau_g2,
    )
    verify_deployment(world.client, plan)
    others = tuple(map(checksum, GUARDIANS))
    with pytest.raises(DeploymentError, match="isMember"):
        verify_deployment(world.client, replace(plan, guardians=others))
    with pytest.raises(DeploymentError, match="PARAMETERS_HASH"):
        verify_deployment(world.client, replace(plan, preset="devnet"))
    with pytest.raises(DeploymentError, match=f"there is no {ORDER[0]}"):
        verify_deployment(world.client, replace(plan, first_nonce=1000))


def test_connect__manifest_of_another_chain__refused(world: World, tmp_path: Path) -> None:
    with (
        run_anvil(tmp_path / "anvil.log", chain_id=CHAIN_ID) as other,
        pytest.raises(ManifestError, match="serves chain 4242"),
    ):
        connect(other.url, world.manifest_file)
