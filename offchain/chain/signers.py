"""Which signer an account has: a file of its own or a remote one, by settings alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from offchain.chain.keys import AskPassword, Signer, load_signer
from offchain.chain.remote_signer import RemoteSigner
from offchain.errors import ConfigError


@dataclass(frozen=True)
class SignerSource:
    """Where signatures come from; holds no secret."""

    key_file: Path | None = None
    password_file: Path | None = None
    url: str = ""  # of a remote signer
    address: str = ""  # the account that it is to sign for
    api: str = "rpc"  # rpc or rest, see offchain.chain.remote_signer
    ca_file: Path | None = None  # certificate authority of its TLS, where it is one's own


def open_signer(source: SignerSource, ask: AskPassword | None = None) -> Signer:
    """Return the signer; a remote one is not asked for anything yet.

    Raises ConfigError unless exactly one signer is named, KeyFileError as `load_signer` does.
    """
    if (source.key_file is None) == (not source.url):
        raise ConfigError("name one signer: --key-file, or --signer-url with --signer-address")
    if source.key_file is not None:
        return load_signer(source.key_file, source.password_file, ask)
    if not source.address:
        raise ConfigError("--signer-url needs --signer-address: the account it is to sign for")
    return RemoteSigner(source.url, source.address, source.api, source.ca_file)
