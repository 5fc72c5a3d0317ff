"""Every forgery is really computed here, and refused by the reference and by the native verifier.

The Solidity verifier refuses the same bytes: tests/vectors/forgeries holds what is computed here
(checked below) and forge replays those files. And every check is needed: without it the reference
verifier accepts the forgery that is made against it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from offchain import native
from offchain.errors import OffchainError, ProofError
from offchain.prove.reference.srs import insecure_tau_g2
from offchain.prove.reference.transcript import TAG_COMMIT
from offchain.prove.reference.verifier import verify, verify_statement
from tests.attacks import special
from tests.attacks.attack import Attack
from tests.attacks.catalogue import ALL
from tests.attacks.forgeries import Forgery, honest
from tests.attacks.weakening import unabsorbed
from tests.vectors.generate import forgery_vector
from tests.vectors.models import SmallModel, all_models, deep, odd, tiny

VECTORS = Path(__file__).parents[1] / "vectors" / "forgeries"
README = Path(__file__).with_name("README.md")
# Checklist lines about verifier B (13), hiding (14) and speed (15) have no verifier here.
LINES = set(range(1, 13))

NAMED = [pytest.param(attack, id=attack.name) for attack in ALL]
NEEDED = [pytest.param(attack, id=attack.name) for attack in ALL if attack.without]
OTHERS = [
    pytest.param(attack, model, id=f"{attack.name}-{model.__name__}")
    for attack in ALL
    if attack.everywhere
    for model in (deep, odd)
]
MODELS: tuple[Callable[[], SmallModel], ...] = (
    special.narrow,
    special.mixed,
    special.single,
    special.padded,
    special.twin,
    special.level,
)


def check_by_reference(made: Forgery) -> None:
    """Raise unless the reference accepts."""
    verify_statement(made.key, made.statement, made.public_in, made.public_out)
    digest = made.statement.hash()
    verify(made.key, insecure_tau_g2(), digest, made.public_in, made.public_out, made.proof)


def check_by_native(made: Forgery) -> None:
    """Raise unless the Rust verifier, with the caller's comparison of the statement, accepts."""
    verify_statement(made.key, made.statement, made.public_in, made.public_out)
    native.verify(
        made.key.to_bytes(),
        native.tau_g2_insecure(),
        made.statement.hash(),
        made.public_in,
        made.public_out,
        made.proof,
    )


CHECKS = {"reference": check_by_reference, "native": check_by_native}


@cache
def computed(attack: Attack) -> Forgery:
    """Return the attack's forgery on its own model."""
    return attack.make(attack.model())


def refuse(attack: Attack, made: Forgery) -> None:
    """Require that both verifiers refuse for the attack's reason."""
    with pytest.raises(OffchainError, match=attack.reference):
        check_by_reference(made)
    with pytest.raises(OffchainError, match=attack.native):
        check_by_native(made)


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
@pytest.mark.parametrize("model", [*all_models(), *(m() for m in MODELS)], ids=lambda m: m.name)
def test_honest_submission__accepted(model: SmallModel, check: Callable[[Forgery], None]) -> None:
    check(honest(model))


@pytest.mark.parametrize("attack", NAMED)
def test_forgery__refused_for_its_reason(attack: Attack) -> None:
    refuse(attack, computed(attack))


@pytest.mark.slow
@pytest.mark.parametrize(("attack", "model"), OTHERS)
def test_forgery__other_models__refused_for_its_reason(
    attack: Attack, model: Callable[[], SmallModel]
) -> None:
    refuse(attack, attack.make(model()))


@pytest.mark.parametrize("attack", NEEDED)
def test_forgery__without_the_check__accepted(attack: Attack) -> None:
    assert attack.without is not None
    with attack.without():
        check_by_reference(attack.make(attack.model()))


def test_zero_denominators__beta_known_but_root_checked__refused() -> None:
    """A root 0/0 can be had only if beta is known too early; the check stands even then."""
    attack = next(a for a in ALL if a.name == "zero-denominators")
    with unabsorbed(TAG_COMMIT), pytest.raises(ProofError, match="LogUp root"):
        check_by_reference(attack.make(tiny()))


def test_forgery_vectors__are_what_the_cheating_prover_computes() -> None:
    names = {attack.name for attack in ALL}
    assert {path.stem for path in VECTORS.iterdir()} == names | {"index"}
    index = json.loads((VECTORS / "index.json").read_text())
    assert index == [{"name": attack.name, "error": attack.solidity} for attack in ALL]
    for attack in ALL:
        vector = json.loads((VECTORS / f"{attack.name}.json").read_text())
        assert vector == forgery_vector(attack.name, computed(attack)), attack.name


def test_catalogue__every_line_of_the_checklist_and_every_name_in_the_readme() -> None:
    assert {attack.line for attack in ALL} == LINES
    assert len({attack.name for attack in ALL}) == len(ALL)
    text = README.read_text()
    assert not [attack.name for attack in ALL if f"`{attack.name}`" not in text]
