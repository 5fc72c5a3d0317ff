"""An account whose key lies with a remote signer moves money, and a lying signer moves none."""

from __future__ import annotations

from pathlib import Path

import pytest

from offchain.cli.demo.world import FUNDS_WEI, World
from offchain.errors import SignerMismatch, SignerUnavailable
from offchain.roles.account import Account
from tests.unit.chain.signer_service import SigningService, serve

AMOUNT_WEI = 10**15


def open_account(world: World, service: SigningService, state: Path, api: str) -> Account:
    return Account(
        world.anvil.url,
        world.manifest_file,
        None,
        None,
        state,
        signer_url=service.url,
        signer_address=service.account.address,
        signer_api=api,
    )


@pytest.mark.parametrize("api", ["rpc", "rest"])
def test_deposit__signed_remotely__on_chain(world: World, tmp_path: Path, api: str) -> None:
    with serve(SigningService(world.client.chain_id)) as service:
        world.anvil.fund(service.account.address, FUNDS_WEI)
        account = open_account(world, service, tmp_path, api)
        receipt = account.send(world.contracts.vault.build_deposit(AMOUNT_WEI))
        assert receipt.succeeded
        assert world.contracts.vault.get_account(account.address).free == AMOUNT_WEI


def test_deposit__signer_that_redirects_the_money__nothing_sent(
    world: World, tmp_path: Path
) -> None:
    with serve(SigningService(world.client.chain_id)) as service:
        world.anvil.fund(service.account.address, FUNDS_WEI)
        thief = "0x" + "66" * 20
        service.tamper["transaction"] = lambda request: {**request, "to": thief}
        account = open_account(world, service, tmp_path, "rpc")
        with pytest.raises(SignerMismatch, match="changed to"):
            account.send(world.contracts.vault.build_deposit(AMOUNT_WEI))
        assert world.client.get_nonce(service.account.address) == 0
        assert world.client.get_balance(thief) == 0
        # The same account goes on as soon as the signer is honest again: no nonce was lost.
        service.tamper.clear()
        assert account.send(world.contracts.vault.build_deposit(AMOUNT_WEI)).succeeded


def test_deposit__signer_away__typed_error_and_nothing_sent(world: World, tmp_path: Path) -> None:
    with serve(SigningService(world.client.chain_id)) as service:
        world.anvil.fund(service.account.address, FUNDS_WEI)
        account = open_account(world, service, tmp_path, "rpc")
    with pytest.raises(SignerUnavailable):
        account.send(world.contracts.vault.build_deposit(AMOUNT_WEI))
    assert world.client.get_nonce(service.account.address) == 0
