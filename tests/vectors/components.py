"""Vectors of the single arguments: transcript, sum-check messages, LogUp, HyperKZG."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from offchain.prove.program import Block, Column, Program, PublicTensor, Tensor, TensorKind
from offchain.prove.reference.curve import combine, encode
from offchain.prove.reference.field import R, evaluate
from offchain.prove.reference.hyperkzg import prove_opening
from offchain.prove.reference.logup import layer_coefficients, prove_logup
from offchain.prove.reference.srs import insecure_srs
from offchain.prove.reference.sumcheck import Product, prove_eq, prove_products
from offchain.prove.reference.transcript import Sender, Transcript

TAG = 2  # any tag serves a component vector


def word(value: int) -> str:
    """Return a field element as 32 bytes of hex."""
    return "0x" + (value % R).to_bytes(32, "big").hex()


def words(values: Sequence[int]) -> list[str]:
    """Return field elements as hex words."""
    return [word(v) for v in values]


def hexed(raw: bytes) -> str:
    """Return bytes as 0x-hex."""
    return "0x" + raw.hex()


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
    point, folded = prove_eq(sender, TAG, z, columns, layer_coefficients(lam))
    return {
        "seed": word(2), "tag": TAG, "z": words(z), "lambda": word(lam), "claim": word(claim),
        "columns": [words(c) for c in columns], "proof": hexed(bytes(sender.proof)),
        "point": words(point), "finals": words([v for (v,) in folded]),
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
        products.append(Product(factor, claim, a, b))
    described = [
        {
            "coefficient": word(p.coefficient),
            "claim": word(p.claim),
            "a": words(p.a),
            "b": words(p.b),
        }
        for p in products
    ]
    start = sum(p.claim << (5 - p.variables) for p in products)
    sender = seeded_sender(3)
    point = prove_products(sender, TAG, products, 5)
    return {
        "seed": word(3), "tag": TAG, "rounds": 5, "instances": described, "claim": word(start),
        "proof": hexed(bytes(sender.proof)), "point": words(point),
        "finals": [words([p.a[0], p.b[0]]) for p in products],
    }  # fmt: skip


def logup_vectors() -> list[dict[str, Any]]:
    """Return lambda = 1 (a one-row table) and lambda = 9 (three table sizes, unused leaves)."""
    small = {
        "lambda": 1,
        "blocks": (Block(False, 0, 1, (Column(0),)), Block(True, 0, 1, (Column(1),))),
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
        Block(True, 7, 2, (Column(6),)),
        Block(True, 6, 3, (Column(5), Column(4))),
        Block(False, 4, 3, (Column(0), Column(1))),
        Block(False, 4, 1, (Column(3),)),
        Block(True, 4, 1, (Column(7),)),
        Block(False, 3, 2, (Column(2, 64),)),
    )
    large = {"lambda": 9, "blocks": blocks, "tensors": tensors}
    return [_logup_vector(case, seed) for seed, case in enumerate((small, large), start=5)]


def _logup_vector(case: dict[str, Any], seed: int) -> dict[str, Any]:
    program = leaf_program(case["lambda"], case["blocks"], case["tensors"])
    sender = seeded_sender(seed)
    beta, alpha = sender.challenge(), sender.challenge()
    result = prove_logup(sender, program, case["tensors"], beta, alpha)
    return {
        "seed": word(seed), "lambda": case["lambda"],
        "blocks": [
            {"table": b.is_table, "n": b.n, "tableId": b.table_id,
             "columns": [{"tensor": c.tensor, "addend": c.addend} for c in b.columns]}
            for b in case["blocks"]
        ],
        "tensors": {str(i): words(v) for i, v in case["tensors"].items()},
        "beta": word(beta), "alpha": word(alpha), "proof": hexed(bytes(sender.proof)),
        "zeta": words(result.zeta), "sent": list(result.sent),
        "values": words([result.values[i] for i in result.sent]),
    }  # fmt: skip


def leaf_program(lam: int, blocks: tuple[Block, ...], tensors: dict[int, list[int]]) -> Program:
    """Return a program that holds nothing but leaf blocks."""
    kinds = tuple(
        Tensor(TensorKind.PROOF, len(tensors[i]).bit_length() - 1) for i in sorted(tensors)
    )
    nothing = PublicTensor(1, 1, 1, 0, 0)
    return Program(4, 0, 1, 0, kinds, (nothing, nothing), lam, blocks, (), 0, ())


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
