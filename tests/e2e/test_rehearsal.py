"""A rehearsal of a public deployment: what a testnet is like, and a whole disputed job on it.

Another chain id, no account that the node signs for, keystores, 12 s blocks, a base fee that moves,
preset `testnet` with its windows of minutes and hours. Windows in which nobody can do anything are
mined at once, 12 s a block; one transaction waits for its block in real time.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Final

import pytest

from offchain.chain.rpc import RpcError
from offchain.cli.demo.command import ROOT
from offchain.cli.demo.narrator import ETHER, Narrator
from offchain.cli.demo.play import MODEL, load_sample
from offchain.cli.demo.scenarios import SCENARIOS
from offchain.cli.demo.stage import Play
from offchain.cli.demo.world import Terrain, World, open_world
from offchain.roles.account import Account
from tests.e2e.public_chain import BLOCK_S, CHAIN_ID, mine_public_blocks

GUARDIANS: Final = tuple("0x" + f"{i:02x}" * 20 for i in (0xA1, 0xA2, 0xA3))
PASSWORD: Final = "correct horse battery staple"
SLACK_S: Final = 2.0


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory, world: World) -> Iterator[World]:
    """A deployment on a public-like chain; `world` is asked for because it trains the model."""
    folder = tmp_path_factory.mktemp("public")
    password_file = folder / "password"
    password_file.write_text(PASSWORD)
    password_file.chmod(0o600)
    terrain = Terrain(
        chain_id=CHAIN_ID,
        preset="testnet",
        block_s=BLOCK_S,
        unlocked=0,
        guardians=GUARDIANS,
        accept_insecure_srs=True,
        password_file=password_file,
    )
    models = ROOT / ".local" / "models"
    with open_world(
        folder, models, MODEL, load_sample(), Narrator(print), is_hurried=True, terrain=terrain
    ) as opened:
        yield opened


def test_rehearsal__deployment__on_its_chain_with_its_guardians(public: World) -> None:
    assert public.client.chain_id == public.manifest.chain_id == CHAIN_ID
    assert public.manifest.preset == "testnet"
    assert [g.lower() for g in public.manifest.guardians] == list(GUARDIANS)
    assert public.anvil.rpc.request("eth_accounts") == []
    key_file, address = public.create_account(public.folder, "locked")
    assert "scrypt" in key_file.read_text()
    with pytest.raises(RpcError):
        public.anvil.rpc.request("eth_sendTransaction", {"from": address, "to": address})


def test_rehearsal__a_transaction__waits_for_its_real_block(public: World) -> None:
    key_file, _ = public.create_account(public.folder, "patient")
    account = Account(
        public.anvil.url,
        public.manifest_file,
        key_file,
        public.terrain.password_file,
        public.folder / "patient",
    )
    public.anvil.start_clock(0)
    public.anvil.start_clock(BLOCK_S)  # the next block is a whole block time away
    head, began = public.client.get_head(), time.monotonic()
    receipt = account.send(public.contracts.vault.build_deposit(10**15))
    waited = time.monotonic() - began
    assert receipt.block_number == head.number + 1
    assert BLOCK_S - SLACK_S < waited < BLOCK_S + SLACK_S


def test_rehearsal__disputed_job__proven_and_every_wei_accounted_for(public: World) -> None:
    scenario = replace(SCENARIOS[1], name="rehearsal", fee_wei=ETHER // 20, stake_wei=3 * ETHER)
    first = public.client.get_head()
    with mine_public_blocks(public.anvil):
        result = Play(public, scenario).run()
    last = public.client.get_head()
    assert result.outcome == "proven"
    assert result.leaks == {}
    assert result.proofs_generated == 1
    blocks = [public.client.get_block(n) for n in range(first.number + 1, last.number + 1)]
    stamps = [block.timestamp for block in blocks if block]
    assert all(b - a == BLOCK_S for a, b in pairwise(stamps))
    fees = [block.base_fee_wei for block in blocks if block]
    assert max(fees) > 2 * min(fees)
