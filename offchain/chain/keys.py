"""Signers: a key file of mode 0600, an encrypted keystore, or a service that holds the key.

Keys and passwords come from private files or a prompt, never from arguments, the environment or
logs; a remote signer never gives its key away at all.
"""

from __future__ import annotations

import json
import os
import secrets
import stat
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from eth_account import Account
from eth_account.signers.local import LocalAccount

from offchain.chain.transaction import decode_signed, parse_signature
from offchain.chain.typed_data import TypedMessage
from offchain.errors import KeyFileError
from offchain.types import AccountId

PRIVATE: Final = 0o600
OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO

AskPassword = Callable[[str], str]
MemoryAccount = LocalAccount  # a key that a program holds itself, for tests and scripts


class Signer(ABC):
    """An account that signs; its repr shows the address and nothing else."""

    address: AccountId

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.address})"

    @abstractmethod
    def sign_transaction(self, fields: Mapping[str, Any]) -> tuple[bytes, str]:
        """Return the raw signed transaction and its 0x-prefixed hash."""

    @abstractmethod
    def sign_typed(self, message: TypedMessage) -> bytes:
        """Return the signature of an EIP-712 message: r || s || v, 65 bytes, v 27 or 28."""

    def sign_fields(self, fields: Mapping[str, Any]) -> tuple[int, int, int]:
        """Return a transaction's signature (v, r, s), for tools that serialise it themselves."""
        raw, _ = self.sign_transaction(fields)
        _, signature = decode_signed(raw)
        return signature.parity, signature.r, signature.s


class LocalSigner(Signer):
    """Signs with a key in this process's memory."""

    def __init__(self, account: LocalAccount) -> None:
        self._account = account
        self.address = AccountId(str(account.address))

    def sign_transaction(self, fields: Mapping[str, Any]) -> tuple[bytes, str]:
        """Return the raw signed transaction and its 0x-prefixed hash."""
        signed = self._account.sign_transaction(dict(fields))
        return bytes(signed.raw_transaction), "0x" + bytes(signed.hash).hex()

    def sign_fields(self, fields: Mapping[str, Any]) -> tuple[int, int, int]:
        """Return the signature (v, r, s) of a transaction of any kind."""
        signed = self._account.sign_transaction(dict(fields))
        return signed.v, signed.r, signed.s

    def sign_typed(self, message: TypedMessage) -> bytes:
        """Return the signature of an EIP-712 message: r || s || v, 65 bytes, v 27 or 28."""
        signed = self._account.sign_message(message.to_signable())
        return parse_signature(bytes(signed.signature)).to_bytes()


def load_signer(
    key_file: Path, password_file: Path | None = None, ask: AskPassword | None = None
) -> LocalSigner:
    """Read a hex key file or, where its content is JSON, a keystore with its password.

    Without a password file, `ask` is called with a prompt. Raises KeyFileError when a file is
    missing, malformed, or readable by group or others.
    """
    return LocalSigner(Account.from_key(read_key(key_file, password_file, ask)))


def read_key(key_file: Path, password_file: Path | None, ask: AskPassword | None) -> bytes:
    """Return the 32 bytes of a key file or keystore; raises as `load_signer` does."""
    text = read_private(key_file)
    if not is_keystore(text):
        return parse_hex_key(str(key_file), text)
    password = read_password(password_file, ask, f"Password of {key_file}")
    if password is None:
        raise KeyFileError(f"{key_file} is an encrypted keystore: give its password file")
    try:
        return bytes(Account.decrypt(json.loads(text), password))
    except (ValueError, KeyError, TypeError):
        # The cause is dropped: a library's message could quote what it was given.
        raise KeyFileError(f"{key_file}: keystore cannot be opened") from None


def is_keystore(text: str) -> bool:
    """Whether a key file's text is a keystore rather than hexadecimal digits."""
    return text.lstrip().startswith("{")


def read_password(password_file: Path | None, ask: AskPassword | None, prompt: str) -> str | None:
    """Return the password from its private file, or from `ask`; None where there is neither."""
    if password_file is not None:
        return read_private(password_file).rstrip("\r\n")
    return None if ask is None else ask(prompt)


def create_key_file(path: Path) -> LocalSigner:
    """Write a random key to a file that did not exist, readable by its owner only."""
    return write_key_file(path, secrets.token_bytes(32))


def write_key_file(path: Path, key: bytes) -> LocalSigner:
    """Write a key in hexadecimal to a file that did not exist, readable by its owner only."""
    write_private(path, key.hex() + "\n")
    return LocalSigner(Account.from_key(key))


def write_keystore(
    path: Path, key: bytes, password: str, iterations: int | None = None
) -> LocalSigner:
    """Encrypt a key into a file that did not exist (Web3 Secret Storage version 3, scrypt).

    `iterations` is scrypt's n; the default takes about a second and 256 MiB to try one password.
    """
    if not password:
        raise KeyFileError("an empty password protects nothing: use a plain key file instead")
    document = Account.encrypt(key, password, kdf="scrypt", iterations=iterations)
    write_private(path, json.dumps(document) + "\n")
    return LocalSigner(Account.from_key(key))


def write_private(path: Path, text: str) -> None:
    """Write a file that did not exist, readable by its owner only; raises KeyFileError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
    except FileExistsError:
        raise KeyFileError(f"{path} exists; a key file is never overwritten") from None
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)


def read_private(path: Path) -> str:
    """Return a file's text; raise KeyFileError when others may read it."""
    try:
        mode = path.stat().st_mode
        if mode & OTHERS:
            raise KeyFileError(f"{path} is open to others ({mode & 0o777:o}): chmod 600 {path}")
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise KeyFileError(f"{path}: {type(error).__name__}") from None


def parse_hex_key(source: str, text: str) -> bytes:
    """Return the 32 bytes of a key in hexadecimal; raise KeyFileError, which never quotes it."""
    digits = text.strip().removeprefix("0x")
    try:
        key = bytes.fromhex(digits)
    except ValueError:
        raise KeyFileError(f"{source}: not hexadecimal") from None
    if len(key) != 32 or not any(key):
        raise KeyFileError(f"{source}: a key is 32 bytes, not all zero")
    try:
        Account.from_key(key)
    except ValueError:
        raise KeyFileError(f"{source}: not below the curve's order") from None
    return key
