"""Checks a program's relations on full tables, without any proof system.

Lookups are compared as multisets; every other phase's claim is a sum over the hypercube at random
points, computed from the definition (FORMAT.md 3 and 7). Independent of all provers.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from offchain.prove.program import (
    FUNCTION_FACTOR,
    NONE,
    Axis,
    Block,
    Expression,
    Factor,
    FactorKind,
    Instance,
    Link,
    Origin,
    Program,
    Relation,
    Residual,
    Segment,
    SlotKind,
    Source,
)

R = 21888242871839275222246405745257275088548364400416034343698204186575808495617
HALF = pow(2, -1, R)
HASH = np.int64(0x1E3779B97F4A7C15)


class RelationBroken(AssertionError):
    """A witness violates a relation of its program."""


def check_relations(
    program: Program, tensors: Mapping[int, np.ndarray[Any, Any]], seed: int = 0
) -> None:
    """Raise RelationBroken unless the tensors (all but late ones) satisfy the program."""
    rng = random.Random(seed)
    checker = _Checker(program, {k: np.asarray(v) for k, v in tensors.items()})
    for k, tensor in enumerate(program.tensors):
        if k in tensors and tensors[k].size != 1 << tensor.n:
            raise RelationBroken(f"tensor {k} has {tensors[k].size} cells, expected 2^{tensor.n}")
    checker.check_places()
    checker.check_lookups()
    checker.challenges[Source.ZETA] = [rng.randrange(R) for _ in range(program.lam)]
    terms = iter(program.terms)
    for k, relation in enumerate(program.relations):
        term = next(terms) if relation.residual == Residual.PRODUCT else None
        value = checker.expression(relation.expression)
        found = checker.residual(k, relation, term)
        if (value - found) % R:
            raise RelationBroken(f"relation {k} ({relation.residual.name})")


@dataclass
class _Checker:
    program: Program
    tensors: Mapping[int, np.ndarray[Any, Any]]
    challenges: dict[Source, list[int]] = field(default_factory=dict)

    @property
    def output(self) -> int:
        return int(self.tensors[self.program.output.tensor].reshape(-1)[0])

    # Places

    def check_places(self) -> None:
        """Tensors that share cells agree about them."""
        program = self.program
        chunks = np.zeros((program.chunks, 1 << program.c), dtype=np.int64).reshape(-1)
        taken = np.zeros(chunks.shape, dtype=bool)
        for k, tensor in enumerate(program.tensors):
            if tensor.is_public or k not in self.tensors:
                continue
            start = (tensor.chunk << program.c) + (tensor.addr << tensor.n)
            cells = slice(start, start + (1 << tensor.n))
            if (taken[cells] & (chunks[cells] != self.tensors[k])).any():
                raise RelationBroken(f"tensor {k} disagrees with one in the same place")
            chunks[cells], taken[cells] = self.tensors[k], True

    # Lookups

    def check_lookups(self) -> None:
        """Compare lookups and table rows as multisets, by 64-bit hashes of their tuples."""
        keys, weights = [], []
        for block in self.program.blocks:
            cells = np.arange(1 << block.n)
            weights.append(self._cells(block, block.numerator, cells))
            key = np.full(len(cells), block.table_id, dtype=np.int64)
            for expression in block.columns:
                key = (key ^ (key >> 29)) * HASH + self._cells(block, expression, cells)
            for _ in range(3 - len(block.columns)):
                key = (key ^ (key >> 29)) * HASH
            keys.append(key)
        _, row = np.unique(np.concatenate(keys), return_inverse=True)
        total = np.zeros(row.max(initial=-1) + 1, dtype=np.int64)
        np.add.at(total, row, np.concatenate(weights))
        if total.any():
            at = int(np.argmax(total[row] != 0))
            sizes = np.cumsum([1 << block.n for block in self.program.blocks])
            raise RelationBroken(f"a lookup of block {int(np.searchsorted(sizes, at, 'right'))}")

    def _cells(self, block: Block, expression: Expression, cells: Any) -> Any:
        """Return an expression's values in every cell of a block; int64 holds every one."""
        result = np.zeros(len(cells), dtype=np.int64)
        for a in expression:
            value = np.full(len(cells), a.coefficient.value, dtype=np.int64)
            if a.slot != NONE:
                slot = self.program.slots[a.slot]
                index = np.zeros(len(cells), dtype=np.int64)
                for segment in slot.point:
                    for bit in self._bits(segment, cells):
                        index = 2 * index + bit
                if slot.kind != SlotKind.TENSOR:
                    raise RelationBroken("a leaf that is no tensor")
                if self.program.tensors[slot.tensor].n != sum(s.length for s in slot.point):
                    raise RelationBroken("a leaf's point has another length than its tensor")
                value = value * self.tensors[slot.tensor].astype(np.int64)[index]
            if a.function != NONE:
                for factor in self.program.functions[a.function]:
                    value = value * self._factor_cells(factor, cells)
            result = result + value
        return result

    def _bits(self, segment: Segment, cells: Any) -> list[Any]:
        if segment.source == Source.ZETA:
            ends = range(segment.end + segment.length - 1, segment.end - 1, -1)
            return [(cells >> e & 1) ^ segment.flip for e in ends]
        fixed = {Source.BITS: segment.end, Source.OUTPUT_BITS: self.output >> segment.end}
        value = fixed[segment.source]
        return [np.full(len(cells), value >> k & 1) for k in reversed(range(segment.length))]

    def _factor_cells(self, factor: Factor, cells: Any) -> Any:
        i = cells >> factor.end & ((1 << factor.length) - 1)
        match factor.kind:
            case FactorKind.ID:
                return i
            case FactorKind.LT:
                return (i < factor.value).astype(np.int64)
            case FactorKind.LT_OUTPUT:
                return (i < self.output).astype(np.int64)
            case FactorKind.AT:
                return (i == factor.value).astype(np.int64)
            case FactorKind.CAUSAL:
                row = cells >> factor.end2 & ((1 << factor.length2) - 1)
                return ((i <= row) & (row < factor.value)).astype(np.int64)

    # Values at random points

    def expression(self, expression: Expression) -> int:
        zeta = self.challenges[Source.ZETA]
        total = 0
        for a in expression:
            value = a.coefficient.value
            if a.slot != NONE:
                value *= self.slot(a.slot)
            if a.function != NONE:
                value *= self.function(a.function, zeta)
            total += value
        return total % R

    def function(self, index: int, vector: Sequence[int]) -> int:
        """Evaluate the extension by its definition: a sum over the cells of each factor."""
        result = 1
        for factor in self.program.functions[index]:
            used = factor.end + factor.length
            if factor.kind == FactorKind.CAUSAL:
                used = max(used, factor.end2 + factor.length2)
            point = vector[len(vector) - used :]
            values = self._factor_cells(factor, np.arange(1 << used))
            result = result * evaluate(values, point) % R
        return result

    def residual(self, index: int, relation: Relation, term: Any) -> int:
        match relation.residual:
            case Residual.NONE:
                return 0
            case Residual.LINEAR:
                return sum(
                    t.coefficient.value * evaluate(self.tensors[t.tensor], self.point(t.point))
                    for t in relation.terms
                )
            case Residual.PRODUCT:
                return self._product(term)
            case Residual.CONTRACTION:
                (instance,) = (
                    i
                    for i in self.program.instances
                    if (i.origin, i.index) == (Origin.RELATION, index)
                )
                return self._contract(instance)

    def _product(self, term: Any) -> int:
        rounds, zeta = self.program.product_rounds, self.challenges[Source.ZETA]
        weights = eq_table(zeta[len(zeta) - term.n :])
        total = 0
        for x, weight in enumerate(weights):
            vector = [0] * (rounds - term.n) + to_bits(x, term.n)
            self.challenges[Source.PRODUCT] = vector
            for m in term.monomials:
                value = m.coefficient.value
                for f in m.factors:
                    if f & FUNCTION_FACTOR:
                        value = value * self.function(f & ~FUNCTION_FACTOR, vector) % R
                    else:
                        value = value * self.slot(f) % R
                total += weight * value
        del self.challenges[Source.PRODUCT]
        return total % R

    def _contract(self, instance: Instance) -> int:
        rounds, total = self.program.contraction_rounds, 0
        for x in range(1 << instance.variables):
            vector = [0] * (rounds - instance.variables) + to_bits(x, instance.variables)
            self.challenges[Source.CONTRACTION] = vector
            weight = 1
            for tie in instance.ties:
                fixed = self.point((tie.segment,))
                start = rounds - tie.end - len(fixed)
                weight = weight * eq(fixed, vector[start : start + len(fixed)]) % R
            if instance.function != NONE:
                weight = weight * self.function(instance.function, vector) % R
            if weight:
                total += weight * self.slot(instance.a) * self.slot(instance.b)
        del self.challenges[Source.CONTRACTION]
        return total * instance.coefficient.value % R

    def _link(self, link: Link) -> int:
        rounds, total = self.program.link_rounds, 0
        logs = (link.height.log_in, link.width.log_in)
        rows, cols = self._axis(link.height), self._axis(link.width)
        for u, s in enumerate(rows):
            for v, t in enumerate(cols):
                if s * t % R:
                    lead = [0] * (rounds - sum(logs))
                    self.challenges[Source.LINK] = [
                        *lead,
                        *to_bits(u, logs[0]),
                        *to_bits(v, logs[1]),
                    ]
                    total += s * t * self.slot(link.tensor)
        self.challenges.pop(Source.LINK, None)
        return total % R

    def _axis(self, axis: Axis) -> list[int]:
        z = eq_table(self.point((axis.z,)) if axis.z else [])
        kappa = eq_table(self.point((axis.kappa,)) if axis.kappa else [])
        weights = [0] * (1 << axis.log_in)
        for h in range(axis.out):
            for k in range(axis.kernel):
                i = h * axis.stride + k - axis.pad
                if 0 <= i < axis.size:
                    weights[i] += z[h] * kappa[k]
        return [w % R for w in weights]

    def slot(self, index: int) -> int:
        slot = self.program.slots[index]
        if slot.kind == SlotKind.TENSOR:
            return evaluate(self.tensors[slot.tensor], self.point(slot.point))
        if slot.kind == SlotKind.ONE_HOT:
            point = self.point(slot.point)
            n = self.program.tensors[slot.tensor].n
            (spec,) = (p for p in self.program.inputs if p.tensor == slot.tensor)
            tokens = self.tensors[slot.tensor][: spec.shape[0]]
            return sum(
                eq(to_bits(t, n), point[:n]) * eq(to_bits(int(x), len(point) - n), point[n:])
                for t, x in enumerate(tokens)
            )
        for link in self.program.links:
            if link.window == index:
                return self._link(link)
        (instance,) = (
            i for i in self.program.instances if (i.origin, i.index) == (Origin.SLOT, index)
        )
        return self._contract(instance)

    def point(self, segments: Sequence[Segment]) -> list[int]:
        point: list[int] = []
        for s in segments:
            if s.source == Source.HALF:
                point += [HALF] * s.length
            elif s.source == Source.BITS:
                point += to_bits(s.end, s.length)
            elif s.source == Source.OUTPUT_BITS:
                point += to_bits(self.output >> s.end, s.length)
            else:
                vector = self.challenges[s.source]
                start = len(vector) - s.end - s.length
                if start < 0:
                    raise RelationBroken("a segment lies outside its vector")
                piece = vector[start : start + s.length]
                point += [(1 - x) % R for x in piece] if s.flip else piece
        return point


def to_bits(value: int, length: int) -> list[int]:
    return [value >> k & 1 for k in reversed(range(length))]


def eq(a: Sequence[int], b: Sequence[int]) -> int:
    result = 1
    for x, y in zip(a, b, strict=True):
        result = result * (x * y + (1 - x) * (1 - y)) % R
    return result


def eq_table(point: Sequence[int]) -> list[int]:
    table = [1]
    for x in point:
        table = [w for v in table for w in (v * (1 - x) % R, v * x % R)]
    return table


def evaluate(values: Any, point: Sequence[int]) -> int:
    """Evaluate a multilinear extension; coordinates that are 0 or 1 only select."""
    if values.size != 1 << len(point):
        raise RelationBroken(f"{len(point)} coordinates for {values.size} cells")
    cube = values.reshape((2,) * len(point))
    free = tuple(x if x in (0, 1) else slice(None) for x in point)
    current = np.asarray(cube[free]).astype(object).reshape(-1)
    for x in (x for x in point if x not in (0, 1)):
        half = len(current) // 2
        current = (current[:half] + x * (current[half:] - current[:half])) % R
    return int(current[0]) % R
