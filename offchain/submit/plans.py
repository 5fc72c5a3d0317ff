"""Plans of versions: recomputed from a model's files, compared with what is registered.

A plan follows from graph, weights and the choice of part keys, which its URI names
(`zkdps-plan/1 part-keys=auto`). Nothing in it is believed: its root is recomputed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from typing import Final

from offchain.chain.contracts.adjudicator_registry import AdjudicatorRegistry, PlanParams
from offchain.errors import PlanMismatch, ProblemsError, UnprovablePart
from offchain.model.graph import Graph
from offchain.model.weights import Weights
from offchain.submit.models import Model
from offchain.submit.parts import (
    CHEAP_CELLS,
    PartKind,
    Parts,
    choose_part,
    compile_parts,
    count_cells,
    fits_transaction,
    set_up_parts,
)
from offchain.submit.versions import DigestCheck, ReproducedVersion
from offchain.trace.descriptor_bytes import opcode_of
from offchain.trace.evidence import MAX_EVIDENCE, WHOLE
from offchain.trace.plan import Plan, TraceOp, build_plan, list_trace_ops, weight_roots
from offchain.trace.reach import bound_evidence
from offchain.types import RegisteredPlan, VersionId

AUTO: Final = "auto"  # operators whose keys are cheap to set up
ALL: Final = "all"
NONE: Final = "none"
URI: Final = "zkdps-plan/1 part-keys="
NUMBER_BYTES: Final = 8

# Who decides what, by the contracts' names; their numbers are the registry's.
CONTRACTION: Final = "ContractionAdjudicator"
ROW: Final = "RowAdjudicator"
PROOF: Final = "ProofAdjudicator"
_FIRST_ROW_OPCODE: Final = 0x08


@dataclass(frozen=True)
class VersionPlan:
    """A model's plan and the part keys that its descriptors name."""

    plan: Plan
    parts: Mapping[str, Parts]  # by an operator's name
    selection: str

    @property
    def uri(self) -> str:
        """Return what the plan is submitted with."""
        return URI + self.selection

    def list_deciders(self) -> tuple[str, ...]:
        """Return the names of the adjudicators that decide about some operator of the plan."""
        needed = {choose_element_adjudicator(op) for op in self.plan.ops}
        if any(parts.operator or parts.row for parts in self.parts.values()):
            needed.add(PROOF)
        return tuple(name for name in (CONTRACTION, ROW, PROOF) if name in needed)

    def list_undefendable(self) -> tuple[str, ...]:
        """Return the operators of which some claim takes a proof of the whole result to defend.

        Evidence about an element of theirs may not fit a transaction, nor does a proof of a part.
        Or they have a key, so that anybody may pin them as a whole, and no proof by it fits.
        """
        return self._undefendable

    @cached_property
    def _undefendable(self) -> tuple[str, ...]:
        # Once: it is asked for at every intake, and takes a second for some hundred operators.
        return tuple(op.name for op in self.plan.ops if not self._is_defendable(op))

    def _is_defendable(self, op: TraceOp) -> bool:
        parts, is_small = self.parts.get(op.name), bound_evidence(op.descriptor) <= MAX_EVIDENCE
        if not is_small and choose_part(parts, op, element=0) is None:
            return False
        # The contract lets whole operators be pinned where there is a key; one element is a whole.
        is_element_enough = is_small and op.descriptor.out.count == 1
        may_be_pinned_whole = any(op.descriptor.op_key) and not is_element_enough
        return not may_be_pinned_whole or choose_part(parts, op, WHOLE) is not None

    def choose_mask(self, adjudicators: Mapping[str, int]) -> int:
        """Return the deciders as bits, by the numbers of all adjudicators."""
        return sum(1 << adjudicators[name] for name in self.list_deciders())

    def to_params(self, version: VersionId, adjudicators: int) -> PlanParams:
        """Return what the version's owner submits; bit i of `adjudicators` names number i."""
        plan = self.plan
        return PlanParams(
            version=version,
            root=plan.root,
            ops=len(plan.ops),
            layers=len(plan.layers),
            plan_depth=plan.plan_depth,
            layer_depth=plan.layer_depth,
            op_depth=plan.op_depth,
            adjudicators=adjudicators,
            uri=self.uri,
        )


def choose_element_adjudicator(op: TraceOp) -> str:
    """Return the name of the contract that recomputes one element of an operator."""
    return ROW if opcode_of(op.descriptor.params) >= _FIRST_ROW_OPCODE else CONTRACTION


def build_version_plan(model: Model, selection: str = AUTO) -> VersionPlan:
    """Return a model's plan with the part keys of `selection`: auto, all, none, or names.

    Names of operators are separated by commas. Raises PlanError for an operator that no descriptor
    can say, UnprovablePart for a named one that has no key, SrsError where the reference string is
    too short.
    """
    parts = select_parts(model.graph, model.weights, selection)
    keys = {name: found.keys for name, found in parts.items()}
    plan = build_plan(model.graph, weight_roots(model.graph, model.weights), keys)
    return VersionPlan(plan, parts, selection)


def select_parts(graph: Graph, weights: Weights, selection: str) -> dict[str, Parts]:
    """Return the part keys of a selection by operator; errors as for `build_version_plan`."""
    names = [op.name for op in list_trace_ops(graph)]
    if selection == NONE:
        return {}
    if selection not in (AUTO, ALL):
        wanted = selection.split(",")
        if unknown := [name for name in wanted if name not in names]:
            raise UnprovablePart(f"the plan has no operator {', '.join(unknown)}")
        names = wanted
    found = {}
    for name in names:
        compiled = compile_parts(graph, name)
        if selection not in (AUTO, ALL) and not compiled:
            raise UnprovablePart(f"{name} cannot be proven alone")
        if not compiled:
            continue
        if selection in (AUTO, ALL) and not fits_transaction(compiled[PartKind.OPERATOR]):
            continue
        is_cheap = sum(map(count_cells, compiled.values())) <= CHEAP_CELLS
        if is_cheap or selection != AUTO:
            found[name] = set_up_parts(weights, compiled)
    return found


def compare_plan(
    version: VersionId,
    registered: RegisteredPlan,
    recomputed: VersionPlan,
    adjudicators: Mapping[str, int],
) -> Sequence[DigestCheck]:
    """Return every claim of a registered plan beside what the model's files give.

    `adjudicators`: their numbers by name. Each that decides about some operator has to be named:
    nobody could answer for an operator about which nobody may decide.
    """
    needed = recomputed.choose_mask(adjudicators)
    params = recomputed.to_params(version, needed)
    numbers = (
        ("adjudicators of the plan", registered.adjudicators & needed, needed),
        ("operators of the plan", registered.ops, params.ops),
        ("layers of the plan", registered.layers, params.layers),
        ("depth of the plan", registered.plan_depth, params.plan_depth),
        ("depth of the layers", registered.layer_depth, params.layer_depth),
        ("depth of a layer", registered.op_depth, params.op_depth),
    )
    return (
        DigestCheck("plan root", registered.root, params.root),
        *(DigestCheck(what, _number(a), _number(b)) for what, a, b in numbers),
    )


def _number(value: int) -> bytes:
    return value.to_bytes(NUMBER_BYTES, "big")


def _explain(checks: Sequence[DigestCheck]) -> PlanMismatch:
    wrong = next(check for check in checks if not check.agrees)
    return PlanMismatch(wrong.what, wrong.registered, wrong.recomputed)


class PlanBook:
    """Remembers which versions' plans this process has recomputed."""

    def __init__(self, registry: AdjudicatorRegistry, first_block: int) -> None:
        self._registry = registry
        self._first_block = first_block  # of the deployment: where its logs begin
        self._recomputed: dict[bytes, VersionPlan | PlanMismatch] = {}
        self._lock = Lock()

    def find(self, version: ReproducedVersion) -> VersionPlan | None:
        """Return a version's plan, recomputed; None where its owner has submitted none.

        A submitted plan never changes, so it is recomputed once. Raises PlanMismatch where the
        one on chain is not that of the model's files.
        """
        key = version.version.id
        with self._lock:
            if key not in self._recomputed:
                registered = self._registry.get_plan(key)
                if registered is None:
                    return None
                plan, checks = self.recompute(version, registered)
                self._recomputed[key] = plan or _explain(checks)
            found = self._recomputed[key]
        if isinstance(found, PlanMismatch):
            raise found
        return found

    def verify(self, version: ReproducedVersion) -> None:
        """Raise PlanMismatch where the version's plan is not that of the model's files."""
        self.find(version)

    def is_active(self, version: VersionId) -> bool:
        """Whether disputes about the version's operators are possible."""
        registered = self._registry.get_plan(version)
        return registered is not None and registered.active_at > 0

    def recompute(
        self, version: ReproducedVersion, registered: RegisteredPlan
    ) -> tuple[VersionPlan | None, Sequence[DigestCheck]]:
        """Return the plan that is registered, None where the files give none such.

        With it every claim beside what the files give; all agree if any can.
        """
        uri = self._registry.find_uri(version.version.id, self._first_block)
        selections: Sequence[str] = (AUTO, NONE, ALL)
        if uri is not None and uri.startswith(URI):
            selections = (uri.removeprefix(URI),)
        checks: Sequence[DigestCheck] = (DigestCheck("plan root", registered.root, b""),)
        numbers = self._registry.number_adjudicators()
        for selection in selections:
            try:
                plan = build_version_plan(version.model, selection)
            except (ProblemsError, UnprovablePart):
                continue  # the files give no plan with these keys
            checks = compare_plan(version.version.id, registered, plan, numbers)
            if all(check.agrees for check in checks):
                return plan, checks
        return None, checks
