"""Lookups: every looked-up tuple is a row of its table (FORMAT.md 7.1).

As one fractional GKR over all blocks, or with committed inverses and one sum-check.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from offchain.errors import ProofError
from offchain.prove.program import Block, Program
from offchain.prove.reference.field import R, bits, eq
from offchain.prove.reference.points import evaluate_expression
from offchain.prove.reference.sumcheck import Sum, prove_eq, verify_eq
from offchain.prove.reference.transcript import (
    TAG_INVERSE_ROUND,
    TAG_INVERSES,
    TAG_LAYER,
    TAG_ROOT,
    TAG_ROUND,
    Receiver,
    Sender,
)

Layer = tuple[list[int], list[int]]  # numerators, denominators


def fingerprint(block: Block, columns: Sequence[int], beta: int, alpha: int) -> int:
    """Return beta - (a_0 + alpha a_1 + alpha^2 a_2 + alpha^3 tableId)."""
    mix = pow(alpha, 3, R) * block.table_id
    for k, value in enumerate(columns):
        mix += pow(alpha, k, R) * value
    return (beta - mix) % R


def leaf_layer(
    program: Program, numerators: Sequence[Sequence[int]], denominators: Sequence[Sequence[int]]
) -> Layer:
    """Return the leaves: blocks one after another, the rest (0, 1)."""
    p = [v for block in numerators for v in block]
    q = [v for block in denominators for v in block]
    rest = (1 << program.lam) - len(p)
    return p + [0] * rest, q + [1] * rest


def tree(leaves: Layer) -> list[Layer]:
    """Return all layers, the root first."""
    layers = [leaves]
    while len(layers[0][0]) > 1:
        p, q = layers[0]
        half = len(p) // 2
        pairs = [(p[k], p[k + half], q[k], q[k + half]) for k in range(half)]
        layers.insert(
            0,
            (
                [(p0 * q1 + p1 * q0) % R for p0, p1, q0, q1 in pairs],
                [q0 * q1 % R for _, _, q0, q1 in pairs],
            ),
        )
    return layers


def prove_layers(sender: Sender, layers: Sequence[Layer]) -> list[int]:
    """Send the root layers[0] and everything between it and the leaves layers[-1]; return zeta."""
    (p,), (q,) = layers[0]
    sender.send_scalars(TAG_ROOT, (p, q))
    zeta: list[int] = []
    for numerators, denominators in layers[1:]:
        half = len(numerators) // 2
        lam = sender.challenge()
        columns = [numerators[:half], numerators[half:], denominators[:half], denominators[half:]]
        layer = Sum(1, 0, len(zeta), columns, [(1, (0, 3)), (1, (1, 2)), (lam, (2, 3))])
        rho = prove_eq(sender, TAG_ROUND, [layer], zeta)
        sender.send_scalars(TAG_LAYER, [value for (value,) in layer.columns])
        zeta = [sender.challenge(), *rho]
    return zeta


def verify_layers(receiver: Receiver, lam_count: int) -> tuple[list[int], int, int]:
    """Return (zeta, claimed numerator, claimed denominator) of the leaves."""
    cp, cq = receiver.receive_scalars(TAG_ROOT, 2)
    if cp != 0 or cq == 0:
        raise ProofError("LogUp root: the numerator must be 0 and the denominator must not")
    zeta: list[int] = []
    for layer in range(lam_count):
        lam = receiver.challenge()
        rho, claim = verify_eq(receiver, TAG_ROUND, zeta, (cp + lam * cq) % R)
        p0, p1, q0, q1 = receiver.receive_scalars(TAG_LAYER, 4)
        if claim != (p0 * q1 + p1 * q0 + lam * q0 * q1) % R:
            raise ProofError(f"LogUp layer {layer}: sum-check does not end in the sent values")
        t = receiver.challenge()
        cp, cq = (p0 + t * (p1 - p0)) % R, (q0 + t * (q1 - q0)) % R
        zeta = [t, *rho]
    return zeta, cp, cq


def check_leaves(
    program: Program,
    zeta: Sequence[int],
    claim: tuple[int, int],
    numerators: Sequence[int],
    denominators: Sequence[int],
) -> None:
    """Raise ProofError unless the blocks' values at their suffixes of zeta give the claim."""
    numerator, denominator, start = 0, 1, 0
    for block, p, q in zip(program.blocks, numerators, denominators, strict=True):
        selector = program.lam - block.n
        e = eq(bits(start >> block.n, selector), zeta[:selector])
        numerator += e * p
        denominator += e * (q - 1)
        start += 1 << block.n
    if claim != (numerator % R, denominator % R):
        raise ProofError("LogUp leaves: the claims do not match the columns")


def block_values(
    program: Program,
    slots: Mapping[int, int],
    functions: Mapping[int, int],
    beta: int,
    alpha: int,
) -> tuple[list[int], list[int]]:
    """Return every block's numerator and denominator from slots and functions."""
    numerators, denominators = [], []
    for block in program.blocks:
        columns = [evaluate_expression(c, slots, functions) for c in block.columns]
        numerators.append(evaluate_expression(block.numerator, slots, functions))
        denominators.append(fingerprint(block, columns, beta, alpha))
    return numerators, denominators


def prove_inverses(
    sender: Sender,
    numerators: Sequence[Sequence[int]],
    denominators: Sequence[Sequence[int]],
    inverses: Sequence[Sequence[int]],
    lam: int,
) -> list[int]:
    """Show h den = num for every block after the inverses are committed; return zeta."""
    tau = [sender.challenge() for _ in range(lam)]
    delta = sender.challenge()
    sums = [
        Sum(
            pow(delta, k, R),
            0,
            len(h).bit_length() - 1,
            [list(h), list(q), list(p)],
            [(1, (0, 1)), (-1, (2,))],
        )
        for k, (p, q, h) in enumerate(zip(numerators, denominators, inverses, strict=True))
    ]
    zeta = prove_eq(sender, TAG_INVERSE_ROUND, sums, tau)
    sender.send_scalars(TAG_INVERSES, [s.columns[0][0] for s in sums])
    return zeta


def verify_inverses(receiver: Receiver, program: Program) -> tuple[list[int], int, list[int], int]:
    """Return (zeta, last claim, inverse values, delta)."""
    tau = [receiver.challenge() for _ in range(program.lam)]
    delta = receiver.challenge()
    zeta, claim = verify_eq(receiver, TAG_INVERSE_ROUND, tau, 0)
    values = receiver.receive_scalars(TAG_INVERSES, len(program.blocks))
    return zeta, claim, values, delta


def check_inverses(
    claim: int,
    delta: int,
    inverses: Sequence[int],
    numerators: Sequence[int],
    denominators: Sequence[int],
) -> None:
    """Raise ProofError unless the sum-check ends in the blocks' values."""
    total = sum(
        pow(delta, k, R) * (h * q - p)
        for k, (h, p, q) in enumerate(zip(inverses, numerators, denominators, strict=True))
    )
    if claim != total % R:
        raise ProofError("inverses: sum-check does not end in the sent values")
