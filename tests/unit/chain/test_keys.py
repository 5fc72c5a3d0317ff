"""Keys come from private files and never show."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from eth_account import Account
from eth_utils.crypto import keccak

from offchain.chain.keys import create_key_file, load_signer, write_keystore
from offchain.chain.signers import SignerSource, open_signer
from offchain.chain.typed_data import build_result_receipt, verify_typed_signature
from offchain.errors import ConfigError, KeyFileError, SignerMismatch
from offchain.types import Address


def test_load_signer__file_open_to_others__refused(tmp_path: Path) -> None:
    path = tmp_path / "key"
    create_key_file(path)
    path.chmod(0o640)
    with pytest.raises(KeyFileError, match="open to others"):
        load_signer(path)


@pytest.mark.parametrize("text", ["", "zz", "00" * 32, "11" * 31, "0x" + "11" * 33])
def test_load_signer__malformed_key__refused_without_quoting_it(tmp_path: Path, text: str) -> None:
    path = tmp_path / "key"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(KeyFileError) as refused:
        load_signer(path)
    assert not text or text not in str(refused.value)


def test_create_key_file__existing_file__never_overwritten(tmp_path: Path) -> None:
    create_key_file(tmp_path / "key")
    before = (tmp_path / "key").read_bytes()
    with pytest.raises(KeyFileError, match="never overwritten"):
        create_key_file(tmp_path / "key")
    assert (tmp_path / "key").read_bytes() == before


def test_load_signer__key_file__same_account_and_no_key_in_repr(tmp_path: Path) -> None:
    made = create_key_file(tmp_path / "key")
    loaded = load_signer(tmp_path / "key")
    assert loaded.address == made.address
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "key").read_text().strip() not in repr(vars(loaded)) + repr(loaded)


def test_load_signer__keystore__opens_with_its_password_only(tmp_path: Path) -> None:
    account = Account.create()
    keystore, password = tmp_path / "keystore.json", tmp_path / "password"
    keystore.write_text(json.dumps(Account.encrypt(account.key, "correct", iterations=2)))
    for path, text in ((keystore, None), (password, "wrong\n")):
        if text is not None:
            path.write_text(text)
        path.chmod(0o600)
    with pytest.raises(KeyFileError, match="cannot be opened"):
        load_signer(keystore, password)
    password.write_text("correct\n")
    assert load_signer(keystore, password).address == account.address
    with pytest.raises(KeyFileError, match="password file"):
        load_signer(keystore)


def test_write_keystore__opened_again__the_same_account(tmp_path: Path) -> None:
    key = b"\x07" * 32
    made = write_keystore(tmp_path / "keystore", key, "påss wörd", iterations=2)
    text = (tmp_path / "keystore").read_text()
    assert (tmp_path / "keystore").stat().st_mode & 0o777 == 0o600
    assert key.hex() not in text and json.loads(text)["version"] == 3
    prompts: list[str] = []

    def ask(prompt: str) -> str:
        prompts.append(prompt)
        return "påss wörd"

    assert load_signer(tmp_path / "keystore", ask=ask).address == made.address
    assert len(prompts) == 1
    with pytest.raises(KeyFileError, match="cannot be opened"):
        load_signer(tmp_path / "keystore", ask=lambda _: "pass word")


def test_write_keystore__empty_password_or_existing_file__refused(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="empty password"):
        write_keystore(tmp_path / "keystore", b"\x07" * 32, "")
    assert not (tmp_path / "keystore").exists()
    create_key_file(tmp_path / "key")
    with pytest.raises(KeyFileError, match="never overwritten"):
        write_keystore(tmp_path / "key", b"\x07" * 32, "password", iterations=2)


def test_load_signer__key_above_the_curves_order__refused(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("ff" * 32)
    path.chmod(0o600)
    with pytest.raises(KeyFileError, match="order"):
        load_signer(path)


def test_sign_typed__result_receipt__verifies_for_this_message_only(tmp_path: Path) -> None:
    signer = create_key_file(tmp_path / "key")
    market = Address("0x" + "11" * 20)
    receipt = build_result_receipt(31337, market, b"\x01" * 32, b"\x02" * 32)
    signature = signer.sign_typed(receipt)
    verify_typed_signature(receipt, signature, signer.address)
    for other in (
        build_result_receipt(1, market, b"\x01" * 32, b"\x02" * 32),
        build_result_receipt(31337, Address("0x" + "12" * 20), b"\x01" * 32, b"\x02" * 32),
        build_result_receipt(31337, market, b"\x03" * 32, b"\x02" * 32),
        build_result_receipt(31337, market, b"\x01" * 32, b"\x03" * 32),
    ):
        with pytest.raises(SignerMismatch, match="signer"):
            verify_typed_signature(other, signature, signer.address)


def test_result_receipt__digest__as_the_standard_defines_it() -> None:
    """EIP-712 by hand: keccak256(0x1901 || domain separator || struct hash)."""
    market = Address("0x" + "11" * 20)
    receipt = build_result_receipt(31337, market, b"\x01" * 32, b"\x02" * 32)
    domain_type = (
        "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
    )
    domain = keccak(
        keccak(text=domain_type)
        + keccak(text="zkDPS")
        + keccak(text="1")
        + (31337).to_bytes(32, "big")
        + bytes(12)
        + bytes.fromhex(market[2:])
    )
    struct = keccak(
        keccak(text="Result(bytes32 jobId,bytes32 outDigest)") + b"\x01" * 32 + b"\x02" * 32
    )
    assert receipt.to_preimage() == b"\x19\x01" + domain + struct


def test_open_signer__none_or_two__refused(tmp_path: Path) -> None:
    create_key_file(tmp_path / "key")
    url, address = "http://127.0.0.1:9", "0x" + "55" * 20
    for source in (
        SignerSource(),
        SignerSource(key_file=tmp_path / "key", url=url, address=address),
        SignerSource(url=url),
        SignerSource(url=url, address="0x12"),
        SignerSource(url=url, address=address, api="soap"),
    ):
        with pytest.raises(ConfigError):
            open_signer(source)
    assert open_signer(SignerSource(url=url, address=address)).address.lower() == address
