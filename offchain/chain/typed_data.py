"""EIP-712 messages that parties sign off chain, each in the domain of the contract it is for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from eth_account.messages import SignableMessage, encode_typed_data
from eth_utils.crypto import keccak

from offchain.chain.job_ids import id_bytes
from offchain.chain.transaction import parse_compact, parse_signature, recover_message
from offchain.errors import SignerMismatch
from offchain.types import AccountId, Address, JobId, Order, OrderHash, SessionRequest

NAME: Final = "zkDPS"
VERSION: Final = "1"
DOMAIN_FIELDS: Final = (
    ("name", "string"),
    ("version", "string"),
    ("chainId", "uint256"),
    ("verifyingContract", "address"),
)
RESULT: Final = "Result"
REQUEST: Final = "Request"
ORDER: Final = "Order"
REPLICA_SALT: Final = "ReplicaSalt"
COMPACT: Final = 64  # bytes of a signature as of EIP-2098


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

    def hash(self) -> bytes:
        """Return the 32 bytes that are signed, and that contracts call the message's hash."""
        return bytes(keccak(self.to_preimage()))


def build_result_receipt(
    chain_id: int, market: Address, job: bytes, out_digest: bytes
) -> TypedMessage:
    """Return Result(bytes32 jobId,bytes32 outDigest): two of them for one job are evidence."""
    if len(job) != 32 or len(out_digest) != 32:
        raise ValueError("job id and output digest are 32 bytes each")
    fields = (("jobId", "bytes32", job), ("outDigest", "bytes32", out_digest))
    return TypedMessage(chain_id, market, RESULT, fields)


def build_replica_salt(chain_id: int, quorums: Address, job: bytes, attempt: int) -> TypedMessage:
    """Return ReplicaSalt(bytes32 jobId,uint8 attempt): its signature is kept, never shown.

    No contract reads it. Whoever has the signature can see through a blinded result.
    """
    fields = (("jobId", "bytes32", job), ("attempt", "uint8", attempt))
    return TypedMessage(chain_id, quorums, REPLICA_SALT, fields)


def build_request(chain_id: int, sessions: Address, request: SessionRequest) -> TypedMessage:
    """Return Request(bytes32 sessionId,uint32 nonce,bytes32 inDigest,uint40 validUntil)."""
    fields = (
        ("sessionId", "bytes32", id_bytes(JobId(request.session))),
        ("nonce", "uint32", request.nonce),
        ("inDigest", "bytes32", bytes(request.in_digest)),
        ("validUntil", "uint40", int(request.valid_until)),
    )
    return TypedMessage(chain_id, sessions, REQUEST, fields)


def build_order(chain_id: int, orders: Address, order: Order) -> TypedMessage:
    """Return the Order struct of `contracts/types/Order.sol` in the order book's domain."""
    fields = (
        ("client", "address", order.client),
        ("version", "bytes32", bytes(order.version)),
        ("inDigest", "bytes32", bytes(order.in_digest)),
        ("token", "address", order.token),
        ("minFee", "uint96", int(order.min_fee)),
        ("maxFee", "uint96", int(order.max_fee)),
        ("rampStart", "uint40", int(order.ramp_start)),
        ("rampEnd", "uint40", int(order.ramp_end)),
        ("takeUntil", "uint40", int(order.take_until)),
        ("verifyMask", "uint8", int(order.verify_mask)),
        ("salt", "uint64", order.salt),
    )
    return TypedMessage(chain_id, orders, ORDER, fields)


def hash_order(chain_id: int, orders: Address, order: Order) -> OrderHash:
    """Return the hash that the client signs; it names the order and, as a number, is its salt."""
    return OrderHash("0x" + build_order(chain_id, orders, order).hash().hex())


def verify_typed_signature(message: TypedMessage, signature: bytes, signer: AccountId) -> None:
    """Raise SignerMismatch unless `signature` is the signer's on this message.

    Takes 65 bytes (r || s || v) or 64 (r || parity and s, EIP-2098); low s only. For accounts with
    a key: a contract's signature (EIP-1271) is asked of the contract.
    """
    parse = parse_compact if len(signature) == COMPACT else parse_signature
    found = recover_message(message.to_signable(), parse(signature))
    if found != signer:
        raise SignerMismatch("signer", found, signer)
