"""Submissions of a cheating prover, and the false witnesses behind them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from offchain.prove.program import OUTPUT_ID, VerificationKey
from offchain.prove.reference.field import R, inverse
from offchain.prove.statement import Statement
from offchain.prove.witness import Array, RequantTrace, pad
from tests.attacks.cheater import Cheater, Tensors
from tests.vectors.models import SmallModel, to_bytes
from tests.vectors.proofs import statement_for

JOB = 7


@dataclass(frozen=True)
class Forgery:
    """What is handed to a verifier."""

    key: VerificationKey
    statement: Statement
    public_in: bytes
    public_out: bytes
    proof: bytes


def submit(
    model: SmallModel,
    tensors: Tensors,
    prover: type[Cheater] = Cheater,
    statement: Statement | None = None,
    output: Array | None = None,
) -> Forgery:
    """Prove `tensors`, right or wrong, for a statement with the output that they hold."""
    key = model.key
    shown = read_output(model, tensors) if output is None else output
    statement = statement or statement_for(key, model.public_in, shown, JOB)
    proof = prover(key, tensors).prove(statement.hash())
    bits = 8 * key.program.public[1].bytes_per_element
    return Forgery(key, statement, model.input_bytes(), to_bytes(shown, bits), proof)


def honest(model: SmallModel) -> Forgery:
    """Submit the truth, from which byte-level forgeries start."""
    return submit(model, honest_tensors(model))


def honest_tensors(model: SmallModel) -> Tensors:
    """Return every tensor of the honest execution."""
    return tensors_of(model, model.execute())


def tensors_of(model: SmallModel, trace: dict[str, RequantTrace]) -> Tensors:
    """Return every tensor of an execution."""
    return {i: [int(v) for v in values] for i, values in model.witness(trace).items()}


def read_output(model: SmallModel, tensors: Tensors) -> Array:
    """Read the public output back from its padded tensor."""
    public = model.key.program.public[1]
    cols = 1 << (public.cols - 1).bit_length()
    padded = np.array(tensors[OUTPUT_ID], dtype=np.int64).reshape(-1, cols)
    return padded[: public.rows, : public.cols]


def keys_of(model: SmallModel, index: int, trace: dict[str, RequantTrace]) -> list[int]:
    """Return the table keys of one requantization's (padded) cells."""
    r = model.layout.requants[index]
    acc = pad(trace[r.op.name].acc, model.layout.shapes[r.y], r.op.name)
    rounded = (acc * r.op.m + (1 << (r.op.s - 1))) >> r.op.s
    return [int(v) + (1 << (r.op.width - 1)) for v in rounded]


def set_key(model: SmallModel, tensors: Tensors, index: int, cell: int, key: int) -> None:
    """Give one cell another quotient, and the table's value to match."""
    r = model.layout.requants[index]
    if r.q is None:
        tensors[r.y][cell] = key - (1 << (r.op.width - 1))
    else:
        tensors[r.q][cell] = key
        tensors[r.y][cell] = model.layout.tables[r.table].values()[key]


def recount(model: SmallModel, tensors: Tensors) -> None:
    """Set the multiplicities to what is looked up, as far as it is in its table."""
    blocks = model.key.program.blocks
    for table in (b for b in blocks if b.is_table):
        counts = [0] * (1 << table.n)
        values = tensors[table.columns[1].tensor] if len(table.columns) > 1 else None
        for block in (b for b in blocks if not b.is_table and b.table_id == table.table_id):
            key, *value = block.columns
            for x in range(1 << block.n):
                row = tensors[key.tensor][x] + key.addend
                if not 0 <= row < len(counts):
                    continue
                if values is None or tensors[value[0].tensor][x] == values[row]:
                    counts[row] += 1
        tensors[table.columns[0].tensor] = counts


# -------------------------------------------------------------------- false witnesses


def false_output(model: SmallModel) -> Tensors:
    """Claim another last output element; quotient and lookups match, the accumulator does not."""
    trace = model.execute()
    tensors = tensors_of(model, trace)
    last = len(model.layout.requants) - 1
    key = keys_of(model, last, trace)[0]
    set_key(model, tensors, last, 0, key - 1 if key else 1)
    recount(model, tensors)
    return tensors


def false_hidden(model: SmallModel) -> Tensors:
    """Change one hidden activation and execute honestly from there."""
    trace = model.execute()
    first = model.layout.requants[0]
    hidden = trace[first.op.name].y.copy()
    hidden[0, 0] = 0 if hidden[0, 0] else 1
    patched = model.execute(override={first.op.name: hidden})
    tensors = tensors_of(model, {**patched, first.op.name: trace[first.op.name]})
    set_key(model, tensors, 0, 0, int(hidden[0, 0]) + (1 << (first.op.width - 1)))
    recount(model, tensors)
    return tensors


def perturbed_weights(model: SmallModel) -> Tensors:
    """Run other weights than the registered ones."""
    weights = {k: v.copy() for k, v in model.weights.items()}
    weights["w0"][0, 0] += 1 if weights["w0"][0, 0] < 127 else -1
    return tensors_of(replace(model, weights=weights), model.execute(weights))


def wrapped_quotient(model: SmallModel) -> Tensors:
    """Add 2^-s to q in the field and take 1 off the remainder: q is in no table."""
    tensors = honest_tensors(model)
    r = model.layout.requants[0]
    assert r.q is not None
    low = tensors[r.digits[0]]
    cell = next(i for i, v in enumerate(low) if v > 0)
    tensors[r.q][cell] = (tensors[r.q][cell] + inverse(1 << r.op.s)) % R
    low[cell] -= 1
    recount(model, tensors)
    return tensors


def long_remainder(model: SmallModel) -> Tensors:
    """Take 1 off an output and add 2^s to its remainder, whose top digit is too long then."""
    return _carried(model, -1)


def negative_remainder(model: SmallModel) -> Tensors:
    """Add 1 to an output and take 2^s off its remainder, whose top digit is negative then."""
    return _carried(model, 1)


def _carried(model: SmallModel, step: int) -> Tensors:
    trace = model.execute()
    tensors = tensors_of(model, trace)
    last = len(model.layout.requants) - 1
    r = model.layout.requants[last]
    rows = range(1 << r.op.width)
    cell, key = next((i, k) for i, k in enumerate(keys_of(model, last, trace)) if k + step in rows)
    set_key(model, tensors, last, cell, key + step)
    tensors[r.digits[-1]][cell] -= step << r.op.digits[-1]
    recount(model, tensors)
    return tensors


def wrong_table_value(model: SmallModel) -> Tensors:
    """Look up (q, f(q) + 1) in a hidden layer and execute honestly from there."""
    trace = model.execute()
    first = model.layout.requants[0]
    hidden = trace[first.op.name].y.copy()
    hidden[0, 0] += 1
    patched = model.execute(override={first.op.name: hidden})
    tensors = tensors_of(model, {**patched, first.op.name: trace[first.op.name]})
    tensors[first.y][0] += 1
    _count_keys_only(model, tensors)
    return tensors


def _count_keys_only(model: SmallModel, tensors: Tensors) -> None:
    """As `recount`, for a verifier that does not look at the value."""
    first = model.layout.requants[0]
    shown = tensors[first.y][0]
    tensors[first.y][0] -= 1
    recount(model, tensors)
    tensors[first.y][0] = shown


def digit_in_another_table(model: SmallModel) -> Tensors:
    """As `long_remainder`; the long digit is counted where it is a row: in a wider table."""
    tensors = long_remainder(model)
    r = model.layout.requants[-1]
    wide = max(range(len(model.layout.tables)), key=lambda k: model.layout.tables[k].width)
    long = next(v for v in tensors[r.digits[-1]] if v >= 1 << r.op.digits[-1])
    tensors[model.layout.multiplicities[wide]][long] += 1
    return tensors


def floor_rounding(model: SmallModel) -> Tensors:
    """Round every quotient down instead of to the nearest."""
    tensors = honest_tensors(model)
    x = model.public_in
    for index, r in enumerate(model.layout.requants):
        acc = x @ model.weights[r.linear.w].T
        if r.linear.b is not None:
            acc = acc + model.weights[r.linear.b]
        padded = pad(acc * r.op.m, model.layout.shapes[r.y], r.op.name)
        for cell, scaled in enumerate(int(v) for v in padded):
            set_key(model, tensors, index, cell, (scaled >> r.op.s) + (1 << (r.op.width - 1)))
            rest = scaled & ((1 << r.op.s) - 1)
            for tensor, width in zip(r.digits, r.op.digits, strict=True):
                tensors[tensor][cell] = rest & ((1 << width) - 1)
                rest >>= width
        cols = 1 << (acc.shape[1] - 1).bit_length()
        x = np.array(tensors[r.y], dtype=np.int64).reshape(-1, cols)[: acc.shape[0], : acc.shape[1]]
    recount(model, tensors)
    return tensors


def filled_pad(model: SmallModel, index: int) -> Tensors:
    """Put another row of the table into the last, padding, cell of a requantization's result."""
    tensors = honest_tensors(model)
    r = model.layout.requants[index]
    cell = len(tensors[r.y]) - 1
    set_key(model, tensors, index, cell, (1 << (r.op.width - 1)) + 1)
    recount(model, tensors)
    return tensors
