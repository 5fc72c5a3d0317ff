"""A signed order in a file: what is written is read again, and nothing else is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from offchain.cli.order import describe, read_order, write_order
from offchain.errors import ConfigError
from offchain.submit.gateway import SignedOrder
from tests.unit.submit.test_gateway import ORDER, SIGNATURE


def test_write_order__read_again__the_same(tmp_path: Path) -> None:
    signed = SignedOrder(ORDER, SIGNATURE)
    write_order(tmp_path / "order.json", signed)
    assert read_order(tmp_path / "order.json") == signed


@pytest.mark.parametrize(
    "text", ["", "[]", "null", "5", "{}", '{"order": {}, "signature": "0x00"}', "{"]
)
def test_read_order__anything_else__refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "order.json"
    file.write_text(text)
    with pytest.raises(ConfigError, match=r"order\.json is no signed order"):
        read_order(file)


def test_describe__plain_facts_for_scripts() -> None:
    facts = json.loads(json.dumps(describe(ORDER)))
    assert facts["token"] == "ETH"
    assert facts["proof_required"] is True
    assert facts["max_fee"] == 2**96 - 1
