"""From weights and executions to the tensors of a program."""

from offchain.prove.witness.build import build_witness, overlay
from offchain.prove.witness.cells import Array
from offchain.prove.witness.fixed import build_fixed

__all__ = ["Array", "build_fixed", "build_witness", "overlay"]
