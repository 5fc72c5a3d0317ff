"""Vectors of the single arguments: transcript, sum-check messages, LogUp, HyperKZG."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from offchain.prove.reference.curve import combine, encode
from offchain.prove.reference.field import R, evaluate, suffix
from offchain.prove.reference.hyperkzg import prove_opening
from offchain.prove.reference.logup import prove_layers, tree
from offchain.prove.reference.srs import insecure_srs
from offchain.prove.reference.sumcheck import Sum, prove_eq, prove_plain
from offchain.prove.reference.transcript import TAG_LEAVES, Sender, Transcript
from tests.vectors.encoding import hexed, word, words

TAG = 2  # any tag serves a component vector
Tensors = dict[int, list[int]]


def seeded_sender(seed: int) -> Sender:
    """Return a sender whose transcript has absorbed the seed word."""
    sender = Sender()
    sender.absorb(0, seed.to_bytes(32, "big"))
    return sender


def transcript_vector() -> dict[str, Any]:
    """Messages of 0, 1 and 5 words, with one and with two challenges after them."""
    rng, transcript, steps = random.Random(1), Transcript(), []
    for tag, count, challenges in ((0, 3, 0), (4, 2, 2), (20, 0, 1), (22, 5, 1), (2, 1, 3)):
        message = [rng.randrange(R) for _ in range(count)]
        transcript.absorb(tag, b"".join(v.to_bytes(32, "big") for v in message))
        squeezed = [transcript.challenge() for _ in range(challenges)]
        steps.append({"tag": tag, "words": words(message), "challenges": words(squeezed)})
    return {"steps": steps}


def sumcheck_vectors() -> dict[str, Any]:
    """One eq sum-check of g = p0 q1 + p1 q0 + lam q0 q1 and one plain batch."""
    rng = random.Random(2)
    return {"eq": _eq_vector(rng), "plain": _plain_vector(rng)}


def _eq_vector(rng: random.Random) -> dict[str, Any]:
    z, lam = [rng.randrange(R) for _ in range(4)], rng.randrange(R)
    columns = [[rng.randrange(R) for _ in range(16)] for _ in range(4)]
    p0, p1, q0, q1 = (
        evaluate_product(columns, z, pair) for pair in ((0, 3), (1, 2), (2, 3), (2, 3))
    )
    claim = (p0 + p1 + lam * q0) % R
    assert q0 == q1
    sender = seeded_sender(2)
    layer = Sum(1, claim, 4, list(columns), [(1, (0, 3)), (1, (1, 2)), (lam, (2, 3))])
    point = prove_eq(sender, TAG, [layer], z)
    return {
        "seed": word(2), "tag": TAG, "z": words(z), "lambda": word(lam), "claim": word(claim),
        "columns": [words(c) for c in columns], "proof": hexed(bytes(sender.proof)),
        "point": words(point), "finals": words([v for (v,) in layer.columns]),
    }  # fmt: skip


def evaluate_product(
    columns: Sequence[Sequence[int]], z: Sequence[int], pair: tuple[int, int]
) -> int:
    """Return sum_x eq(z, x) a(x) b(x)."""
    return evaluate([a * b for a, b in zip(*(columns[i] for i in pair), strict=True)], z)


def _plain_vector(rng: random.Random) -> dict[str, Any]:
    products = []
    for variables in (5, 3, 0):
        a, b = ([rng.randrange(R) for _ in range(1 << variables)] for _ in range(2))
        factor = rng.randrange(R)
        claim = factor * sum(x * y for x, y in zip(a, b, strict=True)) % R
        # The factor is a part of the summand: the batch has no coefficients of its own.
        products.append(Sum(1, claim, variables, [a, b], [(factor, (0, 1))]))
    described = [
        {
            "coefficient": word(p.monomials[0][0]),
            "claim": word(p.claim),
            "a": words(p.columns[0]),
            "b": words(p.columns[1]),
        }
        for p in products
    ]
    start = sum(p.claim << (5 - p.variables) for p in products)
    sender = seeded_sender(3)
    point = prove_plain(sender, TAG, products, 5)
    return {
        "seed": word(3), "tag": TAG, "rounds": 5, "instances": described, "claim": word(start),
        "proof": hexed(bytes(sender.proof)), "point": words(point),
        "finals": [words([a, b]) for (a,), (b,) in (p.columns for p in products)],
    }  # fmt: skip


@dataclass(frozen=True)
class Column:
    """A tensor plus a number."""

    tensor: int
    addend: int = 0


@dataclass(frozen=True)
class Leaves:
    """A block: a table's columns are its multiplicities and maybe values, its key the index."""

    is_table: bool
    n: int
    table_id: int
    columns: tuple[Column, ...]

    def cells(self, tensors: Tensors, beta: int, alpha: int) -> tuple[list[int], list[int]]:
        """Return numerators and denominators."""
        size = range(1 << self.n)
        read = [[tensors[c.tensor][x] + c.addend for x in size] for c in self.columns]
        numerators = [-v % R for v in read[0]] if self.is_table else [1 for _ in size]
        if self.is_table:
            read[0] = list(size)
        mixed = [
            sum(pow(alpha, k, R) * column[x] for k, column in enumerate(read))
            + pow(alpha, 3, R) * self.table_id
            for x in size
        ]
        return numerators, [(beta - v) % R for v in mixed]


def logup_vectors() -> list[dict[str, Any]]:
    """Return lambda = 1 (a one-row table) and lambda = 9 (three table sizes, unused leaves)."""
    small = {
        "lambda": 1,
        "blocks": (Leaves(False, 0, 1, (Column(0),)), Leaves(True, 0, 1, (Column(1),))),
        "tensors": {0: [0], 1: [1]},
    }
    rng = random.Random(4)
    f = [(k * k) % 23 - 5 for k in range(64)]
    keys = [rng.randrange(64) for _ in range(16)]
    wide = [rng.randrange(128) - 64 for _ in range(8)]
    nibble = [rng.randrange(16) for _ in range(16)]
    tensors = {
        0: keys, 1: [f[k] for k in keys], 2: wide, 3: nibble, 4: f,
        5: [sum(k == j for k in keys) for j in range(64)],
        6: [sum(w + 64 == j for w in wide) for j in range(128)],
        7: [sum(v == j for v in nibble) for j in range(16)],
    }  # fmt: skip
    blocks = (
        Leaves(True, 7, 2, (Column(6),)),
        Leaves(True, 6, 3, (Column(5), Column(4))),
        Leaves(False, 4, 3, (Column(0), Column(1))),
        Leaves(False, 4, 1, (Column(3),)),
        Leaves(True, 4, 1, (Column(7),)),
        Leaves(False, 3, 2, (Column(2, 64),)),
    )
    large = {"lambda": 9, "blocks": blocks, "tensors": tensors}
    return [_logup_vector(case, seed) for seed, case in enumerate((small, large), start=5)]


def _logup_vector(case: dict[str, Any], seed: int) -> dict[str, Any]:
    blocks, tensors = case["blocks"], case["tensors"]
    sender = seeded_sender(seed)
    beta, alpha = sender.challenge(), sender.challenge()
    cells = [block.cells(tensors, beta, alpha) for block in blocks]
    leaves = [[v for block in cells for v in block[k]] for k in range(2)]
    rest = (1 << case["lambda"]) - len(leaves[0])
    layers = tree((leaves[0] + [0] * rest, leaves[1] + [1] * rest))
    zeta = prove_layers(sender, layers)
    sent = list(dict.fromkeys(c.tensor for block in blocks for c in block.columns))
    sizes = {i: len(v).bit_length() - 1 for i, v in tensors.items()}
    values = [evaluate(tensors[i], suffix(zeta, sizes[i])) for i in sent]
    sender.send_scalars(TAG_LEAVES, values)
    return {
        "seed": word(seed), "lambda": case["lambda"],
        "blocks": [
            {"table": b.is_table, "n": b.n, "tableId": b.table_id,
             "columns": [{"tensor": c.tensor, "addend": c.addend} for c in b.columns]}
            for b in blocks
        ],
        "tensors": {str(i): words(v) for i, v in tensors.items()},
        "beta": word(beta), "alpha": word(alpha), "proof": hexed(bytes(sender.proof)),
        "zeta": words(zeta), "sent": sent,
        "values": words(values),
    }  # fmt: skip


def hyperkzg_vectors() -> list[dict[str, Any]]:
    """Openings for 1, 2 and 5 variables under the development SRS."""
    rng, vectors = random.Random(6), []
    for variables in (1, 2, 5):
        polynomial = [rng.randrange(R) for _ in range(1 << variables)]
        point = [rng.randrange(R) for _ in range(variables)]
        srs = insecure_srs(variables)
        sender = seeded_sender(variables)
        prove_opening(sender, srs, polynomial, point)
        vectors.append(
            {
                "seed": word(variables),
                "polynomial": words(polynomial),
                "point": words(point),
                "value": word(evaluate(polynomial, point)),
                "commitment": hexed(encode(combine(srs, polynomial))),
                "proof": hexed(bytes(sender.proof)),
            }
        )
    return vectors
