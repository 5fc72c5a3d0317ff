"""What is signed off chain is what the contracts hash: types, domain, both forms of signature."""

from __future__ import annotations

from dataclasses import astuple, replace

import pytest
from eth_abi.abi import encode
from eth_account import Account
from eth_utils.crypto import keccak

from offchain.chain.keys import LocalSigner
from offchain.chain.transaction import CURVE_ORDER, TOP_BIT, parse_signature
from offchain.chain.typed_data import (
    TypedMessage,
    build_order,
    build_request,
    hash_order,
    verify_typed_signature,
)
from offchain.errors import SignerMismatch
from offchain.types import (
    ETH,
    Address,
    Amount,
    Digest,
    Order,
    Seconds,
    SessionId,
    SessionRequest,
    VersionId,
)

CHAIN = 31337
CONTRACT = Address("0x" + "22" * 20)
DOMAIN_TYPE = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
REQUEST_TYPE = "Request(bytes32 sessionId,uint32 nonce,bytes32 inDigest,uint40 validUntil)"
ORDER_TYPE = (
    "Order(address client,bytes32 version,bytes32 inDigest,address token,uint96 minFee,"
    "uint96 maxFee,uint40 rampStart,uint40 rampEnd,uint40 takeUntil,uint8 verifyMask,uint64 salt)"
)
REQUEST = SessionRequest(SessionId("0x" + "51" * 32), 7, Digest(b"\4" * 32), Seconds(1_000_060))
# The order and the hash are those of tests/contracts/OrderBook.t.sol.
ORDER = Order(
    client=Address("0x" + "11" * 20),
    version=VersionId(b"\3" * 32),
    in_digest=Digest(b"\4" * 32),
    token=ETH,
    min_fee=Amount(5),
    max_fee=Amount(9),
    ramp_start=Seconds(100),
    ramp_end=Seconds(200),
    take_until=Seconds(300),
    verify_mask=1,
    salt=6,
)
ORDER_HASH = "0x4ad944fcbd9e74afca62465a024768425a7eed32153364da0036b8d7be9477c3"
SIGNER = LocalSigner(Account.from_key(b"\x01" * 32))


def hash_struct(kind: str, *values: object) -> bytes:
    """Return keccak256(0x19 0x01 || domain || struct), written out from EIP-712."""
    types = [field.split(" ")[0] for field in kind[kind.index("(") + 1 : -1].split(",")]
    struct = keccak(keccak(text=kind) + encode(types, values))
    words = (keccak(text=DOMAIN_TYPE), keccak(text="zkDPS"), keccak(text="1"), CHAIN, CONTRACT)
    domain = keccak(encode(["bytes32", "bytes32", "bytes32", "uint256", "address"], words))
    return bytes(keccak(b"\x19\x01" + domain + struct))


def test_build_request__hashed__as_written_out_from_the_standard() -> None:
    message = build_request(CHAIN, CONTRACT, REQUEST)
    session = bytes.fromhex(REQUEST.session[2:])
    assert message.hash() == hash_struct(REQUEST_TYPE, session, *astuple(REQUEST)[1:])


def test_build_order__hashed__as_written_out_from_the_standard() -> None:
    assert build_order(CHAIN, CONTRACT, ORDER).hash() == hash_struct(ORDER_TYPE, *astuple(ORDER))


def test_hash_order__as_solidity_computes_it() -> None:
    assert hash_order(CHAIN, CONTRACT, ORDER) == ORDER_HASH


@pytest.mark.parametrize("field", ORDER.__dataclass_fields__)
def test_hash_order__any_field_changed__another_hash(field: str) -> None:
    value = getattr(ORDER, field)
    other = CONTRACT if isinstance(value, str) else b"\7" * 32 if isinstance(value, bytes) else 77
    assert hash_order(CHAIN, CONTRACT, replace(ORDER, **{field: other})) != ORDER_HASH


def test_hash_order__another_chain_or_contract__another_hash() -> None:
    assert hash_order(1, CONTRACT, ORDER) != ORDER_HASH
    assert hash_order(CHAIN, Address("0x" + "33" * 20), ORDER) != ORDER_HASH


def order_message() -> TypedMessage:
    return build_order(CHAIN, CONTRACT, ORDER)


def test_verify_typed_signature__both_forms__the_same_signer() -> None:
    signature = SIGNER.sign_typed(order_message())
    compact = parse_signature(signature).to_compact()
    assert len(compact) == 64
    verify_typed_signature(order_message(), signature, SIGNER.address)
    verify_typed_signature(order_message(), compact, SIGNER.address)


@pytest.mark.parametrize("is_compact", [False, True])
def test_verify_typed_signature__anything_else__refused(is_compact: bool) -> None:
    raw = SIGNER.sign_typed(order_message())
    parsed = parse_signature(raw)
    good = parsed.to_compact() if is_compact else raw
    other_parity = replace(parsed, parity=1 - parsed.parity)
    high_s = replace(other_parity, s=CURVE_ORDER - parsed.s)  # recovers to the same account
    wrong = [good[:-2], good + b"\0\0", bytes(len(good))]
    wrong.append(other_parity.to_compact() if is_compact else other_parity.to_bytes())
    # A high s leaves the compact form no bit for the parity, or takes it for one.
    top = high_s.s | 1 << TOP_BIT if high_s.parity else high_s.s
    tail = top.to_bytes(32, "big")
    wrong.append(good[:32] + tail if is_compact else high_s.to_bytes())
    for signature in wrong:
        with pytest.raises(SignerMismatch):
            verify_typed_signature(order_message(), signature, SIGNER.address)


def test_verify_typed_signature__of_another_message__refused() -> None:
    signature = SIGNER.sign_typed(build_request(CHAIN, CONTRACT, REQUEST))
    with pytest.raises(SignerMismatch):
        verify_typed_signature(order_message(), signature, SIGNER.address)
