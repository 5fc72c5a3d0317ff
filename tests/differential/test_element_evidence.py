"""No verdict on anything malformed, truncated, oversized or without gas (I30)."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from offchain.chain.anvil import run_anvil
from offchain.chain.rpc import RpcError
from offchain.errors import DescriptorError, EvidenceError
from tests.differential.damage import list_damage
from tests.differential.element_chain import VERDICTS, WHOLE, Adjudicators, contract_of
from tests.differential.elements import Subject, ask_mirror, judge, list_subjects
from tests.extreme_models import EXTREMES
from tests.random_models import draw_graph, draw_model

# One model for each opcode, and two with tensors of many tiles.
MODELS = (
    "linear_wide", "conv_corners", "coefficients", "table_ends", "windows", "rotation", "tokens",
    "norm_layer", "soft_wide", "pools", "relu_ends", "heads", "gathered", "argmax_last",
)  # fmt: skip
FIRST_SPEC = 76  # what comes before is a descriptor's head
# Errors that a contract may raise; a panic would be a hole in its own checks.
NAMED = {
    "AccumulatorTooLarge",
    "ElementOnly", "EntryNotAllowed", "EntryOutOfRange", "IndexOutOfRange", "MalformedDescriptor",
    "MalformedEvidence", "NoSuchToken", "NotOpened", "NotPadded", "OpcodeNotCovered",
    "QuotientOutOfTable", "WrongDigest", "WrongElement", "WrongInputs", "WrongTiles",
}  # fmt: skip


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Adjudicators]:
    """A chain with the two contracts."""
    with run_anvil(tmp_path_factory.mktemp("anvil") / "anvil.log", block_s=0) as anvil:
        yield Adjudicators(anvil.rpc)


def get_subject(name: str, opcode: int | None = None) -> Subject:
    """Return the last operator of a model, or its first with this opcode."""
    subjects = list(list_subjects(EXTREMES[name]()))
    fitting = [s for s in subjects if opcode in (None, s.opcode)]
    return fitting[-1]


def check_damage(chain: Adjudicators, subject: Subject, element: int) -> None:
    """Require that nothing damaged has a verdict, on chain or in the mirror."""
    for damage in list_damage(subject, element, seed=element):
        answer = chain.ask(damage.claim, damage.evidence, name=contract_of(subject.opcode))
        assert answer in NAMED, (damage.name, answer)
        assert ask_mirror(damage.claim, damage.evidence) is None, damage.name


@pytest.mark.parametrize("name", MODELS)
def test_adjudicate__damaged_claim_or_evidence__reverts(chain: Adjudicators, name: str) -> None:
    subject = get_subject(name, 0x0C if name == "heads" else None)
    check_damage(chain, subject, len(subject.result) // 2)


def test_adjudicate__damaged_evidence_over_many_tiles__reverts(chain: Adjudicators) -> None:
    subject = next(list_subjects(draw_model(3, 3, (1500, 9))))
    check_damage(chain, subject, 13)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3400, 3410))
def test_adjudicate__damage_on_random_graphs__reverts(chain: Adjudicators, seed: int) -> None:
    rng = np.random.default_rng(seed)
    for subject in list_subjects(draw_graph(seed, operators=5)):
        for element in subject.pick(rng, 2):
            check_damage(chain, subject, element)


def change(desc: bytes, rng: random.Random) -> bytes:
    """Return a descriptor that differs in one or two bytes, mostly of its parameters."""
    changed = bytearray(desc)
    for _ in range(rng.choice((1, 1, 2))):
        at = rng.randrange(0 if rng.random() < 0.1 else FIRST_SPEC, len(desc))
        flipped = changed[at] ^ 1 << rng.randrange(8)
        changed[at] = rng.choice((flipped, flipped, flipped, 0, 1, 2, 255))
    return bytes(changed)


def compare_descriptors(chain: Adjudicators, seed: int, rounds: int) -> None:
    """Require one answer of contract and mirror to descriptors that nobody registered."""
    rng = random.Random(seed)
    subjects = [s for make in EXTREMES.values() for s in list_subjects(make())]
    for _ in range(rounds):
        subject = rng.choice(subjects)
        element = rng.randrange(len(subject.result))
        claim, evidence = subject.claim(element), subject.evidence(element)
        changed = replace(claim, desc=change(claim.desc, rng))
        answer = chain.ask(changed, evidence, name=contract_of(subject.opcode))
        assert answer in {*NAMED, *VERDICTS}, (answer, changed)
        try:
            assert judge(changed, evidence) == answer, changed
        except EvidenceError:
            assert answer in NAMED, changed
        except DescriptorError:
            continue  # the mirror knows more of the language's rules


def test_adjudicate__changed_descriptor__as_the_mirror(chain: Adjudicators) -> None:
    compare_descriptors(chain, 5, 300)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_adjudicate__many_changed_descriptors__as_the_mirror(
    chain: Adjudicators, seed: int
) -> None:
    compare_descriptors(chain, 100 + seed, 2000)


@pytest.mark.parametrize("name", MODELS)
def test_adjudicate__too_little_gas__reverts_and_never_turns_round(
    chain: Adjudicators, name: str
) -> None:
    subject = get_subject(name)
    element = len(subject.result) - 1
    claim, evidence = subject.claim(element), subject.evidence(element)
    needed = chain.measure(claim, evidence)
    tried = [needed // 2 + needed * part // 80 for part in range(40)]
    answers = [chain.ask(claim, evidence, gas) for gas in tried]
    assert "CONSISTENT" not in answers[:4]
    assert "INCONSISTENT" not in answers


@pytest.mark.parametrize("name", ["linear_wide", "soft_wide"])
def test_adjudicate__calldata_cut_anywhere__reverts(chain: Adjudicators, name: str) -> None:
    subject = get_subject(name)
    calldata = chain.encode(subject.claim(0), subject.evidence(0))
    for size in {4, 5, 36, 68, 100, 400, 700, 1000, len(calldata) // 2, len(calldata) - 1024}:
        with pytest.raises(RpcError):
            chain.call_raw(subject.opcode, calldata[:size])


@pytest.mark.parametrize("name", MODELS)
def test_adjudicate__the_other_contract__covers_no_such_opcode(
    chain: Adjudicators, name: str
) -> None:
    subject = get_subject(name)
    claim, evidence = subject.claim(0), subject.evidence(0)
    is_row = subject.opcode >= 0x08
    other = "ContractionAdjudicator" if is_row else "RowAdjudicator"
    assert chain.ask(claim, evidence, name=other) == "OpcodeNotCovered"


def test_covers__every_opcode__by_exactly_one(chain: Adjudicators) -> None:
    both = ("ContractionAdjudicator", "RowAdjudicator")
    for opcode in (*range(0x14), 0x80, 0xFF):
        covering = [name for name in both if chain.covers(name, opcode)]
        expected = {True: [both[0]], False: [both[1]]}[opcode < 0x08]
        assert covering == (expected if 0x01 <= opcode <= 0x0E else [])


@pytest.mark.parametrize("name", ["ties", "relu_ends", "relu_tiles"])
def test_adjudicate__junk_behind_the_result__has_no_verdict(chain: Adjudicators, name: str) -> None:
    """A digest that no bytes have: nobody can show that its last element is right."""
    subject = get_subject(name)
    last = len(subject.result) - 1
    for junk in subject.commit_junk():
        for named in (last, WHOLE):
            claim = subject.claim(last, junk, named)
            evidence = subject.evidence(last, junk)
            assert chain.ask(claim, evidence) == "NotPadded"
            assert ask_mirror(claim, evidence) is None
