"""The whole prover, in the order of FORMAT.md 7.

It follows the protocol without judging the witness: a witness that violates a relation gives a
complete proof that every verifier refuses. That is what the attack tests rely on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from offchain.prove.program import Program, VerificationKey
from offchain.prove.reference.claims import (
    Claim,
    bias_point,
    biased,
    chunk_weights,
    coefficient,
    lay_out,
    operand_point,
    outer_point,
    requant_value,
    sent_operands,
)
from offchain.prove.reference.curve import Point, combine
from offchain.prove.reference.field import R, eq_table, evaluate, fold
from offchain.prove.reference.hyperkzg import prove_opening
from offchain.prove.reference.logup import LeafClaims, prove_logup
from offchain.prove.reference.sumcheck import Product, prove_products
from offchain.prove.reference.transcript import (
    DOMAIN,
    TAG_COMMIT,
    TAG_CONTRACT_FINAL,
    TAG_CONTRACT_ROUND,
    TAG_DIRECT,
    TAG_REDUCE_ROUND,
    TAG_STATEMENT,
    Sender,
)

Tensors = Mapping[int, Sequence[int]]


def lay_out_chunks(program: Program, tensors: Tensors) -> list[list[int]]:
    """Return all F + P chunks, 2^c values each; cells outside tensors are 0."""
    size = 1 << program.c
    chunks = [[0] * size for _ in range(program.fixed_chunks + program.proof_chunks)]
    for index, tensor in enumerate(program.tensors):
        if tensor.is_public:
            continue
        values = tensors[index]
        if tensor.n >= program.c:
            for b in range(len(values) >> program.c):
                chunks[tensor.chunk + b] = [v % R for v in values[b * size : (b + 1) * size]]
        else:
            start = tensor.addr << tensor.n
            chunks[tensor.chunk][start : start + len(values)] = [v % R for v in values]
    return chunks


LogUpProver = Callable[[Sender, Program, Tensors, int, int], LeafClaims]


def prove(
    key: VerificationKey,
    srs: Sequence[Point],
    statement_hash: bytes,
    tensors: Tensors,
    logup: LogUpProver = prove_logup,
) -> bytes:
    """Return the proof bytes; `tensors` maps every tensor id to its 2^n padded values.

    `logup` lets the attack tests cheat in the lookup argument and go on from there.
    """
    program = key.program
    chunks = lay_out_chunks(program, tensors)
    sender = Sender()
    sender.absorb(TAG_STATEMENT, DOMAIN + statement_hash + key.hash())
    sender.send_points(
        TAG_COMMIT, [combine(srs, chunk) for chunk in chunks[program.fixed_chunks :]]
    )
    beta, alpha = sender.challenge(), sender.challenge()
    leaf = logup(sender, program, tensors, beta, alpha)
    claims = [
        Claim(i, leaf.zeta[program.lam - program.tensors[i].n :], leaf.values[i]) for i in leaf.sent
    ]
    values, bias_claims = prove_requants(sender, program, tensors, leaf)
    claims += bias_claims
    claims += prove_contractions(sender, program, tensors, leaf.zeta, values)
    point, kappa = reduce_claims(sender, program, chunks, claims)
    combined = [
        sum(k * chunk[i] for k, chunk in zip(kappa, chunks, strict=True)) % R
        for i in range(1 << program.c)
    ]
    prove_opening(sender, srs, combined, point)
    return bytes(sender.proof)


def prove_requants(
    sender: Sender, program: Program, tensors: Tensors, leaf: LeafClaims
) -> tuple[list[int], list[Claim]]:
    """Send the biases' values; return v_k of every requantization and the bias claims."""
    claims = []
    biases = [0] * len(program.requants)
    for k in biased(program):
        entry = program.requants[k]
        point = bias_point(entry, leaf.zeta)
        biases[k] = evaluate(tensors[entry.bias_tensor], point)
        claims.append(Claim(entry.bias_tensor, point, biases[k]))
    if claims:
        sender.send_scalars(TAG_DIRECT, [c.value for c in claims])
    values = [
        requant_value(entry, leaf.values, leaf.zeta, bias)
        for entry, bias in zip(program.requants, biases, strict=True)
    ]
    return values, claims


def prove_contractions(
    sender: Sender, program: Program, tensors: Tensors, zeta: Sequence[int], values: Sequence[int]
) -> list[Claim]:
    """Run the contraction batch and send its operands' values; return their claims."""
    nu = sender.challenge()
    products = []
    for k, instance in enumerate(program.instances):
        a, b = (
            _bind_outer(tensors[o.tensor], outer_point(o, zeta)) for o in (instance.a, instance.b)
        )
        claim = pow(nu, k, R) * values[instance.requant] % R
        products.append(Product(coefficient(program, k, instance, nu), claim, a, b))
    r_c = prove_products(sender, TAG_CONTRACT_ROUND, products, program.rounds)
    claims = [
        Claim(operand.tensor, operand_point(operand, zeta, r_c), value)
        for instance, product in zip(program.instances, products, strict=True)
        for operand, (value,) in ((instance.a, product.a), (instance.b, product.b))
    ]
    committed = [c for c in claims if not program.tensors[c.tensor].is_public]
    if sent_operands(program):
        sender.send_scalars(TAG_CONTRACT_FINAL, [c.value for c in committed])
    return committed


def _bind_outer(values: Sequence[int], point: Sequence[int]) -> list[int]:
    current = [v % R for v in values]
    for r in point:
        current = fold(current, r)
    return current


def reduce_claims(
    sender: Sender, program: Program, chunks: Sequence[Sequence[int]], claims: Sequence[Claim]
) -> tuple[list[int], list[int]]:
    """Run the claim reduction; return its point and kappa."""
    eta = sender.challenge()
    products = []
    for j, claim in enumerate(claims):
        factor = pow(eta, j, R)
        combined = [0] * (1 << program.c)
        entries = lay_out(program, claim)
        low = entries[0][2]  # the same for every chunk of a tensor
        for chunk, weight, _ in entries:
            for i, v in enumerate(chunks[chunk]):
                combined[i] += weight * v
        products.append(Product(factor, factor * claim.value % R, eq_table(low), combined))
    point = prove_products(sender, TAG_REDUCE_ROUND, products, program.c)
    return point, chunk_weights(program, claims, eta, point)
