"""Verdicts by a proof: rows of a linear layer 1024 x 1024, disputed and decided for real."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from offchain.chain.binding import checksum
from offchain.chain.contracts.adjudicator_registry import AdjudicatorRegistry
from offchain.chain.contracts.pinpoint_game import PinpointGame
from offchain.chain.contracts.pinpoint_types import PinClaim, Ruling
from offchain.commit.model_folder import write_model_folder
from offchain.execute.fast import FAST_KERNELS
from offchain.execute.interpreter import State, interpret
from offchain.model.execution import Execution
from offchain.model.graph import Graph, Linear, Requant, TensorSpec, WeightSpec
from offchain.model.weights import IntArray
from offchain.params.presets import LOCAL
from offchain.roles.account import Account
from offchain.roles.known_trace import KnownTrace
from offchain.roles.pins import build_claim, build_pin
from offchain.submit.models import Model, load_model
from offchain.submit.parts import (
    PartBoundary,
    PartKind,
    build_operator_evidence,
    build_part_statement,
    build_row_evidence,
    cut_execution,
)
from offchain.submit.plans import PROOF, VersionPlan, build_version_plan
from offchain.trace.recorder import Granularity, Tensors, record_trace
from offchain.types import ETH, Address, Amount, Digest, JobId, JobTerms, VersionId
from tests.benchmarks.gas_chain import GasChain, Row
from tests.benchmarks.plan_points import prove, publish_plan

SIZE: Final = 1024
FEE: Final = 10**16
STAKE: Final = 10**19


def case_of(rows: int, is_consistent: bool) -> str:
    """Return the name of a verdict about one row."""
    verdict = "consistent" if is_consistent else "inconsistent"
    return f"proof, row of {rows}, {verdict}"


# Gas of the transaction; one row alone is the whole operator. Who convicts sends the proven row
# beside the committed one, some 15 k, and pays for the rejection and the lock, some 160 k.
MAXIMA: Final[Mapping[str, int]] = {
    case_of(1, True): 800_000,
    case_of(16, True): 800_000,
    case_of(16, False): 1_000_000,
}


class VerdictPoints:
    """Disputes results of layers of so many rows, right and wrong, and decides them by proofs."""

    def __init__(self, chain: GasChain) -> None:
        self.chain = chain
        self.game = PinpointGame(chain.client, chain.manifest)
        self.registry = AdjudicatorRegistry(chain.client, chain.manifest)

    def play(self) -> None:
        """Send every transaction."""
        DisputedLayer(self, 1).dispute(is_consistent=True)
        layer = DisputedLayer(self, 16)
        for is_consistent in (True, False):
            layer.dispute(is_consistent)


class DisputedLayer:
    """A version of one layer with part keys and an active plan, and disputes about its results."""

    def __init__(self, points: VerdictPoints, rows: int) -> None:
        self.chain, self.game, self.rows = points.chain, points.game, rows
        self.registry = points.registry
        self.account: Account = self.chain.open_account(f"layer of {rows}")
        self.client, self.owner, self.worker, self.challenger = (
            self.chain.create_account() for _ in range(4)
        )
        folder = self.chain.folder / f"layer of {rows}"
        graph, weights = build_layer(rows)
        write_model_folder(folder, graph, weights, {})
        self.model: Model = load_model(folder)
        # A proof of many rows is dearer than a version may say; nobody makes one here.
        gas = min(self.model.cost.gas, LOCAL.max_proof_gas)
        registered = self.account.register_version(folder, folder.name, proof_gas=gas)
        self.version = VersionId(bytes.fromhex(registered["version"][2:]))
        self.plan: VersionPlan = build_version_plan(self.model, "y")
        case = f"{rows} x {SIZE:,}"
        publish_plan(self.chain, self.account, self.model, self.plan, self.version, case)
        # Whoever takes a job from now on could see the plan.
        self.chain.pass_deadline(self.chain.contracts.market.get_time().now + LOCAL.exec_seconds)
        self._hire()

    def _hire(self) -> None:
        vault = self.chain.contracts.vault
        self.chain.send(self.owner, vault.build_deposit(STAKE), "first")
        self.chain.send(self.owner, vault.build_propose_worker(self.worker))
        self.chain.send(self.worker, vault.build_accept_owner(self.owner))

    def dispute(self, is_consistent: bool) -> None:
        """Commit a result, right or wrong, pin an element of it and decide by a proof."""
        graph = self.model.graph
        raw = np.random.default_rng(self.rows).integers(-127, 128, (self.rows, SIZE))
        honest = interpret(graph, self.model.weights, raw, FAST_KERNELS)
        kernels = (
            FAST_KERNELS if is_consistent else {**FAST_KERNELS, Requant: self._requant_wrongly}
        )
        committed = interpret(graph, self.model.weights, raw, kernels)
        trace = record_trace(self.plan.plan, graph, committed)
        known = KnownTrace(trace, Granularity.OP)
        terms = self._commit(trace.in_digest, trace.out_digest)
        job_id = self.chain.contracts.market.compute_job_id(terms)
        posting = self.game.build_post_trace(
            job_id, known.layers.root, True, known.leaf_op_root(0), known.layers.path(0), ""
        )
        self.chain.send(self.worker, posting, "of one operator")
        (op,) = self.plan.plan.ops
        pin = build_pin(known, op, self.element, terms)
        bond = self.game.get_required_bond(job_id)
        pinning = self.game.build_pinpoint(job_id, trace.out_digest, known.layers.root, pin, bond)
        self.chain.send(self.challenger, pinning, "row to be proven")
        self.chain.anvil.rpc.request("evm_mine")
        judge = self.worker if is_consistent else self.challenger
        claim = self._read_claim(job_id, known, judge)
        ruling = self._prove(claim, honest, committed)
        key = op.index << 64 | self.element
        call = self.game.build_adjudicate(job_id, key, claim, [ruling])
        self.chain.send(judge, call, case_of(self.rows, is_consistent))

    @property
    def element(self) -> int:
        """Return the element that is disputed: in the middle of the result."""
        return self.rows // 2 * SIZE + 7

    def _requant_wrongly(self, op: Any, state: State) -> IntArray:
        y: IntArray = FAST_KERNELS[Requant](op, state).copy()
        y.flat[self.element] += 40 if y.flat[self.element] < 0 else -40
        return y

    def _commit(self, in_digest: Digest, out_digest: Digest) -> JobTerms:
        market = self.chain.contracts.market
        salt = market.get_time().now
        terms = JobTerms(self.client, self.version, in_digest, ETH, Amount(FEE), 0, 0, salt)
        job_id = market.compute_job_id(terms)
        self.chain.send(self.client, market.build_create_job(terms, ""), "traced")
        self.chain.send(self.worker, market.build_accept_job(job_id), "traced")
        self.chain.send(self.worker, market.build_commit_result(job_id, out_digest, ""), "traced")
        return terms

    def _read_claim(self, job_id: JobId, known: KnownTrace, judge: Address) -> PinClaim:
        (pinned,) = (e for e in self.game.find_events(0, job_id) if e.name == "OperatorPinned")
        job = self.chain.contracts.market.get_job(job_id)
        (op,) = self.plan.plan.ops
        claim = build_claim(known, job, op, self.element, bytes(pinned.arguments["seed"]))
        return replace(claim, prover=judge)

    def _prove(self, claim: PinClaim, honest: Execution, committed: Execution) -> Ruling:
        """Return a proof of what the row really is."""
        (op,) = self.plan.plan.ops
        parts = self.plan.parts[op.name]
        kind = PartKind.OPERATOR if parts.row is None else PartKind.ROW
        part = parts.get(kind)
        row = cut_execution(self.model.graph, op.name, kind, self.element, honest)
        boundary = PartBoundary.of(part, row)
        statement = build_part_statement(
            part,
            boundary,
            claim,
            self.chain.client.chain_id,
            checksum(self.chain.manifest.get("VerifierCore").address),
            self.game.address,
        )
        proof = prove(part, statement, row)
        vk_data = self.account.publish_key(part.key.to_bytes())
        if kind is PartKind.OPERATOR:
            evidence = build_operator_evidence(vk_data, boundary, proof)
        else:
            tensors = Tensors(self.model.graph, self.model.weights, committed)
            inputs = [tensors.get(name) for name in op.inputs]
            output = tensors.get(op.name)
            evidence = build_row_evidence(
                vk_data, op, self.element, inputs, output, boundary, proof
            )
        address = self.chain.manifest.get(PROOF).address
        return Ruling(self.registry.get_adjudicators().index(address), evidence)


def build_layer(rows: int) -> tuple[Graph, dict[str, IntArray]]:
    """Return y = x w of random 8-bit elements."""
    w = np.random.default_rng(SIZE).integers(-127, 128, (SIZE, SIZE))
    worst = int(np.abs(w).sum(axis=1).max()) * 127
    requant = Requant("y", "acc", (127 << 20) // worst, 20, (8, 12), 8, "identity", 8, -128, 127)
    graph = Graph(
        (TensorSpec("x", (rows, SIZE), 8, -127, 127),),
        "y",
        (WeightSpec("w", (SIZE, SIZE), 8),),
        (Linear("acc", "x", "w", None), requant),
    )
    graph.verify()
    return graph, {"w": w}


def explain_excess(rows: Sequence[Row]) -> list[str]:
    """Return a sentence for every verdict that costs more than its bar."""
    gas = {row.case: row.gas for row in rows}
    return [
        f"a verdict by a {case} costs {gas[case]} gas"
        for case, limit in MAXIMA.items()
        if gas[case] > limit
    ]
