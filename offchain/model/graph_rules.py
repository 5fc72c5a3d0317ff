"""The rules of the language: which lists of records are an integer graph (LANGUAGE.md)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod

from offchain.model.accumulator_rules import ACCUMULATOR_RULES
from offchain.model.activation_rules import ACTIVATION_RULES, range_problems, scale_problems
from offchain.model.operators import (
    BUILT_IN_TABLES,
    INDEX_BITS,
    MAX_CELLS,
    MAX_DIMENSION,
    MAX_RANK,
    NAME,
    STORED_BITS,
    Argmax,
    Gather,
    MaxPool,
    Op,
    ReluBits,
    Requant,
    TensorSpec,
    WeightSpec,
)
from offchain.model.scope import Role, Scope, Value

OUTPUTS = (Requant, MaxPool, ReluBits, Gather, Argmax)


class Walk:
    """One walk through a graph: what every name stands for, and every rule that is broken."""

    def __init__(
        self,
        inputs: Sequence[TensorSpec],
        output: str,
        weights: Sequence[WeightSpec],
        ops: Sequence[Op],
    ) -> None:
        """Walk at once; problems are in the order of the graph's records."""
        self.inputs = inputs
        self.output = output
        self.specs = weights
        self.ops = ops
        self.scope = Scope({spec.name: spec for spec in weights})
        self.problems = list(self._find_problems())

    @property
    def values(self) -> dict[str, Value]:
        """What inputs and operators' results are, by name."""
        return self.scope.values

    def _find_problems(self) -> Iterator[str]:
        yield from self._names()
        if not self.inputs:
            yield "the graph has no input"
        for spec in self.inputs:
            yield from self._input(spec)
        for weight in self.specs:
            yield from _weight_problems(weight)
        if not self.ops:
            yield "the graph has no operators"
        sources = {op.name: op for op in self.ops}
        for op in self.ops:
            yield from self._operator(op)
            if isinstance(op, Requant):
                yield from scale_problems(op, sources.get(op.x))
        yield from self._ends(sources)

    def _names(self) -> Iterator[str]:
        seen = set(BUILT_IN_TABLES)
        for name in (
            *(spec.name for spec in self.inputs),
            *(spec.name for spec in self.specs),
            *(op.name for op in self.ops),
        ):
            if not NAME.fullmatch(name):
                yield f"{name!r} is not a name ({NAME.pattern})"
            if name in seen:
                yield f"the name {name!r} is used twice"
            seen.add(name)

    def _input(self, x: TensorSpec) -> Iterator[str]:
        if not 1 <= len(x.shape) <= MAX_RANK:
            yield f"input {x.name!r} has rank {len(x.shape)}, expected 1 to {MAX_RANK}"
        yield from _dimension_problems(x.name, x.shape)
        role = Role.ACTIVATION
        if x.bits == INDEX_BITS:
            role = Role.TOKENS
            if not 0 <= x.lo <= x.hi < MAX_DIMENSION:
                yield f"{x.name!r}: [{x.lo}, {x.hi}] is not a range of tokens"
        else:
            yield from range_problems(x.name, x.bits, x.lo, x.hi)
        self.values[x.name] = Value(role, x.shape or None, x.bits, x.lo, x.hi)

    def _operator(self, op: Op) -> Iterator[str]:
        rule = ACCUMULATOR_RULES.get(type(op))
        if rule is not None:
            shape = yield from rule(op, self.scope)
            value = Value(Role.ACCUMULATOR, shape)
        else:
            shape = yield from ACTIVATION_RULES[type(op)](op, self.scope)
            value = self._activation(op, shape)
        if shape is not None and (len(shape) > MAX_RANK or prod(shape) > MAX_CELLS):
            yield f"{op.name}: the result {list(shape)} has too many axes or cells"
        self.values[op.name] = value

    def _activation(self, op: Op, shape: tuple[int, ...] | None) -> Value:
        if isinstance(op, Requant):
            lo = max(op.lo, 0) if op.table == "relu" else op.lo
            return Value(Role.ACTIVATION, shape, op.bits, lo, op.hi)
        source = getattr(op, "x", "")
        x = self.values.get(source, Value(Role.ACTIVATION, None))
        if isinstance(op, Argmax):
            last = x.shape[0] - 1 if x.shape else 0
            return Value(Role.RESULT, shape, INDEX_BITS, 0, last)
        floor = 0 if isinstance(op, ReluBits) else x.lo
        return Value(Role.ACTIVATION, shape, x.bits, max(x.lo, floor), max(x.hi, floor))

    def _ends(self, sources: dict[str, Op]) -> Iterator[str]:
        for op in self.ops:
            readers = self.scope.requants.get(op.name, 0)
            if type(op) in ACCUMULATOR_RULES and readers != 1:
                yield f"{op.name}: {readers} requants read this accumulator, expected 1"
            if isinstance(op, Argmax) and op.name != self.output:
                yield f"{op.name}: an argmax is the output or nothing"
        if not isinstance(sources.get(self.output), OUTPUTS):
            kinds = ", ".join(kind.__name__.lower() for kind in OUTPUTS)
            yield f"output {self.output!r} is not the result of a {kinds}"
        for kind, names in (("input", self.inputs), ("weight", self.specs)):
            for spec in names:
                if spec.name not in self.scope.used:
                    yield f"{kind} {spec.name!r} is not used by any operator"


def _weight_problems(spec: WeightSpec) -> Iterator[str]:
    if spec.bits not in STORED_BITS:
        yield f"weight {spec.name!r} has {spec.bits} bits, expected one of {list(STORED_BITS)}"
    if not 1 <= len(spec.shape) <= MAX_RANK:
        yield f"weight {spec.name!r} has rank {len(spec.shape)}, expected 1 to {MAX_RANK}"
    yield from _dimension_problems(spec.name, spec.shape)


def _dimension_problems(name: str, shape: tuple[int, ...]) -> Iterator[str]:
    if any(not 1 <= size <= MAX_DIMENSION for size in shape):
        yield f"{name!r} has shape {list(shape)}; a dimension lies in 1..{MAX_DIMENSION}"
    elif prod(shape) > MAX_CELLS:
        yield f"{name!r} has {prod(shape)} cells, at most {MAX_CELLS} are read"
