"""The whole verifier, in the order of FORMAT.md 7: the oracle for Rust and Solidity."""

from __future__ import annotations

from collections.abc import Sequence

from offchain.errors import ProofError
from offchain.prove.program import (
    FUNCTION_FACTOR,
    NONE,
    Form,
    Instance,
    Lookup,
    Opening,
    Origin,
    Residual,
    SlotKind,
    Source,
)
from offchain.prove.program_bytes import hash_program
from offchain.prove.reference import hyperkzg, mercury
from offchain.prove.reference.claims import Claim, chunk_weights, collect_claims
from offchain.prove.reference.columns import Witness, evaluate_axis, one_hot
from offchain.prove.reference.curve import combine, decode
from offchain.prove.reference.field import R, eq, evaluate, suffix
from offchain.prove.reference.logup import (
    block_values,
    check_inverses,
    check_leaves,
    verify_inverses,
    verify_layers,
)
from offchain.prove.reference.points import (
    Challenges,
    build_point,
    cut,
    evaluate_expression,
    evaluate_function,
    segment_point,
)
from offchain.prove.reference.public import (
    boundary_digests,
    elements,
    padded_elements,
    split_inputs,
    verify_range,
)
from offchain.prove.reference.sumcheck import verify_eq, verify_plain
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
    Receiver,
)
from offchain.prove.statement import FORMAT, MODE_PUBLIC, Statement
from offchain.prove.verification_key import POINT_BYTES, VerificationKey


def verify_statement(
    key: VerificationKey, statement: Statement, public_in: bytes, public_out: bytes, proof: bytes
) -> None:
    """Raise ProofError unless the statement names this key and these public tensors.

    The proof is read for the commitments of committed inputs and outputs alone.
    """
    program = key.program
    sent = [
        proof[k : k + POINT_BYTES]
        for k in range(0, POINT_BYTES * program.proof_chunks, POINT_BYTES)
    ]
    in_digest, out_digest = boundary_digests(
        program, public_in, public_out, [*key.commitments, *sent]
    )
    expected = {
        "format": FORMAT,
        "mode": MODE_PUBLIC,
        "shard": 0,
        "program_hash": hash_program(program),
        "srs_id": key.srs_id,
        "op_range": program.op_count,
        "in_digest": in_digest,
        "out_digest": out_digest,
    }
    for name, value in expected.items():
        if getattr(statement, name) != value:
            raise ProofError(f"statement: {name} does not match")


def verify(
    key: VerificationKey,
    tau_g2: bytes,
    statement_hash: bytes,
    public_in: bytes,
    public_out: bytes,
    proof: bytes,
) -> None:
    """Raise ProofError unless `proof` shows that the model maps `public_in` to `public_out`."""
    Verifier(key, tau_g2, statement_hash, public_in, public_out, proof).run()


class Verifier:
    """One proof being checked; each check is a method."""

    def __init__(
        self,
        key: VerificationKey,
        tau_g2: bytes,
        statement_hash: bytes,
        public_in: bytes,
        public_out: bytes,
        proof: bytes,
    ) -> None:
        self.program = program = key.program
        self.tau_g2 = tau_g2
        self.read_public(public_in, public_out)
        output = program.output
        first = elements(output, public_out)[0] if output.form == Form.BYTES else 0
        self.challenges = Challenges(first)
        self.slots: dict[int, int] = {}
        self.relations: list[int] = []
        self.inverses: list[int] = []
        self.commitments = [decode(c) for c in key.commitments]
        self.receiver = Receiver(proof)
        self.receiver.absorb(TAG_STATEMENT, DOMAIN + statement_hash + key.hash())

    def read_public(self, public_in: bytes, public_out: bytes) -> None:
        """Check the public tensors' ranges and decode them."""
        program = self.program
        pieces = [*split_inputs(program, public_in), public_out]
        tensors: dict[int, Sequence[int]] = {}
        tokens: dict[int, Sequence[int]] = {}
        for spec, raw in zip((*program.inputs, program.output), pieces, strict=True):
            if spec.form == Form.BYTES:
                verify_range(spec, raw)
                tensors[spec.tensor] = padded_elements(spec, raw)
                tokens[spec.tensor] = elements(spec, raw)
        self.witness = Witness(program, tensors, tokens)

    def run(self) -> None:
        """Run all phases."""
        self.commitments += self.receiver.receive_points(TAG_COMMIT, self.program.proof_chunks)
        self.look_up()
        self.relate()
        self.multiply()
        self.contract()
        self.link()
        self.reduce_and_open(self.claims())
        self.receiver.finish()

    def look_up(self) -> None:
        """Check the lookups."""
        program, receiver = self.program, self.receiver
        beta, alpha = receiver.challenge(), receiver.challenge()
        if program.lookup == Lookup.GKR:
            zeta, cp, cq = verify_layers(receiver, program.lam)
            self.receive_leaves(zeta)
            numerators, denominators = self.block_values(beta, alpha)
            check_leaves(program, zeta, (cp, cq), numerators, denominators)
            return
        self.commitments += receiver.receive_points(TAG_LATE, program.late_chunks)
        zeta, claim, self.inverses, delta = verify_inverses(receiver, program)
        self.receive_leaves(zeta)
        numerators, denominators = self.block_values(beta, alpha)
        check_inverses(claim, delta, self.inverses, numerators, denominators)

    def receive_leaves(self, zeta: list[int]) -> None:
        """Fix zeta and receive the leaf slots."""
        self.challenges = self.challenges.with_vector(Source.ZETA, zeta)
        self.receive_slots(0, self.program.counts.leaf, TAG_LEAVES)

    def block_values(self, beta: int, alpha: int) -> tuple[list[int], list[int]]:
        """Return every block's numerator and denominator at its suffix of zeta."""
        used = {
            a.function for b in self.program.blocks for e in (b.numerator, *b.columns) for a in e
        }
        functions = self.functions_at(Source.ZETA, used)
        return block_values(self.program, self.slots, functions, beta, alpha)

    def functions_at(self, source: Source, indices: set[int]) -> dict[int, int]:
        """Return public functions' values at a phase's vector."""
        vector, output = self.challenges[source], self.challenges.output
        return {
            i: evaluate_function(self.program.functions[i], vector, output)
            for i in indices - {NONE}
        }

    def receive_slots(self, first: int, count: int, tag: int) -> None:
        """Receive or evaluate `count` slots from `first` on."""
        program = self.program
        indices = range(first, first + count)
        sent = [i for i in indices if not self.is_evaluated(i)]
        values = self.receiver.receive_scalars(tag, len(sent))
        self.slots.update(zip(sent, values, strict=True))
        for i in indices:
            slot = program.slots[i]
            if slot.kind == SlotKind.ONE_HOT:
                point = build_point(slot.point, self.challenges)
                self.slots[i] = one_hot(self.witness, slot.tensor, point)
            elif self.is_evaluated(i):
                point = build_point(slot.point, self.challenges)
                self.slots[i] = evaluate(self.witness.tensors[slot.tensor], point)

    def is_evaluated(self, index: int) -> bool:
        """Return whether the verifier computes a slot itself."""
        slot = self.program.slots[index]
        if slot.kind == SlotKind.TENSOR:
            return self.program.tensors[slot.tensor].is_public
        return slot.kind == SlotKind.ONE_HOT

    def relate(self) -> None:
        """Receive the direct slots and check the relations that leave no residual."""
        counts = self.program.counts
        self.receive_slots(counts.leaf, counts.direct, TAG_DIRECT)
        used = {a.function for r in self.program.relations for a in r.expression}
        functions = self.functions_at(Source.ZETA, used)
        for k, relation in enumerate(self.program.relations):
            value = evaluate_expression(relation.expression, self.slots, functions)
            if relation.residual == Residual.NONE and value:
                raise ProofError(f"relation {k} does not hold")
            self.relations.append(value)

    def multiply(self) -> None:
        """Check the product phase."""
        program, receiver, counts = self.program, self.receiver, self.program.counts
        if not program.terms:
            return
        mu = receiver.challenge()
        values = [
            v
            for r, v in zip(program.relations, self.relations, strict=True)
            if r.residual == Residual.PRODUCT
        ]
        start = sum(pow(mu, k, R) * v for k, v in enumerate(values)) % R
        z = suffix(self.challenges[Source.ZETA], program.product_rounds)
        r_p, claim = verify_eq(receiver, TAG_PRODUCT_ROUND, z, start)
        self.challenges = self.challenges.with_vector(Source.PRODUCT, r_p)
        self.receive_slots(counts.leaf + counts.direct, counts.product, TAG_PRODUCT)
        if claim != self.product_value(mu):
            raise ProofError("product: sum-check does not end in the sent values")

    def product_value(self, mu: int) -> int:
        """Return the combination of all product terms at r_P."""
        program = self.program
        factors = {f for t in program.terms for m in t.monomials for f in m.factors}
        used = {f & ~FUNCTION_FACTOR for f in factors if f & FUNCTION_FACTOR}
        functions = self.functions_at(Source.PRODUCT, used)
        total = 0
        for k, term in enumerate(program.terms):
            value = 0
            for monomial in term.monomials:
                product = monomial.coefficient.value
                for f in monomial.factors:
                    is_function = f & FUNCTION_FACTOR
                    product *= functions[f & ~FUNCTION_FACTOR] if is_function else self.slots[f]
                value += product
            total += pow(mu, k, R) * value
        return total % R

    def contract(self) -> None:
        """Check the contraction phase."""
        program, receiver, counts = self.program, self.receiver, self.program.counts
        if not program.instances:
            return
        nu, rounds = receiver.challenge(), program.contraction_rounds
        start = 0
        for k, instance in enumerate(program.instances):
            values = self.slots if instance.origin == Origin.SLOT else self.relations
            waiting = rounds - instance.variables
            start += pow(nu, k, R) * (values[instance.index] << waiting)
        r_c, claim = verify_plain(receiver, TAG_CONTRACT_ROUND, start % R, rounds, program.degree)
        self.challenges = self.challenges.with_vector(Source.CONTRACTION, r_c)
        first = counts.leaf + counts.direct + counts.product
        self.receive_slots(first, counts.contraction, TAG_CONTRACT)
        total = sum(
            pow(nu, k, R) * self.instance_value(instance)
            for k, instance in enumerate(program.instances)
        )
        if claim != total % R:
            raise ProofError("contraction: sum-check does not end in the sent values")

    def instance_value(self, instance: Instance) -> int:
        """Return coefficient * E A B at r_C."""
        r_c = self.challenges[Source.CONTRACTION]
        value = instance.coefficient.value * self.slots[instance.a] * self.slots[instance.b] % R
        if instance.function != NONE:
            functions = self.functions_at(Source.CONTRACTION, {instance.function})
            value = value * functions[instance.function] % R
        for tie in instance.ties:
            bound = segment_point(tie.segment, self.challenges)
            value = value * eq(bound, cut(r_c, tie.end, tie.segment.length)) % R
        return value

    def link(self) -> None:
        """Check the link phase."""
        program, receiver, counts = self.program, self.receiver, self.program.counts
        if not program.links:
            return
        omega, rounds = receiver.challenge(), program.link_rounds
        start = 0
        for k, link in enumerate(program.links):
            waiting = rounds - link.height.log_in - link.width.log_in
            start += pow(omega, k, R) * (self.slots[link.window] << waiting)
        r_l, claim = verify_plain(receiver, TAG_LINK_ROUND, start % R, rounds)
        self.challenges = self.challenges.with_vector(Source.LINK, r_l)
        self.receive_slots(counts.total - counts.link, counts.link, TAG_LINK)
        total = 0
        for k, link in enumerate(program.links):
            width = link.width.log_in
            value = evaluate_axis(link.height, self.challenges, cut(r_l, width, link.height.log_in))
            value *= evaluate_axis(link.width, self.challenges, cut(r_l, 0, width))
            total += pow(omega, k, R) * value * self.slots[link.tensor]
        if claim != total % R:
            raise ProofError("link: sum-check does not end in the sent values")

    def claims(self) -> list[Claim]:
        """Return the claims that are left."""
        zeta = self.challenges[Source.ZETA]
        return collect_claims(
            self.program, self.challenges, self.slots, self.relations, self.inverses, zeta
        )

    def reduce_and_open(self, claims: Sequence[Claim]) -> None:
        """Reduce all claims to one and check its opening."""
        program = self.program
        eta = self.receiver.challenge()
        start = sum(pow(eta, j, R) * c.value for j, c in enumerate(claims)) % R
        point, value = verify_plain(self.receiver, TAG_REDUCE_ROUND, start, program.c)
        combined = combine(self.commitments, chunk_weights(program, claims, eta, point))
        scheme = hyperkzg if program.opening == Opening.HYPERKZG else mercury
        scheme.verify_opening(self.receiver, combined, point, value, self.tau_g2)
