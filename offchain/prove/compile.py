"""compile(graph) -> program: deterministic, from the graph alone, for everybody (FORMAT.md 3)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from offchain.errors import ProgramError
from offchain.model.graph import Graph, Linear, Requant
from offchain.prove.program import (
    INPUT_ID,
    NO_TENSOR,
    OUTPUT_ID,
    Block,
    Column,
    Instance,
    Operand,
    Program,
    PublicTensor,
    RequantEntry,
    Segment,
    Source,
    Tensor,
    TensorKind,
)

CHUNK_LOGS: Final = range(4, 21)
# Cost model behind the choice of c: gas of one more round, K point and evaluations; gas of one more
# commitment; prover time of 2^c opening points, weighed as 1 ms = 1 k gas.
GAS_PER_LOG: Final = 14_000
GAS_PER_CHUNK: Final = 9_000
TIME_PER_CELL: Final = 10
MAX_FIELD_BITS: Final = 250  # static uniqueness bound of proofs-spec.md 16
# What the fields of FORMAT.md 3.5 and 4 hold. A graph beyond them is a stranger's, not a defect.
MAX_PROGRAM_BYTES: Final = 0xFFFF
MAX_CHUNKS: Final = 0xFFFF
MAX_TABLES: Final = 0xFF
MIN_OPERATOR_BYTES: Final = 32  # every operator adds more than this to a program


@dataclass(frozen=True)
class Table:
    """A LogUp table of 2^width rows; a range table has no function."""

    width: int
    function: str | None = None
    lo: int = 0
    hi: int = 0

    def values(self) -> list[int]:
        """Return the value column, 2^width integers (function tables only)."""
        if self.function is None:
            raise ProgramError("a range table has no value column")
        half = 1 << (self.width - 1)
        floor = 0 if self.function == "relu" else -half
        return [min(max(k - half, floor, self.lo), self.hi) for k in range(1 << self.width)]


@dataclass(frozen=True)
class RequantTensors:
    """Tensor ids of one requantization."""

    op: Requant
    linear: Linear
    table: int  # index into Layout.tables
    q: int | None  # None in range form
    y: int
    digits: tuple[int, ...]
    digit_tables: tuple[int, ...]


@dataclass(frozen=True)
class Layout:
    """Names of everything in the program: what the witness builder fills in."""

    graph: Graph
    tables: tuple[Table, ...]
    weights: dict[str, int]  # weight name -> tensor id
    activations: dict[str, int]  # activation name -> tensor id
    table_values: dict[int, int]  # table index -> tensor id of its value column
    requants: tuple[RequantTensors, ...]
    multiplicities: tuple[int, ...]  # table index -> tensor id
    shapes: dict[int, tuple[int, ...]]  # tensor id -> unpadded shape
    program: Program


def compile_graph(graph: Graph) -> Program:
    """Return the verification program of `graph`; raise ProgramError if it cannot be proven."""
    return compile_layout(graph).program


def compile_layout(graph: Graph) -> Layout:
    """Return the program together with the meaning of every tensor id.

    Raises ProgramError if the graph cannot be proven or its program does not fit the format.
    """
    # Before anything that takes longer than reading the graph did.
    _require_fits("bytes", len(graph.ops) * MIN_OPERATOR_BYTES, MAX_PROGRAM_BYTES)
    pairs = _pair_operators(graph)
    tables = _collect_tables(op for op, _ in pairs)
    _require_fits("tables", len(tables), MAX_TABLES)
    ids = _Ids(graph)
    weights = {w.name: ids.add(TensorKind.FIXED, w.shape) for w in graph.weights}
    table_values = {
        k: ids.add(TensorKind.FIXED, (1 << t.width,)) for k, t in enumerate(tables) if t.function
    }
    activations = {graph.input.name: INPUT_ID, graph.output: OUTPUT_ID}
    requants = tuple(_add_requant(ids, graph, activations, tables, *pair) for pair in pairs)
    multiplicities = tuple(ids.add(TensorKind.PROOF, (1 << t.width,)) for t in tables)
    tensors, c, fixed, proof = _place(ids.kinds, ids.logs)
    _require_fits("chunks", fixed + proof, MAX_CHUNKS)
    blocks, lam = _logup_blocks(requants, tables, table_values, multiplicities, tensors)
    entries = tuple(_requant_entry(r, weights, ids.shapes) for r in requants)
    instances = tuple(
        _instance(k, r, weights, activations, ids.shapes) for k, r in enumerate(requants)
    )
    program = Program(
        c=c,
        fixed_chunks=fixed,
        proof_chunks=proof,
        op_count=len(graph.ops),
        tensors=tensors,
        public=_public(graph, pairs),
        lam=lam,
        blocks=blocks,
        requants=entries,
        rounds=max(i.variables for i in instances),
        instances=instances,
    )
    _require_fits("bytes", len(program.to_bytes()), MAX_PROGRAM_BYTES)
    return Layout(
        graph=graph,
        tables=tables,
        weights=weights,
        activations=activations,
        table_values=table_values,
        requants=requants,
        multiplicities=multiplicities,
        shapes=ids.shapes,
        program=program,
    )


def _require_fits(what: str, needed: int, limit: int) -> None:
    if needed > limit:
        raise ProgramError(f"graph needs at least {needed} {what}; a program has at most {limit}")


def is_range_form(op: Requant) -> bool:
    """Return whether the clamp does nothing, so that y itself is the range-checked quotient."""
    half = 1 << (op.width - 1)
    return op.table == "identity" and (op.lo, op.hi) == (-half, half - 1)


def ceil_log2(size: int) -> int:
    """Return the number of variables that index `size` cells."""
    return (size - 1).bit_length()


class _Ids:
    """Hands out tensor ids in the order of FORMAT.md 3.2."""

    def __init__(self, graph: Graph) -> None:
        rows, cols = graph.input.shape
        self.shapes: dict[int, tuple[int, ...]] = {INPUT_ID: (rows, cols)}
        self.kinds = [TensorKind.INPUT, TensorKind.OUTPUT]
        self.shapes[OUTPUT_ID] = _shapes(graph)[graph.output]
        self.logs = [_log_cells(self.shapes[i]) for i in (INPUT_ID, OUTPUT_ID)]

    def add(self, kind: TensorKind, shape: Sequence[int]) -> int:
        self.kinds.append(kind)
        self.logs.append(_log_cells(shape))
        self.shapes[len(self.kinds) - 1] = tuple(shape)
        return len(self.kinds) - 1


def _log_cells(shape: Sequence[int]) -> int:
    return sum(ceil_log2(size) for size in shape)


def _shapes(graph: Graph) -> dict[str, tuple[int, int]]:
    """Return the (rows, cols) of every activation."""
    rows, cols = graph.input.shape
    weight_shapes = {w.name: w.shape for w in graph.weights}
    shapes: dict[str, tuple[int, int]] = {graph.input.name: (rows, cols)}
    for op in graph.ops:
        shapes[op.name] = shapes[op.x]
        if isinstance(op, Linear):
            shapes[op.name] = (shapes[op.x][0], weight_shapes[op.w][0])
    return shapes


def _pair_operators(graph: Graph) -> list[tuple[Requant, Linear]]:
    """Match every requantization with the accumulator it reads; refuse all other uses at once."""
    linears = {op.name: op for op in graph.ops if isinstance(op, Linear)}
    problems = []
    pairs = []
    used: set[str] = set()
    for op in graph.ops:
        if isinstance(op, Requant):
            if op.x not in linears or op.x in used:
                problems.append(
                    f"{op.name}: reads {op.x}, which is not the fresh output of a linear"
                )
                continue
            used.add(op.x)
            pairs.append((op, linears[op.x]))
        elif op.x in linears:
            problems.append(f"{op.name}: reads the accumulator {op.x} before it is requantized")
    problems += [
        f"{name}: its accumulator is never requantized" for name in linears if name not in used
    ]
    if not any(op.name == graph.output for op, _ in pairs):
        problems.append(f"the output {graph.output} is not a requantization")
    for op, linear in pairs:
        problems += _check_bounds(op, linear, graph)
    if problems:
        raise ProgramError("graph cannot be proven: " + "; ".join(problems))
    return pairs


def _check_bounds(op: Requant, linear: Linear, graph: Graph) -> list[str]:
    """Check the type-level bound that makes the witness unique in the field (proofs-spec.md 16)."""
    weight = next(w for w in graph.weights if w.name == linear.w)
    accumulator = weight.shape[1] << (weight.bits - 1 + 15)  # activations have at most 16 bits
    if (
        op.m * (accumulator + (1 << 31)) + (1 << (op.s + op.width)) + (1 << op.s)
        >= 1 << MAX_FIELD_BITS
    ):
        return [f"{op.name}: the identity could wrap around the field"]
    return []


def _collect_tables(ops: Iterable[Requant]) -> tuple[Table, ...]:
    widths: set[int] = set()
    functions: list[Table] = []
    for op in ops:
        widths.update(op.digits)
        if is_range_form(op):
            widths.add(op.width)
        elif (table := Table(op.width, op.table, op.lo, op.hi)) not in functions:
            functions.append(table)
    return (*(Table(width) for width in sorted(widths)), *functions)


def _add_requant(
    ids: _Ids,
    graph: Graph,
    activations: dict[str, int],
    tables: tuple[Table, ...],
    op: Requant,
    linear: Linear,
) -> RequantTensors:
    shape = _shapes(graph)[op.name]
    ranged = is_range_form(op)
    q = None if ranged else ids.add(TensorKind.PROOF, shape)
    if op.name != graph.output:
        activations[op.name] = ids.add(TensorKind.PROOF, shape)
    table = Table(op.width) if ranged else Table(op.width, op.table, op.lo, op.hi)
    return RequantTensors(
        op=op,
        linear=linear,
        table=tables.index(table),
        q=q,
        y=activations[op.name],
        digits=tuple(ids.add(TensorKind.PROOF, shape) for _ in op.digits),
        digit_tables=tuple(tables.index(Table(width)) for width in op.digits),
    )


def _place(
    kinds: Sequence[TensorKind], logs: Sequence[int]
) -> tuple[tuple[Tensor, ...], int, int, int]:
    """Choose c and return (tensors, c, F, P)."""

    def chunks(kind: TensorKind, c: int) -> int:
        cells = sum(1 << n for k, n in zip(kinds, logs, strict=True) if k == kind)
        return -(-cells >> c)

    def cost(c: int) -> int:
        count = chunks(TensorKind.FIXED, c) + chunks(TensorKind.PROOF, c)
        return GAS_PER_LOG * c + GAS_PER_CHUNK * count + (TIME_PER_CELL << c)

    c = min(CHUNK_LOGS, key=cost)
    fixed, proof = chunks(TensorKind.FIXED, c), chunks(TensorKind.PROOF, c)
    tensors = [Tensor(kind, n) for kind, n in zip(kinds, logs, strict=True)]
    for kind, base in ((TensorKind.FIXED, 0), (TensorKind.PROOF, fixed)):
        offset = 0
        for index in sorted(
            (i for i, k in enumerate(kinds) if k == kind), key=lambda i: (-logs[i], i)
        ):
            n = logs[index]
            addr = 0 if n >= c else (offset & ((1 << c) - 1)) >> n
            tensors[index] = Tensor(kind, n, base + (offset >> c), addr)
            offset += 1 << n
    return tuple(tensors), c, fixed, proof


def _logup_blocks(
    requants: Sequence[RequantTensors],
    tables: Sequence[Table],
    table_values: dict[int, int],
    multiplicities: Sequence[int],
    tensors: Sequence[Tensor],
) -> tuple[tuple[Block, ...], int]:
    """Return the blocks in leaf order and lambda."""
    blocks: list[Block] = []
    for r in requants:
        n = tensors[r.y].n
        if r.q is None:
            columns: tuple[Column, ...] = (Column(r.y, 1 << (r.op.width - 1)),)
        else:
            columns = (Column(r.q), Column(r.y))
        blocks.append(Block(False, n, r.table + 1, columns))
        blocks += [
            Block(False, n, table + 1, (Column(digit),))
            for digit, table in zip(r.digits, r.digit_tables, strict=True)
        ]
    for k, table in enumerate(tables):
        value = (Column(table_values[k]),) if table.function else ()
        blocks.append(Block(True, table.width, k + 1, (Column(multiplicities[k]), *value)))
    blocks.sort(key=lambda b: -b.n)  # stable: ties stay in program order
    return tuple(blocks), max(1, ceil_log2(sum(1 << b.n for b in blocks)))


def _requant_entry(
    r: RequantTensors, weights: dict[str, int], shapes: dict[int, tuple[int, ...]]
) -> RequantEntry:
    rows, cols = shapes[r.y]
    shifts = [sum(r.op.digits[:k]) for k in range(len(r.digits))]
    return RequantEntry(
        q_tensor=r.y if r.q is None else r.q,
        q_addend=0 if r.q is None else -(1 << (r.op.width - 1)),
        s=r.op.s,
        m=r.op.m,
        digits=tuple(zip(r.digits, shifts, strict=True)),
        bias_tensor=NO_TENSOR if r.linear.b is None else weights[r.linear.b],
        rows_log=ceil_log2(rows),
        cols_log=ceil_log2(cols),
        rows=rows,
    )


def _instance(
    index: int,
    r: RequantTensors,
    weights: dict[str, int],
    activations: dict[str, int],
    shapes: dict[int, tuple[int, ...]],
) -> Instance:
    rows, cols = shapes[r.y]
    x, w = activations[r.linear.x], weights[r.linear.w]
    variables = ceil_log2(shapes[w][1])
    inner = Segment(Source.CONTRACTION, 0, variables)
    row_point = Segment(Source.ZETA, ceil_log2(cols), ceil_log2(rows))
    col_point = Segment(Source.ZETA, 0, ceil_log2(cols))
    return Instance(
        index,
        variables,
        Operand(x, _without_empty(row_point, inner)),
        Operand(w, _without_empty(col_point, inner)),
    )


def _without_empty(*segments: Segment) -> tuple[Segment, ...]:
    return tuple(s for s in segments if s.length)


def _public(
    graph: Graph, pairs: Sequence[tuple[Requant, Linear]]
) -> tuple[PublicTensor, PublicTensor]:
    output = next(op for op, _ in pairs if op.name == graph.output)
    shapes = _shapes(graph)
    x = graph.input
    return (
        PublicTensor(x.bits // 8, *shapes[x.name], x.lo, x.hi),
        PublicTensor(output.bits // 8, *shapes[graph.output], output.lo, output.hi),
    )
