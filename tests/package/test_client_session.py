"""A client with nothing but the wheel: submits, verifies locally, challenges a cheater.

The chain and the operator are the checkout's; client and challenger run from the wheel alone.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from offchain.cli.demo.processes import Party
from offchain.cli.demo.scenarios import SCENARIOS, Result
from offchain.cli.demo.stage import Play
from offchain.cli.demo.world import FUNDS_WEI, World
from tests.package.conftest import Client

FROM_WHEEL = ("client", "challenger")


class WheelPlay(Play):
    """A scenario whose client and challenger are the wheel's."""

    wheel: Client

    def _start(self, name: str, arguments: Sequence[str]) -> Party:
        if name not in FROM_WHEEL:
            return super()._start(name, arguments)
        party = Party(name, arguments, self._home, self.wheel.command, self.wheel.environment)
        self._parties[name] = party
        self._pids[name] = party.pid
        return party


def play(world: World, client: Client, name: str) -> Result:
    (scenario,) = (s for s in SCENARIOS if s.name == name)
    started = WheelPlay(world, scenario)
    started.wheel = client
    return started.run()


def test_key_and_doctor__from_the_wheel__nothing_amiss(client: Client, world: World) -> None:
    done = client.run("key", "create", "--key-file", "client.key", "--json")
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    world.anvil.fund(made["address"], FUNDS_WEI)
    doctor = client.run(
        "doctor", "--json", "--role", "client", "--models", str(world.models),
        "--version", world.version, *world.chain_arguments(Path(made["key_file"])),
    )  # fmt: skip
    report = json.loads(doctor.stdout)
    assert doctor.returncode == 0, report
    found = {finding["check"]: finding["found"] for finding in report["findings"]}
    for name in world.manifest.contracts:
        assert "what this package was built with" in found[f"code of {name}"]


def test_model_verify__from_the_wheel__reproduces_the_registration(
    client: Client, world: World
) -> None:
    done = client.run(
        "model", "verify", "--json", "--version", world.version, "--rpc", world.anvil.url,
        "--manifest", str(world.manifest_file), "--model", str(world.models / "mlp-digits"),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["reproduced"] is True


def test_session__honest_operator__result_verified_from_the_wheel(
    client: Client, world: World
) -> None:
    result = play(world, client, "honest-unchallenged")
    assert result.outcome == "paid"
    assert result.leaks == {}
    assert result.answer["agrees"] is True


def test_session__cheating_operator__challenged_and_slashed_from_the_wheel(
    client: Client, world: World
) -> None:
    result = play(world, client, "cheater-challenged")
    assert result.outcome == "slashed"
    assert result.leaks == {}
    assert result.answer["agrees"] is False
    # Whoever comes first claims the default; both are the wheel's.
    steps = {t.step for t in result.transactions if t.party in FROM_WHEEL and t.succeeded}
    assert {"create", "challenge", "claim-default", "withdraw"} <= steps
