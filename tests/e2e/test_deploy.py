"""Deployment refuses what would let anybody forge proofs."""

from __future__ import annotations

from pathlib import Path

import pytest

from offchain.chain.anvil import run_anvil
from offchain.chain.keys import create_key_file
from offchain.chain.manifest import load_manifest
from offchain.cli.chain import run_deploy
from offchain.cli.demo.world import World
from offchain.errors import ManifestError, OffchainError
from offchain.roles.context import connect


def test_deploy__insecure_srs_on_a_chain_that_is_not_local__refused(tmp_path: Path) -> None:
    with run_anvil(tmp_path / "anvil.log", block_s=0, chain_id=4242) as anvil:
        deployer = create_key_file(tmp_path / "key").address
        anvil.fund(deployer, 10**20)
        with pytest.raises(OffchainError, match="anybody could forge"):
            run_deploy(tmp_path / "key", anvil.url, "local", tmp_path / "manifest.json")
        assert int(anvil.rpc.request("eth_getTransactionCount", deployer, "latest"), 16) == 0
    assert not (tmp_path / "manifest.json").exists()


def test_deploy__manifest__names_what_is_on_chain(world: World) -> None:
    manifest = load_manifest(world.manifest_file)
    assert manifest.srs_insecure
    assert manifest.preset == "local"
    for deployment in manifest.contracts.values():
        assert len(world.client.get_code(deployment.address)) > 0
    vault, market, game = (manifest.get(n) for n in ("StakeVault", "JobMarket", "DisputeGame"))
    assert world.contracts.vault.read("market").lower() == market.address.lower()
    assert world.contracts.vault.read("game").lower() == game.address.lower()
    assert world.contracts.market.read("VAULT").lower() == vault.address.lower()


def test_connect__manifest_of_another_chain__refused(world: World, tmp_path: Path) -> None:
    with (
        run_anvil(tmp_path / "anvil.log", chain_id=4242) as other,
        pytest.raises(ManifestError, match="serves chain 4242"),
    ):
        connect(other.url, world.manifest_file)
