"""The native core against the Python reference: same bytes, same verdicts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from offchain import native
from offchain.errors import (
    NativeInputError,
    NativeProofError,
    OffchainError,
    ProofError,
    RangeError,
)
from offchain.prove.reference import verifier as reference_verifier
from offchain.prove.reference.curve import combine, encode
from offchain.prove.reference.prover import prove as reference_prove
from offchain.prove.reference.srs import insecure_srs, insecure_tau_g2
from offchain.prove.verification_key import VerificationKey
from offchain.prove.witness import Array
from tests.attacks.quick import pairing_by_tau
from tests.vectors.models import SmallModel, output_bytes, read_output
from tests.vectors.operator_models import MODELS, all_models, deep, tiny

FOLDER = Path(__file__).parents[1] / "vectors"
STATEMENT = bytes(range(32))
SHARED_WORDS = 40  # characters with which both reasons begin; facts follow


def load(name: str) -> dict[str, dict[str, Any]]:
    vectors = json.loads((FOLDER / f"{name}.json").read_text())
    return {vector["name"]: vector for vector in vectors}


PROOFS = load("proofs")
OPERATORS = load("operators")
FORGERIES = {
    path.stem: json.loads(path.read_text())
    for path in sorted((FOLDER / "forgeries").iterdir())
    # Comparing the statement's fields with the job's is the caller's part.
    if path.stem not in ("index", "shifted-digests") and not path.stem.startswith("statement-")
}


def unhex(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def arguments(vector: dict[str, Any]) -> tuple[bytes, ...]:
    names = ("vk", "tauG2", "statementHash", "input", "output", "proof")
    return tuple(unhex(vector[name]) for name in names)


def by_id(vk: bytes, tensors: dict[int, Any]) -> list[Array | None]:
    """Return tensors as the native prover takes them."""
    count = len(VerificationKey.from_bytes(vk).program.tensors)
    cells = {k: np.array(values, dtype=np.int64) for k, values in tensors.items()}
    return [cells.get(k) for k in range(count)]


def witness_of(vector: dict[str, Any]) -> list[Array | None]:
    tensors = {int(k): values for k, values in vector["tensors"].items()}
    return by_id(unhex(vector["vk"]), tensors)


@pytest.fixture(autouse=True)
def quick() -> Iterator[None]:
    """Check the reference's openings by the known tau."""
    with pairing_by_tau():
        yield


@pytest.fixture(scope="module")
def srs() -> bytes:
    return native.srs_insecure(11)


def test_srs__small__equals_the_reference() -> None:
    assert native.srs_insecure(6) == b"".join(encode(p) for p in insecure_srs(6))
    assert native.tau_g2_insecure() == insecure_tau_g2()


def test_srs__absurd_size__refused() -> None:
    with pytest.raises(NativeInputError, match="log_size"):
        native.srs_insecure(40)


def test_commit__signed_coefficients__equals_the_reference(srs: bytes) -> None:
    rng = np.random.default_rng(3)
    kinds: list[tuple[Any, int]] = [(np.int8, 100), (np.int16, 1 << 14), (np.int64, 1 << 40)]
    for kind, scale in kinds:
        values: Any = rng.integers(-scale, scale, 64).astype(kind)
        expected = encode(combine(insecure_srs(6), [int(v) for v in values]))
        assert native.commit(srs, values) == expected
        assert native.commit_chunks(srs, np.concatenate([values, values]), 6) == expected * 2
    assert native.commit(srs, np.zeros(8, dtype=np.int64)) == bytes(64)


def test_commit__more_coefficients_than_powers__refused() -> None:
    with pytest.raises(NativeInputError, match="SRS"):
        native.commit(native.srs_insecure(2), np.ones(8, dtype=np.int64))


@pytest.mark.parametrize("name", sorted(PROOFS))
def test_prove__vector__same_bytes_and_accepted(name: str, srs: bytes) -> None:
    vector = PROOFS[name]
    proof = native.prove(
        unhex(vector["vk"]), srs, unhex(vector["statementHash"]), witness_of(vector)
    )
    assert proof == unhex(vector["proof"])
    native.verify(*arguments(vector))


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.__name__)
def test_prove__operator__same_bytes_as_the_vector_and_accepted(
    model: Callable[[], SmallModel], srs: bytes
) -> None:
    vector = OPERATORS[model().name]
    vk = unhex(vector["vk"])
    proof = native.prove(vk, srs, unhex(vector["statementHash"]), by_id(vk, model().tensors()))
    assert proof == unhex(vector["proof"])
    native.verify(*arguments(vector))


@pytest.mark.parametrize("name", sorted(FORGERIES))
def test_verify__forgery__refused_by_both_for_the_same_reason(name: str) -> None:
    vk, tau_g2, statement_hash, public_in, public_out, proof = arguments(FORGERIES[name])
    with pytest.raises(NativeProofError) as native_error:
        native.verify(vk, tau_g2, statement_hash, public_in, public_out, proof)
    with pytest.raises((ProofError, RangeError)) as reference_error:
        reference_verifier.verify(
            VerificationKey.from_bytes(vk), tau_g2, statement_hash, public_in, public_out, proof
        )
    assert native_error.value.reason.startswith(str(reference_error.value)[:SHARED_WORDS])


@pytest.mark.parametrize("seed", range(6))
def test_prove__false_witness__same_bytes_and_refused(seed: int, srs: bytes) -> None:
    """A cheater's proof is as deterministic as an honest one."""
    rng = np.random.default_rng(seed)
    model = all_models()[seed % len(all_models())]
    tensors = model.tensors()
    for _ in range(3):
        cells = tensors[int(rng.integers(len(tensors)))]
        cells[int(rng.integers(len(cells)))] += int(rng.integers(1, 1 << 20))
    vk = model.key.to_bytes()
    proof = native.prove(vk, srs, STATEMENT, by_id(vk, tensors))
    assert proof == reference_prove(model.key, insecure_srs(model.program.c), STATEMENT, tensors)
    with pytest.raises(NativeProofError):
        native.verify(*submission(model, proof))


@pytest.mark.parametrize("seed", range(40))
def test_verify__one_bit_flipped__refused_by_both(seed: int) -> None:
    rng = np.random.default_rng(seed)
    vector = list(OPERATORS.values())[seed % len(OPERATORS)]
    vk, tau_g2, statement_hash, public_in, public_out, proof = arguments(vector)
    tampered = bytearray(proof)
    tampered[int(rng.integers(len(proof)))] ^= 1 << int(rng.integers(8))
    changed = (tau_g2, statement_hash, public_in, public_out, bytes(tampered))
    with pytest.raises(NativeProofError):
        native.verify(vk, *changed)
    with pytest.raises(OffchainError):
        reference_verifier.verify(VerificationKey.from_bytes(vk), *changed)


@pytest.mark.parametrize("seed", range(10))
def test_prove__random_bytes_and_ids__refused_without_a_crash(seed: int, srs: bytes) -> None:
    rng = np.random.default_rng(seed)
    vector = PROOFS["deep"]
    vk = bytearray(unhex(vector["vk"]))
    vk[66 + int(rng.integers(200))] ^= int(rng.integers(1, 256))
    with pytest.raises(NativeProofError):
        native.verify(bytes(vk), *arguments(vector)[1:])
    with pytest.raises(NativeProofError):
        native.verify(rng.bytes(int(rng.integers(600))), *arguments(vector)[1:])
    tensors = witness_of(vector)
    tensors[int(rng.integers(len(tensors)))] = None
    with pytest.raises(NativeInputError, match="missing"):
        native.prove(unhex(vector["vk"]), srs, STATEMENT, tensors)


def test_prove__wrong_types__refused_with_the_tensor(srs: bytes) -> None:
    vector = PROOFS["tiny"]
    vk = unhex(vector["vk"])
    honest = witness_of(vector)
    cells = honest[2]
    assert cells is not None
    wrong: list[Any] = [
        cells.astype(np.float64),
        np.repeat(cells, 2)[::2],
        cells[:-1],
    ]
    for bad in wrong:
        with pytest.raises(NativeInputError, match="tensor 2"):
            native.prove(vk, srs, STATEMENT, [*honest[:2], bad, *honest[3:]])
    with pytest.raises(NativeInputError, match="statement hash"):
        native.prove(vk, srs, STATEMENT[:-1], honest)
    with pytest.raises(NativeInputError, match="SRS"):
        native.prove(vk, srs[:64], STATEMENT, honest)


@pytest.mark.parametrize("make", [tiny, deep])
def test_verify__another_statement_or_output__refused(
    make: Callable[[], SmallModel], srs: bytes
) -> None:
    model = make()
    vk = model.key.to_bytes()
    proof = native.prove(vk, srs, STATEMENT, by_id(vk, model.tensors()))
    honest = submission(model, proof)
    native.verify(*honest)
    for position in (2, 3, 4):
        changed = list(honest)
        changed[position] = bytes([changed[position][0] ^ 1]) + changed[position][1:]
        with pytest.raises(NativeProofError):
            native.verify(*changed)


def submission(model: SmallModel, proof: bytes) -> tuple[bytes, bytes, bytes, bytes, bytes, bytes]:
    """Return what is passed to the native verifier for a model's honest public bytes."""
    public_out = output_bytes(model.program, read_output(model.program, model.witness))
    return (
        model.key.to_bytes(),
        native.tau_g2_insecure(),
        STATEMENT,
        model.public_in,
        public_out,
        proof,
    )
