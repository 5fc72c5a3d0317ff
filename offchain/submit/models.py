"""A published model folder: its graph and weights, and every digest recomputed from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt
from eth_hash.auto import keccak

from offchain.commit.digest import decode_tensor, encode_tensor, tensor_digest, weight_root
from offchain.commit.model_folder import GRAPH_FILE, read_model_folder
from offchain.errors import ModelMissing, RangeError, TensorError
from offchain.execute.backend import Backend, run_graph, trace_graph
from offchain.execute.torch_runtime import load_torch
from offchain.model.execution import Execution
from offchain.model.graph import Graph
from offchain.model.operators import INDEX_BITS
from offchain.prove.compile import Layout
from offchain.prove.cost import ProvingCost, estimate_cost
from offchain.prove.job import ProvableModel, make_provable
from offchain.prove.program_bytes import hash_program
from offchain.types import Digest

Array = npt.NDArray[np.int64]


@dataclass(frozen=True)
class ModelDigests:
    """What a registration claims about a model, recomputed."""

    graph_hash: bytes
    weight_root: bytes
    program_hash: bytes
    vk_hash: bytes
    srs_id: bytes


@dataclass(frozen=True)
class Model:
    """A graph and its weights (name -> int64 array of the declared shape)."""

    folder: Path
    graph: Graph
    weights: Mapping[str, Array]

    @cached_property
    def provable(self) -> ProvableModel:
        """Return the compiled program and the key, with the weights committed here."""
        return make_provable(self.graph, self.weights)

    @property
    def layout(self) -> Layout:
        """Return the compiled program and the names of its tensors."""
        return self.provable.layout

    @cached_property
    def vk_blob(self) -> bytes:
        """Return the verification key's bytes."""
        return self.provable.key.to_bytes()

    @cached_property
    def cost(self) -> ProvingCost:
        """Return upper bounds of what one proof costs."""
        return estimate_cost(self.layout.program, len(self.vk_blob))

    @property
    def input_bits(self) -> int:
        """Return the bits of an input element."""
        return self.graph.input.bits

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Return the input's shape."""
        return self.graph.input.shape

    @property
    def output_bits(self) -> int:
        """Return the bits of an output element."""
        return 8 * self.layout.program.output.bytes_per_element

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Return the output's shape."""
        return self.layout.program.output.shape

    @property
    def output_bytes(self) -> int:
        """Return the bytes of an output tensor."""
        return self.layout.program.output.byte_length

    def decode_input(self, raw: bytes) -> Array:
        """Return the input as int64 of its shape."""
        return decode_tensor(raw, self.input_shape, self.input_bits, self.graph.input.name)

    def make_input(self) -> bytes:
        """Return an input that the graph takes: zeros, or what is closest to them."""
        spec = self.graph.input
        x = np.full(spec.shape, min(max(0, spec.lo), spec.hi), dtype=np.int64)
        return encode_tensor(x, spec.bits, spec.name)

    def check_input(self, raw: bytes) -> None:
        """Raise TensorError or RangeError unless `raw` is an input the graph was compiled for."""
        x = self.decode_input(raw)
        spec = self.graph.input
        outside = (x < spec.lo) | (x > spec.hi)
        if outside.any():
            worst = int(x[outside].flat[0])
            raise RangeError(f"input element {worst} is not in [{spec.lo}, {spec.hi}]")

    def run(self, raw_input: bytes, backend: str) -> bytes:
        """Return the output's bytes; every backend gives the same bits."""
        x = self.decode_input(raw_input)
        return self.encode_output(run_graph(self.graph, self.weights, x, choose_backend(backend)))

    def run_traced(self, raw_input: bytes) -> tuple[bytes, Execution]:
        """Return the output's bytes and everything on the way, which a proof needs."""
        x = self.decode_input(raw_input)
        execution = trace_graph(self.graph, self.weights, x, Backend.NUMPY)
        return self.encode_output(execution.output), execution

    def decide(self, raw_output: bytes) -> int:
        """Return the winning class: of the first row, or as an argmax says it there."""
        y = decode_tensor(raw_output, self.output_shape, self.output_bits, self.graph.output)
        if self.output_bits == INDEX_BITS:
            return int(y.flat[0])
        return int(np.argmax(y.reshape(-1, y.shape[-1])[0]))

    def encode_output(self, y: Array) -> bytes:
        """Return the bytes of an output as its digest has them."""
        return encode_tensor(y, self.output_bits, self.graph.output)

    def compute_weight_root(self) -> Digest:
        """Recompute the root of all weights, in the graph's order."""
        by_name = [tensor_digest(self.weights[w.name], w.bits) for w in self.graph.weights]
        return weight_root(by_name)

    def compute_digests(self) -> ModelDigests:
        """Recompute every digest of a registration from graph and weights."""
        return ModelDigests(
            graph_hash=self.graph.hash(),
            weight_root=self.compute_weight_root(),
            program_hash=hash_program(self.layout.program),
            vk_hash=keccak(self.vk_blob),
            srs_id=self.provable.reference.id,
        )


def load_model(folder: Path) -> Model:
    """Read a published folder.

    Raises ModelFolderError, GraphError or UnboundedError for a bad one.
    """
    published = read_model_folder(folder)
    return Model(folder, published.graph, published.weights)


def find_model(folder: Path, graph_hash: bytes, root: bytes) -> Model:
    """Return the published model with this graph hash and this root of its weights.

    One architecture has many sets of weights. Where only the graph is known, its last model is
    returned, so that the caller can say what differs; raises ModelMissing where not even that is.
    """
    found: Model | None = None
    for graph_file in sorted(folder.glob(f"*/{GRAPH_FILE}")):
        if keccak(graph_file.read_bytes()) == graph_hash:
            found = load_model(graph_file.parent)
            if found.compute_weight_root() == root:
                break
    if found is None:
        raise ModelMissing(f"no model with graph 0x{graph_hash.hex()} in {folder}")
    return found


def encode_input(model: Model, values: object) -> bytes:
    """Return the bytes of an input given as a list (of lists) of integers.

    Raises TensorError or RangeError unless the graph takes it.
    """
    try:
        x = np.array(values)
    except ValueError as error:
        raise TensorError(model.graph.input.name, str(error)) from None
    if x.dtype.kind not in "iu" or x.size != np.prod(model.input_shape):
        raise TensorError(
            model.graph.input.name,
            f"is {x.dtype} of shape {x.shape}, expected integers of shape {model.input_shape}",
        )
    raw = encode_tensor(x.reshape(model.input_shape), model.input_bits, model.graph.input.name)
    model.check_input(raw)
    return raw


def choose_backend(name: str) -> Backend:
    """Return the named runtime; "auto" is torch where it is installed."""
    if name != "auto":
        return Backend(name)
    return Backend.TORCH if find_spec("torch") else Backend.NUMPY


def load_runtime(name: str) -> None:
    """Import the named runtime's packages, which takes seconds the first time."""
    if choose_backend(name) is Backend.TORCH:
        load_torch()
