"""The deployment manifest: addresses, ABIs and facts of one deployment on one chain."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from offchain.chain.abi import ContractAbi, ErrorBook
from offchain.errors import ManifestError
from offchain.types import Address

FORMAT: Final = "zkdps-deployment/1"
CONTRACTS: Final = (
    "StakeVault",
    "ModelRegistry",
    "JobMarket",
    "DisputeGame",
    "VerifierCore",
)


@dataclass(frozen=True)
class Deployment:
    """A deployed contract."""

    address: Address
    abi: ContractAbi
    tx_hash: str


@dataclass(frozen=True)
class Manifest:
    """deployments/<chainId>.json."""

    chain_id: int
    preset: str
    first_block: int
    srs_id: bytes
    srs_insecure: bool
    contracts: Mapping[str, Deployment]

    def get(self, name: str) -> Deployment:
        """Return one contract; raise ManifestError if the deployment lacks it."""
        try:
            return self.contracts[name]
        except KeyError:
            raise ManifestError(f"deployment on chain {self.chain_id} has no {name}") from None

    def build_error_book(self) -> ErrorBook:
        """Return the custom errors of all contracts."""
        return ErrorBook(d.abi for d in self.contracts.values())


def load_manifest(path: Path) -> Manifest:
    """Read a manifest; raise ManifestError when it is missing or malformed."""
    try:
        read: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if read["format"] != FORMAT:
            raise ManifestError(f"{path}: format {read['format']}, expected {FORMAT}")
        return Manifest(
            chain_id=int(read["chainId"]),
            preset=str(read["preset"]),
            first_block=int(read["firstBlock"]),
            srs_id=bytes.fromhex(read["srsId"][2:]),
            srs_insecure=bool(read["srsInsecure"]),
            contracts={
                name: Deployment(
                    Address(entry["address"]), ContractAbi(name, entry["abi"]), entry["transaction"]
                )
                for name, entry in read["contracts"].items()
            },
        )
    except FileNotFoundError:
        raise ManifestError(f"{path} does not exist: deploy first (zkdps chain deploy)") from None
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, ManifestError):
            raise
        raise ManifestError(f"{path}: {type(error).__name__}: {error}") from None


def save_manifest(path: Path, manifest: Manifest) -> None:
    """Write a manifest atomically."""
    document = {
        "format": FORMAT,
        "chainId": manifest.chain_id,
        "preset": manifest.preset,
        "firstBlock": manifest.first_block,
        "srsId": "0x" + manifest.srs_id.hex(),
        "srsInsecure": manifest.srs_insecure,
        "contracts": {
            name: {"address": d.address, "transaction": d.tx_hash, "abi": list(d.abi.entries)}
            for name, d in manifest.contracts.items()
        },
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}.tmp")
    draft.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    draft.replace(path)
