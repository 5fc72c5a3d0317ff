"""Openings checked by the development tau: e(L, [1]) = e(R, [tau]) says no more than L = tau R."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from offchain.errors import ProofError
from offchain.prove.reference import hyperkzg, mercury
from offchain.prove.reference.curve import Point, encode, scale
from offchain.prove.reference.srs import INSECURE_TAU, insecure_tau_g2


def verify_by_tau(left: Point, right: Point, tau_g2: bytes) -> None:
    """Raise ProofError as the pairing check does, for the development reference string alone."""
    if tau_g2 != insecure_tau_g2():
        raise ValueError("only the development tau is known")
    if encode(left) != encode(scale(right, INSECURE_TAU)):
        raise ProofError("the pairing check of the opening fails")


@contextmanager
def pairing_by_tau() -> Iterator[None]:
    """Let the reference verifier check openings in a hundredth of the time."""
    with (
        patch.object(hyperkzg, "verify_pairing", verify_by_tau),
        patch.object(mercury, "verify_pairing", verify_by_tau),
    ):
        yield
