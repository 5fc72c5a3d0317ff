"""Algorithm 1: knowledge of an opening, a Sigma protocol, and its extractor, equations (4)-(7).

Statement: C commits to a vector S of a given length with <L, S> = v for a public form L. Without a
form this is plain knowledge of an opening; with one it is what evaluations need (evaluation.py).

    (4)  the prover sends     A = com(a; alpha), t = <L, a>     for random a, alpha
    (5)  and answers e with   z = a + e S, zeta = alpha + e rho
    (6)  the verifier checks  com(z; zeta) = A + e C  and  <L, z> = t + e v
    (7)  from two answers     S = (z - z') / (e - e'), rho = (zeta - zeta') / (e - e')
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from offchain.errors import ProofError
from offchain.prove.paper.conversation import Draw, ProverEnd, VerifierEnd
from offchain.prove.paper.pedersen import commit
from offchain.prove.reference.curve import Point, add, encode, negate, scale
from offchain.prove.reference.field import R, inverse


@dataclass(frozen=True)
class Statement:
    """`commitment` opens to `size` values whose inner product with `form` is `value`."""

    commitment: Point
    size: int
    form: tuple[int, ...] = ()  # empty: nothing is claimed of the values
    value: int = 0

    def apply_form(self, values: Sequence[int]) -> int:
        """Return <form, values>; 0 without a form."""
        return sum(c * s for c, s in zip(self.form, values, strict=bool(self.form))) % R

    def to_bytes(self) -> bytes:
        """Return what both ends bind the conversation to."""
        numbers = (self.size, len(self.form), *self.form, self.value % R)
        return encode(self.commitment) + b"".join(n.to_bytes(32, "big") for n in numbers)


@dataclass(frozen=True)
class Opening:
    """A vector and its blinding: the witness, and also the shape of a response."""

    values: tuple[int, ...]
    blinding: int


@dataclass(frozen=True)
class FirstMessage:
    """(A, t) of equation (4)."""

    commitment: Point
    value: int


@dataclass(frozen=True)
class Conversation:
    """One run: first message, challenge e, response (z, zeta)."""

    first: FirstMessage
    challenge: int
    response: Opening


class SigmaProver:
    """Holds the coins of one first message, so that it can be rewound to just after it."""

    def __init__(self, statement: Statement, opening: Opening, draw: Draw) -> None:
        self._opening = opening
        self._mask = Opening(tuple(draw() for _ in range(statement.size)), draw())
        masked = commit(self._mask.values, self._mask.blinding)
        self.first = FirstMessage(masked, statement.apply_form(self._mask.values))

    def respond(self, challenge: int) -> Opening:
        """Return (z, zeta) of equation (5). WARNING: two answers give the witness away, by (7)."""
        pairs = zip(self._mask.values, self._opening.values, strict=True)
        values = tuple((a + challenge * s) % R for a, s in pairs)
        return Opening(values, (self._mask.blinding + challenge * self._opening.blinding) % R)


def verify(statement: Statement, conversation: Conversation) -> None:
    """Raise ProofError unless equation (6) holds."""
    first, e, response = conversation.first, conversation.challenge, conversation.response
    if len(response.values) != statement.size:
        raise ProofError(f"{statement.size} values expected, {len(response.values)} answered")
    expected = add(first.commitment, scale(statement.commitment, e))
    if encode(commit(response.values, response.blinding)) != encode(expected):
        raise ProofError("equation (6): the response does not open A + e C")
    if statement.apply_form(response.values) != (first.value + e * statement.value) % R:
        raise ProofError("equation (6): the response's linear form is not t + e v")


def extract(one: Conversation, other: Conversation) -> Opening:
    """Return the witness from two accepting runs with one first message, equation (7).

    Raises ProofError if the first messages differ or the challenges do not.
    """
    if encode(one.first.commitment) != encode(other.first.commitment):
        raise ProofError("the conversations begin differently: the prover was not rewound")
    if (one.challenge - other.challenge) % R == 0:
        raise ProofError("the challenges are equal: one equation does not give two unknowns")
    share = inverse(one.challenge - other.challenge)
    pairs = zip(one.response.values, other.response.values, strict=True)
    values = tuple((z - z_other) * share % R for z, z_other in pairs)
    return Opening(values, (one.response.blinding - other.response.blinding) * share % R)


def simulate(statement: Statement, challenge: int, draw: Draw) -> Conversation:
    """Return an accepting run without a witness: what a verifier who is honest sees tells nothing.

    The response is drawn first and the first message solved from equation (6).
    """
    response = Opening(tuple(draw() for _ in range(statement.size)), draw())
    shift = negate(scale(statement.commitment, challenge))
    commitment = add(commit(response.values, response.blinding), shift)
    value = (statement.apply_form(response.values) - challenge * statement.value) % R
    return Conversation(FirstMessage(commitment, value), challenge, response)


def prove_opening(end: ProverEnd, statement: Statement, opening: Opening, draw: Draw) -> None:
    """Run Algorithm 1 as the prover; the response has `statement.size` + 1 scalars."""
    end.bind("opening", statement.to_bytes())
    prover = SigmaProver(statement, opening, draw)
    end.send_points([prover.first.commitment])
    end.send_scalars([prover.first.value])
    response = prover.respond(end.challenge())
    end.send_scalars([*response.values, response.blinding])


def verify_opening(end: VerifierEnd, statement: Statement) -> Conversation:
    """Return the conversation that was accepted; raise ProofError otherwise."""
    end.bind("opening", statement.to_bytes())
    (commitment,) = end.receive_points(1)
    (value,) = end.receive_scalars(1)
    challenge = end.challenge()
    *values, blinding = end.receive_scalars(statement.size + 1)
    first = FirstMessage(commitment, value)
    conversation = Conversation(first, challenge, Opening(tuple(values), blinding))
    verify(statement, conversation)
    return conversation
