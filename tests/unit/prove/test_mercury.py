"""Mercury in the reference: openings of every shape, cheating provers, malformed proofs."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from offchain.errors import ProofError
from offchain.prove.reference import hyperkzg, mercury
from offchain.prove.reference.curve import Point, encode, scale
from offchain.prove.reference.field import Q, R, eq_table, evaluate
from offchain.prove.reference.srs import INSECURE_TAU, insecure_srs, insecure_tau_g2
from offchain.prove.reference.transcript import Receiver
from offchain.prove.reference.univariate import horner
from tests.vectors.mercury import Claim, claim_on, random_opening, started
from tests.vectors.mercury_forgeries import FORGERIES, Forgery, mercury_vectors
from tests.vectors.mercury_provers import MercuryProver

VECTORS = json.loads((Path(__file__).parents[2] / "vectors/mercury.json").read_text())
POINTS = (0, 64, 128, 192, 256, 320 + 192, 384 + 192, 448 + 192)  # offsets: 5 points, 6 scalars, 3
SCALARS = range(320, 320 + 192, 32)
LENGTH = 8 * 64 + 6 * 32

Verify = Callable[[Receiver, Point, list[int], int, bytes], None]


def check(claim: Claim, proof: bytes, verify: Verify = mercury.verify_opening) -> None:
    receiver = Receiver(proof)
    receiver.absorb(0, claim.seed.to_bytes(32, "big"))
    receiver.challenge()
    verify(receiver, claim.commitment(), claim.point, claim.value, insecure_tau_g2())
    receiver.finish()


@pytest.fixture
def by_tau(monkeypatch: pytest.MonkeyPatch) -> None:
    """Decide the pairing equation with the development SRS's tau: the same verdict, far faster."""

    def verify(left: Point, right: Point, tau_g2: bytes) -> None:
        assert tau_g2 == insecure_tau_g2()
        if encode(left) != encode(scale(right, INSECURE_TAU)):
            raise ProofError("the pairing check of the opening fails")

    for module in (mercury, hyperkzg):
        monkeypatch.setattr(module, "verify_pairing", verify)


def raw(text: str) -> bytes:
    return bytes.fromhex(text[2:])


def integer(text: str) -> int:
    return int(text, 16)


def claimed(vector: dict[str, object]) -> Claim:
    return Claim(
        integer(str(vector["seed"])),
        raw(str(vector["terms"])),
        [integer(x) for x in vector["point"]],  # type: ignore[attr-defined]
        integer(str(vector["value"])),
    )


def honest(variables: int = 3) -> tuple[Claim, bytes]:
    polynomial, claim = random_opening(variables, 7)
    sender = started(claim.seed)
    MercuryProver(polynomial, claim.point, claim.value).prove(sender)
    return claim, bytes(sender.proof)


def test_vectors__generated_again__same_file() -> None:
    assert mercury_vectors() == VECTORS


@pytest.mark.parametrize("vector", VECTORS["small"], ids=lambda v: f"c={len(v['point'])}")
def test_prove_opening__vector__same_bytes_and_accepted(vector: dict[str, object]) -> None:
    claim = claimed(vector)
    sender = started(claim.seed)
    polynomial = [integer(v) for v in vector["polynomial"]]  # type: ignore[attr-defined]
    mercury.prove_opening(sender, insecure_srs(len(claim.point)), polynomial, claim.point)
    assert bytes(sender.proof) == raw(str(vector["mercury"]))
    assert len(sender.proof) == LENGTH
    check(claim, bytes(sender.proof))
    with pytest.raises(ProofError, match="pairing"):
        check(Claim(claim.seed, claim.terms, claim.point, claim.value + 1), bytes(sender.proof))


@pytest.mark.usefixtures("by_tau")
@pytest.mark.parametrize(
    "vector", [*VECTORS["small"], *VECTORS["large"]], ids=lambda v: f"c={len(v['point'])}"
)
def test_verify_opening__vector__both_accepted(vector: dict[str, str]) -> None:
    claim = claimed(vector)  # type: ignore[arg-type]
    check(claim, raw(vector["mercury"]))
    check(claim, raw(vector["hyperkzg"]), hyperkzg.verify_opening)


@pytest.mark.usefixtures("by_tau")
@pytest.mark.parametrize("forgery", FORGERIES, ids=lambda f: f.name)
def test_verify_opening__forgery__refused(forgery: Forgery) -> None:
    for claim, proof in (forgery.make(), forgery.strongest()):
        with pytest.raises(ProofError, match="pairing"):
            check(claim, proof)


@pytest.mark.usefixtures("by_tau")
@pytest.mark.parametrize("forgery", [f for f in FORGERIES if f.without], ids=lambda f: f.name)
def test_verify_opening__forgery_without_the_check__accepted(forgery: Forgery) -> None:
    assert forgery.without is not None
    claim, proof = forgery.strongest()
    with forgery.without():
        check(claim, proof)


@pytest.mark.usefixtures("by_tau")
def test_verify_opening__other_point_or_value__refused() -> None:
    claim, proof = honest()
    others = [(x + (k == at)) % R for at in range(3) for k, x in enumerate(claim.point)]
    points = [others[k : k + 3] for k in range(0, 9, 3)]
    for other in (
        *(Claim(claim.seed, claim.terms, point, claim.value) for point in points),
        Claim(claim.seed, claim.terms, claim.point, claim.value + 1),
        Claim(claim.seed, claim.terms[:-96], claim.point, claim.value),
        Claim(claim.seed + 1, claim.terms, claim.point, claim.value),
    ):
        with pytest.raises(ProofError, match="pairing"):
            check(other, proof)


@pytest.mark.usefixtures("by_tau")
def test_verify_opening__polynomial_longer_than_the_point__opens_its_first_coefficients() -> None:
    """What lies above 2^c coefficients is no part of what is opened (OPENINGS.md 3.5)."""
    polynomial, claim = random_opening(3, 8)
    longer = [*polynomial, 5, 6]
    f_tau = horner(longer, INSECURE_TAU)
    prover = MercuryProver([*longer, 0, 0], claim.point, claim.value)
    sender = started(claim.seed)
    prover.prove(sender)
    check(claim_on(f_tau, claim.point, claim.value, claim.seed), bytes(sender.proof))
    whole = sum(w * v for w, v in zip(eq_table([0, *claim.point]), longer, strict=False)) % R
    assert whole == evaluate(polynomial, claim.point)
    with pytest.raises(ProofError, match="pairing"):
        check(claim_on(f_tau, claim.point, claim.value + 1, claim.seed), bytes(sender.proof))


@pytest.mark.usefixtures("by_tau")
def test_verify_opening__one_bit_of_any_word_changed__refused() -> None:
    claim, proof = honest()
    for at in range(31, LENGTH, 32):
        changed = proof[:at] + bytes([proof[at] ^ 1]) + proof[at + 1 :]
        with pytest.raises(ProofError):
            check(claim, changed)


@pytest.mark.usefixtures("by_tau")
def test_verify_opening__two_messages_swapped__refused() -> None:
    claim, proof = honest()
    slots = [*((at, 64) for at in POINTS), *((at, 32) for at in SCALARS)]
    swaps = [
        (a, b, size)
        for (a, size), (b, other) in itertools.combinations(slots, 2)
        if size == other and proof[a : a + size] != proof[b : b + size]
    ]
    assert len(swaps) == 28 + 15
    for a, b, size in swaps:
        changed = bytearray(proof)
        changed[a : a + size], changed[b : b + size] = proof[b : b + size], proof[a : a + size]
        with pytest.raises(ProofError, match="pairing"):
            check(claim, bytes(changed))


@pytest.mark.usefixtures("by_tau")
@pytest.mark.parametrize("at", SCALARS)
def test_verify_opening__scalar_plus_r__refused(at: int) -> None:
    claim, proof = honest()
    scalar = int.from_bytes(proof[at : at + 32], "big") + R
    changed = proof[:at] + scalar.to_bytes(32, "big") + proof[at + 32 :]
    with pytest.raises(ProofError, match="not below the field modulus"):
        check(claim, changed)


@pytest.mark.usefixtures("by_tau")
@pytest.mark.parametrize("at", POINTS)
def test_verify_opening__coordinate_plus_q_or_off_curve__refused(at: int) -> None:
    claim, proof = honest()
    x = int.from_bytes(proof[at : at + 32], "big")
    for changed, error in (
        (x + Q, "not below the base field"),
        (x + 1 if x + 1 < Q else 0, "curve"),
    ):
        with pytest.raises(ProofError, match=error):
            check(claim, proof[:at] + changed.to_bytes(32, "big") + proof[at + 32 :])


@pytest.mark.usefixtures("by_tau")
def test_verify_opening__truncated_or_extended__refused() -> None:
    claim, proof = honest()
    for cut in (*range(0, LENGTH, 32), LENGTH - 1):
        with pytest.raises(ProofError, match="truncated"):
            check(claim, proof[:cut])
    for more in (b"\0", bytes(32)):
        with pytest.raises(ProofError, match="trailing"):
            check(claim, proof + more)


@pytest.mark.parametrize(
    ("alpha", "zeta"), [(5, 0), (5, 1), (5, R - 1), (5, 5), (pow(5, -1, R), 5)]
)
def test_require_distinct__colliding_points__refused(alpha: int, zeta: int) -> None:
    with pytest.raises(ProofError, match="forbidden"):
        mercury.require_distinct(alpha, zeta)
    mercury.require_distinct(alpha, 7)
