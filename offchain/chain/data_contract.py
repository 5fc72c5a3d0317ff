"""Data contracts: bytes kept as code that cannot be called (FORMAT.md 4).

code  0x00 || bytes
      0xfe || k x address (20): the concatenation of what the k contracts of the first kind hold
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from offchain.chain.binding import checksum
from offchain.chain.client import Call
from offchain.errors import ConfigError
from offchain.types import Address

PREFIX: Final = b"\x00"  # STOP
INDEX_PREFIX: Final = b"\xfe"  # INVALID
MAX_CODE_BYTES: Final = 24_576  # EIP-170
MAX_PIECE_BYTES: Final = MAX_CODE_BYTES - len(PREFIX)
NAME: Final = "DataContract"
_ADDRESS_BYTES: Final = 20
_INIT_BYTES: Final = 10


def split_content(content: bytes, piece_bytes: int = MAX_PIECE_BYTES) -> Sequence[bytes]:
    """Return the pieces, each of which fits one data contract; at least one."""
    starts = range(0, max(1, len(content)), piece_bytes)
    return [content[k : k + piece_bytes] for k in starts]


def build_data_contract(piece: bytes) -> Call:
    """Return the creation of a data contract; raise ConfigError where EIP-170 forbids its size."""
    return _build_creation(PREFIX + piece)


def build_index_contract(parts: Sequence[str]) -> Call:
    """Return the creation of the contract that names the data contracts of a split content.

    Raises ConfigError where EIP-170 forbids its size.
    """
    return _build_creation(INDEX_PREFIX + b"".join(bytes.fromhex(part[2:]) for part in parts))


def get_code_of(creation: Call) -> bytes:
    """Return the code that a creation of this module leaves on chain."""
    return creation.calldata[_INIT_BYTES:]


def read_data(address: str, get_code: Callable[[Address], bytes]) -> bytes | None:
    """Return what a data contract holds, in parts or whole; None where it is none.

    The same codes are refused as by `contracts/verifiers/KeyData.sol`.
    """
    code = get_code(checksum(address))
    if code.startswith(PREFIX):
        return code[len(PREFIX) :]
    listed = code[len(INDEX_PREFIX) :]
    if not (code.startswith(INDEX_PREFIX) and listed and len(listed) % _ADDRESS_BYTES == 0):
        return None
    pieces = []
    for start in range(0, len(listed), _ADDRESS_BYTES):
        part = get_code(checksum("0x" + listed[start : start + _ADDRESS_BYTES].hex()))
        if not part.startswith(PREFIX):
            return None
        pieces.append(part[len(PREFIX) :])
    return b"".join(pieces)


def _build_creation(code: bytes) -> Call:
    if len(code) > MAX_CODE_BYTES:
        raise ConfigError(f"{len(code)} bytes of code exceed EIP-170's {MAX_CODE_BYTES}")
    # PUSH2 size, DUP1, PUSH1 offset, PUSH0, CODECOPY, PUSH0, RETURN
    init = (
        b"\x61" + len(code).to_bytes(2, "big") + b"\x80\x60" + bytes([_INIT_BYTES])
        + b"\x5f\x39\x5f\xf3"
    )  # fmt: skip
    return Call(NAME, "create", None, init + code)
