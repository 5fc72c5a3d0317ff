"""The rules of the language: which lists of records are an integer graph (runtime.md 1)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from offchain.model.operators import (
    ACTIVATION_BITS,
    DIGIT_WIDTHS,
    MATRIX_RANK,
    MAX_DIGITS,
    MAX_DIMENSION,
    MULTIPLIERS,
    NAME,
    STORED_BITS,
    TABLES,
    WIDTHS,
    Linear,
    Op,
    Requant,
    TensorSpec,
    WeightSpec,
)


def find_problems(
    source: TensorSpec, output: str, weights: Sequence[WeightSpec], ops: Sequence[Op]
) -> list[str]:
    """Return every rule that a graph breaks, in the order of its records."""
    return list(_Rules(source, output, weights, ops).problems())


class _Rules:
    """Walks a graph once, remembering what each name stands for."""

    def __init__(
        self, source: TensorSpec, output: str, weights: Sequence[WeightSpec], ops: Sequence[Op]
    ) -> None:
        self.source = source
        self.output = output
        self.specs = weights
        self.ops = ops
        self.weights = {spec.name: spec for spec in weights}
        self.columns: dict[str, int] = {}  # activation or accumulator -> number of columns
        self.accumulators: set[str] = set()
        self.used: set[str] = set()

    def problems(self) -> Iterator[str]:
        yield from self._names()
        yield from self._input()
        for spec in self.specs:
            yield from _weight_problems(spec)
        if not self.ops:
            yield "the graph has no operators"
        for op in self.ops:
            yield from self._linear(op) if isinstance(op, Linear) else self._requant(op)
        if self.output not in {op.name for op in self.ops if isinstance(op, Requant)}:
            yield f"output {self.output!r} is not the result of a requant"
        for name in self.weights:
            if name not in self.used:
                yield f"weight {name!r} is not used by any operator"

    def _names(self) -> Iterator[str]:
        seen: set[str] = set()
        for name in (
            self.source.name,
            *(w.name for w in self.specs),
            *(op.name for op in self.ops),
        ):
            if not NAME.fullmatch(name):
                yield f"{name!r} is not a name ({NAME.pattern})"
            if name in seen:
                yield f"the name {name!r} is used twice"
            seen.add(name)

    def _input(self) -> Iterator[str]:
        x = self.source
        if len(x.shape) != MATRIX_RANK:
            yield f"input {x.name!r} has rank {len(x.shape)}, expected 2 (rows, cols)"
        yield from _dimension_problems(x.name, x.shape)
        yield from _range_problems(x.name, x.bits, x.lo, x.hi)
        self.columns[x.name] = x.shape[-1] if x.shape else 0

    def _linear(self, op: Linear) -> Iterator[str]:
        w = self.weights.get(op.w)
        bias = None if op.b is None else self.weights.get(op.b)
        self.used |= {op.w} if op.b is None else {op.w, op.b}
        if op.x not in self.columns:
            yield f"{op.name}: reads {op.x!r}, which no earlier operator writes"
        elif op.x in self.accumulators:
            yield f"{op.name}: reads the accumulator {op.x!r}; requantize it first"
        if w is None:
            yield f"{op.name}: weight {op.w!r} is not declared"
        elif len(w.shape) != MATRIX_RANK or w.bits not in ACTIVATION_BITS:
            yield f"{op.name}: weight {op.w!r} must be a matrix of 8 or 16 bits"
        elif op.x in self.columns and w.shape[1] != self.columns[op.x]:
            yield (
                f"{op.name}: weight {op.w!r} takes {w.shape[1]} columns,"
                f" {op.x!r} has {self.columns[op.x]}"
            )
        if op.b is not None and bias is None:
            yield f"{op.name}: bias {op.b!r} is not declared"
        elif bias is not None and w is not None and bias.shape != w.shape[:1]:
            yield f"{op.name}: bias {op.b!r} has shape {bias.shape}, expected {w.shape[:1]}"
        self.columns[op.name] = w.shape[0] if w is not None and w.shape else 0
        self.accumulators.add(op.name)

    def _requant(self, op: Requant) -> Iterator[str]:
        if op.x not in self.columns:
            yield f"{op.name}: reads {op.x!r}, which no earlier operator writes"
        elif op.x not in self.accumulators:
            yield f"{op.name}: reads {op.x!r}, which is not an accumulator"
        if op.m not in MULTIPLIERS:
            yield f"{op.name}: m={op.m} is outside {_span(MULTIPLIERS)}"
        if not 1 <= len(op.digits) <= MAX_DIGITS or set(op.digits) - set(DIGIT_WIDTHS):
            yield f"{op.name}: digits {list(op.digits)} are not 1 or 2 of {list(DIGIT_WIDTHS)}"
        elif sum(op.digits) != op.s:
            yield f"{op.name}: digits {list(op.digits)} do not sum to s={op.s}"
        if op.width not in WIDTHS:
            yield f"{op.name}: width={op.width} is outside {_span(WIDTHS)}"
        if op.table not in TABLES:
            yield f"{op.name}: table {op.table!r} is not one of {list(TABLES)}"
        yield from _range_problems(op.name, op.bits, op.lo, op.hi)
        # Padding cells hold f(0) and must be 0 (proofs-spec.md 13).
        if not op.lo <= 0 <= op.hi:
            yield f"{op.name}: [{op.lo}, {op.hi}] does not contain 0"
        self.columns[op.name] = self.columns.get(op.x, 0)


def _weight_problems(spec: WeightSpec) -> Iterator[str]:
    if spec.bits not in STORED_BITS:
        yield f"weight {spec.name!r} has {spec.bits} bits, expected one of {list(STORED_BITS)}"
    if len(spec.shape) not in (1, MATRIX_RANK):
        yield f"weight {spec.name!r} has rank {len(spec.shape)}, expected 1 or 2"
    yield from _dimension_problems(spec.name, spec.shape)


def _dimension_problems(name: str, shape: tuple[int, ...]) -> Iterator[str]:
    if any(not 1 <= size <= MAX_DIMENSION for size in shape):
        yield f"{name!r} has shape {list(shape)}; a dimension lies in 1..{MAX_DIMENSION}"


def _range_problems(name: str, bits: int, lo: int, hi: int) -> Iterator[str]:
    if bits not in ACTIVATION_BITS:
        yield f"{name!r} has {bits} bits, expected one of {list(ACTIVATION_BITS)}"
    elif not -(1 << (bits - 1)) <= lo <= hi < 1 << (bits - 1):
        yield f"{name!r}: [{lo}, {hi}] is not a range of {bits}-bit integers"


def _span(values: range) -> str:
    return f"{values[0]}..{values[-1]}"
