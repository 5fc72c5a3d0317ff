"""Which names an operator reads."""

from __future__ import annotations

from dataclasses import fields

from offchain.model.operators import BUILT_IN_TABLES, Op, Sum

# Fields that hold a name of an activation or a weight, in any operator.
_NAMES = ("x", "a", "b", "w", "cos", "sin", "gamma", "beta", "table", "tokens", "position",
          "scale", "index")  # fmt: skip


def list_reads(op: Op) -> tuple[str, ...]:
    """Return every activation and weight that an operator reads, in the order of its fields."""
    if isinstance(op, Sum):
        return tuple(name for name, _ in op.terms)
    values = [getattr(op, f.name) for f in fields(op) if f.name in _NAMES]
    return tuple(v for v in values if v is not None and v not in BUILT_IN_TABLES)
