"""An account whose key lies with a remote signer moves money, and a lying signer moves none."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from eth_account import Account as Keys

from offchain.cli.demo.processes import THIS_PACKAGE, Party
from offchain.cli.demo.scenarios import SCENARIOS, Scenario
from offchain.cli.demo.stage import Play
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


class RemotePlay(Play):
    """A scenario whose operator has no key: a remote signer signs for its worker."""

    def __init__(self, world: World, scenario: Scenario, service: SigningService) -> None:
        super().__init__(world, scenario)
        self._service = service
        service.account = Keys.from_key(self._keys["worker"].read_text().strip())
        self._keys["worker"].unlink()

    def _start(self, name: str, arguments: Sequence[str]) -> Party:
        key_file = str(self._keys["worker"])
        if key_file in arguments:
            at = list(arguments).index(key_file)
            remote = ("--signer-url", self._service.url, "--signer-address")
            arguments = (
                *arguments[: at - 1],
                *remote,
                self.accounts["worker"],
                *arguments[at + 1 :],
            )
        return super()._start(name, arguments)


@pytest.mark.slow
def test_operator__without_a_key_on_its_machine__commits_proves_and_is_paid(world: World) -> None:
    (scenario,) = (s for s in SCENARIOS if s.name == "honest-challenged")
    scenario = replace(scenario, name="remote-signer")
    with serve(SigningService(world.client.chain_id)) as service:
        result = RemotePlay(world, scenario, service).run()
        assert result.outcome == "proven"
        assert result.leaks == {}
        steps = {t.step for t in result.transactions if t.party == "worker"}
        assert {"accept", "commit", "prove"} <= steps
        # The operator of this play has nothing amiss, says the doctor, from its home alone.
        home = str(world.folder / scenario.name / "operator")
        done = subprocess.run(
            [*THIS_PACKAGE, "doctor", "--json", "--home", home],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        report = json.loads(done.stdout)
        assert done.returncode == 0, report
        found = {finding["check"]: finding for finding in report["findings"]}
        assert "remote signer" in found["key"]["found"]
        assert {found[name]["level"] for name in ("worker", "stake", "broker", "database")} == {
            "ok"
        }
