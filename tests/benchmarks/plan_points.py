"""Plans, and what a verdict by a proof costs: one row of a linear layer 1024 x 1024."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from offchain import native
from offchain.chain.binding import checksum
from offchain.chain.client import Call
from offchain.chain.contracts.adjudicator_registry import AdjudicatorRegistry
from offchain.chain.contracts.pinpoint_types import PinClaim
from offchain.commit.model_folder import write_model_folder
from offchain.execute.fast import run_traced
from offchain.model.execution import Execution
from offchain.model.graph import Graph, Linear, Requant, TensorSpec, WeightSpec
from offchain.prove.job import ProvableModel, list_tensors
from offchain.prove.statement import Statement
from offchain.submit.models import Model, load_model
from offchain.submit.parts import (
    PartBoundary,
    PartKind,
    build_part_statement,
    build_row_evidence,
    cut_execution,
)
from offchain.submit.plans import PROOF, VersionPlan, build_version_plan
from offchain.submit.vectors import Vectors
from offchain.trace.recorder import Tensors, record_trace
from offchain.types import Address, VersionId
from tests.benchmarks.gas_chain import GasChain, Row
from tests.vectors.parts import build_graph

SIZE: Final = 1024
ROWS: Final = 16
ELEMENT: Final = 8 * SIZE + 7  # in the middle of the result
CASE: Final = "row, 1,024 x 1,024"
ROW_MAXIMUM: Final = 800_000
PATHLESS: Final = Path()  # a model that was never written
SEED: Final = b"benchmark".ljust(32, b"\0")


class PlanPoints:
    """Publishes a plan, then asks for a verdict on one row in a transaction of its own."""

    def __init__(self, chain: GasChain) -> None:
        self.chain = chain
        self.registry = AdjudicatorRegistry(chain.client, chain.manifest)
        self.account = chain.open_account("planner")

    def play(self) -> None:
        """Send every transaction."""
        graph, weights = build_graph()
        write_model_folder(self.chain.folder / "parts", graph, weights, {})
        model = load_model(self.chain.folder / "parts")
        registered = self.account.register_version(model.folder, "parts")
        version = VersionId(bytes.fromhex(registered["version"][2:]))
        self._publish(model, version)
        self._adjudicate_row(version)

    def _publish(self, model: Model, version: VersionId) -> None:
        plan = build_version_plan(model, "all")
        addresses = self.registry.get_adjudicators()
        names = plan.list_deciders()
        numbers = [addresses.index(self.chain.manifest.get(name).address) for name in names]
        mask = sum(1 << number for number in numbers)
        self._send(self.registry.build_submit(plan.to_params(version, mask)))
        required = self.registry.get_required_vectors()
        vectors = Vectors(model, plan, version, self.account.address, required)
        for name, number in zip(names, numbers, strict=True):
            made = (
                vectors.build_proof_vectors(
                    self.chain.client.chain_id,
                    self._verifier,
                    self.registry.address,
                    self.account.publish_key,
                    _prove,
                )
                if name == PROOF
                else vectors.build_element_vectors(name)
            )
            for vector in made:
                case = f"one vector, {name}"
                self._send(self.registry.build_test(version, number, [vector]), case)
        self._send(self.registry.build_activate(version))

    def _adjudicate_row(self, version: VersionId) -> None:
        model, plan, execution = run_layer()
        (op,) = plan.plan.ops
        part = plan.parts[op.name].get(PartKind.ROW)
        said = record_trace(plan.plan, model.graph, execution).claim(op.index, ELEMENT)
        sender = self.account.address
        claim = PinClaim(
            version, SEED, SEED, sender, op.index, ELEMENT,
            said.out_digest, said.in_digests, said.descriptor,
        )  # fmt: skip
        row = cut_execution(model.graph, op.name, PartKind.ROW, ELEMENT, execution)
        boundary = PartBoundary.of(part, row)
        chain_id = self.chain.client.chain_id
        statement = build_part_statement(part, boundary, claim, chain_id, self._verifier, sender)
        proof = _prove(part, statement, row)
        vk_data = self.account.publish_key(part.key.to_bytes())
        tensors = Tensors(model.graph, model.weights, execution)
        inputs = [tensors.get(name) for name in op.inputs]
        output = tensors.get(op.name)
        evidence = build_row_evidence(vk_data, op, ELEMENT, inputs, output, boundary, proof)
        deployment = self.chain.manifest.get(PROOF)
        calldata = deployment.abi.encode_call("adjudicate", [claim.to_abi(), evidence])
        self._send(Call(PROOF, "adjudicate", deployment.address, calldata), CASE)

    @property
    def _verifier(self) -> Address:
        return checksum(self.chain.manifest.get("VerifierCore").address)

    def _send(self, call: Call, case: str = "") -> None:
        self.chain.send(self.account.address, call, case)


def run_layer() -> tuple[Model, VersionPlan, Execution]:
    """Return y = x w of random 8-bit elements with part keys, and one execution."""
    rng = np.random.default_rng(SIZE)
    w = rng.integers(-127, 128, (SIZE, SIZE))
    worst = int(np.abs(w).sum(axis=1).max()) * 127
    requant = Requant("y", "acc", (127 << 20) // worst, 20, (8, 12), 8, "identity", 8, -128, 127)
    graph = Graph(
        (TensorSpec("x", (ROWS, SIZE), 8, -127, 127),),
        "y",
        (WeightSpec("w", (SIZE, SIZE), 8),),
        (Linear("acc", "x", "w", None), requant),
    )
    graph.verify()
    model = Model(folder=PATHLESS, graph=graph, weights={"w": w})
    execution = run_traced(graph, model.weights, rng.integers(-127, 128, (ROWS, SIZE)))
    return model, build_version_plan(model, "y"), execution


def _prove(part: ProvableModel, statement: Statement, execution: Execution) -> bytes:
    tensors = list_tensors(part, execution)
    return native.prove(part.key.to_bytes(), part.srs, statement.hash(), tensors)


def explain_excess(rows: Sequence[Row]) -> list[str]:
    """Return a sentence if the verdict costs more than its bar."""
    return [
        f"a verdict on {row.case} costs {row.gas} gas"
        for row in rows
        if row.case == CASE and row.gas > ROW_MAXIMUM
    ]
