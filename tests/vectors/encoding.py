"""How vectors write numbers and bytes."""

from __future__ import annotations

from collections.abc import Sequence

from offchain.prove.reference.field import R


def word(value: int) -> str:
    """Return a field element as 32 bytes of hex."""
    return "0x" + (value % R).to_bytes(32, "big").hex()


def words(values: Sequence[int]) -> list[str]:
    """Return field elements as hex words."""
    return [word(v) for v in values]


def hexed(raw: bytes) -> str:
    """Return bytes as 0x-hex."""
    return "0x" + raw.hex()
