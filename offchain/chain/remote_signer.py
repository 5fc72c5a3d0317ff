"""A signer behind HTTP: web3signer's execution-layer API, and what speaks it.

https://docs.web3signer.consensys.io/reference: `GET /upcheck`, and either JSON-RPC
(`eth_accounts`, `eth_signTransaction`, `eth_signTypedData`), where the service sees what it signs
and can have rules about it, or `GET /api/v1/eth1/publicKeys` and
`POST /api/v1/eth1/sign/{public key}`, which signs keccak256 of the bytes it is given.

The service is trusted with the key and with nothing else: whatever it returns is compared with what
was asked, field by field, before anybody sees it.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from eth_utils.address import is_address, to_checksum_address
from eth_utils.crypto import keccak

from offchain.chain.keys import Signer
from offchain.chain.rpc import hide_path
from offchain.chain.transaction import (
    FeeMarketTransaction,
    hash_transaction,
    parse_signature,
    verify_signed,
)
from offchain.chain.typed_data import TypedMessage, verify_typed_signature
from offchain.errors import ConfigError, SignerMismatch, SignerRefused, SignerUnavailable
from offchain.types import AccountId

APIS: Final = ("rpc", "rest")
ATTEMPTS: Final = 4
FIRST_DELAY_S: Final = 0.2  # doubles: 0.2, 0.4, 0.8 s between attempts
TIMEOUT_S: Final = (3.0, 10.0)  # to connect; to answer: a vault or a key module may be slow
MAX_ANSWER: Final = 1 << 20  # bytes; a signed transaction has at most 128 KiB, in hex twice that
MAX_REASON: Final = 200  # characters of a refusal that are shown
BUSY: Final = frozenset({429, 502, 503, 504})


class RemoteSigner(Signer):
    """One account of a remote signer. Asking twice for a signature does no harm, so it retries."""

    def __init__(
        self,
        url: str,
        address: str,
        api: str = "rpc",
        ca_file: Path | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.url = check_url(url)
        if not is_address(address):
            raise ConfigError(f"signer's address {address!r}: 0x and 40 hex digits")
        if api not in APIS:
            raise ConfigError(f"signer's API {api!r}: one of {', '.join(APIS)}")
        self.address = AccountId(str(to_checksum_address(address)))
        self.endpoint = hide_path(self.url)
        self._api = api
        self._sleep = sleep
        self._session = requests.Session()
        # A signer is named by its settings alone: no proxy, no .netrc of the environment.
        self._session.trust_env = False
        self._session.verify = str(ca_file) if ca_file is not None else True

    def check(self) -> None:
        """Raise SignerUnavailable unless the service is up, SignerRefused unless it has the key."""
        self._ask("GET", "/upcheck")
        if self._api == "rest":
            self._find_identifier()
            return
        accounts = self._call("eth_accounts")
        held = [str(a).lower() for a in accounts] if isinstance(accounts, list) else []
        if self.address.lower() not in held:
            raise SignerRefused(self.endpoint, f"holds no key of {self.address}")

    def sign_transaction(self, fields: Mapping[str, Any]) -> tuple[bytes, str]:
        """Return the raw signed transaction and its 0x-prefixed hash.

        Raises SignerUnavailable, SignerRefused, or SignerMismatch when it is not exactly ours.
        """
        wanted = FeeMarketTransaction.from_fields(fields)
        if self._api == "rest":
            raw = wanted.encode_signed(parse_signature(self._sign_bytes(wanted.encode_unsigned())))
        else:
            answer = self._call("eth_signTransaction", dict(wanted.to_request(self.address)))
            raw = self._read_hex(answer, "signed transaction")
        verify_signed(wanted, raw, self.address)
        return raw, hash_transaction(raw)

    def sign_typed(self, message: TypedMessage) -> bytes:
        """Return the signature of an EIP-712 message: r || s || v, 65 bytes, v 27 or 28."""
        if self._api == "rest":
            found = self._sign_bytes(message.to_preimage())
        else:
            # web3signer wants the document as a string of JSON.
            document = json.dumps(message.to_document())
            answer = self._call("eth_signTypedData", self.address, document)
            found = self._read_hex(answer, "signature")
        signature = parse_signature(found).to_bytes()
        verify_typed_signature(message, signature, self.address)
        return signature

    def _sign_bytes(self, preimage: bytes) -> bytes:
        path = f"/api/v1/eth1/sign/{self._find_identifier()}"
        text = self._ask("POST", path, {"data": "0x" + preimage.hex()})
        return self._read_hex(text.strip().strip('"'), "signature")

    def _find_identifier(self) -> str:
        """Return the public key of this account, by which the service names its keys."""
        try:
            listed = json.loads(self._ask("GET", "/api/v1/eth1/publicKeys"))
        except ValueError:
            raise SignerMismatch("list of public keys", "not JSON", "JSON") from None
        for text in listed if isinstance(listed, list) else []:
            key = self._read_hex(text, "public key")[-64:]  # a leading 04 says: uncompressed
            if str(to_checksum_address(keccak(key)[-20:])) == self.address:
                return "0x" + key.hex()
        raise SignerRefused(self.endpoint, f"holds no key of {self.address}")

    def _call(self, method: str, *params: Any) -> Any:
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
        text = self._ask("POST", "", request)
        try:
            answer = json.loads(text)
            error = answer.get("error")
        except (ValueError, AttributeError):
            raise SignerMismatch(f"answer to {method}", "not JSON-RPC", "JSON-RPC") from None
        if error:
            reason = error.get("message") if isinstance(error, dict) else error
            raise SignerRefused(self.endpoint, f"{method}: {str(reason)[:MAX_REASON]}")
        return answer.get("result")

    def _ask(self, verb: str, path: str, body: Mapping[str, Any] | None = None) -> str:
        """Return the text of a 200 answer, trying again while the service is away or busy."""
        delay, cause = FIRST_DELAY_S, ""
        for attempt in range(ATTEMPTS):
            if attempt:
                self._sleep(delay * random.uniform(0.5, 1.0))  # noqa: S311  # spreads load
                delay *= 2
            try:
                status, text = self._exchange(verb, self.url + path, body)
            except requests.RequestException as error:
                # Only the kind: messages quote URLs, and a URL may hold an access token.
                cause = type(error).__name__
                continue
            if status == 200:
                return text
            if status not in BUSY:
                # JSON-RPC errors may come with any status; the caller reads them.
                if path == "" and text.lstrip().startswith("{"):
                    return text
                raise SignerRefused(self.endpoint, f"HTTP {status} {text[:MAX_REASON]}".strip())
            cause = f"HTTP {status}"
        raise SignerUnavailable(self.endpoint, ATTEMPTS, cause)

    def _exchange(self, verb: str, url: str, body: Mapping[str, Any] | None) -> tuple[int, str]:
        with self._session.request(
            verb, url, json=body, timeout=TIMEOUT_S, allow_redirects=False, stream=True
        ) as response:
            raw = b""
            for chunk in response.iter_content(1 << 16):
                raw += chunk
                if len(raw) > MAX_ANSWER:
                    raise SignerMismatch("size of the answer", len(raw), f"<= {MAX_ANSWER}")
            return response.status_code, raw.decode("utf-8", "replace")

    def _read_hex(self, value: Any, what: str) -> bytes:
        try:
            return bytes.fromhex(str(value).removeprefix("0x"))
        except ValueError:
            raise SignerMismatch(what, "not hexadecimal", "hexadecimal") from None


def check_url(url: str) -> str:
    """Return a signer's URL without a trailing slash; raise ConfigError for one not to be used."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(f"signer's URL: http:// or https:// and a host, not {hide_path(url)}")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ConfigError("signer's URL: no password, query or fragment; arguments can be seen")
    return url.rstrip("/")
