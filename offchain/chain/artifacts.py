"""Compiled contracts and public deployments that come with this package.

The files are output of the contracts' build (scripts/lib/package_artefacts.py) and travel in the
wheel, so that a client needs neither a Solidity compiler nor a checkout.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from offchain.chain.abi import ContractAbi
from offchain.errors import ManifestError

FORMAT: Final = "zkdps-artifact/1"
FOLDER: Final = Path(__file__).parent / "artifacts"


@dataclass(frozen=True)
class Artifact:
    """One compiled contract."""

    abi: ContractAbi
    creation_code: bytes
    runtime_code: bytes
    immutables: tuple[tuple[int, int], ...]  # (first byte, length) of what constructors fill in

    def is_code_of(self, deployed: bytes) -> bool:
        """Whether deployed code is this contract's, whatever its immutables are."""
        return len(deployed) == len(self.runtime_code) and self._mask(deployed) == self._mask(
            self.runtime_code
        )

    def _mask(self, code: bytes) -> bytes:
        masked = bytearray(code)
        for start, length in self.immutables:
            masked[start : start + length] = bytes(length)
        return bytes(masked)


def list_artifacts(folder: Path = FOLDER) -> Sequence[str]:
    """Return the names of the packaged contracts; none where the contracts were never built."""
    return tuple(sorted(path.stem for path in folder.glob("*.json")))


def load_artifact(name: str, folder: Path = FOLDER) -> Artifact:
    """Read a packaged contract; raise ManifestError when it is missing or malformed."""
    path = folder / f"{name}.json"
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
        if read["format"] != FORMAT:
            raise ManifestError(f"{path}: format {read['format']}, expected {FORMAT}")
        return Artifact(
            abi=ContractAbi(name, read["abi"]),
            creation_code=bytes.fromhex(read["creationCode"][2:]),
            runtime_code=bytes.fromhex(read["runtimeCode"][2:]),
            immutables=tuple((int(start), int(length)) for start, length in read["immutables"]),
        )
    except FileNotFoundError:
        raise ManifestError(f"this package holds no contract {name}") from None
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, ManifestError):
            raise
        raise ManifestError(f"{path}: {type(error).__name__}: {error}") from None


def find_packaged_manifest(chain_id: int, folder: Path = FOLDER) -> Path | None:
    """Return the packaged manifest of a public deployment, if this package knows one."""
    path = folder / "deployments" / f"{chain_id}.json"
    return path if path.is_file() else None
