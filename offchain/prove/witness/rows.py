"""Tensors of normalizations and softmaxes (LOWERING.md)."""

from __future__ import annotations

import numpy as np

from offchain.execute.rows import normalize_rows, reciprocal_root, softmax_rows, take_part
from offchain.prove.compile.layout import NormalizeFill, SoftmaxFill
from offchain.prove.witness.cells import Array, narrow, pad, require
from offchain.prove.witness.filler import Filler


def fill_normalize(filler: Filler, fill: NormalizeFill) -> None:
    """Fill S, r, U and the slacks; a padding row is all zero, so its S is epsilon."""
    op = fill.op
    rows = normalize_rows(op, filler.execution.values[op.x].astype(np.int64))
    total: Array = pad(rows.total, fill=op.epsilon)
    root = reciprocal_root(total, op.f)
    square, limit = root * root, 1 << (2 * op.f)
    below = limit - square * total
    above = (square + 2 * root + 1) * total - 1 - limit
    bits = sum(fill.below.widths)
    for slack in (below, above):
        require(op.name, (slack >= 0) & (slack >> bits == 0), "a row's root is not unique")
    filler.tensors[fill.total] = narrow(total)
    filler.tensors[fill.square] = narrow(square)
    filler.put_number(fill.root, fill.root_digits, root)
    filler.put_digits(fill.below, below)
    filler.put_digits(fill.above, above)


def fill_softmax(filler: Filler, fill: SoftmaxFill) -> None:
    """Fill M, e, the cells that attain M, iota and the slacks; padding rows are zero."""
    op = fill.op
    x = filler.execution.values[op.x].astype(np.int64)
    rows = softmax_rows(op, x, filler.weights[op.table])
    mask = np.broadcast_to(take_part(op, x.shape), x.shape)
    distance = rows.maximum[..., None] - x
    filler.count_all(fill.table, distance[mask])
    first = np.argmax(mask & (distance == 0), axis=-1)
    attained = np.zeros(x.shape, dtype=np.int8)
    np.put_along_axis(attained, first[..., None], 1, axis=-1)
    below = (1 << op.g) - rows.iota * rows.total
    filler.tensors[fill.maximum] = narrow(pad(rows.maximum))
    filler.tensors[fill.e] = narrow(pad(rows.e))
    filler.tensors[fill.sigma] = pad(attained)
    filler.put_number(fill.iota, fill.iota_digits, pad(rows.iota))
    filler.put_digits(fill.below, pad(below))
    filler.put_digits(fill.above, pad(rows.total - 1 - below))
