"""Random graphs, not only chains: what is executed honestly is proven, any one lie is refused.

The graphs reach the corners of the language: operators that read any earlier result, the output
included; shared weights; one row or column and odd sizes; weights and inputs at the ends of their
types; biases at the ends of 32 bits; every digit width and every table width.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
import pytest

from offchain import native
from offchain.commit.digest import tensor_digest
from offchain.commit.srs_file import srs_id
from offchain.errors import NativeProofError
from offchain.execute.reference import run_traced
from offchain.model.graph import Graph, Linear, Op, Requant, TensorSpec, WeightSpec
from offchain.model.weights import IntArray
from offchain.prove.compile import Layout, compile_layout, is_range_form
from offchain.prove.key import build_key
from offchain.prove.program import TensorKind, VerificationKey
from offchain.prove.reference.prover import prove
from offchain.prove.reference.srs import insecure_srs
from offchain.prove.reference.verifier import verify, verify_statement
from offchain.prove.statement import FORMAT, MODE_PUBLIC, Statement
from offchain.prove.witness import RequantTrace, build_witness
from offchain.quantize.ranges import Interval, bound_linear, bound_quotient, bound_requant
from offchain.quantize.ranges import verify_ranges as verify_static_ranges
from tests.random_models import RandomModel
from tests.vectors.models import to_bytes
from tests.vectors.proofs import MARKET, PROVER, VERIFIER

TAU: Final = native.tau_g2_insecure()
NARROW_DIGITS: Final = ((8,), (8, 8))  # their tables are small enough for plain Python
ALL_DIGITS: Final = ((8,), (12,), (16,), (8, 8), (12, 8), (8, 16), (16, 16))
ROWS: Final = (1, 2, 3, 4, 5)
INT32: Final = 1 << 31
MAX_M: Final = (1 << 15) - 1
WIDE: Final = (0, 2, 25, 37)  # seeds of graphs with tables of up to 2^16 rows: a second each
NARROW: Final = range(4, 25)
REFERENCE: Final = (100, 101, 102)


class _Draw:
    """Grows a graph operator by operator, so that static bounds hold by construction."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.is_wide = seed in WIDE
        self.digits = ALL_DIGITS if self.is_wide else NARROW_DIGITS
        self.max_width = 16 if self.is_wide else 8
        bits = self.operand_bits()
        lo, hi = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
        if self.rng.random() < 0.5:
            lo, hi = sorted(int(v) for v in self.rng.integers(lo, hi + 1, 2))
        self.spec = TensorSpec("x", (self.pick(*ROWS), self.pick(1, 2, 3, 5, 8, 9)), bits, lo, hi)
        every = np.ones(self.spec.shape[1], dtype=np.int64)
        self.intervals = {"x": Interval(every * lo, every * hi)}
        self.weights: dict[str, IntArray] = {}
        self.specs: list[WeightSpec] = []
        self.ops: list[Op] = []

    def pick(self, *choices: int) -> int:
        return int(choices[self.rng.integers(len(choices))])

    def operand_bits(self) -> int:
        """Only the widest digits bring products of 16-bit operands back into a table."""
        return self.pick(8, 16) if self.is_wide else 8

    def model(self) -> RandomModel:
        for k in range(self.pick(1, 2, 3, 4)):
            self.layer(k)
        names = [op.name for op in self.ops if isinstance(op, Requant)]
        output = names[self.rng.integers(len(names))]  # later operators may read it
        graph = Graph((self.spec,), output, tuple(self.specs), tuple(self.ops))
        graph.verify()
        verify_static_ranges(graph, self.weights)
        lo, hi = self.spec.lo, self.spec.hi
        x = self.rng.integers(lo, hi + 1, self.spec.shape)
        inputs = (x, np.full_like(x, lo), np.full_like(x, hi))
        return RandomModel(graph, self.weights, inputs[self.pick(0, 1, 2)])

    def layer(self, k: int) -> None:
        names = list(self.intervals)
        source = names[self.rng.integers(len(names))]
        x = self.intervals[source]
        w = self.weight(k, len(x.lo))
        outer = self.weights[w].shape[0]
        b = self.bias(k, outer) if self.rng.random() < 0.7 else None
        acc = bound_linear(x, self.weights[w], None if b is None else self.weights[b])
        requant = self.requant(k, acc)
        linear = Linear(f"a{k}", source, w, b)
        at = len(self.ops)
        # Now and then the accumulator waits while the requantization before it is still to come.
        if at and source != self.ops[-1].name and self.rng.random() < 0.5:
            at -= 1
        self.ops.insert(at, linear)
        self.ops.append(requant)
        self.intervals[requant.name] = bound_requant(requant, acc)

    def weight(self, k: int, inner: int) -> str:
        fitting = [n for n, w in self.weights.items() if w.ndim == 2 and w.shape[1] == inner]
        if fitting and self.rng.random() < 0.4:
            return fitting[self.rng.integers(len(fitting))]
        bits, shape = self.operand_bits(), (self.pick(1, 2, 3, 6, 8), inner)
        half = 1 << (bits - 1)
        drawn = self.rng.integers(-half, half, shape)
        drawings = (drawn, np.full(shape, -half), np.full(shape, half - 1), drawn % 2)
        return self.declare(f"w{k}", drawings[self.pick(0, 0, 1, 2, 3)], bits)

    def bias(self, k: int, outer: int) -> str:
        fitting = [n for n, w in self.weights.items() if w.shape == (outer,)]
        if fitting and self.rng.random() < 0.3:
            return fitting[self.rng.integers(len(fitting))]
        bound = self.pick(1000, INT32) if self.is_wide else 1000
        drawn = self.rng.integers(-bound, bound, (outer,))
        ends = np.where(drawn < 0, -bound, bound - 1)
        return self.declare(f"b{k}", (drawn, ends)[self.pick(0, 1)], 32)

    def declare(self, name: str, values: IntArray, bits: int) -> str:
        self.weights[name] = values.astype(np.int64)
        self.specs.append(WeightSpec(name, values.shape, bits))
        return name

    def requant(self, k: int, acc: Interval) -> Requant:
        """Draw a requantization whose quotient never leaves its table: m as large as it may be."""
        options = [
            (digits, width, m)
            for digits in self.digits
            for width in range(4, self.max_width + 1)
            if (m := _largest_m(acc, sum(digits), width)) >= 1
        ]
        digits, width, m = options[self.rng.integers(len(options))]
        if self.rng.random() < 0.3:
            m = int(self.rng.integers(1, m + 1))
        half = 1 << (width - 1)
        table = ("identity", "relu")[self.pick(0, 1)]
        lo, hi = ((0, half - 1), (-half, half - 1), (-half // 3, half // 2), (0, 0))[
            self.pick(0, 1, 1, 2, 2, 3)
        ]
        bits = 8 if lo >= -128 and hi <= 127 else 16
        return Requant(f"y{k}", f"a{k}", m, sum(digits), digits, width, table, bits, lo, hi)


def _largest_m(acc: Interval, s: int, width: int) -> int:
    """Return the largest m < 2^15 that keeps every quotient in `width` bits, 0 if there is none."""
    half = 1 << (width - 1)
    low, high = 0, MAX_M
    while low < high:
        m = (low + high + 1) // 2
        t = bound_quotient(acc, m, s)
        if t.least >= -half and t.greatest < half:
            low = m
        else:
            high = m - 1
    return low


class _Case:
    """A drawn model, compiled, executed, with its statement."""

    def __init__(self, model: RandomModel) -> None:
        self.layout: Layout = compile_layout(model.graph)
        self.srs = _srs(self.layout.program.c)
        self.key: VerificationKey = build_key(
            self.layout, model.weights, srs_id(TAU), lambda chunk: native.commit(self.srs, chunk)
        )
        run = run_traced(model.graph, model.weights, model.x)
        trace = {name: RequantTrace(step.acc, step.y) for name, step in run.steps.items()}
        self.tensors = build_witness(self.layout, model.weights, model.x, trace)
        self.public_in = to_bytes(model.x, model.graph.input.bits)
        self.out_bits = 8 * self.layout.program.public[1].bytes_per_element
        self.y = run.output
        self.x, self.in_bits = model.x, model.graph.input.bits

    def statement(self, y: IntArray) -> Statement:
        return Statement(
            format=FORMAT,
            chain_id=31337,
            verifier=VERIFIER,
            market=MARKET,
            job_id=1,
            shard=0,
            challenge_seed=bytes(31) + b"\1",
            prover=PROVER,
            model_version=bytes(32),
            program_hash=self.key.program.hash(),
            srs_id=self.key.srs_id,
            mode=MODE_PUBLIC,
            op_range=self.key.program.op_count,
            in_digest=tensor_digest(self.x, self.in_bits),
            out_digest=tensor_digest(y, self.out_bits),
        )

    def prove(self, tensors: dict[int, IntArray], y: IntArray) -> bytes:
        return native.prove(self.key.to_bytes(), self.srs, self.statement(y).hash(), tensors)

    def verify(self, proof: bytes, y: IntArray) -> None:
        """Raise NativeProofError unless the native verifier accepts."""
        out = to_bytes(y, self.out_bits)
        digest = self.statement(y).hash()
        native.verify(self.key.to_bytes(), TAU, digest, self.public_in, out, proof)


@cache
def _srs(log_size: int) -> bytes:
    return native.srs_insecure(log_size)


def _lie(case: _Case, rng: np.random.Generator) -> tuple[dict[int, IntArray], str]:
    """Change one cell, padding included, of one quotient or digit; all lookups still balance."""
    layout = case.layout
    tensors = {i: values.copy() for i, values in case.tensors.items()}
    r = layout.requants[rng.integers(len(layout.requants))]
    digits = [(d, t, None) for d, t in zip(r.digits, r.digit_tables, strict=True)]
    column, table, value = [(r.q or r.y, r.table, r.y), *digits][rng.integers(1 + len(digits))]
    half = 1 << (r.op.width - 1)
    addend = half if value is not None and r.q is None else 0
    cell = int(rng.integers(len(tensors[column])))
    before = int(tensors[column][cell]) + addend
    size = len(tensors[layout.multiplicities[table]])
    after = (before + int(rng.integers(1, size))) % size
    counts = tensors[layout.multiplicities[table]]
    counts[before] -= 1
    counts[after] += 1
    tensors[column][cell] = after - addend
    if value is not None and r.q is not None:
        tensors[value][cell] = layout.tables[table].values()[after]
    return tensors, f"{r.op.name} cell {cell}: {before} -> {after} in tensor {column}"


def _claimed_output(case: _Case, tensors: dict[int, IntArray]) -> IntArray:
    rows, cols = case.y.shape
    return tensors[1].reshape(-1, 1 << (cols - 1).bit_length())[:rows, :cols]


@pytest.mark.parametrize("seed", [*WIDE, *NARROW])
def test_native__honest_execution_accepted_and_lies_refused(seed: int) -> None:
    case = _Case(_Draw(seed).model())
    case.verify(case.prove(case.tensors, case.y), case.y)
    rng = np.random.default_rng(seed)
    for _ in range(1 if seed in WIDE else 3):
        tensors, what = _lie(case, rng)
        y = _claimed_output(case, tensors)
        proof = case.prove(tensors, y)
        try:
            case.verify(proof, y)
        except NativeProofError:
            continue
        pytest.fail(f"accepted: {what}")


@pytest.mark.parametrize("seed", REFERENCE)
def test_reference__same_proof_as_native_and_accepted(seed: int) -> None:
    case = _Case(_Draw(seed).model())
    statement = case.statement(case.y)
    tensors = {i: [int(v) for v in values] for i, values in case.tensors.items()}
    srs = insecure_srs(case.layout.program.c)
    proof = prove(case.key, srs, statement.hash(), tensors)
    assert proof == case.prove(case.tensors, case.y)
    out = to_bytes(case.y, case.out_bits)
    verify_statement(case.key, statement, case.public_in, out)
    verify(case.key, TAU, statement.hash(), case.public_in, out, proof)


def test_drawn_graphs__reach_the_corners_they_are_meant_for() -> None:
    """A generator that avoids a corner would make the tests above say less than they seem to."""
    models = [_Draw(seed).model() for seed in (*WIDE, *NARROW, *REFERENCE)]
    graphs = [m.graph for m in models]
    requants = [op for g in graphs for op in g.ops if isinstance(op, Requant)]
    linears = [[op for op in g.ops if isinstance(op, Linear)] for g in graphs]
    assert any(g.output in {op.x for op in ls} for g, ls in zip(graphs, linears, strict=True))
    assert any(len({op.w for op in ls}) < len(ls) for ls in linears)
    assert {len(op.digits) for op in requants} == {1, 2}
    assert {4, 16} <= {op.width for op in requants}
    assert {True, False} == {is_range_form(op) for op in requants}
    assert max(op.m for op in requants) == MAX_M
    assert min(int(w.min()) for m in models for w in m.weights.values()) == -INT32
    kinds = {t.kind for g in graphs for t in compile_layout(g).program.tensors if t.n == 0}
    assert {TensorKind.INPUT, TensorKind.FIXED, TensorKind.PROOF} <= kinds
    assert {1, 3, 5} <= {m.x.shape[0] for m in models}
