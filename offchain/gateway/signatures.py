"""Who signed what: by key, or by code (EIP-1271), as in `contracts/libraries/Signatures.sol`."""

from __future__ import annotations

from typing import Final

from offchain.chain.transaction import Signature, parse_compact, parse_signature, recover_message
from offchain.chain.typed_data import COMPACT, TypedMessage
from offchain.errors import SignerMismatch
from offchain.gateway.chain_view import ChainView
from offchain.gateway.faults import SignatureRefused
from offchain.types import Address

DELEGATION: Final = bytes.fromhex("ef0100")  # EIP-7702: such an account keeps its key
DELEGATED_BYTES: Final = 23


def parse_any(raw: bytes) -> Signature:
    """Read 65 bytes (r, s, v) or 64 (EIP-2098); raise SignerMismatch for anything else."""
    return parse_compact(raw) if len(raw) == COMPACT else parse_signature(raw)


def recover_signer(message: TypedMessage, signature: Signature) -> Address:
    """Return the account whose key signed; raise SignerMismatch where nobody's did."""
    return Address(recover_message(message.to_signable(), signature))


def verify_key_signature(message: TypedMessage, raw: bytes, account: Address) -> Signature:
    """Return the signature; raise SignatureRefused unless the account's key made it."""
    try:
        signature = parse_any(raw)
        found = recover_signer(message, signature)
    except SignerMismatch as error:
        raise SignatureRefused(str(error), expected=account) from None
    if found != account:
        raise SignatureRefused(f"signed by {found}, not by {account}", expected=account)
    return signature


def verify_account_signature(
    chain: ChainView, message: TypedMessage, raw: bytes, account: Address
) -> None:
    """Raise SignatureRefused unless an account signed, with its key or through its code."""
    code = chain.get_code(account)
    is_delegated = len(code) == DELEGATED_BYTES and code.startswith(DELEGATION)
    if not code or is_delegated:
        try:
            verify_key_signature(message, raw, account)
        except SignatureRefused:
            if not code:
                raise
        else:
            return
    if not chain.is_signed_by_code(account, message.hash(), raw):
        raise SignatureRefused(f"the contract {account} does not accept it", expected=account)
