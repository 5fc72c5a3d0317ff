"""An operator stakes only on versions whose honest proof fits what they declare and a block."""

from __future__ import annotations

import dataclasses
from itertools import product
from pathlib import Path

import pytest

from offchain import native
from offchain.errors import JobRefused
from offchain.prove.compile import Choice
from offchain.prove.cost import compute_proof_bytes
from offchain.prove.job import make_provable
from offchain.prove.program import Lookup, Opening
from offchain.submit.models import Model
from offchain.submit.versions import check_provable
from offchain.types import Version
from tests.small_mlp import SmallMlp, all_models, tiny

BLOCK = 30_000_000


@pytest.fixture
def model() -> Model:
    small = tiny()
    return Model(Path("tiny"), small.graph, small.weights)


@pytest.fixture
def version(model: Model) -> Version:
    zero = bytes(32)
    address = "0x" + "11" * 20
    return Version(
        id=zero,
        owner=address,
        prove_seconds=model.cost.seconds,
        proof_gas=model.cost.gas,
        verifier=address,
        op_count=1,
        digest_kind=1,
        vk_data=address,
        number=1,
        output_bytes=1,
        royalty_bps=0,
        graph_hash=zero,
        weight_root=zero,
        program_hash=zero,
        vk_hash=zero,
        srs_id=zero,
    )


@pytest.mark.parametrize("small", all_models(), ids=lambda m: m.name)
def test_compute_proof_bytes__is_the_length_of_a_proof(small: SmallMlp) -> None:
    for lookup, opening in product(Lookup, Opening):
        model = make_provable(small.graph, small.weights, Choice(lookup=lookup, opening=opening))
        proof = native.prove(model.key.to_bytes(), model.srs, bytes(32), small.tensors(model))
        assert compute_proof_bytes(model.key.program) == len(proof)


def test_check_provable__declared_bounds__accepted(version: Version, model: Model) -> None:
    check_provable(version, model, BLOCK)


def test_check_provable__understated_seconds__refused(version: Version, model: Model) -> None:
    hasty = dataclasses.replace(version, prove_seconds=version.prove_seconds - 1)
    with pytest.raises(JobRefused, match="declares"):
        check_provable(hasty, model, BLOCK)


def test_check_provable__understated_gas__refused(version: Version, model: Model) -> None:
    cheap = dataclasses.replace(version, proof_gas=version.proof_gas - 1)
    with pytest.raises(JobRefused, match="declares"):
        check_provable(cheap, model, BLOCK)


def test_check_provable__proof_larger_than_half_a_block__refused(
    version: Version, model: Model
) -> None:
    with pytest.raises(JobRefused, match="not staked on"):
        check_provable(version, model, 2 * model.cost.gas - 2)
