"""Which move a search asks for: of who asserts a trace, and of who follows a difference through it.

Pure: what is known of the trace and where the search stands, in; a move, out.
"""

from __future__ import annotations

from dataclasses import dataclass

from offchain.chain.contracts.pinpoint_types import Search, Tree
from offchain.commit.digest import TILE_BYTES
from offchain.errors import TraceError
from offchain.roles.known_trace import STEP_LEVELS, KnownOutput, KnownTrace, compute_steps
from offchain.trace.find import find_element_in_tile
from offchain.trace.plan import TraceOp
from offchain.trace.recorder import Trace
from offchain.trace.tensors import TiledTensor
from offchain.trace.tree import EMPTY


@dataclass(frozen=True)
class Select:
    """Go on below a node."""

    index: int
    child: bytes
    siblings: tuple[bytes, ...]


@dataclass(frozen=True)
class SelectLayer:
    """Go on among the operators of a layer."""

    index: int
    digest: bytes
    op_root: bytes
    siblings: tuple[bytes, ...]


@dataclass(frozen=True)
class PinOperator:
    """Name an operator."""

    op: TraceOp


@dataclass(frozen=True)
class PinElement:
    """Name an element of the output that was searched."""

    element: int


@dataclass(frozen=True)
class Contradiction:
    """A layer ends with another digest than its own: nothing in it is to be pinned."""

    layer: int


@dataclass(frozen=True)
class Padding:
    """Something lies behind a layer's last operator: it leads searches astray."""

    layer: int
    position: int
    digest: bytes


ChallengerMove = Select | SelectLayer | PinOperator | PinElement | Contradiction | Padding


@dataclass(frozen=True)
class Expand:
    """Tell the root over a layer's operators first."""

    layer: int


@dataclass(frozen=True)
class Reveal:
    """Descendants of a node."""

    words: tuple[bytes, ...]


@dataclass(frozen=True)
class RevealLeaves:
    """The leaves of layers."""

    digests: tuple[bytes, ...]
    op_roots: tuple[bytes, ...]


@dataclass(frozen=True)
class RevealOps:
    """Digests of operators."""

    digests: tuple[bytes, ...]
    op_digests: tuple[bytes, ...]


@dataclass(frozen=True)
class RevealTileRoot:
    """The root over an output's tiles."""

    root: bytes


@dataclass(frozen=True)
class RevealTile:
    """A tile."""

    tile: bytes


AsserterMove = Expand | Reveal | RevealLeaves | RevealOps | RevealTileRoot | RevealTile


# The asserter


def answer_trace(known: KnownTrace, state: Search, is_expanded: bool) -> AsserterMove:
    """Return what the trace's owner has to reveal of its own trace."""
    trace, height, position = known.own, state.height, state.position
    if state.tree is Tree.OPS:
        if not known.is_op_granular and not is_expanded:
            return Expand(state.layer)
        tree = trace.layer_trees[state.layer]
        if height > STEP_LEVELS:
            return Reveal(tree.descendants(height, position, STEP_LEVELS))
        return RevealOps((), list_op_digests(trace, state.layer, height, position))
    if state.tree is not Tree.LAYERS:
        raise TraceError(f"no trace is searched, but {state.tree.name}")
    if height > STEP_LEVELS:
        return Reveal(trace.tree(known.granularity).descendants(height, position, STEP_LEVELS))
    layers = range(position << height, (position + 1) << height)
    count = len(trace.plan.layers)
    digests = tuple(bytes(trace.layer_digest(k)) if k < count else EMPTY for k in layers)
    if known.is_op_granular and height + trace.plan.op_depth <= STEP_LEVELS:
        depth = trace.plan.op_depth
        ops = (list_op_digests(trace, k, depth, 0) for k in layers)
        return RevealOps(digests, tuple(digest for layer in ops for digest in layer))
    roots = tuple(trace.op_roots[k] if k < count else EMPTY for k in layers)
    return RevealLeaves(digests, roots if known.is_op_granular else ())


def list_op_digests(trace: Trace, layer: int, height: int, position: int) -> tuple[bytes, ...]:
    """Return the digests of the operators below a node; zero where there is no operator."""
    members = trace.plan.layers[layer] if layer < len(trace.plan.layers) else range(0)
    first = position << height
    return tuple(
        bytes(trace.digests[members[k]]) if k < len(members) else EMPTY
        for k in range(first, first + (1 << height))
    )


def answer_output(output: TiledTensor, state: Search) -> AsserterMove:
    """Return what the trace's owner has to reveal of an operator's output."""
    if state.tree is Tree.DIGEST:
        return RevealTileRoot(output.root)
    if state.tree is not Tree.TILES:
        raise TraceError(f"no output is searched, but {state.tree.name}")
    if state.height == 0:
        return RevealTile(output.tile(state.position).ljust(TILE_BYTES, b"\0"))
    steps = compute_steps(state.height)
    first = state.position << steps
    level = output.levels[state.height - steps]
    return Reveal(tuple(level[k] for k in range(first, first + (1 << steps))))


# The challenger


def follow_trace(known: KnownTrace, state: Search) -> ChallengerMove:
    """Return where the first difference from one's own trace leads; raise TraceError for none."""
    if state.tree is Tree.NONE:
        return _name_operator(known)
    height, position = state.height, state.position
    if state.tree is Tree.LAYERS and height <= STEP_LEVELS:
        return _choose_layer(known, height, position)
    tree = known.layers if state.tree is Tree.LAYERS else known.ops(state.layer)
    steps = STEP_LEVELS
    index = tree.find_difference(height, position, steps)
    if index is None:
        raise TraceError("nothing below the node of the search differs")
    at = (position << steps) + index
    low = height - steps
    return Select(index, tree.node(low, at), tree.path(at, low, height))


def _choose_layer(known: KnownTrace, height: int, position: int) -> SelectLayer:
    """Return the first layer with a wrong result or, where none has, with a wrong operator."""
    first = position << height
    layers = [k for k in range(first, first + (1 << height)) if k < len(known.plan.layers)]
    wrong = [k for k in layers if known.differs_in_layer(k)]
    wrong = wrong or [k for k in layers if known.op_root(k) != known.own.op_roots[k]]
    if not wrong:
        raise TraceError("no layer below the node of the search differs")
    layer = wrong[0]
    return SelectLayer(
        layer - first,
        known.layer_digest(layer),
        known.leaf_op_root(layer),
        known.layers.path(layer, 0, height),
    )


def _name_operator(known: KnownTrace) -> ChallengerMove:
    for layer in range(len(known.plan.layers)):
        op = known.find_operator(layer)
        if op is not None:
            return PinOperator(op)
        padding = known.find_padding(layer)
        if padding is not None:
            return Padding(layer, *padding)
        if known.differs_in_layer(layer):
            return Contradiction(layer)
    raise TraceError("no operator that was revealed differs")


def follow_output(known: KnownOutput, state: Search) -> ChallengerMove:
    """Return where the first difference from one's own output leads.

    Where no element differs, only what lies behind the tensor's end does: nobody can show the last
    element of such a tensor consistent.
    """
    last = len(known.own.raw) // known.own.element_bytes - 1
    if state.tree is Tree.NONE:
        if known.tile is None:
            return PinElement(last)
        number, tile = known.tile
        size = known.own.element_bytes
        found = find_element_in_tile(known.own.tile(number), tile, number, size)
        return PinElement(last if found is None else min(found, last))
    steps = compute_steps(state.height)
    index = known.tree.find_difference(state.height, state.position, steps)
    if index is None:
        raise TraceError("nothing below the node of the output differs")
    at, low = (state.position << steps) + index, state.height - steps
    if at << low >= known.own.tiles:
        return PinElement(last)
    return Select(index, known.tree.node(low, at), known.tree.path(at, low, state.height))
