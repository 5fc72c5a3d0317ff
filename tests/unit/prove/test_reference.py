"""The reference: completeness, and the witness builder's refusals."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from offchain.errors import ProofError, RangeError, WitnessError
from offchain.prove.reference.srs import insecure_tau_g2
from offchain.prove.reference.verifier import verify, verify_statement
from offchain.prove.witness import RequantTrace
from tests.attacks.forgeries import Forgery, honest
from tests.vectors.models import all_models, odd, tiny


def check(made: Forgery) -> None:
    digest = made.statement.hash()
    verify(made.key, insecure_tau_g2(), digest, made.public_in, made.public_out, made.proof)


@pytest.mark.parametrize("model", all_models(), ids=lambda m: m.name)
def test_reference__honest_execution__accepted(model) -> None:  # type: ignore[no-untyped-def]
    made = honest(model)
    verify_statement(made.key, made.statement, made.public_in, made.public_out)
    check(made)


def test_verify__every_byte_region_flipped__refused() -> None:
    """One flip in every 32-byte word of an honest proof."""
    made = honest(tiny())
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
        verify_statement(made.key, made.statement, made.public_in, other)


def test_build_witness__wrong_result__names_operator_and_element() -> None:
    model = tiny()
    trace = model.execute()
    wrong = trace["y1"].y.copy()
    wrong[0, 2] -= 1
    with pytest.raises(WitnessError, match=r"y1\[2\]"):
        model.witness({**trace, "y1": RequantTrace(trace["y1"].acc, wrong)})


def test_build_witness__quotient_outside_table__names_operator_and_element() -> None:
    model = tiny()
    trace = model.execute()
    huge = trace["y0"].acc + np.int64(1 << 40)
    with pytest.raises(WitnessError, match=r"y0\[0\]: the quotient leaves"):
        model.witness({**trace, "y0": RequantTrace(huge, trace["y0"].y)})
