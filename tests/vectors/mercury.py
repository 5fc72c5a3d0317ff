"""Vectors of both openings: honest ones, and forgeries of Mercury's (OPENINGS.md)."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any, Final

from eth_hash.auto import keccak

from offchain.prove.reference.curve import G1, INFINITY, Point, add, decode, encode, scale
from offchain.prove.reference.field import R, evaluate, inverse
from offchain.prove.reference.hyperkzg import prove_opening
from offchain.prove.reference.mercury import split
from offchain.prove.reference.srs import INSECURE_TAU, insecure_srs, insecure_tau_g2
from offchain.prove.reference.transcript import Sender
from offchain.prove.reference.univariate import horner
from tests.vectors.mercury_provers import (
    MercuryProver,
    ProductProver,
    dot,
    prove_product_by_hyperkzg,
)

TERM: Final = 96  # bytes of (scalar, x, y)
SMALL: Final = (1, 2, 3, 4, 5, 6)
LARGE: Final = (10, 12, 15, 18, 20, 21, 22)


def started(seed: int) -> Sender:
    """Return a sender that has absorbed the seed and drawn one challenge."""
    sender = Sender()
    sender.absorb(0, seed.to_bytes(32, "big"))
    sender.challenge()
    return sender


def starting_state(seed: int) -> bytes:
    """Return the state of `started(seed)`."""
    return keccak(bytes(32) + (1).to_bytes(32, "big") + seed.to_bytes(32, "big"))


@dataclass(frozen=True)
class Claim:
    """What an opening is checked against."""

    seed: int
    terms: bytes  # (scalar, x, y) each
    point: list[int]
    value: int

    def commitment(self) -> Point:
        """Return the sum of the terms."""
        total = INFINITY
        for k in range(0, len(self.terms), TERM):
            scalar = int.from_bytes(self.terms[k : k + 32], "big")
            total = add(total, scale(decode(self.terms[k + 32 : k + TERM]), scalar))
        return total

    def described(self, **proofs: bytes) -> dict[str, Any]:
        """Return the claim and proofs of it as a vector."""
        return {
            "seed": hexed(self.seed.to_bytes(32, "big")),
            "state": hexed(starting_state(self.seed)),
            "terms": hexed(self.terms),
            "point": [hexed(x.to_bytes(32, "big")) for x in self.point],
            "value": hexed(self.value.to_bytes(32, "big")),
        } | {name: hexed(proof) for name, proof in proofs.items()}


def claim_on(f_tau: int, point: list[int], value: int, seed: int, count: int = 3) -> Claim:
    """Return a claim on [f_tau]_1 as a sum of terms; of three or more the second is infinity."""
    rng = random.Random(seed)
    scalars = [rng.randrange(1, R) for _ in range(count)]
    logarithms = [rng.randrange(R) for _ in range(count)]
    if count > 2:
        logarithms[1] = 0
    rest = dot(scalars[:-1], logarithms)
    logarithms[-1] = (f_tau - rest) * inverse(scalars[-1]) % R
    terms = b"".join(
        s.to_bytes(32, "big") + encode(scale(G1, v))
        for s, v in zip(scalars, logarithms, strict=True)
    )
    return Claim(seed, terms, point, value)


def hexed(raw: bytes) -> str:
    """Return bytes as 0x-hex."""
    return "0x" + raw.hex()


def random_opening(variables: int, seed: int) -> tuple[list[int], Claim]:
    """Return a polynomial and the true claim on it."""
    rng = random.Random(seed)
    polynomial = [rng.randrange(R) for _ in range(1 << variables)]
    point = [rng.randrange(R) for _ in range(variables)]
    f_tau = horner(polynomial, INSECURE_TAU)
    return polynomial, claim_on(f_tau, point, evaluate(polynomial, point), seed)


def small_vector(variables: int) -> dict[str, Any]:
    """Return both openings of a random polynomial."""
    polynomial, claim = random_opening(variables, 100 + variables)
    mercury, hyperkzg = started(claim.seed), started(claim.seed)
    MercuryProver(polynomial, claim.point, claim.value).prove(mercury)
    prove_opening(hyperkzg, insecure_srs(variables), polynomial, claim.point)
    described = claim.described(mercury=bytes(mercury.proof), hyperkzg=bytes(hyperkzg.proof))
    return described | {"polynomial": [hexed(v.to_bytes(32, "big")) for v in polynomial]}


def large_vector(variables: int) -> dict[str, Any]:
    """Return both openings of a product of two random polynomials."""
    rng = random.Random(200 + variables)
    point = [rng.randrange(R) for _ in range(variables)]
    rows, columns = ([rng.randrange(R) for _ in range(1 << len(u))] for u in split(point))
    prover = ProductProver(rows, columns, point)
    claim = claim_on(prover.f_tau, point, prover.claim, 200 + variables)
    mercury, hyperkzg = started(claim.seed), started(claim.seed)
    prover.prove(mercury)
    prove_product_by_hyperkzg(hyperkzg, rows, columns, point)
    return claim.described(mercury=bytes(mercury.proof), hyperkzg=bytes(hyperkzg.proof))


def opening_vectors() -> dict[str, Any]:
    """Return the honest openings, and what all of them are checked with."""
    return {
        "tauG2": hexed(insecure_tau_g2()),
        "small": [small_vector(variables) for variables in SMALL],
        "large": [large_vector(variables) for variables in LARGE],
    }
