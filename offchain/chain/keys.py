"""Signing keys from files: 0600 hex key files or encrypted keystores, never arguments or logs."""

from __future__ import annotations

import json
import os
import secrets
import stat
from pathlib import Path
from typing import Any, Final

from eth_account import Account
from eth_account.signers.local import LocalAccount

from offchain.errors import KeyFileError
from offchain.types import AccountId

PRIVATE: Final = 0o600
OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


class Signer:
    """An account that signs; its repr shows the address and nothing else."""

    def __init__(self, account: LocalAccount) -> None:
        self._account = account
        self.address = AccountId(str(account.address))

    def __repr__(self) -> str:
        return f"Signer({self.address})"

    def sign_transaction(self, fields: dict[str, Any]) -> tuple[bytes, str]:
        """Return the raw signed transaction and its 0x-prefixed hash."""
        signed = self._account.sign_transaction(fields)
        return bytes(signed.raw_transaction), "0x" + bytes(signed.hash).hex()

    def sign_fields(self, fields: dict[str, Any]) -> tuple[int, int, int]:
        """Return a transaction's signature (v, r, s), for tools that serialise it themselves."""
        signed = self._account.sign_transaction(fields)
        return signed.v, signed.r, signed.s


def load_signer(key_file: Path, password_file: Path | None = None) -> Signer:
    """Read a hex key file or, where its content is JSON, a keystore with its password file.

    Raises KeyFileError when a file is missing, malformed, or readable by group or others.
    """
    text = _read_private(key_file)
    if text.lstrip().startswith("{"):
        if password_file is None:
            raise KeyFileError(f"{key_file} is an encrypted keystore: give its password file")
        password = _read_private(password_file).rstrip("\r\n")
        try:
            key = bytes(Account.decrypt(json.loads(text), password))
        except (ValueError, KeyError, TypeError):
            # The cause is dropped: a library's message could quote what it was given.
            raise KeyFileError(f"{key_file}: keystore cannot be opened") from None
    else:
        key = _parse_hex_key(key_file, text)
    return Signer(Account.from_key(key))


def create_key_file(path: Path) -> Signer:
    """Write a random key to a file that did not exist, readable by its owner only."""
    key = secrets.token_bytes(32)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
    except FileExistsError:
        raise KeyFileError(f"{path} exists; a key file is never overwritten") from None
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(key.hex() + "\n")
    return Signer(Account.from_key(key))


def _read_private(path: Path) -> str:
    try:
        mode = path.stat().st_mode
        if mode & OTHERS:
            raise KeyFileError(f"{path} is open to others ({mode & 0o777:o}): chmod 600 {path}")
        return path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise KeyFileError(f"{path}: {type(error).__name__}") from None


def _parse_hex_key(path: Path, text: str) -> bytes:
    digits = text.strip().removeprefix("0x")
    try:
        key = bytes.fromhex(digits)
    except ValueError:
        raise KeyFileError(f"{path}: not hexadecimal") from None
    if len(key) != 32 or not any(key):
        raise KeyFileError(f"{path}: a key is 32 bytes, not all zero")
    return key
