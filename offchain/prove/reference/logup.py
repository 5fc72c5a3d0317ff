"""LogUp as one fractional GKR over all lookups and tables (proofs-spec.md 2.3, 2.4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from offchain.errors import ProofError
from offchain.prove.program import Block, Program
from offchain.prove.reference.field import R, bits, eq, evaluate, identity, suffix
from offchain.prove.reference.sumcheck import prove_eq, verify_eq
from offchain.prove.reference.transcript import (
    TAG_LAYER,
    TAG_LEAVES,
    TAG_ROOT,
    TAG_ROUND,
    Receiver,
    Sender,
)

Layer = tuple[list[int], list[int]]  # numerators, denominators


@dataclass(frozen=True)
class LeafClaims:
    """Result: zeta and the value at suf_n(zeta) of every tensor in a leaf block."""

    zeta: list[int]
    values: dict[int, int]  # tensor id -> value (public tensors included)
    sent: tuple[int, ...]  # tensor ids in the order in which their claims are filed


def sent_tensors(program: Program) -> tuple[int, ...]:
    """Return the committed tensors of all leaf blocks, each once, in leaf order."""
    order: dict[int, None] = {}
    for block in program.blocks:
        for column in block.columns:
            if not program.tensors[column.tensor].is_public:
                order[column.tensor] = None
    return tuple(order)


def prove_logup(
    sender: Sender, program: Program, tensors: Mapping[int, Sequence[int]], beta: int, alpha: int
) -> LeafClaims:
    """Send the root, the layers and the leaf values."""
    layers = tree(*leaves(program, tensors, beta, alpha))
    (p,), (q,) = layers[0]
    sender.send_scalars(TAG_ROOT, (p, q))
    zeta = prove_layers(sender, layers)
    return send_leaf_values(sender, program, tensors, zeta)


def prove_layers(sender: Sender, layers: Sequence[Layer]) -> list[int]:
    """Send everything between the root layers[0] and the leaves layers[-1]; return zeta."""
    zeta: list[int] = []
    for numerators, denominators in layers[1:]:
        half = len(numerators) // 2
        lam = sender.challenge()
        columns = [numerators[:half], numerators[half:], denominators[:half], denominators[half:]]
        rho, folded = prove_eq(sender, TAG_ROUND, zeta, columns, layer_coefficients(lam))
        sender.send_scalars(TAG_LAYER, [value for (value,) in folded])
        zeta = [sender.challenge(), *rho]
    return zeta


def send_leaf_values(
    sender: Sender, program: Program, tensors: Mapping[int, Sequence[int]], zeta: list[int]
) -> LeafClaims:
    """Send every committed leaf column's value at its suffix of zeta."""
    ids = {column.tensor for block in program.blocks for column in block.columns}
    values = {i: evaluate(tensors[i], suffix(zeta, program.tensors[i].n)) for i in ids}
    sent = sent_tensors(program)
    sender.send_scalars(TAG_LEAVES, [values[i] for i in sent])
    return LeafClaims(zeta, values, sent)


def verify_logup(
    receiver: Receiver,
    program: Program,
    public_value: Callable[[int, Sequence[int]], int],
    beta: int,
    alpha: int,
) -> LeafClaims:
    """Check root, layers and leaves; `public_value(tensor, point)` evaluates public tensors."""
    cp, cq = receiver.receive_scalars(TAG_ROOT, 2)
    if cp != 0 or cq == 0:
        raise ProofError("LogUp root: the numerator must be 0 and the denominator must not")
    zeta: list[int] = []
    for layer in range(program.lam):
        lam = receiver.challenge()
        rho, claim = verify_eq(receiver, TAG_ROUND, zeta, (cp + lam * cq) % R)
        p0, p1, q0, q1 = receiver.receive_scalars(TAG_LAYER, 4)
        if claim != (p0 * q1 + p1 * q0 + lam * q0 * q1) % R:
            raise ProofError(f"LogUp layer {layer}: sum-check does not end in the sent values")
        t = receiver.challenge()
        cp, cq = (p0 + t * (p1 - p0)) % R, (q0 + t * (q1 - q0)) % R
        zeta = [t, *rho]
    sent = sent_tensors(program)
    values = dict(zip(sent, receiver.receive_scalars(TAG_LEAVES, len(sent)), strict=True))
    for block in program.blocks:
        for tensor in (c.tensor for c in block.columns):
            if program.tensors[tensor].is_public:
                values[tensor] = public_value(tensor, suffix(zeta, program.tensors[tensor].n))
    _check_leaves(program, zeta, values, (cp, cq), beta, alpha)
    return LeafClaims(zeta, values, sent)


def _check_leaves(
    program: Program,
    zeta: Sequence[int],
    values: Mapping[int, int],
    claim: tuple[int, int],
    beta: int,
    alpha: int,
) -> None:
    numerator, denominator, start = 0, 1, 0
    for block in program.blocks:
        selector = program.lam - block.n
        e = eq(bits(start >> block.n, selector), zeta[:selector])
        columns = [values[c.tensor] + c.addend for c in block.columns]
        if block.is_table:
            numerator -= e * columns[0]
            columns[0] = identity(suffix(zeta, block.n))
        else:
            numerator += e
        denominator += e * (_fingerprint(block, columns, beta, alpha) - 1)
        start += 1 << block.n
    if claim != (numerator % R, denominator % R):
        raise ProofError("LogUp leaves: the claims do not match the columns")


def _fingerprint(block: Block, columns: Sequence[int], beta: int, alpha: int) -> int:
    """Return beta - (k + alpha v + alpha^3 tableId)."""
    value = columns[1] if len(columns) > 1 else 0
    return beta - columns[0] - alpha * value - alpha**3 * block.table_id


def leaves(program: Program, tensors: Mapping[int, Sequence[int]], beta: int, alpha: int) -> Layer:
    """Return the leaves' numerators and denominators, 2^lambda each."""
    numerators, denominators = [], []
    for block in program.blocks:
        for x in range(1 << block.n):
            columns = [tensors[c.tensor][x] + c.addend for c in block.columns]
            numerators.append(-columns[0] % R if block.is_table else 1)
            if block.is_table:
                columns[0] = x
            denominators.append(_fingerprint(block, columns, beta, alpha) % R)
    unused = (1 << program.lam) - len(numerators)
    return numerators + [0] * unused, denominators + [1] * unused


def tree(numerators: list[int], denominators: list[int]) -> list[Layer]:
    """Return all layers of the fractional sum, root first, leaves last."""
    layers = [(numerators, denominators)]
    while len(layers[-1][0]) > 1:
        layers.append(_parents(*layers[-1]))
    return layers[::-1]


def _parents(p: Sequence[int], q: Sequence[int]) -> Layer:
    h = len(p) // 2
    return (
        [(p[x] * q[x + h] + p[x + h] * q[x]) % R for x in range(h)],
        [q[x] * q[x + h] % R for x in range(h)],
    )


def layer_coefficients(
    lam: int,
) -> Callable[[Sequence[int], Sequence[int]], tuple[int, int, int]]:
    """Return g = p0 q1 + p1 q0 + lam q0 q1 as a polynomial in X along a line."""

    def coefficients(lo: Sequence[int], hi: Sequence[int]) -> tuple[int, int, int]:
        (a, b, c, d), (e, f, g, h) = lo, (y - x for x, y in zip(lo, hi, strict=True))
        return (
            (a * d + b * c + lam * c * d) % R,
            (a * h + e * d + b * g + f * c + lam * (c * h + g * d)) % R,
            (e * h + f * g + lam * g * h) % R,
        )

    return coefficients
