"""What lowerings share: activations, fixed tensors, range checks, padding cells."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Final

from offchain.errors import ProgramError
from offchain.model.graph import Graph
from offchain.model.operators import Op, Requant
from offchain.prove.compile.builder import Builder, Phase, atom, constant
from offchain.prove.compile.layout import (
    Digits,
    FixedSource,
    OperatorFill,
    Shape,
    Table,
    WeightSource,
)
from offchain.prove.compile.points import (
    Coordinates,
    View,
    count_variables,
    is_padded,
    take_axes,
)
from offchain.prove.program import (
    NONE,
    Atom,
    Expression,
    Factor,
    FactorKind,
    Source,
    TensorKind,
)

ALWAYS: Final = constant(1)  # the numerator of a lookup in every cell
DIGIT_WIDTHS: Final = (8, 12, 16)


@dataclass(frozen=True)
class Activation:
    """A view, its range, and the function tables that must map 0 to 0 for its pads to be 0."""

    name: str
    view: View
    lo: int
    hi: int
    zeros: frozenset[str] = frozenset()

    @property
    def shape(self) -> Shape:
        """The unpadded shape."""
        return self.view.shape

    @property
    def magnitude(self) -> int:
        """The greatest absolute value."""
        return max(abs(self.lo), abs(self.hi))


@dataclass
class Context:
    """A graph on its way to a program."""

    graph: Graph
    builder: Builder = field(default_factory=Builder)
    activations: dict[str, Activation] = field(default_factory=dict)
    fixed: dict[int, FixedSource] = field(default_factory=dict)
    tables: list[Table] = field(default_factory=list)
    fills: list[OperatorFill] = field(default_factory=list)
    zero_tables: dict[str, str] = field(default_factory=dict)
    table_ids: int = 0
    output: int = 0  # the output's tensor
    _fixed_ids: dict[FixedSource, int] = field(default_factory=dict)
    _tables: dict[Hashable, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.shapes = self.graph.shapes()
        self.ops: dict[str, Op] = {op.name: op for op in self.graph.ops}
        used = [w for op in self.graph.ops if isinstance(op, Requant) for w in op.digits]
        self.digit_width = max(used, default=DIGIT_WIDTHS[0])

    # Tensors

    def read(self, name: str) -> Activation:
        """Return an activation; raise ProgramError where its own operator could not be lowered."""
        if name not in self.activations:
            raise ProgramError(f"reads {name}, which cannot be proven")
        return self.activations[name]

    def write(self, name: str, zeros: frozenset[str] = frozenset()) -> Activation:
        """Return the activation of an operator's result in a tensor of its own."""
        output = name == self.graph.output
        shape = self.shapes[name]
        tensor = self.output if output else self.add_tensor(shape)
        value = self.graph.values[name]
        self.activations[name] = Activation(
            name, View.whole(tensor, shape), value.lo, value.hi, zeros
        )
        return self.activations[name]

    def add_tensor(self, shape: Sequence[int]) -> int:
        """Return another tensor that every proof commits to."""
        return self.builder.add_tensor(TensorKind.PROOF, count_variables(shape))

    def add_fixed(self, source: FixedSource, n: int) -> int:
        """Return the fixed tensor of this source."""
        if source not in self._fixed_ids:
            tensor = self.builder.add_tensor(TensorKind.FIXED, n)
            self._fixed_ids[source] = tensor
            self.fixed[tensor] = source
        return self._fixed_ids[source]

    def weight(self, name: str, scale: str | None = None) -> View:
        """Return a weight, times `scale` along its first axis."""
        shape = self.graph.weight(name).shape
        tensor = self.add_fixed(WeightSource(name, shape, scale), count_variables(shape))
        return View.whole(tensor, shape)

    def weight_rows(self, name: str, rows: int) -> View:
        """Return the first rows of a weight."""
        shape = (rows, *self.graph.weight(name).shape[1:])
        tensor = self.add_fixed(WeightSource(name, shape), count_variables(shape))
        return View.whole(tensor, shape)

    def is_weight(self, name: str) -> bool:
        """Whether a name is a weight's."""
        return name not in self.shapes

    def weight_magnitude(self, name: str) -> int:
        """Return the type's bound of a weight's entries."""
        return 1 << (self.graph.weight(name).bits - 1)

    def is_public(self, view: View) -> bool:
        """Whether the verifier evaluates the tensor itself."""
        return self.builder.tensors[view.tensor].kind in (TensorKind.INPUT, TensorKind.OUTPUT)

    # Values

    def slot(self, phase: Phase, view: View, axes: Sequence[Coordinates]) -> int:
        """Return the slot of a view at coordinates of its axes."""
        return self.builder.add_slot(phase, view.tensor, view.at(axes))

    def leaf(self, tensor: int, shape: Sequence[int]) -> int:
        """Return the leaf slot of a whole tensor at the end of zeta."""
        view = View.whole(tensor, tuple(shape))
        return self.slot(Phase.LEAF, view, take_axes(Source.ZETA, shape))

    def direct(self, tensor: int, shape: Sequence[int]) -> int:
        """Return a whole tensor at the end of zeta, a leaf slot where there is one."""
        view = View.whole(tensor, tuple(shape))
        return self.slot(Phase.DIRECT, view, take_axes(Source.ZETA, shape))

    def factor(self, tensor: int, shape: Sequence[int]) -> int:
        """Return a whole tensor at the end of the product phase's point."""
        view = View.whole(tensor, tuple(shape))
        return self.slot(Phase.PRODUCT, view, take_axes(Source.PRODUCT, shape))

    def row_factor(self, tensor: int, rows: Sequence[int], axes: Sequence[Coordinates]) -> int:
        """Return a tensor of rows at the leading coordinates of a product over cells."""
        return self.slot(Phase.PRODUCT, View.whole(tensor, tuple(rows)), axes)

    def numerator(self, factors: Sequence[Factor]) -> Expression:
        """Return a public selector as a lookup's numerator."""
        return (atom(1, function=self.builder.add_function(*factors)),)

    def select(self, slot: int, factors: Sequence[Factor]) -> Expression:
        """Return a slot times public factors."""
        return (atom(1, slot, self.builder.add_function(*factors)),)

    def key(self, *axes: Coordinates) -> Expression:
        """Return the number that these coordinates spell, the first axis most significant."""
        atoms: list[Atom] = []
        shift = 0
        for axis in reversed(axes):
            if axis:
                factor = Factor(FactorKind.ID, 0, axis[-1].end, len(axis))
                atoms.append(atom(1 << shift, function=self.builder.add_function(factor)))
            shift += len(axis)
        return tuple(reversed(atoms))

    # Tables

    def new_table_id(self) -> int:
        """Return the next table's number; they start at 1."""
        self.table_ids += 1
        return self.table_ids

    def table(self, key: Hashable, width: int, columns: tuple[int, ...] = ()) -> int:
        """Return the index of the table that `key` names; its block comes last of all."""
        if key not in self._tables:
            counts = self.add_tensor((1 << width,))
            self.tables.append(Table(self.new_table_id(), width, columns, counts))
            self._tables[key] = len(self.tables) - 1
        return self._tables[key]

    def range_table(self, width: int) -> int:
        """Return the index of the table of 0 ... 2^width - 1."""
        return self.table(("range", width), width)

    def weight_table(self, name: str, width: int) -> int:
        """Return the index of the table whose values are a weight."""
        return self.table(("weight", name), width, (self.weight(name).tensor,))

    def look_up(
        self,
        shape: Sequence[int],
        table: int,
        columns: Sequence[Expression],
        numerator: Expression = ALWAYS,
    ) -> None:
        """Look up every cell of a padded shape."""
        n = count_variables(shape)
        self.builder.add_block(n, self.tables[table].id, numerator, columns)

    def range_check(self, shape: Sequence[int], width: int, value: Expression) -> int:
        """Require 0 <= value < 2^width in every cell; return the table's index."""
        table = self.range_table(width)
        self.look_up(shape, table, [value])
        return table

    def add_digits(self, shape: Sequence[int], widths: Sequence[int]) -> tuple[Digits, Expression]:
        """Return range-checked digits and the integer that they make, low first."""
        tensors, tables, atoms, shift = [], [], [], 0
        for width in widths:
            tensor = self.add_tensor(shape)
            slot = self.leaf(tensor, shape)
            tensors.append(tensor)
            tables.append(self.range_check(shape, width, (atom(1, slot),)))
            atoms.append(atom(1 << shift, slot))
            shift += width
        return Digits(tuple(tensors), tuple(widths), tuple(tables)), tuple(atoms)

    def add_number(self, shape: Sequence[int], widths: Sequence[int]) -> tuple[Digits, int]:
        """Return range-checked digits and the tensor of their integer: the digit if it is one."""
        digits, value = self.add_digits(shape, widths)
        if len(widths) == 1:
            return digits, digits.tensors[0]
        tensor = self.add_tensor(shape)
        self.builder.add_check(subtract(value, slot_atom(self.direct(tensor, shape))))
        return digits, tensor

    def digit_widths(self, bits: int) -> tuple[int, ...]:
        """Return widths of digits, none above those that the graph uses anyway, for `bits` bits."""
        full, rest = divmod(bits, self.digit_width)
        last = [next(w for w in DIGIT_WIDTHS if w >= rest)] if rest else []
        return (*(self.digit_width,) * full, *last)

    # Padding cells

    def require_zero_pads(self, op: str, x: Activation) -> None:
        """Note that the padding cells of `x` must be 0, which its function tables must give."""
        if any(map(is_padded, x.shape)):
            for table in sorted(x.zeros):
                self.zero_tables.setdefault(table, op)


def scale_expression(factor: int, expression: Expression) -> Expression:
    """Return factor * expression."""
    return tuple(atom(factor * a.coefficient.value, a.slot, a.function) for a in expression)


def subtract(a: Expression, b: Expression) -> Expression:
    """Return a - b."""
    return (*a, *scale_expression(-1, b))


def slot_atom(slot: int, value: int = 1) -> Expression:
    """Return value * slot."""
    return (atom(value, slot, NONE),)
