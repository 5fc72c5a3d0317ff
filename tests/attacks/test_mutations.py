"""The Rust, the Solidity and the reference verifier give changed proofs and keys one verdict."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import pytest

from offchain import native
from offchain.chain.anvil import run_anvil
from offchain.chain.rpc import RpcError
from offchain.errors import NativeProofError, OffchainError
from offchain.prove.reference.field import Q, R
from offchain.prove.reference.verifier import verify
from tests.differential.test_solidity_verifier import GAS_LIMIT, TAU, Chain, Submission, submit
from tests.random_models import draw_model

WORD = 32
KEY_HEAD = 66  # graph hash, SRS, the program's length
KEY_ADDRESS = "0x00000000000000000000000000000000000001e7"
MODELS = ((1, 1, (4, 3)), (2, 3, (5, 3, 2)))


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    """A chain with the verifier on it."""
    with run_anvil(tmp_path_factory.mktemp("anvil") / "anvil.log", block_s=0) as anvil:
        yield Chain(anvil.rpc)


@cache
def honest(verifier: str, seed: int, rows: int, sizes: tuple[int, ...]) -> Submission:
    """Return an honest proof for a verifier on its chain."""
    return submit(draw_model(seed, rows, sizes), verifier, seed)


def mutate(data: bytes, rng: random.Random) -> bytes:
    """Make one to three changes: bits, bytes, words, whole pieces."""
    out = bytearray(data)
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(out))
        word = at - at % WORD
        match rng.randrange(8):
            case 0:
                out[at] ^= 1 << rng.randrange(8)
            case 1:
                out[at] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, out[at] + 1 & 0xFF))
            case 2:
                out[word : word + WORD] = rng.choice((0, 1, R - 1, R, Q - 1, Q)).to_bytes(
                    WORD, "big"
                )
            case 3:
                other = rng.randrange(len(out) // WORD) * WORD
                out[word : word + WORD], out[other : other + WORD] = (
                    out[other : other + WORD],
                    out[word : word + WORD],
                )
            case 4:
                del out[at : at + rng.randint(1, 2 * WORD)]
            case 5:
                out[at:at] = out[at : at + rng.randint(1, 2 * WORD)]
            case 6:
                del out[max(at, WORD) :]
            case _:
                number = int.from_bytes(out[word : word + WORD], "big")
                shifted = (number + rng.choice((R, Q))) % (1 << 256)  # the same element, long
                out[word : word + WORD] = shifted.to_bytes(WORD, "big")
    return bytes(out)


def refused_by_reference(made: Submission) -> bool:
    try:
        verify(made.key, TAU, made.statement.hash(), made.public_in, made.public_out, made.proof)
    except OffchainError:
        return True
    return False


def compare(chain: Chain, seed: int, count: int, by_reference: int) -> None:
    """Require one verdict on `count` changed proofs, the first ones by the reference too."""
    rng = random.Random(seed)
    submissions = [honest(chain.verifier, *model) for model in MODELS]
    keys = [chain.install(made.key) for made in submissions]
    for made, key in zip(submissions, keys, strict=True):
        assert made.accepted_by_rust()
        assert not refused_by_reference(made)
        assert chain.error_of(made, key) is None
    for k in range(count):
        made, key = submissions[k % len(MODELS)], keys[k % len(MODELS)]
        changed = replace(made, proof=mutate(made.proof, rng))
        same = changed.proof == made.proof
        assert changed.accepted_by_rust() == same, k
        error = chain.error_of(changed, key)
        assert (error is None) == same, k
        assert same or not str(error).startswith(("Unknown", "Empty", "Panic", "Error")), (k, error)
        if k < by_reference:
            assert refused_by_reference(changed) != same, k


def test_mutated_proofs__rust_solidity_reference__one_verdict(chain: Chain) -> None:
    compare(chain, seed=1, count=400, by_reference=60)


@pytest.mark.slow
def test_mutated_proofs__many__one_verdict(chain: Chain) -> None:
    compare(chain, seed=2, count=10_000, by_reference=1_000)


def key_refused_by_rust(made: Submission, blob: bytes) -> bool:
    """Whether the key itself is refused, whatever the proof."""
    arguments = (made.statement.hash(), made.public_in, made.public_out, made.proof)
    with pytest.raises(NativeProofError) as refusal:
        native.verify(blob, TAU, *arguments)
    return refusal.value.reason.startswith("key: ")


def key_refused_by_solidity(chain: Chain, blob: bytes) -> bool:
    """Whether `inspect` reverts."""
    chain._rpc.request("anvil_setCode", KEY_ADDRESS, "0x00" + blob.hex())
    data = "0x" + chain.abi.encode_call("inspect", [KEY_ADDRESS]).hex()
    call = {"to": chain.verifier, "data": data, "gas": hex(GAS_LIMIT)}
    try:
        chain._rpc.request("eth_call", call)
    except RpcError:
        return True
    return False


def compare_keys(chain: Chain, seed: int, count: int) -> None:
    """Require that `inspect` and the native decoder agree on changed programs."""
    rng = random.Random(seed)
    passed = 0
    for k in range(count):
        made = honest(chain.verifier, *MODELS[k % len(MODELS)])
        blob, program = made.key.to_bytes(), made.key.program.to_bytes()
        changed = bytearray(program)
        for _ in range(rng.randint(1, 2)):
            at = rng.randrange(len(changed))
            changed[at] = rng.choice((0, 1, changed[at] ^ 1, changed[at] + 1 & 0xFF, 0x40, 0xFF))
        if changed == program:
            continue
        other = blob[:KEY_HEAD] + bytes(changed) + blob[KEY_HEAD + len(program) :]
        refused = key_refused_by_rust(made, other)
        passed += not refused
        assert key_refused_by_solidity(chain, other) == refused, (k, other.hex())
    assert passed, "every change was refused: the comparison says nothing"


def test_mutated_programs__rust_and_solidity__one_verdict(chain: Chain) -> None:
    compare_keys(chain, seed=3, count=400)


@pytest.mark.slow
def test_mutated_programs__many__one_verdict(chain: Chain) -> None:
    compare_keys(chain, seed=4, count=10_000)
