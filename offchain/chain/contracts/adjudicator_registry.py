"""AdjudicatorRegistry: plans of versions and the adjudicators that decide disputes about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Any, ClassVar, Final

from offchain.chain.binding import Binding, checksum
from offchain.chain.client import Call, ChainClient
from offchain.chain.contracts.pinpoint_types import PinClaim
from offchain.chain.manifest import Manifest
from offchain.types import Address, RegisteredPlan, Verdict, VersionId

SUBMITTED: Final = "PlanSubmitted"


@dataclass(frozen=True)
class PlanParams:
    """What a version's owner declares; fields in the order of `contracts/types/Plan.sol`."""

    version: VersionId
    root: bytes
    ops: int
    layers: int
    plan_depth: int
    layer_depth: int
    op_depth: int
    adjudicators: int
    uri: str


@dataclass(frozen=True)
class Vector:
    """A claim to be decided as expected, and to be refused with one bit of it flipped."""

    claim: PinClaim
    path: tuple[bytes, ...]
    evidence: bytes
    expected: Verdict
    mutate_at: int

    def to_abi(self) -> tuple[Any, ...]:
        """Return the struct of `contracts/types/Plan.sol`."""
        return (
            self.claim.to_abi(),
            self.path,
            self.evidence,
            int(self.expected),
            self.mutate_at,
        )


class AdjudicatorRegistry(Binding):
    """Plans; whether they are those of the models' files is for everybody to recompute."""

    NAME: ClassVar[str] = "AdjudicatorRegistry"

    def __init__(self, client: ChainClient, manifest: Manifest) -> None:
        super().__init__(client, manifest)
        self._deployed = {name: manifest.get(name).address for name in manifest.contracts}

    def get_plan(self, version: VersionId) -> RegisteredPlan | None:
        """Return a version's plan, whether active or not; None where there is none."""
        plan = RegisteredPlan(*self.read("getPlan", version))
        return plan if any(plan.root) else None

    def get_adjudicators(self) -> tuple[Address, ...]:
        """Return the adjudicators by number."""
        count = int(self.read("adjudicatorCount"))
        return tuple(checksum(self.read("adjudicatorAt", k)) for k in range(count))

    def number_adjudicators(self) -> Mapping[str, int]:
        """Return the adjudicators' numbers by the names of their contracts."""
        numbers = {address: k for k, address in enumerate(self.get_adjudicators())}
        return {name: numbers[at] for name, at in self._deployed.items() if at in numbers}

    def count_vectors(self, version: VersionId, adjudicator: int) -> tuple[int, int]:
        """Return how many consistent and inconsistent vectors an adjudicator has decided."""
        consistent, inconsistent = self.read_all("countVectors", version, adjudicator)
        return int(consistent), int(inconsistent)

    def get_required_vectors(self) -> int:
        """Return how many vectors of each verdict activation takes."""
        return int(self.read("REQUIRED_VECTORS"))

    def find_uri(self, version: VersionId, first_block: int) -> str | None:
        """Return the URI that a plan was submitted with; None where no log says so.

        It is a node's word: what it leads to is compared with the plan on chain.
        """
        topics = [self.abi.get_topic(SUBMITTED), "0x" + version.hex()]
        last = self._client.get_head().number
        logs = self._client.collect_logs([self.address], first_block, last, topics)
        for event in filter(None, map(self.abi.decode_event, logs)):
            return str(event.arguments["params"][-1])
        return None

    def build_submit(self, params: PlanParams) -> Call:
        """Declare a version's plan, once."""
        return self.build("submitPlan", astuple(params))

    def build_test(self, version: VersionId, adjudicator: int, vectors: Sequence[Vector]) -> Call:
        """Have an adjudicator decide vectors."""
        return self.build("testPlan", version, adjudicator, [v.to_abi() for v in vectors])

    def build_activate(self, version: VersionId) -> Call:
        """Make a tested plan active, for ever."""
        return self.build("activatePlan", version)
