"""Proofs about one operator, or about one row of it: keys, statements, evidence.

A key is set up from the graph and the weights alone, so everybody can recompute the hash that a
descriptor names. Evidence is what contracts/adjudication/ProofAdjudicator.sol reads:

    u8 0 | address vkData | outDigest (32) | u32 n | u32 m | input (n) | output (m) | proof
    u8 1 | address vkData | u64 elem | openings of the inputs and of the output (TRACE.md 4)
         | inDigest (32) | outDigest (32) | u32 m | output (m, 0 if it is the committed one) | proof

0 is about the whole operator, 1 about the row of the result's first axis that holds `elem`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from math import prod
from typing import Final

from offchain.chain.contracts.pinpoint_types import PinClaim
from offchain.commit.digest import TILE_BYTES, encode_tensor
from offchain.errors import ProgramError, UnprovablePart
from offchain.model.execution import Execution
from offchain.model.graph import Graph
from offchain.model.weights import Weights
from offchain.prove.compile import Choice
from offchain.prove.cost import estimate_cost
from offchain.prove.job import ProvableModel, commit_weights
from offchain.prove.part import Part, compile_operator
from offchain.prove.program import PublicTensor, TensorKind
from offchain.prove.program_bytes import hash_program
from offchain.prove.reference.public import boundary_digests
from offchain.prove.statement import FORMAT, MODE_PUBLIC, Statement
from offchain.submit.versions import MAX_PROOF_GAS
from offchain.trace.descriptor import tile_depth
from offchain.trace.evidence import MAX_EVIDENCE, WHOLE
from offchain.trace.openings import write_openings
from offchain.trace.plan import PartKeys, TraceOp
from offchain.trace.tensors import Opened
from offchain.types import Address

# A part's proof is quick and a dispute's gas counts: half a minute is as good as a second.
CHOICE: Final = Choice(patience=30)
# Public bytes of a whole operator whose proof surely fits a transaction. Plan roots rest on it.
MAX_BOUNDARY: Final = 1 << 16
CHEAP_CELLS: Final = 1 << 21  # committed cells of a key that is set up in a tenth of a second
WORD: Final = 32


class PartKind(IntEnum):
    """What a part proves; the evidence's first byte."""

    OPERATOR = 0
    ROW = 1


@dataclass(frozen=True)
class Parts:
    """The keys of one operator and of any one row of it; None where there can be none."""

    operator: ProvableModel | None = None
    row: ProvableModel | None = None

    @property
    def keys(self) -> PartKeys:
        """Return what the operator's descriptor names."""
        found = [None if part is None else part.key.hash() for part in (self.operator, self.row)]
        return PartKeys(*(key or PartKeys().op_key for key in found))

    def get(self, kind: PartKind) -> ProvableModel:
        """Return one of the two; raise UnprovablePart where there is none."""
        part = self.operator if kind is PartKind.OPERATOR else self.row
        if part is None:
            raise UnprovablePart(f"there is no key for this {kind.name.lower()}")
        return part


def count_cells(part: Part) -> int:
    """Return how many cells a part's key commits to."""
    tensors = part.layout.program.tensors
    return sum(1 << t.n for t in tensors if t.kind == TensorKind.FIXED)


def compile_parts(graph: Graph, name: str) -> Mapping[PartKind, Part]:
    """Compile an operator and its first row, with public boundaries, where that is possible.

    Every row must have one key: none where rows of weights would go with rows of the result, and
    none where there is but one row.
    """
    found = {}
    try:
        found[PartKind.OPERATOR] = compile_operator(graph, name, choice=CHOICE)
    except ProgramError:
        return {}
    try:
        row = compile_operator(graph, name, row=0, choice=CHOICE)
    except ProgramError:
        return found
    weights = {w.name for w in graph.weights}
    if graph.shapes()[name][0] > 1 and not weights & row.rows.keys():
        found[PartKind.ROW] = row
    return found


def fits_transaction(part: Part) -> bool:
    """Whether a whole operator's input and output can be sent with its proof.

    Where they cannot, a key would only let anybody pin a claim that nobody could answer.
    """
    program = part.layout.program
    return sum(x.byte_length for x in (*program.inputs, program.output)) <= MAX_BOUNDARY


def set_up_parts(weights: Weights, compiled: Mapping[PartKind, Part]) -> Parts:
    """Commit to the weights of compiled parts; raise SrsError where the string is too short."""
    made = {
        kind: commit_weights(part.layout, part.select_weights(weights))
        for kind, part in compiled.items()
    }
    return Parts(made.get(PartKind.OPERATOR), made.get(PartKind.ROW))


def choose_part(parts: Parts | None, op: TraceOp, element: int) -> PartKind | None:
    """Return what a proof can say about an element, or of WHOLE; None where nothing can be sent.

    A row where an element is asked for, as long as its evidence fits a transaction.
    """
    if parts is None:
        return None
    kinds = (PartKind.OPERATOR,) if element == WHOLE else (PartKind.ROW, PartKind.OPERATOR)
    return next((kind for kind in kinds if _is_sendable(parts, op, kind)), None)


def _is_sendable(parts: Parts, op: TraceOp, kind: PartKind) -> bool:
    part = parts.operator if kind is PartKind.OPERATOR else parts.row
    if part is None:
        return False
    cost = estimate_cost(part.layout.program, len(part.key.to_bytes()))
    specs = [*(x.spec for x in op.descriptor.inputs), op.descriptor.out]
    size = cost.calldata_bytes
    if kind is PartKind.ROW:
        # What lies around the row in its first and last tile, and what leads to the roots.
        size += sum(2 * (TILE_BYTES + WORD * (tile_depth(spec.tiles) + 1)) for spec in specs)
    return size <= MAX_EVIDENCE and cost.gas <= MAX_PROOF_GAS


def cut_execution(
    graph: Graph, name: str, kind: PartKind, element: int, execution: Execution
) -> Execution:
    """Return the part's execution out of the model's: the whole operator's, or one row's."""
    if kind is PartKind.OPERATOR:
        return compile_operator(graph, name, choice=CHOICE).select_execution(execution)
    row = find_row(graph, name, element)
    return compile_operator(graph, name, row=row, choice=CHOICE).select_execution(execution)


def find_row(graph: Graph, name: str, element: int) -> int:
    """Return the index on the result's first axis of an element (flat, row-major)."""
    return element // prod(graph.shapes()[name][1:])


@dataclass(frozen=True)
class PartBoundary:
    """A part's public bytes and their digests."""

    inputs: tuple[bytes, ...]
    output: bytes
    in_digest: bytes
    out_digest: bytes

    @classmethod
    def of(cls, part: ProvableModel, execution: Execution) -> PartBoundary:
        """Return the boundary of a part's execution; raise TensorError where a value is wide."""
        program, graph = part.layout.program, part.layout.graph
        inputs = tuple(
            _encode(spec, execution, x.name)
            for spec, x in zip(program.inputs, graph.inputs, strict=True)
        )
        output = _encode(program.output, execution, graph.output)
        digests = boundary_digests(program, b"".join(inputs), output, [])
        return cls(inputs, output, *digests)


def _encode(spec: PublicTensor, execution: Execution, name: str) -> bytes:
    return encode_tensor(execution.values[name], 8 * spec.bytes_per_element, name)


def build_part_statement(
    part: ProvableModel,
    boundary: PartBoundary,
    claim: PinClaim,
    chain_id: int,
    verifier: Address,
    caller: Address,
) -> Statement:
    """Return the statement that the chain builds when `caller` asks the adjudicator."""
    return Statement(
        format=FORMAT,
        chain_id=chain_id,
        verifier=verifier,
        market=caller,
        job_id=int.from_bytes(claim.job_id, "big"),
        shard=0,
        challenge_seed=claim.seed,
        prover=claim.prover,
        model_version=claim.version,
        program_hash=hash_program(part.layout.program),
        srs_id=part.key.srs_id,
        mode=MODE_PUBLIC,
        op_range=part.layout.program.op_count,
        in_digest=boundary.in_digest,
        out_digest=boundary.out_digest,
    )


def build_operator_evidence(vk_data: Address, boundary: PartBoundary, proof: bytes) -> bytes:
    """Return the evidence of a whole operator's proof."""
    raw_input = b"".join(boundary.inputs)
    return b"".join(
        (
            bytes([PartKind.OPERATOR]),
            bytes.fromhex(vk_data[2:]),
            boundary.out_digest,
            len(raw_input).to_bytes(4, "big"),
            len(boundary.output).to_bytes(4, "big"),
            raw_input,
            boundary.output,
            proof,
        )
    )


def build_row_evidence(
    vk_data: Address,
    op: TraceOp,
    element: int,
    inputs: Sequence[Opened],
    output: Opened,
    boundary: PartBoundary,
    proof: bytes,
) -> bytes:
    """Return the evidence of one row's proof.

    `inputs` and `output` are the operator's tensors as they are claimed, `boundary` the row's.
    """
    pieces = [
        bytes([PartKind.ROW]),
        bytes.fromhex(vk_data[2:]),
        element.to_bytes(8, "big"),
    ]
    width = op.descriptor.out.element_bytes
    row = element * width // len(boundary.output)
    for tensor, spec, raw in zip(inputs, op.descriptor.inputs, boundary.inputs, strict=True):
        whole = len(raw) == spec.spec.count * spec.spec.element_bytes
        pieces.append(_open_bytes(tensor, 0 if whole else row * len(raw), len(raw)))
    start = row * len(boundary.output)
    pieces.append(_open_bytes(output, start, len(boundary.output)))
    is_committed = _read_bytes(output, start, len(boundary.output)) == boundary.output
    proven = b"" if is_committed else boundary.output
    pieces += [boundary.in_digest, boundary.out_digest, len(proven).to_bytes(4, "big")]
    return b"".join((*pieces, proven, proof))


def _tiles_of(start: int, size: int) -> range:
    return range(start // TILE_BYTES, (start + size - 1) // TILE_BYTES + 1)


def _open_bytes(tensor: Opened, start: int, size: int) -> bytes:
    return write_openings(tensor, _tiles_of(start, size), is_weight=False)


def _read_bytes(tensor: Opened, start: int, size: int) -> bytes:
    tiles = _tiles_of(start, size)
    content, _ = tensor.open(tiles.start, len(tiles))
    offset = start - tiles.start * TILE_BYTES
    return content[offset : offset + size]
