"""Data contracts: bytes kept as code that cannot be called (0x00 || bytes, FORMAT.md 4)."""

from __future__ import annotations

from typing import Final

from offchain.chain.client import Call
from offchain.errors import ConfigError

PREFIX: Final = b"\x00"  # STOP
MAX_CODE_BYTES: Final = 24_576  # EIP-170
_INIT_BYTES: Final = 10


def build_data_contract(content: bytes) -> Call:
    """Return the creation of a data contract; raise ConfigError where EIP-170 forbids its size."""
    code = PREFIX + content
    if len(code) > MAX_CODE_BYTES:
        raise ConfigError(f"{len(code)} bytes of code exceed EIP-170's {MAX_CODE_BYTES}")
    # PUSH2 size, DUP1, PUSH1 offset, PUSH0, CODECOPY, PUSH0, RETURN
    init = (
        b"\x61" + len(code).to_bytes(2, "big") + b"\x80\x60" + bytes([_INIT_BYTES])
        + b"\x5f\x39\x5f\xf3"
    )  # fmt: skip
    return Call("DataContract", "create", None, init + code)
