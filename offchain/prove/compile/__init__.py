"""From integer graphs to verification programs (LOWERING.md)."""

from offchain.prove.compile.choice import Choice
from offchain.prove.compile.graph import compile_graph
from offchain.prove.compile.layout import Layout

__all__ = ["Choice", "Layout", "compile_graph"]
