"""Whole submissions of random models: compiled, executed, proven natively."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import Final

import numpy as np

from offchain import native
from offchain.commit.srs_file import srs_id
from offchain.errors import NativeProofError, OffchainError
from offchain.execute.reference import run_traced
from offchain.model.execution import Execution
from offchain.prove.compile import Choice, Layout, compile_graph
from offchain.prove.key import build_key
from offchain.prove.program import Program
from offchain.prove.reference.verifier import verify, verify_statement
from offchain.prove.statement import Statement
from offchain.prove.verification_key import VerificationKey
from offchain.prove.witness import Array, build_fixed, build_witness
from tests.random_models import RandomModel
from tests.vectors.models import output_bytes, read_output, to_bytes
from tests.vectors.proofs import VERIFIER, statement_for

TAU: Final = native.tau_g2_insecure()


@cache
def srs(log_size: int) -> bytes:
    """Return powers of the development tau."""
    return native.srs_insecure(log_size)


@dataclass(frozen=True)
class Submission:
    """What a prover sends for one job."""

    key: VerificationKey
    statement: Statement
    public_in: bytes
    public_out: bytes
    proof: bytes

    def arguments(self) -> tuple[bytes, bytes, bytes, bytes]:
        """Return what every verifier takes beside key and tau."""
        return self.statement.hash(), self.public_in, self.public_out, self.proof

    def accepted_by_rust(self) -> bool:
        """Ask the native verifier."""
        try:
            native.verify(self.key.to_bytes(), TAU, *self.arguments())
        except NativeProofError:
            return False
        return True

    def accepted_by_reference(self) -> bool:
        """Ask the reference verifier, the statement's comparison included."""
        try:
            verify_statement(self.key, self.statement, self.public_in, self.public_out, self.proof)
            verify(self.key, TAU, *self.arguments())
        except OffchainError:
            return False
        return True


@dataclass(frozen=True)
class Case:
    """A model, compiled and executed on its input."""

    model: RandomModel
    choice: Choice

    @cached_property
    def layout(self) -> Layout:
        """The compilation."""
        return compile_graph(self.model.graph, self.choice)

    @property
    def program(self) -> Program:
        """The program."""
        return self.layout.program

    @cached_property
    def execution(self) -> Execution:
        """The reference's execution."""
        return run_traced(self.model.graph, self.model.weights, self.model.x)

    @cached_property
    def key(self) -> VerificationKey:
        """The key."""
        c = self.program.c
        fixed = build_fixed(self.layout, self.model.weights)
        return build_key(
            self.layout, fixed, srs_id(TAU), lambda cells: native.commit_chunks(srs(c), cells, c)
        )

    @cached_property
    def tensors(self) -> dict[int, Array]:
        """The honest witness."""
        return build_witness(self.layout, self.model.weights, self.execution)

    @property
    def public_in(self) -> bytes:
        """The input's bytes."""
        return to_bytes(np.asarray(self.model.x), self.model.graph.input.bits)

    def shown(self, tensors: dict[int, Array]) -> bytes:
        """Return the output that a witness holds, as bytes."""
        lists = {k: [int(v) for v in values] for k, values in tensors.items() if k < 2}
        return output_bytes(self.program, read_output(self.program, lists))

    def statement(self, public_out: bytes, job: int = 1, verifier: str = VERIFIER) -> Statement:
        """Return the statement of a job."""
        made = statement_for(self.key, self.public_in, public_out, job)
        return Statement(**{**vars(made), "verifier": verifier})

    def submit(
        self,
        tensors: dict[int, Array] | None = None,
        job: int = 1,
        verifier: str = VERIFIER,
    ) -> Submission:
        """Prove a witness, the honest one by default, and what it shows."""
        tensors = self.tensors if tensors is None else tensors
        public_out = self.shown(tensors)
        statement = self.statement(public_out, job, verifier)
        return Submission(
            self.key, statement, self.public_in, public_out, self.prove(statement.hash(), tensors)
        )

    def prove(self, statement_hash: bytes, tensors: dict[int, Array]) -> bytes:
        """Prove natively."""
        by_id = [tensors.get(k) for k in range(len(self.program.tensors))]
        return native.prove(self.key.to_bytes(), srs(self.program.c), statement_hash, by_id)
