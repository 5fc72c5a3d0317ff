"""A remote signer signs what it is asked, or nothing of it is used.

The service of these tests is ours: it speaks the API that web3signer documents, with a real key.
web3signer itself (Java) was not run.
"""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_utils.address import to_checksum_address

from offchain.chain.remote_signer import ATTEMPTS, RemoteSigner
from offchain.chain.typed_data import build_result_receipt, verify_typed_signature
from offchain.errors import (
    ConfigError,
    SignerMismatch,
    SignerRefused,
    SignerUnavailable,
)
from offchain.types import Address
from tests.unit.chain.signer_service import SigningService, negate_s, rewrite, serve

MARKET = Address("0x" + "11" * 20)
RECEIPT = build_result_receipt(31337, MARKET, b"\x01" * 32, b"\x02" * 32)
FIELDS: dict[str, Any] = {
    "type": 2,
    "chainId": 31337,
    "nonce": 5,
    "to": to_checksum_address("0x" + "2a" * 20),
    "value": 10**15,
    "data": b"\x01\x02",
    "gas": 60_000,
    "maxFeePerGas": 3 * 10**9,
    "maxPriorityFeePerGas": 10**9,
}


@pytest.fixture
def service() -> Iterator[SigningService]:
    with serve(SigningService()) as serving:
        yield serving


def build(service: SigningService, api: str = "rpc", ca_file: Path | None = None) -> RemoteSigner:
    return RemoteSigner(service.url, service.account.address, api, ca_file, lambda _: None)


@pytest.mark.parametrize("api", ["rpc", "rest"])
@pytest.mark.parametrize(
    "change",
    [{}, {"to": b""}, {"value": 0, "data": b"", "nonce": 0}, {"data": b"\x00" * 20_000}],
    ids=["call", "creation", "zeros", "large"],
)
def test_sign_transaction__same_bytes_as_the_key_itself(
    service: SigningService, api: str, change: dict[str, Any]
) -> None:
    fields = {**FIELDS, **change}
    raw, tx_hash = build(service, api).sign_transaction(fields)
    own = service.account.sign_transaction(fields)
    assert raw == bytes(own.raw_transaction)
    assert tx_hash == "0x" + bytes(own.hash).hex()
    assert build(service, api).sign_fields(fields) == (own.v, own.r, own.s)


@pytest.mark.parametrize("api", ["rpc", "rest"])
def test_sign_typed__verifies_for_the_account(service: SigningService, api: str) -> None:
    signer = build(service, api)
    signature = signer.sign_typed(RECEIPT)
    assert len(signature) == 65 and signature[64] in (27, 28)
    verify_typed_signature(RECEIPT, signature, signer.address)


def add_one(name: str) -> Callable[[dict[str, str]], dict[str, str]]:
    return lambda request: {**request, name: hex(int(request[name], 16) + 1)}


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("nonce", "nonce"),
        ("value", "value_wei"),
        ("gas", "gas"),
        ("maxFeePerGas", "max_fee_wei"),
        ("maxPriorityFeePerGas", "tip_wei"),
        ("to", "to"),
        ("data", "calldata"),
    ],
)
def test_sign_transaction__one_field_changed_and_properly_signed__refused(
    service: SigningService, name: str, what: str
) -> None:
    change = add_one(name)
    if name == "data":
        service.tamper["transaction"] = lambda r: {**r, "data": r["data"] + "00"}
    elif name == "to":
        service.tamper["transaction"] = lambda r: {**r, "to": "0x" + "33" * 20}
    else:
        service.tamper["transaction"] = change
    with pytest.raises(SignerMismatch) as refused:
        build(service).sign_transaction(FIELDS)
    assert refused.value.what == what


def test_sign_transaction__for_another_chain__refused(service: SigningService) -> None:
    service.chain_id = 1
    with pytest.raises(SignerMismatch, match="chain_id: 1 instead of 31337"):
        build(service).sign_transaction(FIELDS)


def test_sign_transaction__by_another_key__refused(service: SigningService) -> None:
    other = Account.create()
    own = other.sign_transaction(FIELDS)
    service.tamper["raw"] = lambda _: "0x" + bytes(own.raw_transaction).hex()
    with pytest.raises(SignerMismatch) as refused:
        build(service).sign_transaction(FIELDS)
    assert refused.value.what == "signer"
    assert refused.value.found == other.address


@pytest.mark.parametrize(
    "tamper",
    [
        lambda raw: rewrite(raw, 8, [[b"\x11" * 20, []]]),  # an access list
        lambda raw: rewrite(raw, 1, b"\x00\x05"),  # the same nonce, in more bytes
        lambda raw: rewrite(raw, 9, b"\x02"),  # a parity that is none
        lambda raw: rewrite(raw, 10, b"\x00" * 32),
        lambda raw: rewrite(raw, 11, b"\xff" * 32),
        lambda raw: rewrite(raw, 5, [b"\x22" * 20]),
        lambda raw: raw + "00",
        lambda raw: raw[:-2],
        lambda raw: "0x01" + raw[4:],
        lambda _: "0x",
        lambda _: None,
        lambda _: {"raw": 1},
        lambda _: "0x02",
        lambda _: "ä" * 10,
    ],
)
def test_sign_transaction__other_encodings__refused(
    service: SigningService, tamper: Callable[[Any], Any]
) -> None:
    service.tamper["raw"] = tamper
    with pytest.raises(SignerMismatch):
        build(service).sign_transaction(FIELDS)


@pytest.mark.parametrize("api", ["rpc", "rest"])
def test_sign__high_s__refused(service: SigningService, api: str) -> None:
    service.tamper["signature"] = negate_s
    with pytest.raises(SignerMismatch, match="s of the signature"):
        build(service, api).sign_typed(RECEIPT)


@pytest.mark.parametrize("place", ["chainId", "verifyingContract", "name", "version"])
def test_sign_typed__another_domain__refused(service: SigningService, place: str) -> None:
    other = {"chainId": 1, "verifyingContract": "0x" + "44" * 20, "name": "x", "version": "2"}
    service.tamper["typed"] = lambda d: {**d, "domain": {**d["domain"], place: other[place]}}
    with pytest.raises(SignerMismatch, match="signer"):
        build(service).sign_typed(RECEIPT)


def test_sign_typed__another_digest__refused(service: SigningService) -> None:
    changed = {"jobId": "0x" + "01" * 32, "outDigest": "0x" + "03" * 32}
    service.tamper["typed"] = lambda d: {**d, "message": changed}
    with pytest.raises(SignerMismatch, match="signer"):
        build(service).sign_typed(RECEIPT)


def test_rest_sign__other_bytes__refused(service: SigningService) -> None:
    service.tamper["data"] = lambda text: text + "00"
    with pytest.raises(SignerMismatch, match="signer"):
        build(service, "rest").sign_transaction(FIELDS)
    with pytest.raises(SignerMismatch, match="signer"):
        build(service, "rest").sign_typed(RECEIPT)


@pytest.mark.parametrize("api", ["rpc", "rest"])
def test_check__service_with_the_key__passes__without__refused(
    service: SigningService, api: str
) -> None:
    build(service, api).check()
    stranger = RemoteSigner(service.url, "0x" + "55" * 20, api, None, lambda _: None)
    with pytest.raises(SignerRefused, match="holds no key"):
        stranger.check()


@pytest.mark.parametrize("answer", [[], None, {"a": 1}, "x", [1, None, "0x12", "zz"]])
def test_check__nonsense_for_keys__refused(service: SigningService, answer: Any) -> None:
    service.tamper["keys"] = service.tamper["accounts"] = lambda _: answer
    for api in ("rpc", "rest"):
        with pytest.raises((SignerRefused, SignerMismatch)):
            build(service, api).check()


def test_sign__service_comes_back__retried_and_signed(service: SigningService) -> None:
    service.failures = [503, 0, 429]
    raw, _ = build(service).sign_transaction(FIELDS)
    assert raw[:1] == b"\x02"
    assert len(service.asked) == 4


def test_sign__service_stays_away__unavailable_after_every_attempt(service: SigningService) -> None:
    service.failures = [503] * ATTEMPTS
    with pytest.raises(SignerUnavailable, match="HTTP 503") as refused:
        build(service).sign_transaction(FIELDS)
    assert refused.value.attempts == ATTEMPTS


def test_sign__nobody_listens__unavailable_and_no_path_in_the_message() -> None:
    signer = RemoteSigner(
        "http://127.0.0.1:9/token-in-path", "0x" + "55" * 20, sleep=lambda _: None
    )
    with pytest.raises(SignerUnavailable, match="ConnectionError") as refused:
        signer.sign_transaction(FIELDS)
    assert "token-in-path" not in str(refused.value) + repr(signer)


@pytest.mark.parametrize("status", [301, 307, 400, 401, 404, 500])
def test_sign__refusals_and_redirections__not_retried_not_followed(
    service: SigningService, status: int
) -> None:
    service.failures = [status]
    with pytest.raises(SignerRefused, match=str(status)):
        build(service).sign_transaction(FIELDS)
    assert len(service.asked) == 1


def test_sign__refused_by_rule__its_reason_is_told(service: SigningService) -> None:
    stranger = RemoteSigner(service.url, "0x" + "55" * 20, sleep=lambda _: None)
    with pytest.raises(SignerRefused, match="not an unlocked account"):
        stranger.sign_transaction(FIELDS)


def test_sign__endless_answer__cut_off(service: SigningService) -> None:
    service.tamper["raw"] = lambda _: "0x" + "02" * (1 << 20)
    with pytest.raises(SignerMismatch, match="size of the answer"):
        build(service).sign_transaction(FIELDS)


@pytest.mark.parametrize(
    "url",
    ["http://user:secret@localhost:9000", "https://h/?token=secret", "ftp://h", "localhost:9000"],
)
def test_url__with_secrets_or_of_another_kind__refused(url: str) -> None:
    with pytest.raises(ConfigError) as refused:
        RemoteSigner(url, "0x" + "55" * 20)
    assert "secret" not in str(refused.value)


def test_environment__proxies_are_not_used(
    service: SigningService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    build(service).check()


def test_tls__only_with_its_own_authority(tmp_path: Path) -> None:
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
         "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    with serve(SigningService(), tls) as service:
        build(service, ca_file=certificate).check()
        with pytest.raises(SignerUnavailable, match="SSLError"):
            build(service).check()
