"""Keys come from private files and never show."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from eth_account import Account

from offchain.chain.keys import create_key_file, load_signer
from offchain.errors import KeyFileError


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
