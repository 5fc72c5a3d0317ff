"""Algorithm 1 with a logarithmic response: the vector z is folded instead of sent.

After (4) and the challenge e, the prover sends zeta and shows that it knows z with
P = sum z_i g_i + <L, z> x U for the public P = A + e C - zeta h + (t + e v) x U. Each round halves
z = (z_lo, z_hi), and with it g and L:

    sent:   left = <z_lo, g_hi> + <z_lo, L_hi> x U,  right = <z_hi, g_lo> + <z_hi, L_lo> x U
    folded: z <- z_lo + c z_hi,  g <- c g_lo + g_hi,  L <- c L_lo + L_hi
            P <- left + c P + c^2 right
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from offchain.errors import ProofError, RangeError
from offchain.prove.paper.conversation import Draw, ProverEnd, VerifierEnd
from offchain.prove.paper.opening import Opening, SigmaProver, Statement
from offchain.prove.paper.pedersen import H, U, generators
from offchain.prove.reference.curve import Point, add, combine, encode, scale
from offchain.prove.reference.field import R, inverse


def count_rounds(statement: Statement) -> int:
    """Return log2 of the size; raise RangeError unless it is a power of two."""
    if statement.size < 1 or statement.size & (statement.size - 1):
        raise RangeError(f"only powers of two can be folded, not {statement.size} values")
    return statement.size.bit_length() - 1


def prove_folded(end: ProverEnd, statement: Statement, opening: Opening, draw: Draw) -> None:
    """Run Algorithm 1 with 2 log2(size) points and three scalars; size is a power of two."""
    rounds = count_rounds(statement)
    end.bind("folded opening", statement.to_bytes())
    prover = SigmaProver(statement, opening, draw)
    end.send_points([prover.first.commitment])
    end.send_scalars([prover.first.value])
    response = prover.respond(end.challenge())
    end.send_scalars([response.blinding])
    z, g, form, u = list(response.values), generators(statement.size), _form(statement), _u(end)
    for _ in range(rounds):
        half = len(z) // 2
        end.send_points(
            combine([*g[there], u], [*z[here], _dot(z[here], form[there])])
            for here, there in (
                (slice(half), slice(half, None)),
                (slice(half, None), slice(half)),
            )
        )
        c = end.challenge()
        z = [(lo + c * hi) % R for lo, hi in zip(z[:half], z[half:], strict=True)]
        g, form = _fold_basis(g, form, c)
    end.send_scalars(z)


def verify_folded(end: VerifierEnd, statement: Statement) -> int:
    """Return the folded response; raise ProofError unless the conversation is accepted."""
    rounds = count_rounds(statement)
    end.bind("folded opening", statement.to_bytes())
    (first,) = end.receive_points(1)
    (first_value,) = end.receive_scalars(1)
    e = end.challenge()
    (blinding,) = end.receive_scalars(1)
    g, form, u = generators(statement.size), _form(statement), _u(end)
    value = first_value + e * statement.value
    p = combine([first, statement.commitment, H, u], [1, e, -blinding, value])
    for _ in range(rounds):
        left, right = end.receive_points(2)
        c = end.challenge()
        p = combine([left, p, right], [1, c, c * c])
        g, form = _fold_basis(g, form, c)
    (z,) = end.receive_scalars(1)
    if encode(combine([*g, u], [z, z * form[0]])) != encode(p):
        raise ProofError("the folded response does not open the folded commitment")
    return z


def extract_folded(answer: Callable[[Sequence[int]], int], rounds: int, draw: Draw) -> list[int]:
    """Return z from a prover that can be rewound: three challenges for each round, a tree of runs.

    `answer(challenges)` is the last message of an accepting run with these round challenges and
    everything before them fixed. 3^rounds runs.
    """
    if not rounds:
        return [answer([])]
    c = [draw() for _ in range(3)]

    def extract_below(challenge: int) -> list[int]:
        return extract_folded(lambda rest: answer([challenge, *rest]), rounds - 1, draw)

    leaves = [extract_below(challenge) for challenge in c]
    # Weights that keep P of left + c P + c^2 right: sum w (1, c, c^2) = (0, 1, 0).
    w = [
        -(c[j] + c[k]) * inverse((c[i] - c[j]) * (c[i] - c[k])) % R
        for i, j, k in ((0, 1, 2), (1, 0, 2), (2, 0, 1))
    ]
    lower = [_dot([a * b for a, b in zip(w, c, strict=True)], z) for z in zip(*leaves, strict=True)]
    return lower + [_dot(w, z) for z in zip(*leaves, strict=True)]


def _form(statement: Statement) -> list[int]:
    return list(statement.form) or [0] * statement.size


def _u(end: ProverEnd | VerifierEnd) -> Point:
    return scale(U, end.challenge())


def _dot(a: Sequence[int], b: Sequence[int]) -> int:
    return sum(x * y for x, y in zip(a, b, strict=True)) % R


def _fold_basis(g: Sequence[Point], form: Sequence[int], c: int) -> tuple[list[Point], list[int]]:
    half = len(g) // 2
    points = [add(scale(lo, c), hi) for lo, hi in zip(g[:half], g[half:], strict=True)]
    return points, [(c * lo + hi) % R for lo, hi in zip(form[:half], form[half:], strict=True)]
