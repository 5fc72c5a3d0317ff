"""What names stand for while a graph is walked: shapes of values, declared weights."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from enum import Enum

from offchain.model.operators import ACTIVATION_BITS, WeightSpec

Shape = tuple[int, ...]
# Yields every rule that is broken; returns a shape, or None where one cannot be told.
Rule = Generator[str, None, Shape | None]


class Role(Enum):
    """What may read a value."""

    ACTIVATION = "an activation"
    ACCUMULATOR = "an accumulator"
    TOKENS = "tokens"
    RESULT = "the result of an argmax"


@dataclass(frozen=True)
class Value:
    """An input or an operator's result; `shape` is None where broken rules hide it."""

    role: Role
    shape: Shape | None
    bits: int = 0
    lo: int = 0
    hi: int = 0


@dataclass
class Scope:
    """Values written so far, weights, and which names have been read and by how many requants."""

    weights: dict[str, WeightSpec]
    values: dict[str, Value] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    requants: dict[str, int] = field(default_factory=dict)

    def activation(self, op: str, name: str) -> Rule:
        """Read an activation and return its shape."""
        value = self.values.get(name)
        self.used.add(name)
        if value is None:
            kind = "the weight" if name in self.weights else "what no earlier operator writes:"
            yield f"{op}: reads {kind} {name!r}"
            return None
        if value.role is Role.ACCUMULATOR:
            yield f"{op}: reads the accumulator {name!r}; requantize it first"
        elif value.role is not Role.ACTIVATION:
            yield f"{op}: reads {name!r}, which is {value.role.value}"
        return value.shape

    def weight(self, op: str, name: str, bits: tuple[int, ...] = ACTIVATION_BITS) -> Rule:
        """Read a weight of one of these widths and return its shape."""
        spec = self.weights.get(name)
        self.used.add(name)
        if spec is None:
            yield f"{op}: weight {name!r} is not declared"
            return None
        if spec.bits not in bits:
            yield f"{op}: weight {name!r} has {spec.bits} bits, expected one of {list(bits)}"
        return spec.shape

    def weight_of_shape(
        self, op: str, name: str, shape: Shape | None, bits: tuple[int, ...] = ACTIVATION_BITS
    ) -> Generator[str, None, None]:
        """Read a weight that must have this shape (None: any, nothing is known)."""
        found = yield from self.weight(op, name, bits)
        if found is not None and shape is not None and found != shape:
            yield f"{op}: {name!r} has shape {list(found)}, expected {list(shape)}"

    def either(self, op: str, name: str) -> Rule:
        """Read an activation or a weight and return its shape."""
        if name in self.weights:
            return (yield from self.weight(op, name))
        return (yield from self.activation(op, name))
