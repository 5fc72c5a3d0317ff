"""Every forgery is really computed here, and refused by the reference and by the native verifier.

The Solidity verifier refuses the same bytes: tests/vectors/forgeries holds what is computed here
(checked below) and forge replays those files. And every check is needed: without it the reference
verifier accepts the forgery that is made against it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from offchain import native
from offchain.errors import OffchainError, ProofError
from offchain.prove.reference.curve import G1, double, scale, verify_pairing
from offchain.prove.reference.field import R
from offchain.prove.reference.srs import INSECURE_TAU, insecure_tau_g2
from offchain.prove.reference.transcript import TAG_COMMIT
from offchain.prove.reference.verifier import verify, verify_statement
from offchain.prove.verification_key import VerificationKey
from tests.attacks import (
    inverses,
    misfits,
    op_cells,
    op_conv,
    op_norm,
    op_picks,
    op_requant,
    op_softmax,
    op_sums,
    op_wide,
    protocol,
    protocol_lookups,
)
from tests.attacks.attack import Attack
from tests.attacks.catalogue import ALL
from tests.attacks.forgeries import Forgery, honest, submit
from tests.attacks.quick import pairing_by_tau, verify_by_tau
from tests.attacks.weakening import unabsorbed
from tests.vectors import operator_models as om
from tests.vectors.generate import forgery_vector
from tests.vectors.models import SmallModel, handmade_gkr, handmade_inverses
from tests.vectors.sketch import CompiledModel

VECTORS = Path(__file__).parents[1] / "vectors" / "forgeries"
README = Path(__file__).with_name("README.md")
# Checklist lines about verifier B (13), hiding (14) and speed (15) have no verifier here.
LINES = set(range(1, 13))


def marked(attack: Attack) -> pytest.ParameterSet:  # type: ignore[name-defined]
    """Return the attack as a parameter; tables of 2^16 rows take plain Python its time."""
    marks = [pytest.mark.slow] if attack in op_wide.ATTACKS else []
    return pytest.param(attack, id=attack.name, marks=marks)


NAMED = [marked(attack) for attack in ALL]
UNCHECKED = [marked(attack) for attack in ALL if attack.without]
FORGOTTEN = [marked(attack) for attack in ALL if attack.forgotten]
OTHERS = [
    pytest.param(attack, model, id=f"{attack.name}-{model.__name__}")
    for attack in ALL
    if attack.everywhere
    for model in (om.deep, om.odd)
]
HONEST = (handmade_gkr, handmade_inverses, *om.MODELS)


@pytest.fixture(autouse=True)
def quick() -> Iterator[None]:
    """Check openings by the known tau."""
    with pairing_by_tau():
        yield


def check_by_reference(made: Forgery, key: VerificationKey | None = None) -> None:
    """Raise unless the reference accepts; `key` is how a forgetful verifier reads the key."""
    verify_statement(made.key, made.statement, made.public_in, made.public_out, made.proof)
    verify(
        key or made.key,
        insecure_tau_g2(),
        made.statement.hash(),
        made.public_in,
        made.public_out,
        made.proof,
    )


def check_by_native(made: Forgery) -> None:
    """Raise unless the Rust verifier, with the caller's comparison of the statement, accepts."""
    verify_statement(made.key, made.statement, made.public_in, made.public_out, made.proof)
    native.verify(
        made.key.to_bytes(),
        native.tau_g2_insecure(),
        made.statement.hash(),
        made.public_in,
        made.public_out,
        made.proof,
    )


CHECKS: dict[str, Callable[[Forgery], None]] = {
    "reference": check_by_reference,
    "native": check_by_native,
}


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
@pytest.mark.parametrize("model", HONEST, ids=lambda m: m.__name__)
def test_honest_submission__accepted(
    model: Callable[[], SmallModel], check: Callable[[Forgery], None]
) -> None:
    check(honest(model()))


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
@pytest.mark.parametrize("prover", [misfits.ProofGarbage, inverses.LateGarbage])
def test_garbage_outside_tensors__accepted(
    prover: type[misfits.ProofGarbage], check: Callable[[Forgery], None]
) -> None:
    """No claim reads such cells, so they are no lie: the format says so, and nobody may differ."""
    model = om.tiny_inverses()
    made = submit(model, model.tensors(), prover)
    assert made.proof != honest(model).proof
    check(made)


@pytest.mark.parametrize("attack", NAMED)
def test_forgery__refused_for_its_reason(attack: Attack) -> None:
    refuse(attack, computed(attack))


@pytest.mark.slow
@pytest.mark.parametrize(("attack", "model"), OTHERS)
def test_forgery__other_models__refused_for_its_reason(
    attack: Attack, model: Callable[[], CompiledModel]
) -> None:
    refuse(attack, attack.make(model()))


@pytest.mark.parametrize("attack", UNCHECKED)
def test_forgery__without_the_check__accepted(attack: Attack) -> None:
    assert attack.without is not None
    with attack.without():
        check_by_reference(attack.make(attack.model()))


@pytest.mark.parametrize("attack", FORGOTTEN)
def test_forgery__verifier_that_forgets_the_item__accepted(attack: Attack) -> None:
    assert attack.forgotten is not None
    model = attack.model()
    key = attack.forgotten(model)
    made = computed(attack) if attack.as_it_is else attack.make(replace(model, key=key))
    if not attack.as_it_is:
        made = replace(made, key=key)
    verify(
        key,
        insecure_tau_g2(),
        made.statement.hash(),
        made.public_in,
        made.public_out,
        made.proof,
    )


def test_zero_denominators__beta_known_but_root_checked__refused() -> None:
    """A root 0/0 can be had only if beta is known too early; the check stands even then."""
    attack = next(a for a in ALL if a.name == "zero-denominators")
    with unabsorbed(TAG_COMMIT), pytest.raises(ProofError, match="LogUp root"):
        check_by_reference(attack.make(om.tiny()))


def test_unranged_reciprocal__the_specification_s_numbers() -> None:
    """proofs-spec.md 19: p = (1, 128) instead of (0, 127)."""
    attack = next(a for a in ALL if a.name == "unranged-reciprocal")
    words = [int.from_bytes(computed(attack).public_out[k : k + 2], "big") for k in (0, 2)]
    assert words == [1, 128]
    assert om.unranged_reciprocal().execution.output.tolist() == [[0, 127]]


def test_false_witnesses__mostly_false_outputs() -> None:
    """A forgery that shows the honest output would be of little use to a cheater."""
    shown = cache(lambda model: honest(model()).public_out)
    families = (
        *(op_requant, op_conv, op_sums, op_softmax, op_norm, op_cells, op_picks),
        *(protocol, protocol_lookups, inverses),
    )
    hidden = {
        attack.name
        for family in families
        for attack in family.ATTACKS
        if computed(attack).public_out == shown(attack.model)
    }
    assert hidden == HIDDEN


# Lies about cells behind the output, about what rounding swallows here, and about nothing at all.
HIDDEN = {
    "filled-hidden-pad",
    "filled-output-pad",
    "full-gather-pad",
    "maximum-above-all-cells",
    "maximum-on-a-padding-cell",
    "moved-inside-window",
    "no-epsilon",
    "no-epsilon-rms",
    "other-commitment",
    "wrapped-quotient",
    "wrapped-quotient-patched-root",
}


@pytest.mark.parametrize("factor", [INSECURE_TAU, INSECURE_TAU + 1])
def test_pairing_by_tau__as_the_pairing(factor: int) -> None:
    right = scale(G1, 12345)
    left = scale(right, factor % R)
    verdicts = []
    for check in (verify_pairing, verify_by_tau):
        try:
            check(double(left), double(right), insecure_tau_g2())
        except ProofError:
            verdicts.append(False)
        else:
            verdicts.append(True)
    assert verdicts == [factor == INSECURE_TAU] * 2


def test_forgery_vectors__are_what_the_cheating_prover_computes() -> None:
    names = {attack.name for attack in ALL}
    assert {path.stem for path in VECTORS.iterdir()} == names | {"index"}
    index = json.loads((VECTORS / "index.json").read_text())
    assert index == [{"name": attack.name, "error": attack.solidity} for attack in ALL]
    for attack in ALL:
        if attack in op_wide.ATTACKS:
            continue
        vector = json.loads((VECTORS / f"{attack.name}.json").read_text())
        assert vector == forgery_vector(attack.name, computed(attack)), attack.name


@pytest.mark.slow
@pytest.mark.parametrize("attack", op_wide.ATTACKS, ids=lambda a: a.name)
def test_forgery_vectors__wide__are_what_the_cheating_prover_computes(attack: Attack) -> None:
    vector = json.loads((VECTORS / f"{attack.name}.json").read_text())
    assert vector == forgery_vector(attack.name, computed(attack))


def test_catalogue__every_line_of_the_checklist_and_every_name_in_the_readme() -> None:
    assert {attack.line for attack in ALL} == LINES
    assert len({attack.name for attack in ALL}) == len(ALL)
    text = README.read_text()
    assert not [attack.name for attack in ALL if f"`{attack.name}`" not in text]
