"""The reference: completeness, and the verifier's refusals."""

from __future__ import annotations

import dataclasses

import pytest

from offchain.errors import ProofError, RangeError
from offchain.prove.reference.srs import insecure_tau_g2
from offchain.prove.reference.verifier import verify, verify_statement
from tests.attacks.forgeries import Forgery, honest
from tests.attacks.quick import pairing_by_tau
from tests.vectors.models import SmallModel, handmade_gkr, handmade_inverses
from tests.vectors.operator_models import all_models, everything, odd, tiny


def check(made: Forgery) -> None:
    digest = made.statement.hash()
    verify(made.key, insecure_tau_g2(), digest, made.public_in, made.public_out, made.proof)


@pytest.mark.parametrize("model", [*all_models(), everything()], ids=lambda m: m.name)
def test_reference__honest_execution__accepted(model: SmallModel) -> None:
    made = honest(model)
    verify_statement(made.key, made.statement, made.public_in, made.public_out, made.proof)
    check(made)


@pytest.mark.parametrize("model", [handmade_gkr(), handmade_inverses()], ids=lambda m: m.name)
def test_verify__every_byte_region_flipped__refused(model: SmallModel) -> None:
    """One flip in every 32-byte word of an honest proof."""
    made = honest(model)
    with pairing_by_tau():
        for at in range(31, len(made.proof), 32):
            flipped = made.proof[:at] + bytes([made.proof[at] ^ 1]) + made.proof[at + 1 :]
            with pytest.raises(ProofError):
                check(dataclasses.replace(made, proof=flipped))


def test_verify__input_out_of_declared_range__names_the_element() -> None:
    made = honest(odd())
    outside = b"\x7f" + made.public_in[1:]
    with pytest.raises(RangeError, match="element 0 is 127"):
        check(dataclasses.replace(made, public_in=outside))


def test_verify_statement__other_output__names_the_field() -> None:
    made = honest(tiny())
    other = bytes([made.public_out[0] ^ 1]) + made.public_out[1:]
    with pytest.raises(ProofError, match="out_digest"):
        verify_statement(made.key, made.statement, made.public_in, other, made.proof)
