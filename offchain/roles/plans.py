"""Publish a version's plan: submit it, have the adjudicators decide vectors, activate it.

Every step is sent at most once and is left out where the chain has it already, so a publication
that broke off goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from offchain.chain.client import Call
from offchain.chain.contracts.adjudicator_registry import AdjudicatorRegistry, Vector
from offchain.chain.journal import StepKey
from offchain.errors import OffchainError, PlanMismatch
from offchain.model.execution import Execution
from offchain.prove.job import ProvableModel, prove_job
from offchain.prove.process import ProverProcess
from offchain.prove.statement import Statement
from offchain.roles.account import ROLE, Account
from offchain.submit.models import Model
from offchain.submit.plans import PROOF, VersionPlan, build_version_plan, compare_plan
from offchain.submit.vectors import Vectors
from offchain.types import RegisteredPlan, Verdict, VersionId

PROVER_MEMORY_MIB: Final = 8_192
PROVER_TIMEOUT_S: Final = 600.0
Progress = Callable[[str], None]


def publish_plan(
    account: Account,
    model: Model,
    version: VersionId,
    selection: str,
    tell: Progress = lambda _: None,
) -> Mapping[str, Any]:
    """Make a version's plan active; return what is there and what was sent.

    Raises VersionMismatch where the version is not this model's, PlanMismatch where another plan
    was submitted, PlanError and UnprovablePart as `build_version_plan` does.
    """
    return _Publication(account, model, version, selection, tell).run()


@dataclass
class _Publication:
    account: Account
    model: Model
    version: VersionId
    selection: str
    tell: Progress

    def __post_init__(self) -> None:
        self._registry = AdjudicatorRegistry(self.account.client, self.account.manifest)
        self._sent: dict[str, str] = {}

    def run(self) -> Mapping[str, Any]:
        owner = self.account.contracts.registry.get_version(self.version).owner
        if owner != self.account.address:
            raise OffchainError(f"the version is {owner}'s: only its owner publishes its plan")
        self.tell("recomputing the plan")
        plan = build_version_plan(self.model, self.selection)
        if names := plan.list_undefendable():
            self.tell(f"only a proof of the whole result defends {', '.join(names)}")
        registered = self._submit(plan)
        if not registered.active_at:
            self._test(plan)
            self._send("activate", self._registry.build_activate(self.version))
            registered = self._get_plan()
        return {
            "version": "0x" + self.version.hex(),
            "plan_root": "0x" + registered.root.hex(),
            "operators": registered.ops,
            "layers": registered.layers,
            "part_keys": sorted(plan.parts),
            "only_whole_proofs": list(plan.list_undefendable()),
            "adjudicators": plan.list_deciders(),
            "active_at": registered.active_at,
            "transactions": self._sent,
        }

    # -- the plan

    def _submit(self, plan: VersionPlan) -> RegisteredPlan:
        known = self._registry.get_plan(self.version)
        numbers = self._registry.number_adjudicators()
        if known is None:
            mask = plan.choose_mask(numbers)
            self.tell("submitting the plan")
            self._send("submit", self._registry.build_submit(plan.to_params(self.version, mask)))
            known = self._get_plan()
        for check in compare_plan(self.version, known, plan, numbers):
            if not check.agrees:
                raise PlanMismatch(check.what, check.registered, check.recomputed)
        return known

    def _get_plan(self) -> RegisteredPlan:
        plan = self._registry.get_plan(self.version)
        if plan is None:
            raise OffchainError("the plan was sent, but the chain has none")
        return plan

    # -- vectors

    def _test(self, plan: VersionPlan) -> None:
        required = self._registry.get_required_vectors()
        vectors = Vectors(self.model, plan, self.version, self.account.address, required)
        numbers = self._registry.number_adjudicators()
        for name in plan.list_deciders():
            counts = self._registry.count_vectors(self.version, numbers[name])
            if min(counts) >= required:
                continue
            self.tell(f"testing {name}")
            made = self._build_vectors(vectors, name)
            self._send_vectors(numbers[name], name, made, dict(zip(_VERDICTS, counts, strict=True)))

    def _build_vectors(self, vectors: Vectors, name: str) -> Sequence[Vector]:
        if name != PROOF:
            return vectors.build_element_vectors(name)
        return vectors.build_proof_vectors(
            chain_id=self.account.client.chain_id,
            verifier=self.account.manifest.get("VerifierCore").address,
            registry=self._registry.address,
            keep=self.account.publish_key,
            prove=_prove,
        )

    def _send_vectors(
        self, number: int, name: str, vectors: Sequence[Vector], done: dict[Verdict, int]
    ) -> None:
        """Send what the chain has not counted, one vector a transaction: a proof takes much gas."""
        for k, vector in enumerate(vectors):
            if done[vector.expected]:
                done[vector.expected] -= 1  # vectors of one verdict are sent in this very order
                continue
            call = self._registry.build_test(self.version, number, [vector])
            self._send(f"test-{name}-{k}", call)

    def _send(self, step: str, call: Call) -> None:
        key = StepKey(ROLE, f"plan-0x{self.version.hex()}", step)
        self._sent[step] = self.account.submit(key, call).tx_hash


_VERDICTS: Final = (Verdict.CONSISTENT, Verdict.INCONSISTENT)


def _prove(part: ProvableModel, statement: Statement, execution: Execution) -> bytes:
    """Make a vector's proof in a process of its own."""
    with ProverProcess(PROVER_MEMORY_MIB, PROVER_TIMEOUT_S) as prover:
        return prove_job(part, statement, execution, prover.prove)
