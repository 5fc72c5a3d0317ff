"""The whole verifier, in the order of FORMAT.md 7: the oracle for Rust and Solidity."""

from __future__ import annotations

from collections.abc import Sequence

from offchain.commit.digest import tensor_digest_of_bytes
from offchain.errors import ProofError, RangeError
from offchain.prove.program import INPUT_ID, Operand, Program, PublicTensor, VerificationKey
from offchain.prove.reference.claims import (
    Claim,
    bias_point,
    biased,
    chunk_weights,
    coefficient,
    contraction_claim,
    operand_point,
    requant_value,
    sent_operands,
)
from offchain.prove.reference.curve import combine, decode
from offchain.prove.reference.field import R, evaluate
from offchain.prove.reference.hyperkzg import verify_opening
from offchain.prove.reference.logup import LeafClaims, verify_logup
from offchain.prove.reference.sumcheck import verify_products
from offchain.prove.reference.transcript import (
    DOMAIN,
    TAG_COMMIT,
    TAG_CONTRACT_FINAL,
    TAG_CONTRACT_ROUND,
    TAG_DIRECT,
    TAG_REDUCE_ROUND,
    TAG_STATEMENT,
    Receiver,
)
from offchain.prove.statement import FORMAT, MODE_PUBLIC, Statement


def verify_statement(
    key: VerificationKey, statement: Statement, public_in: bytes, public_out: bytes
) -> None:
    """Raise ProofError unless the statement names this key and these public bytes."""
    program = key.program
    expected = {
        "format": FORMAT,
        "mode": MODE_PUBLIC,
        "shard": 0,
        "program_hash": program.hash(),
        "srs_id": key.srs_id,
        "op_range": program.op_count,
        "in_digest": public_digest(program.public[0], public_in),
        "out_digest": public_digest(program.public[1], public_out),
    }
    for name, value in expected.items():
        if getattr(statement, name) != value:
            raise ProofError(f"statement: {name} does not match")


def public_digest(public: PublicTensor, raw: bytes) -> bytes:
    """Return the digest of a public tensor's bytes; raise ProofError for a wrong length."""
    if len(raw) != public.byte_length:
        raise ProofError(f"public tensor has {len(raw)} bytes, expected {public.byte_length}")
    return tensor_digest_of_bytes(raw, (public.rows, public.cols), 8 * public.bytes_per_element)


def verify(
    key: VerificationKey,
    tau_g2: bytes,
    statement_hash: bytes,
    public_in: bytes,
    public_out: bytes,
    proof: bytes,
) -> None:
    """Raise ProofError unless `proof` shows that the model maps `public_in` to `public_out`."""
    program = key.program
    check_range(program.public[0], public_in)
    public = [
        padded_elements(p, raw)
        for p, raw in zip(program.public, (public_in, public_out), strict=True)
    ]
    receiver = Receiver(proof)
    receiver.absorb(TAG_STATEMENT, DOMAIN + statement_hash + key.hash())
    commitments = [decode(c) for c in key.commitments]
    commitments += receiver.receive_points(TAG_COMMIT, program.proof_chunks)
    beta, alpha = receiver.challenge(), receiver.challenge()
    public_value = _PublicValues(program, public)
    leaf = verify_logup(receiver, program, public_value, beta, alpha)
    claims = [
        Claim(i, leaf.zeta[program.lam - program.tensors[i].n :], leaf.values[i]) for i in leaf.sent
    ]
    values, bias_claims = _receive_requants(receiver, program, leaf)
    claims += bias_claims
    claims += _verify_contractions(receiver, program, leaf.zeta, values, public_value)
    eta = receiver.challenge()
    claim = sum(pow(eta, j, R) * c.value for j, c in enumerate(claims)) % R
    point, value = verify_products(receiver, TAG_REDUCE_ROUND, claim, program.c)
    combined = combine(commitments, chunk_weights(program, claims, eta, point))
    verify_opening(receiver, combined, point, value, tau_g2)
    receiver.finish()


def padded_elements(public: PublicTensor, raw: bytes) -> list[int]:
    """Return a public tensor's elements, padded per axis to powers of two and flattened.

    Raises ProofError for a wrong length.
    """
    flat = elements(public, raw)
    rows, cols = (1 << (size - 1).bit_length() for size in (public.rows, public.cols))
    padded = [0] * (rows * cols)
    for r in range(public.rows):
        padded[r * cols : r * cols + public.cols] = flat[r * public.cols : (r + 1) * public.cols]
    return padded


def elements(public: PublicTensor, raw: bytes) -> list[int]:
    """Decode a public tensor's bytes; raise ProofError for a wrong length."""
    width = public.bytes_per_element
    if len(raw) != public.byte_length:
        raise ProofError(f"public tensor has {len(raw)} bytes, expected {public.byte_length}")
    return [
        int.from_bytes(raw[k : k + width], "big", signed=True) for k in range(0, len(raw), width)
    ]


def check_range(public: PublicTensor, raw: bytes) -> None:
    """Raise RangeError unless every element lies in [lo, hi]."""
    for k, v in enumerate(elements(public, raw)):
        if not public.lo <= v <= public.hi:
            raise RangeError(f"element {k} is {v}, outside [{public.lo}, {public.hi}]")


class _PublicValues:
    """Evaluates the public tensors' multilinear extensions."""

    def __init__(self, program: Program, public: Sequence[Sequence[int]]) -> None:
        self._program = program
        self._public = public

    def __call__(self, tensor: int, point: Sequence[int]) -> int:
        return evaluate(self._public[0 if tensor == INPUT_ID else 1], point)


def _receive_requants(
    receiver: Receiver, program: Program, leaf: LeafClaims
) -> tuple[list[int], list[Claim]]:
    order = biased(program)
    biases = [0] * len(program.requants)
    claims = []
    if order:
        for k, value in zip(order, receiver.receive_scalars(TAG_DIRECT, len(order)), strict=True):
            entry = program.requants[k]
            biases[k] = value
            claims.append(Claim(entry.bias_tensor, bias_point(entry, leaf.zeta), value))
    values = [
        requant_value(entry, leaf.values, leaf.zeta, bias)
        for entry, bias in zip(program.requants, biases, strict=True)
    ]
    return values, claims


def _verify_contractions(
    receiver: Receiver,
    program: Program,
    zeta: Sequence[int],
    values: Sequence[int],
    public_value: _PublicValues,
) -> list[Claim]:
    nu = receiver.challenge()
    start = contraction_claim(program, values, nu, program.rounds)
    r_c, claim = verify_products(receiver, TAG_CONTRACT_ROUND, start, program.rounds)
    sent = sent_operands(program)
    received = iter(receiver.receive_scalars(TAG_CONTRACT_FINAL, len(sent)) if sent else [])
    claims: list[Claim] = []

    def factor(operand: Operand) -> int:
        point = operand_point(operand, zeta, r_c)
        if program.tensors[operand.tensor].is_public:
            return public_value(operand.tensor, point)
        claims.append(Claim(operand.tensor, point, next(received)))
        return claims[-1].value

    total = sum(
        coefficient(program, k, instance, nu) * factor(instance.a) * factor(instance.b)
        for k, instance in enumerate(program.instances)
    )
    if total % R != claim:
        raise ProofError("contraction: sum-check does not end in the sent values")
    return claims
