"""Every forgery is really computed here, and refused by the reference and by the native verifier.

The Solidity verifier refuses the same bytes: tests/vectors/forgeries.json holds what is computed
here (checked below) and forge replays that file.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from offchain import native
from offchain.errors import OffchainError
from offchain.prove.reference.srs import insecure_tau_g2
from offchain.prove.reference.verifier import verify, verify_statement
from tests.attacks.forgeries import ALL, Forgery, honest
from tests.vectors.generate import forgery_vectors
from tests.vectors.models import SmallModel, all_models

MODELS = [
    # The largest tables of the three make a proof cost seconds in plain Python.
    pytest.param(model, id=model.name, marks=pytest.mark.slow if model.name == "odd" else ())
    for model in all_models()
]
VECTORS = Path(__file__).parents[1] / "vectors" / "forgeries.json"


def _check_by_reference(made: Forgery) -> None:
    verify_statement(made.key, made.statement, made.public_in, made.public_out)
    digest = made.statement.hash()
    verify(made.key, insecure_tau_g2(), digest, made.public_in, made.public_out, made.proof)


def _check_by_native(made: Forgery) -> None:
    verify_statement(made.key, made.statement, made.public_in, made.public_out)
    native.verify(
        made.key.to_bytes(),
        native.tau_g2_insecure(),
        made.statement.hash(),
        made.public_in,
        made.public_out,
        made.proof,
    )


CHECKS = {"reference": _check_by_reference, "native": _check_by_native}


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
@pytest.mark.parametrize("model", MODELS)
def test_honest_submission__accepted(model: SmallModel, check: Callable[[Forgery], None]) -> None:
    check(honest(model))


@pytest.mark.parametrize("index", range(len(ALL)))
@pytest.mark.parametrize("model", MODELS)
def test_forgery__refused_for_its_reason(model: SmallModel, index: int) -> None:
    made = ALL[index](model)
    with pytest.raises(OffchainError, match=made.reason):
        _check_by_reference(made)
    with pytest.raises(OffchainError):
        _check_by_native(made)


def test_forgery_vectors__are_what_the_cheating_prover_computes() -> None:
    assert json.loads(VECTORS.read_text()) == forgery_vectors()
