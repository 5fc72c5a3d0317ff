"""Presets and contracts speak of the same parameters."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from offchain.errors import ConfigError
from offchain.params.presets import PRESETS, Parameters, get_preset

SOLIDITY = Path(__file__).parents[3] / "contracts" / "types" / "Parameters.sol"


def to_snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_parameters__same_fields_in_the_same_order_as_in_solidity(preset: Parameters) -> None:
    declared = re.findall(r"^    (uint\d+) (\w+);", SOLIDITY.read_text(), re.MULTILINE)
    assert [to_snake(name) for _, name in declared] == [f.name for f in fields(Parameters)]
    for (kind, _), value in zip(declared, preset.to_abi(), strict=True):
        assert 0 <= value < 1 << int(kind.removeprefix("uint"))


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_preset__stake_outlives_two_of_the_longest_jobs(preset: Parameters) -> None:
    search = (
        max(1, preset.exec_seconds // 2)
        + 2 * preset.prove_seconds
        + 18 * max(1, preset.prove_seconds // 10)
    )
    life = (
        preset.assign_seconds
        + preset.exec_seconds
        + preset.challenge_seconds
        + preset.deliver_seconds
        + search
        + 2 * preset.prove_cap_seconds
        + preset.airgap_seconds
    )
    assert preset.pinpoint_seconds == search
    assert preset.longest_life_seconds == life
    assert preset.unbond_seconds >= 2 * life
    assert preset.prove_cap_seconds > preset.prove_seconds


def test_get_preset__unknown__refused() -> None:
    with pytest.raises(ConfigError, match="local"):
        get_preset("moon")
