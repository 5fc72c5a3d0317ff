"""A key goes on chain in pieces, a step each, and is believed only as the chain holds it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from eth_hash.auto import keccak

from offchain.chain.data_contract import get_code_of, read_data
from offchain.chain.journal import StepKey
from offchain.errors import OffchainError
from offchain.submit.key_upload import publish_key

BLOB = bytes(range(200)) * 5


class Chain:
    """Creates contracts; a step that was sent before gives what it gave then."""

    def __init__(self) -> None:
        self.code: dict[str, bytes] = {}
        self.created: dict[StepKey, str] = {}

    def submit(self, key: StepKey, call: Any) -> Any:
        if key not in self.created:
            self.created[key] = "0x" + f"{len(self.created) + 1:040x}"
            self.code[self.created[key].lower()] = get_code_of(call)
        return SimpleNamespace(created=self.created[key])

    def get_code(self, address: str) -> bytes:
        return self.code[address.lower()]

    def publish(self, piece_bytes: int, role: str = "operator") -> str:
        both: Any = self
        return publish_key(both, both, role, BLOB, piece_bytes)


@pytest.mark.parametrize(
    ("piece_bytes", "steps"),
    [(1_000, ["part-0"]), (400, ["part-0", "part-1", "part-2", "index"])],
)
def test_publish__in_as_many_pieces_as_it_takes__once(piece_bytes: int, steps: list[str]) -> None:
    chain = Chain()
    address = chain.publish(piece_bytes)
    assert read_data(address, chain.get_code) == BLOB  # type: ignore[arg-type]
    assert [key.step for key in chain.created] == steps
    assert {key.role for key in chain.created} == {"operator"}
    (job,) = {key.job for key in chain.created}
    assert job == f"key-0x{keccak(BLOB).hex()}-{piece_bytes}"
    assert chain.publish(piece_bytes) == address
    assert len(chain.created) == len(steps)


def test_publish__chain_holds_something_else__refused(monkeypatch: pytest.MonkeyPatch) -> None:
    chain = Chain()
    monkeypatch.setattr(chain, "get_code", lambda _: b"\0other")
    with pytest.raises(OffchainError, match="part-0 of the key"):
        chain.publish(1_000)


def test_publish__nothing_created__refused(monkeypatch: pytest.MonkeyPatch) -> None:
    chain = Chain()
    monkeypatch.setattr(chain, "submit", lambda *_: SimpleNamespace(created=None))
    with pytest.raises(OffchainError, match="it was not created"):
        chain.publish(1_000)
