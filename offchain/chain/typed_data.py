"""EIP-712 messages that parties sign off chain, under the market's own domain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from eth_account.messages import SignableMessage, encode_typed_data

from offchain.chain.transaction import parse_signature, recover_message
from offchain.errors import SignerMismatch
from offchain.types import AccountId, Address

NAME: Final = "zkDPS"
VERSION: Final = "1"
DOMAIN_FIELDS: Final = (
    ("name", "string"),
    ("version", "string"),
    ("chainId", "uint256"),
    ("verifyingContract", "address"),
)
RESULT: Final = "Result"


@dataclass(frozen=True)
class TypedMessage:
    """One struct in one contract's domain."""

    chain_id: int
    contract: Address
    kind: str  # the struct's name
    fields: tuple[tuple[str, str, Any], ...]  # (name, type, value) in the struct's order

    def to_document(self) -> Mapping[str, Any]:
        """Return the JSON document of `eth_signTypedData`; bytes are hex strings there."""
        return {
            "types": {
                "EIP712Domain": [{"name": name, "type": kind} for name, kind in DOMAIN_FIELDS],
                self.kind: [{"name": name, "type": kind} for name, kind, _ in self.fields],
            },
            "primaryType": self.kind,
            "domain": {
                "name": NAME,
                "version": VERSION,
                "chainId": self.chain_id,
                "verifyingContract": self.contract,
            },
            "message": {
                name: "0x" + value.hex() if isinstance(value, bytes) else value
                for name, _, value in self.fields
            },
        }

    def to_signable(self) -> SignableMessage:
        """Return the message in the form that is hashed: 0x19 0x01 || domain || struct."""
        return encode_typed_data(full_message=dict(self.to_document()))

    def to_preimage(self) -> bytes:
        """Return the bytes whose keccak256 is signed."""
        signable = self.to_signable()
        return b"\x19" + signable.version + signable.header + signable.body


def build_result_receipt(
    chain_id: int, market: Address, job: bytes, out_digest: bytes
) -> TypedMessage:
    """Return Result(bytes32 jobId,bytes32 outDigest): two of them for one job are evidence."""
    if len(job) != 32 or len(out_digest) != 32:
        raise ValueError("job id and output digest are 32 bytes each")
    fields = (("jobId", "bytes32", job), ("outDigest", "bytes32", out_digest))
    return TypedMessage(chain_id, market, RESULT, fields)


def verify_typed_signature(message: TypedMessage, signature: bytes, signer: AccountId) -> None:
    """Raise SignerMismatch unless `signature` (65 bytes) is the signer's on this message."""
    found = recover_message(message.to_signable(), parse_signature(signature))
    if found != signer:
        raise SignerMismatch("signer", found, signer)
