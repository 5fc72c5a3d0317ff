"""The deployment manifest: addresses, ABIs and facts of one deployment on one chain."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from eth_utils.crypto import keccak

from offchain.chain.abi import ContractAbi, ErrorBook
from offchain.errors import ManifestError
from offchain.types import Address

FORMAT: Final = "zkdps-deployment/1"
CONTRACTS: Final = (
    "StakeVault",
    "ModelRegistry",
    "JobMarket",
    "DisputeGame",
    "Guardian",
    "HyperKzgOpening",
    "MercuryOpening",
    "Inspector",
    "VerifierCore",
    "SessionMarket",
    "OrderBook",
    "ResultRelay",
    "ContractionAdjudicator",
    "RowAdjudicator",
    "ProofAdjudicator",
    "AdjudicatorRegistry",
    "Beacon",
    "CandidatePool",
    "Quorum",
    "Audits",
    "PinpointGame",
    "TraceSearches",
)


@dataclass(frozen=True)
class Deployment:
    """A deployed contract."""

    address: Address
    abi: ContractAbi
    tx_hash: str
    code_hash: bytes  # keccak256 of the code at the address, immutables filled in


@dataclass(frozen=True)
class Manifest:
    """deployments/<chainId>.json."""

    chain_id: int
    preset: str
    first_block: int
    srs_id: bytes
    srs_insecure: bool
    contracts: Mapping[str, Deployment]
    guardians: tuple[Address, ...] = ()  # members of the guardian
    token: Address | None = None  # the ERC-20 beside ETH

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
                    address=Address(entry["address"]),
                    abi=ContractAbi(name, entry["abi"]),
                    tx_hash=entry["transaction"],
                    code_hash=bytes.fromhex(entry["codeHash"][2:]),
                )
                for name, entry in read["contracts"].items()
            },
            guardians=tuple(Address(member) for member in read["guardians"]),
            token=None if read["token"] is None else Address(read["token"]),
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
        "guardians": list(manifest.guardians),
        "token": manifest.token,
        "contracts": {
            name: {
                "address": d.address,
                "transaction": d.tx_hash,
                "codeHash": "0x" + d.code_hash.hex(),
                "abi": list(d.abi.entries),
            }
            for name, d in manifest.contracts.items()
        },
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}.tmp")
    draft.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    draft.replace(path)


def verify_code(name: str, deployment: Deployment, code: bytes) -> None:
    """Raise ManifestError unless the code at a contract's address is what was deployed there."""
    if not code:
        raise ManifestError(
            f"no code at {name}'s address {deployment.address}: another chain of this id, or one "
            "that began afresh; deploy again or use its own manifest"
        )
    found = keccak(code)
    if found != deployment.code_hash:
        raise ManifestError(
            f"{name} at {deployment.address}: code hash 0x{found.hex()}, "
            f"the manifest says 0x{deployment.code_hash.hex()}"
        )
