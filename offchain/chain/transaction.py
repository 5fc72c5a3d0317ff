"""EIP-1559 transactions as bytes: what a signer is asked for, and what it gave back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

import rlp
from eth_account import Account
from eth_account.messages import SignableMessage
from eth_keys.exceptions import BadSignature
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from eth_utils.exceptions import ValidationError

from offchain.errors import SignerMismatch
from offchain.types import AccountId

TYPE: Final = b"\x02"  # EIP-2718 envelope of EIP-1559
CURVE_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
ELECTRUM: Final = 27  # added to the parity wherever a signature is 65 bytes
TOP_BIT: Final = 255  # holds the parity wherever a signature is 64 bytes: a low s leaves it free


@dataclass(frozen=True)
class Signature:
    """A recoverable ECDSA signature, low-s as EIP-2 wants it."""

    parity: int
    r: int
    s: int

    def to_bytes(self) -> bytes:
        """Return r || s || v, v = 27 or 28: what a contract's ecrecover takes."""
        tail = bytes([ELECTRUM + self.parity])
        return self.r.to_bytes(32, "big") + self.s.to_bytes(32, "big") + tail

    def to_compact(self) -> bytes:
        """Return r || (parity << 255 | s): the 64 bytes of EIP-2098."""
        return self.r.to_bytes(32, "big") + (self.parity << TOP_BIT | self.s).to_bytes(32, "big")

    def check(self) -> None:
        """Raise SignerMismatch unless every number is in its range and s in the lower half."""
        if self.parity not in (0, 1):
            raise SignerMismatch("parity of the signature", self.parity, "0 or 1")
        if not 0 < self.r < CURVE_ORDER:
            raise SignerMismatch("r of the signature", self.r, "below the curve's order")
        if not 0 < self.s <= CURVE_ORDER // 2:
            raise SignerMismatch("s of the signature", self.s, "at most half the curve's order")


def parse_signature(raw: bytes) -> Signature:
    """Read r || s || v with v either 0, 1 or 27, 28; raise SignerMismatch for anything else."""
    if len(raw) != 65:
        raise SignerMismatch("bytes of the signature", len(raw), 65)
    v = raw[64] - ELECTRUM if raw[64] >= ELECTRUM else raw[64]
    signature = Signature(v, int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:64], "big"))
    signature.check()
    return signature


def parse_compact(raw: bytes) -> Signature:
    """Read r || (parity << 255 | s), EIP-2098; raise SignerMismatch for anything else."""
    if len(raw) != 64:
        raise SignerMismatch("bytes of the compact signature", len(raw), 64)
    tail = int.from_bytes(raw[32:], "big")
    parity, s = tail >> TOP_BIT, tail & ((1 << TOP_BIT) - 1)
    signature = Signature(parity, int.from_bytes(raw[:32], "big"), s)
    signature.check()
    return signature


@dataclass(frozen=True)
class FeeMarketTransaction:
    """Everything that is signed, in the order of EIP-1559; the access list is always empty."""

    chain_id: int
    nonce: int
    tip_wei: int
    max_fee_wei: int
    gas: int
    to: bytes  # empty: creates a contract
    value_wei: int
    calldata: bytes

    @classmethod
    def from_fields(cls, named: Mapping[str, Any]) -> FeeMarketTransaction:
        """Return the transaction of JSON-RPC names, with numbers and bytes as such or as hex."""
        if _to_int(named.get("type", 2)) != 2 or named.get("accessList"):
            raise SignerMismatch("kind of transaction", named.get("type"), "EIP-1559, no list")
        return cls(
            chain_id=_to_int(named["chainId"]),
            nonce=_to_int(named["nonce"]),
            tip_wei=_to_int(named["maxPriorityFeePerGas"]),
            max_fee_wei=_to_int(named["maxFeePerGas"]),
            gas=_to_int(named["gas"]),
            to=_to_bytes(named.get("to") or b""),
            value_wei=_to_int(named.get("value", 0)),
            calldata=_to_bytes(named.get("data") or b""),
        )

    def to_request(self, sender: str) -> Mapping[str, str]:
        """Return the one parameter of `eth_signTransaction`."""
        request = {
            "from": sender,
            "chainId": hex(self.chain_id),
            "nonce": hex(self.nonce),
            "maxPriorityFeePerGas": hex(self.tip_wei),
            "maxFeePerGas": hex(self.max_fee_wei),
            "gas": hex(self.gas),
            "value": hex(self.value_wei),
            "data": "0x" + self.calldata.hex(),
        }
        return {**request, "to": str(to_checksum_address(self.to))} if self.to else request

    def encode_unsigned(self) -> bytes:
        """Return the bytes whose keccak256 is signed."""
        return TYPE + bytes(rlp.encode(self._payload()))

    def encode_signed(self, signature: Signature) -> bytes:
        """Return the raw transaction that a node takes."""
        signed = [*self._payload(), signature.parity, signature.r, signature.s]
        return TYPE + bytes(rlp.encode(signed))

    def _payload(self) -> list[Any]:
        return [getattr(self, field.name) for field in fields(self)] + [[]]


def verify_signed(wanted: FeeMarketTransaction, raw: bytes, sender: AccountId) -> None:
    """Raise SignerMismatch unless `raw` is `wanted`, bit for bit, signed by `sender`."""
    found, signature = decode_signed(raw)
    for field in fields(wanted):
        mine, theirs = getattr(wanted, field.name), getattr(found, field.name)
        if mine != theirs:
            raise SignerMismatch(field.name, theirs, mine)
    signature.check()
    # One transaction has one encoding; another would have another hash than the journal's.
    if raw != wanted.encode_signed(signature):
        raise SignerMismatch("encoding", "not canonical", "canonical")
    signer = str(Account.recover_transaction(raw))
    if signer != sender:
        raise SignerMismatch("signer", signer, sender)


def decode_signed(raw: bytes) -> tuple[FeeMarketTransaction, Signature]:
    """Take a raw transaction apart; raise SignerMismatch when it is none of ours."""
    if raw[:1] != TYPE:
        raise SignerMismatch("kind of transaction", "0x" + raw[:1].hex(), "0x02, EIP-1559")
    try:
        items = rlp.decode(raw[1:])
    except rlp.exceptions.RLPException:
        raise SignerMismatch("encoding", "not RLP", "RLP") from None
    flat = isinstance(items, list) and len(items) == 12 and items[8] == []
    if not flat or any(isinstance(item, list) for item in items[:8] + items[9:]):
        raise SignerMismatch("fields", "another structure", "12, with an empty access list")
    chain_id, nonce, tip, max_fee, gas = (int.from_bytes(item, "big") for item in items[:5])
    parity, r, s = (int.from_bytes(item, "big") for item in items[9:])
    value = int.from_bytes(items[6], "big")
    found = FeeMarketTransaction(
        chain_id, nonce, tip, max_fee, gas, items[5], value, bytes(items[7])
    )
    return found, Signature(parity, r, s)


def hash_transaction(raw: bytes) -> str:
    """Return a raw transaction's 0x-prefixed hash."""
    return "0x" + keccak(raw).hex()


def recover_message(message: SignableMessage, signature: Signature) -> AccountId:
    """Return the account that signed an EIP-191 or EIP-712 message.

    Raises SignerMismatch where nobody did: not every r is a point's, not every point a key.
    """
    try:
        return AccountId(str(Account.recover_message(message, signature=signature.to_bytes())))
    except (BadSignature, ValidationError, ValueError):
        raise SignerMismatch("signature", "nobody's", "an account's") from None


def _to_int(value: Any) -> int:
    return int(value, 16) if isinstance(value, str) else int(value)


def _to_bytes(value: Any) -> bytes:
    return bytes.fromhex(value.removeprefix("0x")) if isinstance(value, str) else bytes(value)
