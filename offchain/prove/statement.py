"""The statement of a proof: one struct, hashed as on chain (FORMAT.md 5, protocol.md A.11)."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import Final

from eth_abi.abi import encode
from eth_hash.auto import keccak

FORMAT: Final = 2
MODE_PUBLIC: Final = 1  # verifier A, public input and output
_ABI: Final = (
    "uint256", "uint256", "address", "address", "uint256", "uint256", "bytes32", "address",
    "bytes32", "bytes32", "bytes32", "uint256", "uint256", "bytes32", "bytes32",
)  # fmt: skip


@dataclass(frozen=True)
class Statement:
    """Everything that a proof is bound to; addresses are 0x-hex strings, digests 32 bytes."""

    format: int
    chain_id: int
    verifier: str
    market: str
    job_id: int
    shard: int
    challenge_seed: bytes
    prover: str
    model_version: bytes
    program_hash: bytes
    srs_id: bytes
    mode: int
    op_range: int
    in_digest: bytes
    out_digest: bytes

    def hash(self) -> bytes:
        """Return statementHash = keccak256(abi.encode(statement))."""
        return keccak(encode(_ABI, astuple(self)))
