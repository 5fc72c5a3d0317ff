"""A prover whose every step can be replaced, for those who do not follow the protocol."""

from __future__ import annotations

import copy
from collections.abc import Sequence

from offchain.prove.program import VerificationKey
from offchain.prove.reference.claims import (
    Claim,
    chunk_weights,
    coefficient,
    contraction_claim,
    lay_out,
    operand_point,
    outer_point,
)
from offchain.prove.reference.curve import combine
from offchain.prove.reference.field import R, eq_table, fold, inverse
from offchain.prove.reference.hyperkzg import prove_opening
from offchain.prove.reference.logup import (
    Layer,
    LeafClaims,
    leaves,
    prove_layers,
    send_leaf_values,
    tree,
)
from offchain.prove.reference.prover import lay_out_chunks, prove_requants
from offchain.prove.reference.srs import insecure_srs
from offchain.prove.reference.sumcheck import Product
from offchain.prove.reference.transcript import (
    DOMAIN,
    TAG_COMMIT,
    TAG_CONTRACT_FINAL,
    TAG_CONTRACT_ROUND,
    TAG_REDUCE_ROUND,
    TAG_ROOT,
    TAG_STATEMENT,
    Sender,
)

Tensors = dict[int, list[int]]


class Cheater:
    """Follows the protocol on whatever tensors it is given; subclasses replace steps."""

    bends: tuple[int, ...] = ()  # tags of the rounds whose first message is bent to a false claim

    def __init__(self, key: VerificationKey, tensors: Tensors) -> None:
        self.key, self.program, self.tensors = key, key.program, tensors
        self.sender = Sender()
        self.srs = insecure_srs(self.program.c)

    def prove(self, statement_hash: bytes) -> bytes:
        """Return the proof bytes."""
        self.sender.absorb(TAG_STATEMENT, DOMAIN + statement_hash + self.key.hash())
        self.prepare()
        self.chunks = lay_out_chunks(self.program, self.tensors)
        proof_chunks = self.chunks[self.program.fixed_chunks :]
        self.sender.send_points(TAG_COMMIT, [combine(self.srs, chunk) for chunk in proof_chunks])
        beta, alpha = self.sender.challenge(), self.sender.challenge()
        leaf = self.prove_lookups(beta, alpha)
        claims = [
            Claim(i, leaf.zeta[self.program.lam - self.program.tensors[i].n :], leaf.values[i])
            for i in leaf.sent
        ]
        values, bias_claims = self.prove_requants(leaf)
        claims += bias_claims
        claims += self.prove_contractions(leaf.zeta, values, len(claims))
        point, kappa, value = self.reduce(claims)
        combined = [
            sum(k * chunk[i] for k, chunk in zip(kappa, self.chunks, strict=True)) % R
            for i in range(1 << self.program.c)
        ]
        self.open(combined, point, value)
        return bytes(self.sender.proof)

    def foresee(self, tag: int, draws: int = 1) -> int:
        """Return a challenge that follows a message, for a transcript that leaves it out."""
        ahead = copy.deepcopy(self.sender)
        ahead.absorb(tag, b"")
        return [ahead.challenge() for _ in range(draws)][-1]

    # ---------------------------------------------------------------- steps to replace

    def prepare(self) -> None:
        """Change the tensors before they are committed."""

    def prove_lookups(self, beta: int, alpha: int) -> LeafClaims:
        """Run LogUp."""
        layers = tree(*leaves(self.program, self.tensors, beta, alpha))
        self.sender.send_scalars(TAG_ROOT, self.root(layers))
        return self.send_leaves(self.prove_layers(layers))

    def root(self, layers: Sequence[Layer]) -> tuple[int, int]:
        """Return the root that is sent."""
        (p,), (q,) = layers[0]
        return p, q

    def prove_layers(self, layers: Sequence[Layer]) -> list[int]:
        """Send everything between the root and the leaves."""
        return prove_layers(self.sender, layers)

    def send_leaves(self, zeta: list[int]) -> LeafClaims:
        """Send the values of the leaf columns."""
        return send_leaf_values(self.sender, self.program, self.tensors, zeta)

    def prove_requants(self, leaf: LeafClaims) -> tuple[list[int], list[Claim]]:
        """Send the biases' values."""
        return prove_requants(self.sender, self.program, self.tensors, leaf)

    def operands(self, claims: list[Claim], missing: int, nu: int, filed: int) -> list[Claim]:
        """Return the committed operands' claims; their products fall short by `missing`."""
        return claims

    def open(self, polynomial: Sequence[int], point: Sequence[int], value: int) -> None:
        """Open the combined chunk; the verifier expects `value`."""
        prove_opening(self.sender, self.srs, polynomial, point)

    # ---------------------------------------------------------------- what they share

    def prove_contractions(
        self, zeta: Sequence[int], values: Sequence[int], filed: int
    ) -> list[Claim]:
        """Run the contractions on the real operands, whatever the claims `values` say."""
        program, nu = self.program, self.sender.challenge()
        products = [
            Product(
                coefficient(program, k, i, nu),
                0,
                bind(self.tensors[i.a.tensor], outer_point(i.a, zeta)),
                bind(self.tensors[i.b.tensor], outer_point(i.b, zeta)),
            )
            for k, i in enumerate(program.instances)
        ]
        claim = contraction_claim(program, values, nu, program.rounds)
        point, claim = self.prove_products(TAG_CONTRACT_ROUND, products, program.rounds, claim)
        total = sum(p.coefficient * p.a[0] * p.b[0] for p in products)
        claims = [
            Claim(operand.tensor, operand_point(operand, zeta, point), value)
            for i, p in zip(program.instances, products, strict=True)
            for operand, (value,) in ((i.a, p.a), (i.b, p.b))
            if not program.tensors[operand.tensor].is_public
        ]
        self.products = products
        claims = self.operands(claims, (claim - total) % R, nu, filed)
        if claims:
            self.sender.send_scalars(TAG_CONTRACT_FINAL, [c.value for c in claims])
        return claims

    def reduce(self, claims: Sequence[Claim]) -> tuple[list[int], list[int], int]:
        """Run the claim reduction on the real chunks; return point, kappa, the verifier's value."""
        eta = self.sender.challenge()
        products = []
        for j, claim in enumerate(claims):
            combined = [0] * (1 << self.program.c)
            entries = lay_out(self.program, claim)
            for chunk, weight, _ in entries:
                combined = [
                    a + weight * b for a, b in zip(combined, self.chunks[chunk], strict=True)
                ]
            products.append(Product(pow(eta, j, R), 0, eq_table(entries[0][2]), combined))
        batch = sum(pow(eta, j, R) * claim.value for j, claim in enumerate(claims)) % R
        point, value = self.prove_products(TAG_REDUCE_ROUND, products, self.program.c, batch)
        return point, chunk_weights(self.program, claims, eta, point), value

    def prove_products(
        self, tag: int, products: Sequence[Product], rounds: int, claim: int
    ) -> tuple[list[int], int]:
        """Run a plain batch on the real sums; return the point and the verifier's last claim.

        With `tag` among `bends` the first message is bent such that the claim, false so far, is
        true from there on if the round's challenge is the foreseen one.
        """
        point: list[int] = []
        for i in range(rounds):
            c_0 = c_1 = c_2 = 0
            for p in products:
                if p.variables < rounds - i:
                    real = sum(a * b for a, b in zip(p.a, p.b, strict=True))
                    c_0 += p.coefficient * real << (rounds - 1 - i - p.variables)
                    continue
                half = len(p.a) // 2
                for k in range(half):
                    a, b, c, d = p.a[k], p.b[k], p.a[k + half] - p.a[k], p.b[k + half] - p.b[k]
                    c_0 += p.coefficient * a * b
                    c_1 += p.coefficient * (a * d + b * c)
                    c_2 += p.coefficient * c * d
            if i == 0 and tag in self.bends:
                excess, foreseen = claim - 2 * c_0 - c_1 - c_2, self.foresee(tag)
                c_0 -= excess * foreseen * inverse(1 - 2 * foreseen)
            self.sender.send_scalars(tag, (c_0, c_2))
            r = self.sender.challenge()
            c_1 = claim - 2 * c_0 - c_2
            claim = (c_0 + r * (c_1 + r * c_2)) % R
            for p in products:
                if p.variables == rounds - i:
                    p.a, p.b = fold(p.a, r), fold(p.b, r)
            point.append(r)
        return point, claim


def bind(values: Sequence[int], point: Sequence[int]) -> list[int]:
    """Fix a tensor's leading coordinates."""
    current = [v % R for v in values]
    for r in point:
        current = fold(current, r)
    return current
