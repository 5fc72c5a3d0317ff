"""Lies about linear layers, requantization and its tables."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Final

import numpy as np

from offchain.model.operators import Linear
from offchain.prove.compile.layout import RequantFill
from offchain.prove.program import Residual
from offchain.prove.reference.field import R, inverse
from offchain.prove.verification_key import VerificationKey
from tests.attacks import changes
from tests.attacks.attack import (
    CONTRACTION,
    LAYER,
    LEAVES,
    NO_CONTRACTION,
    NO_LAYER,
    NO_LEAVES,
    NO_PAIRING,
    NO_ROOT_SUM,
    PAIRING,
    ROOT,
    Attack,
    Model,
    forgetting,
    proving,
)
from tests.attacks.cheater import Tensors
from tests.attacks.frozen_lookups import FalseRoot
from tests.attacks.lookups import recount, unmatched
from tests.attacks.misfits import other_leaves
from tests.attacks.weakening import AlteredKey, Change, altered
from tests.attacks.witness import carry, fill_of, key_at, last_requant, lie, rewrite, set_key
from tests.vectors import operator_models as om
from tests.vectors.models import Array
from tests.vectors.sketch import make_key, reweigh

Lie = Callable[[Model, Tensors], None]

# -------------------------------------------------------------------- false witnesses


def layers(model: Model) -> list[Linear]:
    """Return the linear layers of a chain."""
    return [op for op in model.layout.graph.ops if isinstance(op, Linear)]


def go_on(model: Model, tensors: Tensors, hidden: Array) -> None:
    """Execute the layers after the first one honestly on another hidden activation."""
    x = hidden
    for op in layers(model)[1:]:
        acc = x @ model.weights[op.w].T + (0 if op.b is None else model.weights[op.b])
        name = f"{op.name}_q"
        rewrite(model, tensors, acc, name)
        cells = np.array(tensors[fill_of(model, RequantFill, name).y], dtype=np.int64)
        columns = 1 << (acc.shape[1] - 1).bit_length()
        x = cells.reshape(-1, columns)[: acc.shape[0], : acc.shape[1]]


def false_output(model: Model, tensors: Tensors) -> None:
    """Claim another last output; quotient and lookups match, the accumulator does not."""
    fill = last_requant(model)
    key = key_at(model, tensors, fill, 0)
    set_key(model, tensors, fill, 0, key - 1 if key else 1)


def false_hidden(model: Model, tensors: Tensors) -> None:
    """Change one hidden activation and execute honestly from there."""
    fill = fill_of(model, RequantFill, "a0_q")
    hidden = model.execution.values["a0_q"].copy()
    hidden[0, 0] = 0 if hidden[0, 0] else 1
    go_on(model, tensors, hidden)
    set_key(model, tensors, fill, 0, int(hidden[0, 0]) + (1 << (fill.op.width - 1)))


def floor_rounding(model: Model, tensors: Tensors) -> None:
    """Round the output's quotients down instead of to the nearest."""
    fill = last_requant(model)
    rewrite(model, tensors, model.execution.values[fill.op.x], half=False)


def wrapped_quotient(model: Model, tensors: Tensors) -> None:
    """Add 2^-s to q in the field and take 1 off the remainder: q is in no table."""
    fill = fill_of(model, RequantFill, "a0_q")
    assert fill.q is not None
    low = tensors[fill.digits.tensors[0]]
    cell = next(i for i, v in enumerate(low) if v > 0)
    tensors[fill.q][cell] = (tensors[fill.q][cell] + inverse(1 << fill.op.s)) % R
    low[cell] -= 1


def long_remainder(model: Model, tensors: Tensors) -> None:
    """Take 1 off an output and add 2^s to its remainder, whose top digit is too long then."""
    carry(model, tensors, -1)


def negative_remainder(model: Model, tensors: Tensors) -> None:
    """Add 1 to an output and take 2^s off its remainder, whose top digit is negative then."""
    carry(model, tensors, 1)


def wrong_table_value(model: Model, tensors: Tensors) -> None:
    """Look up (q, f(q) +- 1) in a hidden layer and execute honestly from there."""
    fill = fill_of(model, RequantFill, "a0_q")
    for cell, step in itertools.product(range(len(tensors[fill.y])), (1, -1)):
        hidden = model.execution.values["a0_q"].copy()
        hidden.reshape(-1)[cell] += step
        try:
            go_on(model, tensors, hidden)
        except ValueError:
            continue
        tensors[fill.y][cell] += step
        return
    raise ValueError("no hidden value can be changed")


def filled_pad(name: str) -> Lie:
    """Put another row of the table into the last, padding, cell of a requantization's result."""

    def change(model: Model, tensors: Tensors) -> None:
        fill = fill_of(model, RequantFill, name)
        cell = len(tensors[fill.y]) - 1
        set_key(model, tensors, fill, cell, (1 << (fill.op.width - 1)) + 1)

    return change


def wide_digit(model: Model) -> Tensors:
    """As `long_remainder`; the long digit is counted where it is a row: in a wider table."""
    tensors = lie(long_remainder)(model)
    if not unmatched(model.program, tensors):
        return tensors  # the verifier takes that table anyway
    fill = last_requant(model)
    wide = max(model.layout.tables, key=lambda t: t.width if not t.columns else 0)
    long = next(v for v in tensors[fill.digits.tensors[-1]] if v >= 1 << fill.op.digits[-1])
    tensors[wide.counts][long] += 1
    return tensors


def other_weights(model: Model, name: str, change: Callable[[Array], Array]) -> Tensors:
    """Run other weights than the registered ones."""
    return reweigh(model, {**model.weights, name: change(model.weights[name])}).tensors()


def perturbed(w: Array) -> Array:
    """Turn the signs of one row around."""
    w = w.copy()
    w[0] = -1 - w[0]
    return w


def swapped(scale: Array) -> Array:
    """Swap the multipliers of the last two channels."""
    return np.concatenate([scale[:-2], scale[:-3:-1]])


def zero_row(model: Model) -> Tensors:
    """Fill the used row of the ReLU table with zero, as a filler would, and go on from there."""
    fill = fill_of(model, RequantFill, "a0_q")
    assert fill.table is not None
    tensors = model.tensors()
    cell = next(k for k, y in enumerate(tensors[fill.y]) if y)
    row = key_at(model, tensors, fill, cell)
    tensors[model.layout.tables[fill.table].columns[0]][row] = 0
    hidden = model.execution.values["a0_q"].copy()
    hidden[hidden == hidden.reshape(-1)[cell]] = 0
    go_on(model, tensors, hidden)
    for k, y in enumerate(hidden.reshape(-1)):
        tensors[fill.y][k] = int(y)
    recount(model.program, tensors)
    return tensors


def zero_row_of_the_registered_table(model: Model) -> Tensors:
    """As `zero_row`, beside the true table."""
    tensors = zero_row(model)
    fill = fill_of(model, RequantFill, "a0_q")
    assert fill.table is not None
    column = model.layout.tables[fill.table].columns[0]
    tensors[column] = model.tensors()[column]
    return tensors


def registered(tensors: Callable[[Model], Tensors]) -> Callable[[Model], VerificationKey]:
    """Return the key that would have been registered with these fixed tensors."""

    def key(model: Model) -> VerificationKey:
        made = make_key(model.key.graph_hash, model.program, tensors(model))
        true = model.key
        return AlteredKey(true.graph_hash, true.srs_id, true.program, made.commitments, true)

    return key


# -------------------------------------------------------------------- programs without the item


def output_unranged(model: Model) -> Change:
    """Look the output's highest digit up nowhere."""
    return changes.unlooked(last_requant(model).digits.tensors[-1])


def quotient_unlooked(model: Model) -> Change:
    """Look the first layer's (q, y) up nowhere."""
    fill = fill_of(model, RequantFill, "a0_q")
    assert fill.q is not None
    return changes.unlooked(fill.q, fill.y)


def keys_only(model: Model) -> Change:
    """Look up the keys of the first layer's table without their values."""
    fill = fill_of(model, RequantFill, "a0_q")
    assert fill.table is not None
    return changes.with_columns(model.layout.tables[fill.table].id, lambda columns: columns[:1])


def in_the_wide_table(model: Model) -> Change:
    """Range the output's highest digit by the widest range table."""
    wide = max(model.layout.tables, key=lambda t: t.width if not t.columns else 0)
    return changes.in_table(wide.id, last_requant(model).digits.tensors[-1])


def without_half(model: Model) -> Change:
    """Forget the 2^(s-1) of the output's rounding."""
    tensor = last_requant(model).digits.tensors[0]
    relation = changes.relation_of(model.program, Residual.CONTRACTION, tensor)
    return changes.without_constant(relation)


def identity_dropped(name: str) -> Callable[[Model], Change]:
    """Forget a linear layer's identity."""

    def change(model: Model) -> Change:
        tensor = fill_of(model, RequantFill, name).digits.tensors[0]
        return changes.without_relation(
            changes.relation_of(model.program, Residual.CONTRACTION, tensor)
        )

    return change


ATTACKS: Final = (
    Attack(
        "false-output", 10, proving(lie(false_output)), *CONTRACTION, NO_CONTRACTION,
        everywhere=True,
    ),
    Attack(
        "false-hidden", 10, proving(lie(false_hidden)), *CONTRACTION, NO_CONTRACTION,
        everywhere=True,
    ),
    Attack(
        "false-output-without-rounds", 10, proving(lie(false_output)), *CONTRACTION,
        NO_CONTRACTION, om.single,
    ),
    Attack(
        "perturbed-weights", 1,
        proving(lambda m: other_weights(m, "w0", perturbed)), *PAIRING, NO_PAIRING,
        forgotten=registered(lambda m: other_weights(m, "w0", perturbed)), as_it_is=True,
        everywhere=True,
    ),
    Attack(
        "swapped-channel-scales", 1,
        proving(lambda m: other_weights(m, "scale", swapped)), *PAIRING, NO_PAIRING, om.channels,
        forgotten=registered(lambda m: other_weights(m, "scale", swapped)), as_it_is=True,
    ),
    Attack(
        "own-table-with-zero-row", 6, proving(zero_row), *PAIRING, NO_PAIRING,
        forgotten=registered(zero_row), as_it_is=True,
    ),
    Attack(
        "zero-row", 4, proving(zero_row_of_the_registered_table), *ROOT, NO_ROOT_SUM,
    ),
    Attack(
        "floor-rounding", 6, proving(lie(floor_rounding)), *CONTRACTION,
        forgotten=lambda m: altered(m.key, without_half(m)), everywhere=True,
    ),
    forgetting(
        "filled-hidden-pad", 7, om.odd, lie(filled_pad("a0_q")), identity_dropped("a0_q"),
        CONTRACTION,
    ),
    Attack("filled-output-pad", 7, proving(lie(filled_pad("a1_q"))), *LEAVES, model=om.odd),
    # ---- ranges and tables
    forgetting("wrapped-quotient", 5, om.tiny, lie(wrapped_quotient), quotient_unlooked, ROOT),
    Attack(
        "wrapped-quotient-patched-root", 5, proving(lie(wrapped_quotient), FalseRoot), *LAYER,
        NO_LAYER, everywhere=True,
    ),
    forgetting("long-remainder", 5, om.tiny, lie(long_remainder), output_unranged, ROOT),
    Attack(
        "long-remainder-patched-root", 5, proving(lie(long_remainder), FalseRoot), *LAYER,
        NO_LAYER, everywhere=True,
    ),
    Attack(
        "long-remainder-other-leaves", 2, lambda m: other_leaves(m, lie(long_remainder)), *LEAVES,
        NO_LEAVES, everywhere=True,
    ),
    forgetting("negative-remainder", 8, om.tiny, lie(negative_remainder), output_unranged, ROOT),
    forgetting("wrong-table-value", 6, om.tiny, lie(wrong_table_value), keys_only, ROOT),
    forgetting("digit-in-another-table", 4, om.mixed, wide_digit, in_the_wide_table, ROOT),
)  # fmt: skip
