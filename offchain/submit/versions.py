"""A registration is not trusted: a version is used only after it was reproduced from its files.

protocol.md A.15: graph hash, program hash, weight root, commitments, tables and SRS are recomputed,
and everything else that a registrant declares is compared with what the files give.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Final

from eth_hash.auto import keccak

from offchain.chain.client import ChainClient
from offchain.chain.contracts.model_registry import TILE_TREE, ModelRegistry
from offchain.chain.data_contract import read_data
from offchain.errors import JobRefused, ModelMissing, VersionMismatch
from offchain.submit.bundle_pull import Check, Puller, Wanted
from offchain.submit.models import Model, find_model
from offchain.types import Address, Version, VersionId

# A transaction's limits on the chains we know, EIP-7825 and the pools' 128 KiB, with room to spare.
MAX_PROOF_GAS: Final = 12_000_000
MAX_CALLDATA: Final = 100_000
NUMBER_BYTES: Final = 8


@dataclass(frozen=True)
class ReproducedVersion:
    """A registered version and the files that were found to be exactly it."""

    version: Version
    model: Model


class VersionBook:
    """Remembers which versions this process has reproduced."""

    def __init__(
        self,
        models: Path,
        client: ChainClient,
        registry: ModelRegistry,
        srs_id: bytes,
        verifier: Address,
        puller: Puller | None = None,
        first_block: int = 0,
    ) -> None:
        self._models = models
        self._client = client
        self._registry = registry
        self._srs_id = srs_id
        self._verifier = verifier
        self._puller = puller  # fetches what the folder lacks
        self._first_block = first_block  # of the deployment: where its logs begin
        self._reproduced: dict[bytes, ReproducedVersion] = {}
        self._lock = Lock()  # threads that need the same version reproduce it once

    def reproduce(self, version_id: VersionId) -> ReproducedVersion:
        """Return a version whose every digest was recomputed; raise VersionMismatch otherwise."""
        if version_id not in self._reproduced:
            with self._lock:
                self._reproduce_once(version_id)
        return self._reproduced[version_id]

    def _reproduce_once(self, version_id: VersionId) -> None:
        if version_id not in self._reproduced:
            version = self._registry.get_version(version_id)
            vk_blob = read_data(version.vk_data, self._client.get_code)

            def check(model: Model) -> None:
                verify_version(version, model, vk_blob, self._srs_id, self._verifier)

            model = self._find_or_pull(version, check)
            check(model)
            self._reproduced[version_id] = ReproducedVersion(version, model)

    def _find_or_pull(self, version: Version, check: Check) -> Model:
        try:
            found = find_model(self._models, version.graph_hash, version.weight_root)
            if self._puller is None or found.compute_weight_root() == version.weight_root:
                return found
        except ModelMissing:
            if self._puller is None:
                raise
        params = self._registry.find_params(version.id, self._first_block)
        wanted = Wanted(version.graph_hash, version.weight_root, check)
        return self._puller.pull(params.uri if params else "", wanted).model


@dataclass(frozen=True)
class DigestCheck:
    """One claim of a registration beside what the model's files give."""

    what: str
    registered: bytes
    recomputed: bytes

    @property
    def agrees(self) -> bool:
        """Whether the two are equal."""
        return self.registered == self.recomputed


def verify_version(
    version: Version, model: Model, vk_blob: bytes | None, srs_id: bytes, verifier: Address
) -> None:
    """Raise VersionMismatch unless the registration is exactly what the model's files give."""
    for check in compare_version(version, model, vk_blob, srs_id, verifier):
        if not check.agrees:
            raise VersionMismatch(check.what, check.registered, check.recomputed)


def compare_version(
    version: Version, model: Model, vk_blob: bytes | None, srs_id: bytes, verifier: Address
) -> tuple[DigestCheck, ...]:
    """Recompute everything that a registration claims from the model's files.

    `vk_blob` is what the registered data contract holds, None where it is none; `srs_id` and
    `verifier` are those of the deployment: a verifier that somebody else wrote could accept
    anything. Numbers are eight bytes.
    """
    found = model.compute_digests()
    claims = (
        ("graph hash", version.graph_hash, found.graph_hash),
        ("weight root", version.weight_root, found.weight_root),
        ("program hash", version.program_hash, found.program_hash),
        ("verification key hash", version.vk_hash, found.vk_hash),
        ("reference string", version.srs_id, found.srs_id),
        ("deployment's reference string", srs_id, found.srs_id),
        ("verification key on chain", keccak(vk_blob or b""), keccak(model.vk_blob)),
        ("deployment's verifier", _address(version.verifier), _address(verifier)),
        ("digest kind", _number(version.digest_kind), _number(TILE_TREE)),
        ("bytes of an output", _number(version.output_bytes), _number(model.output_bytes)),
        ("operators", _number(version.op_count), _number(model.layout.program.op_count)),
    )
    return tuple(DigestCheck(*claim) for claim in claims)


def _address(address: str) -> bytes:
    return bytes.fromhex(address[2:])


def _number(value: int) -> bytes:
    return value.to_bytes(NUMBER_BYTES, "big")


def check_provable(version: Version, model: Model, block_gas_limit: int) -> None:
    """Raise JobRefused unless an honest proof fits into what the version declares and into a block.

    A registrant who understates time or gas makes deadlines too short and bonds too small for
    whoever stakes on the version; a program too large for a transaction cannot be proven at all.
    """
    cost = model.cost
    limit = min(MAX_PROOF_GAS, block_gas_limit // 2)
    if cost.gas > limit or cost.calldata_bytes > MAX_CALLDATA:
        raise JobRefused(
            f"a proof takes up to {cost.gas} gas and {cost.calldata_bytes} bytes: "
            f"more than {limit} gas or {MAX_CALLDATA} bytes are not staked on"
        )
    if version.prove_seconds < cost.seconds or version.proof_gas < cost.gas:
        raise JobRefused(
            f"the version declares {version.prove_seconds} s and {version.proof_gas} gas a proof, "
            f"it may take {cost.seconds} s and {cost.gas} gas"
        )
