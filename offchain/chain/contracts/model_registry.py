"""ModelRegistry: immutable model versions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace
from typing import Any, ClassVar, Final

from offchain.chain.binding import Binding, checksum
from offchain.chain.client import Call
from offchain.types import Address, Version, VersionId

TILE_TREE: Final = 1  # digestKind of sha256 tile trees
REGISTERED: Final = "VersionRegistered"


@dataclass(frozen=True)
class VersionParams:
    """What a registrant declares; fields in the order of `contracts/types/Version.sol`."""

    graph_hash: bytes
    weight_root: bytes
    program_hash: bytes
    vk_hash: bytes
    vk_data: Address
    verifier: Address
    srs_id: bytes
    prove_seconds: int
    proof_gas: int
    digest_kind: int
    output_bytes: int
    royalty_bps: int
    uri: str


class ModelRegistry(Binding):
    """Registered versions; what they claim is for everybody to recompute."""

    NAME: ClassVar[str] = "ModelRegistry"

    def get_version(self, version_id: VersionId) -> Version:
        """Return a version; raise ContractRevert UnknownVersion if there is none."""
        version = self.read_struct("getVersion", version_id)
        return Version(
            id=version_id,
            owner=checksum(version["owner"]),
            prove_seconds=version["proveSeconds"],
            proof_gas=version["proofGas"],
            verifier=checksum(version["verifier"]),
            op_count=version["opCount"],
            digest_kind=version["digestKind"],
            vk_data=checksum(version["vkData"]),
            number=version["number"],
            output_bytes=version["outputBytes"],
            royalty_bps=version["royaltyBps"],
            graph_hash=version["graphHash"],
            weight_root=version["weightRoot"],
            program_hash=version["programHash"],
            vk_hash=version["vkHash"],
            srs_id=version["srsId"],
        )

    def compute_version_id(self, params: VersionParams, owner: str) -> VersionId:
        """Return the identifier under which `owner` would register."""
        return VersionId(self.read("computeVersionId", astuple(params), owner))

    def find_registered(
        self, first_block: int, owner: str | None = None
    ) -> Sequence[tuple[VersionId, VersionParams]]:
        """Return what the chain's logs name as registered, oldest first; of one owner if given."""
        topics: list[str | None] = [self.abi.get_topic(REGISTERED), None]
        topics.append(None if owner is None else "0x" + owner[2:].lower().rjust(64, "0"))
        last = self._client.get_head().number
        logs = self._client.collect_logs([self.address], first_block, last, topics)
        events = [e for e in map(self.abi.decode_event, logs) if e and e.name == REGISTERED]
        return tuple(
            (VersionId(e.arguments["versionId"]), _read_params(e.arguments["params"]))
            for e in events
        )

    def find_params(self, version_id: VersionId, first_block: int) -> VersionParams | None:
        """Return what was declared, with the URI that only the log holds; None without the log.

        What a node's log says is used only if it hashes to the version.
        """
        topics = [self.abi.get_topic(REGISTERED), "0x" + version_id.hex()]
        last = self._client.get_head().number
        logs = self._client.collect_logs([self.address], first_block, last, topics)
        for event in filter(None, map(self.abi.decode_event, logs)):
            params = _read_params(event.arguments["params"])
            if self.compute_version_id(params, event.arguments["owner"]) == version_id:
                return params
        return None

    def build_register_version(self, params: VersionParams) -> Call:
        """Register a version; its verifier inspects the key on chain."""
        return self.build("registerVersion", astuple(params))


def _read_params(values: Sequence[Any]) -> VersionParams:
    params = VersionParams(*values)
    return replace(params, vk_data=checksum(params.vk_data), verifier=checksum(params.verifier))
