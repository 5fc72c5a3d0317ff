"""compile_graph: a program from a graph alone, the same for everybody (LOWERING.md)."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any, Final

from offchain.errors import ProgramError
from offchain.model.graph import Graph
from offchain.model.operators import (
    INDEX_BITS,
    Argmax,
    Gather,
    MaxPool,
    ReluBits,
    Requant,
    Reshape,
    Slice,
    TensorSpec,
    Transpose,
)
from offchain.prove.compile.boundary import check_committed, clear_rest_of_chunks
from offchain.prove.compile.choice import Choice, Chosen, choose, choose_stacks
from offchain.prove.compile.context import Activation, Context, slot_atom
from offchain.prove.compile.layout import Layout
from offchain.prove.compile.numbering import Numbered, number_slots
from offchain.prove.compile.place import Placement, place
from offchain.prove.compile.points import (
    Coordinate,
    View,
    count_variables,
)
from offchain.prove.compile.requant import lower_requant
from offchain.prove.compile.selections import (
    lower_argmax,
    lower_gather,
    lower_max_pool,
    lower_relu_bits,
)
from offchain.prove.compile.stack import stack_blocks
from offchain.prove.program import (
    Form,
    Lookup,
    Program,
    PublicTensor,
    Source,
    TensorKind,
)
from offchain.prove.program_bytes import encode_program

# A graph beyond these is a stranger's, not a defect.
MAX_OPERATORS: Final = 4_096  # compiled in a second or two
MAX_COUNT: Final = 0xFFFE  # of chunks, and of tensors
MAX_PROGRAM_BYTES: Final = 1 << 18  # what verifiers read at once
PLAIN: Final = Choice()


def compile_graph(graph: Graph, choice: Choice = PLAIN, committed: Collection[str] = ()) -> Layout:
    """Return the program of a graph and the meaning of its tensors.

    Inputs, and the output, that `committed` names are committed tensors instead of public bytes
    (form 1). Raises ProgramError with every reason why the graph cannot be proven, naming
    operators, or if the program does not fit the format.
    """
    if len(graph.ops) > MAX_OPERATORS:
        raise ProgramError(f"graph has {len(graph.ops)} operators; at most {MAX_OPERATORS}")
    ctx = Context(graph)
    problems = [*_add_public(ctx, committed), *_lower_operators(ctx)]
    if problems:
        raise ProgramError("graph cannot be proven: " + "; ".join(problems))
    return _finish(ctx, choice, committed)


def _add_public(ctx: Context, committed: Collection[str]) -> list[str]:
    """Add the tensors of inputs and output, in this order; return what is wrong with them."""
    graph = ctx.graph
    problems = []
    for spec in graph.inputs:
        if spec.name in committed and spec.bits == INDEX_BITS:
            problems.append(f"{spec.name}: tokens are public; they cannot be committed")
        n = count_variables(spec.shape)
        tensor = _add_boundary(ctx, spec, TensorKind.INPUT, n, committed)
        view = View.whole(tensor, spec.shape)
        ctx.activations[spec.name] = Activation(spec.name, view, spec.lo, spec.hi)
        if spec.name in committed:
            check_committed(ctx, spec, tensor)
    result = graph.output_spec()
    if result.name in committed and isinstance(ctx.ops[result.name], Argmax):
        problems.append(f"{result.name}: an argmax is public; it cannot be committed")
    n = count_variables(result.shape)
    ctx.output = _add_boundary(ctx, result, TensorKind.OUTPUT, n, committed)
    return problems


def _add_boundary(
    ctx: Context, spec: TensorSpec, kind: TensorKind, n: int, committed: Collection[str]
) -> int:
    if spec.name in committed:
        return ctx.builder.add_tensor(TensorKind.PROOF, n, own_chunks=True)
    return ctx.builder.add_tensor(kind, n)


_LOWERINGS: Final[dict[type, Callable[[Context, Any], None]]] = {
    Requant: lower_requant,
    MaxPool: lower_max_pool,
    ReluBits: lower_relu_bits,
    Gather: lower_gather,
    Argmax: lower_argmax,
}


def _lower_operators(ctx: Context) -> list[str]:
    """Lower every operator; return why which ones cannot be proven."""
    problems = []
    for op in ctx.graph.ops:
        try:
            if isinstance(op, Reshape | Transpose | Slice):
                _view(ctx, op)
            elif (lower := _LOWERINGS.get(type(op))) is not None:
                lower(ctx, op)  # accumulators are lowered by their requant
        except ProgramError as error:
            problems.append(f"{op.name}: {error}")
    return problems


def _view(ctx: Context, op: Reshape | Transpose | Slice) -> None:
    """Another view of the same tensor."""
    x = ctx.read(op.x)
    match op:
        case Reshape():
            view = x.view.reshape(op.shape)
        case Transpose():
            view = x.view.transpose(op.order)
        case Slice():
            view = x.view.cut(op.axis, op.start, op.size)
    ctx.activations[op.name] = replace(x, name=op.name, view=view)


def _finish(ctx: Context, choice: Choice, committed: Collection[str]) -> Layout:
    """Add the tables' blocks, number everything and place the tensors."""
    builder, graph = ctx.builder, ctx.graph
    is_stacked = choose_stacks(builder.blocks, choice)
    if is_stacked:
        stack_blocks(builder)
    for table in ctx.tables:
        counts = slot_atom(ctx.leaf(table.counts, (1 << table.width,)), -1)
        key = ctx.key(tuple(Coordinate(Source.ZETA, k) for k in reversed(range(table.width))))
        values = [slot_atom(ctx.leaf(t, (1 << table.width,))) for t in table.columns]
        builder.add_block(table.width, table.id, counts, [key, *values])
    builder.blocks.sort(key=lambda b: -b.n)  # stable: ties stay in program order
    # Verifiers pad a public output with zeros, and a committed one is somebody's input.
    ctx.require_zero_pads(graph.output, ctx.activations[graph.output])
    chosen = choose(builder.tensors, builder.blocks, choice)
    if builder.reach > chosen.lam:
        raise ProgramError("graph cannot be proven: it looks nothing up")
    whole = clear_rest_of_chunks(ctx, chosen.c, chosen.lam)
    if chosen.lookup == Lookup.INVERSES:
        for block in builder.blocks:
            builder.add_tensor(TensorKind.LATE, block.n)
    placement = place(builder.tensors, chosen.c)
    program = _assemble(ctx, placement, number_slots(builder, is_stacked), chosen, committed)
    size = len(encode_program(program))
    if size > MAX_PROGRAM_BYTES:
        raise ProgramError(f"graph needs {size} program bytes; at most {MAX_PROGRAM_BYTES}")
    views = {name: a.view for name, a in ctx.activations.items()}
    return Layout(
        graph=graph,
        program=program,
        views=views,
        fixed=dict(ctx.fixed),
        tables=tuple(ctx.tables),
        fills=tuple(ctx.fills),
        zero_tables=dict(ctx.zero_tables),
        whole_chunks=whole,
        stacks={k: t.members for k, t in enumerate(builder.tensors) if t.members},
    )


def _assemble(
    ctx: Context,
    placement: Placement,
    numbered: Numbered,
    chosen: Chosen,
    committed: Collection[str],
) -> Program:
    graph, builder = ctx.graph, ctx.builder
    if max(placement.fixed + placement.proof + placement.late, len(placement.tensors)) > MAX_COUNT:
        raise ProgramError(f"graph needs more than {MAX_COUNT} chunks or tensors")
    instances, links = numbered.instances, numbered.links
    return Program(
        c=chosen.c,
        lookup=chosen.lookup,
        opening=chosen.opening,
        fixed_chunks=placement.fixed,
        proof_chunks=placement.proof,
        late_chunks=placement.late,
        op_count=len(graph.ops),
        tensors=placement.tensors,
        inputs=tuple(
            _public(spec, ctx.activations[spec.name].view.tensor, committed)
            for spec in graph.inputs
        ),
        output=_public(graph.output_spec(), ctx.output, committed),
        functions=tuple(builder.functions),
        counts=numbered.counts,
        slots=numbered.slots,
        lam=chosen.lam,
        blocks=numbered.blocks,
        relations=numbered.relations,
        product_rounds=max((t.n for t in numbered.terms), default=0),
        terms=numbered.terms,
        contraction_rounds=max((i.variables for i in instances), default=0),
        degree=3 if any(i.is_weighted for i in instances) else 2,
        instances=instances,
        link_rounds=max((x.height.log_in + x.width.log_in for x in links), default=0),
        links=links,
    )


def _public(spec: TensorSpec, tensor: int, committed: Collection[str]) -> PublicTensor:
    form = Form.COMMITTED if spec.name in committed else Form.BYTES
    return PublicTensor(tensor, form, spec.bits // 8, spec.shape, spec.lo, spec.hi)
