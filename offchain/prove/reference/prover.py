"""The whole prover, in the order of FORMAT.md 7.

It follows the protocol without judging the witness: a witness that violates a relation gives a
complete proof that every verifier refuses. Each phase is a method that a cheating prover overrides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from offchain.prove.program import (
    FUNCTION_FACTOR,
    NONE,
    Expression,
    Lookup,
    Opening,
    Origin,
    Program,
    Residual,
    SlotKind,
    Source,
    TensorKind,
)
from offchain.prove.reference import hyperkzg, mercury
from offchain.prove.reference.claims import Claim, chunk_weights, collect_claims, lay_out
from offchain.prove.reference.columns import (
    Witness,
    column,
    contraction_columns,
    function_column,
    link_columns,
    slot_value,
)
from offchain.prove.reference.curve import Point, combine
from offchain.prove.reference.field import R, eq_table, inverse, suffix
from offchain.prove.reference.logup import (
    leaf_layer,
    prove_inverses,
    prove_layers,
    tree,
)
from offchain.prove.reference.points import (
    Challenges,
    evaluate_expression,
    evaluate_function,
)
from offchain.prove.reference.sumcheck import Sum, prove_eq, prove_plain
from offchain.prove.reference.transcript import (
    DOMAIN,
    TAG_COMMIT,
    TAG_CONTRACT,
    TAG_CONTRACT_ROUND,
    TAG_DIRECT,
    TAG_LATE,
    TAG_LEAVES,
    TAG_LINK,
    TAG_LINK_ROUND,
    TAG_PRODUCT,
    TAG_PRODUCT_ROUND,
    TAG_REDUCE_ROUND,
    TAG_STATEMENT,
    Sender,
)
from offchain.prove.verification_key import VerificationKey

Tensors = Mapping[int, Sequence[int]]


def prove(
    key: VerificationKey,
    srs: Sequence[Point],
    statement_hash: bytes,
    tensors: Tensors,
    tokens: Mapping[int, Sequence[int]] | None = None,
) -> bytes:
    """Return the proof.

    `tensors` holds every tensor but late ones, padded and flat, by id; `tokens` the unpadded
    elements of the inputs that one-hot slots read.
    """
    return Prover(key, srs, statement_hash, tensors, tokens).run()


def expand(
    program: Program,
    expression: Expression,
    n: int,
    slots: Mapping[int, Sequence[int]],
    output: int,
) -> list[int]:
    """Return an expression's values over a block of 2^n cells, slots given as columns."""
    total = [0] * (1 << n)
    for atom in expression:
        values = [atom.coefficient.value] * (1 << n)
        if atom.slot != NONE:
            values = [v * s % R for v, s in zip(values, slots[atom.slot], strict=True)]
        if atom.function != NONE:
            table = function_column(program.functions[atom.function], program.lam, n, output)
            values = [v * f % R for v, f in zip(values, table, strict=True)]
        total = [(t + v) % R for t, v in zip(total, values, strict=True)]
    return total


class Prover:
    """One proof in the making."""

    def __init__(
        self,
        key: VerificationKey,
        srs: Sequence[Point],
        statement_hash: bytes,
        tensors: Tensors,
        tokens: Mapping[int, Sequence[int]] | None = None,
    ) -> None:
        self.program = key.program
        self.srs = srs
        self.tensors: dict[int, Sequence[int]] = dict(tensors)
        self.witness = Witness(self.program, self.tensors, tokens or {})
        output = self.tensors[self.program.output.tensor][0]
        self.challenges = Challenges(output)
        self.slots: dict[int, int] = {}
        self.relations: list[int] = []
        self.inverses: list[int] = []
        self.sender = Sender()
        self.sender.absorb(TAG_STATEMENT, DOMAIN + statement_hash + key.hash())

    def run(self) -> bytes:
        """Run all phases and return the proof."""
        self.commit(TensorKind.PROOF, TAG_COMMIT)
        self.look_up()
        self.relate()
        self.multiply()
        self.contract()
        self.link()
        self.open(self.reduce(self.claims()))
        return bytes(self.sender.proof)

    def commit(self, kind: TensorKind, tag: int) -> None:
        """Send the commitments of the chunks of one kind."""
        program = self.program
        first, count = program.fixed_chunks, program.proof_chunks
        if kind == TensorKind.LATE:
            first, count = first + count, program.late_chunks
        chunks = self.chunks()[first : first + count]
        self.sender.send_points(tag, [combine(self.srs, chunk) for chunk in chunks])

    def chunks(self) -> list[list[int]]:
        """Return all chunks, 2^c values each; cells outside tensors are 0."""
        size = 1 << self.program.c
        flat = [[0] * size for _ in range(self.program.chunks)]
        for index, tensor in enumerate(self.program.tensors):
            if tensor.is_public or index not in self.tensors:
                continue
            values = [v % R for v in self.tensors[index]]
            start = (tensor.addr << tensor.n) if tensor.n < self.program.c else 0
            for k in range(0, len(values), size):
                piece = values[k : k + size]
                flat[tensor.chunk + k // size][start : start + len(piece)] = piece
        return flat

    def look_up(self) -> None:
        """Prove the lookups and send the leaf slots."""
        beta, alpha = self.sender.challenge(), self.sender.challenge()
        numerators, denominators = self.block_columns(beta, alpha)
        if self.program.lookup == Lookup.GKR:
            layers = tree(leaf_layer(self.program, numerators, denominators))
            zeta = prove_layers(self.sender, layers)
        else:
            zeta = self.prove_inverses(numerators, denominators)
        self.challenges = self.challenges.with_vector(Source.ZETA, zeta)
        self.send_slots(0, self.program.counts.leaf, TAG_LEAVES)

    def block_columns(self, beta: int, alpha: int) -> tuple[list[list[int]], list[list[int]]]:
        """Return every block's numerators and denominators, cell by cell."""
        program, output = self.program, self.challenges.output
        numerators, denominators = [], []
        for block in program.blocks:
            ids = {a.slot for e in (block.numerator, *block.columns) for a in e} - {NONE}
            slots = {
                i: column(self.witness, i, Source.ZETA, program.lam, block.n, self.challenges)
                for i in ids
            }
            columns = [expand(program, e, block.n, slots, output) for e in block.columns]
            mix = [pow(alpha, 3, R) * block.table_id] * (1 << block.n)
            for k, values in enumerate(columns):
                mix = [m + pow(alpha, k, R) * v for m, v in zip(mix, values, strict=True)]
            numerators.append(expand(program, block.numerator, block.n, slots, output))
            denominators.append([(beta - m) % R for m in mix])
        return numerators, denominators

    def prove_inverses(
        self, numerators: Sequence[Sequence[int]], denominators: Sequence[Sequence[int]]
    ) -> list[int]:
        """Commit to num / den of every block and prove them; return zeta."""
        late = [i for i, t in enumerate(self.program.tensors) if t.kind == TensorKind.LATE]
        columns = [
            [p * inverse(q) % R for p, q in zip(ps, qs, strict=True)]
            for ps, qs in zip(numerators, denominators, strict=True)
        ]
        self.tensors.update(zip(late, columns, strict=True))
        self.commit(TensorKind.LATE, TAG_LATE)
        zeta = prove_inverses(self.sender, numerators, denominators, columns, self.program.lam)
        self.inverses = self.last_scalars(len(late))
        return zeta

    def last_scalars(self, count: int) -> list[int]:
        """Return the last scalars that were sent."""
        tail = self.sender.proof[len(self.sender.proof) - 32 * count :]
        return [int.from_bytes(tail[k : k + 32], "big") for k in range(0, len(tail), 32)]

    def send_slots(self, first: int, count: int, tag: int) -> None:
        """Compute `count` slots from `first` on and send those that are sent."""
        sent = []
        for index in range(first, first + count):
            slot = self.program.slots[index]
            self.slots[index] = slot_value(self.witness, index, self.challenges)
            is_public = slot.kind == SlotKind.TENSOR and self.program.tensors[slot.tensor].is_public
            if not is_public and slot.kind != SlotKind.ONE_HOT:
                sent.append(self.slots[index])
        self.sender.send_scalars(tag, sent)

    def relate(self) -> None:
        """Send the direct slots and compute every relation's expression."""
        counts = self.program.counts
        self.send_slots(counts.leaf, counts.direct, TAG_DIRECT)
        zeta, output = self.challenges[Source.ZETA], self.challenges.output
        used = {a.function for r in self.program.relations for a in r.expression} - {NONE}
        functions = {i: evaluate_function(self.program.functions[i], zeta, output) for i in used}
        self.relations = [
            evaluate_expression(r.expression, self.slots, functions) for r in self.program.relations
        ]

    def multiply(self) -> None:
        """Run the product phase and send its slots."""
        program = self.program
        if not program.terms:
            return
        mu = self.sender.challenge()
        claims = [
            v
            for r, v in zip(program.relations, self.relations, strict=True)
            if r.residual == Residual.PRODUCT
        ]
        sums = []
        for k, (term, claim) in enumerate(zip(program.terms, claims, strict=True)):
            names = sorted({f for m in term.monomials for f in m.factors})
            columns = [self.product_column(name, term.n) for name in names]
            monomials = [
                (m.coefficient.value, tuple(names.index(f) for f in m.factors))
                for m in term.monomials
            ]
            sums.append(Sum(pow(mu, k, R), claim, term.n, columns, monomials))
        z = suffix(self.challenges[Source.ZETA], program.product_rounds)
        r_p = prove_eq(self.sender, TAG_PRODUCT_ROUND, sums, z)
        self.challenges = self.challenges.with_vector(Source.PRODUCT, r_p)
        counts = program.counts
        self.send_slots(counts.leaf + counts.direct, counts.product, TAG_PRODUCT)

    def product_column(self, factor: int, n: int) -> list[int]:
        """Return a factor of a product term over its 2^n cells."""
        program, rounds = self.program, self.program.product_rounds
        if factor & FUNCTION_FACTOR:
            function = program.functions[factor & ~FUNCTION_FACTOR]
            return function_column(function, rounds, n, self.challenges.output)
        return column(self.witness, factor, Source.PRODUCT, rounds, n, self.challenges)

    def contract(self) -> None:
        """Run the contraction phase and send its slots."""
        program, counts = self.program, self.program.counts
        if not program.instances:
            return
        nu = self.sender.challenge()
        sums = []
        for k, instance in enumerate(program.instances):
            values = self.slots if instance.origin == Origin.SLOT else self.relations
            columns = contraction_columns(self.witness, instance, self.challenges)
            monomial = (instance.coefficient.value, tuple(range(len(columns))))
            sums.append(
                Sum(pow(nu, k, R), values[instance.index], instance.variables, columns, [monomial])
            )
        r_c = prove_plain(
            self.sender, TAG_CONTRACT_ROUND, sums, program.contraction_rounds, program.degree
        )
        self.challenges = self.challenges.with_vector(Source.CONTRACTION, r_c)
        first = counts.leaf + counts.direct + counts.product
        self.send_slots(first, counts.contraction, TAG_CONTRACT)

    def link(self) -> None:
        """Run the link phase and send its slots."""
        program, counts = self.program, self.program.counts
        if not program.links:
            return
        omega = self.sender.challenge()
        sums = []
        for k, link in enumerate(program.links):
            columns = list(link_columns(self.witness, link, self.challenges))
            variables = link.height.log_in + link.width.log_in
            claim = self.slots[link.window]
            sums.append(Sum(pow(omega, k, R), claim, variables, columns, [(1, (0, 1))]))
        r_l = prove_plain(self.sender, TAG_LINK_ROUND, sums, program.link_rounds)
        self.challenges = self.challenges.with_vector(Source.LINK, r_l)
        self.send_slots(counts.total - counts.link, counts.link, TAG_LINK)

    def claims(self) -> list[Claim]:
        """Return the claims that are left."""
        zeta = self.challenges[Source.ZETA]
        return collect_claims(
            self.program, self.challenges, self.slots, self.relations, self.inverses, zeta
        )

    def reduce(self, claims: Sequence[Claim]) -> tuple[list[int], list[int]]:
        """Run the claim reduction; return its point and kappa."""
        eta = self.sender.challenge()
        chunks, size = self.chunks(), 1 << self.program.c
        sums = []
        for power, claim in enumerate(claims):
            columns: list[list[int]] = []
            for term in claim.terms:
                entries = lay_out(self.program, term)
                combined = [0] * size
                for chunk, weight, _ in entries:
                    combined = [
                        (v + weight * x) % R for v, x in zip(combined, chunks[chunk], strict=True)
                    ]
                columns += [eq_table(entries[0][2]), combined]
            monomials: list[tuple[int, tuple[int, ...]]] = [
                (1, (k, k + 1)) for k in range(0, len(columns), 2)
            ]
            sums.append(Sum(pow(eta, power, R), claim.value, self.program.c, columns, monomials))
        point = prove_plain(self.sender, TAG_REDUCE_ROUND, sums, self.program.c)
        return point, chunk_weights(self.program, claims, eta, point)

    def open(self, reduced: tuple[list[int], list[int]]) -> None:
        """Open the combination of all chunks."""
        point, kappa = reduced
        combined = [0] * (1 << self.program.c)
        for weight, chunk in zip(kappa, self.chunks(), strict=True):
            if weight:
                combined = [(v + weight * x) % R for v, x in zip(combined, chunk, strict=True)]
        scheme = hyperkzg if self.program.opening == Opening.HYPERKZG else mercury
        scheme.prove_opening(self.sender, self.srs, combined, point)
