"""The Rust, the Solidity and the reference verifier give changed proofs and keys one verdict."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import pytest
from eth_hash.auto import keccak

from offchain import native
from offchain.chain.anvil import run_anvil
from offchain.errors import NativeProofError
from offchain.prove.compile import Choice
from offchain.prove.program import Lookup, Opening
from offchain.prove.program_bytes import encode_program
from offchain.prove.reference.field import Q, R
from tests.attacks.quick import pairing_by_tau
from tests.differential.submissions import TAU, Case, Submission
from tests.differential.test_solidity_verifier import Chain
from tests.random_models import draw_model, draw_operator

WORD = 32
KEY_HEAD = 68  # graph hash, SRS, the program's length
KEY_ADDRESS = "0x00000000000000000000000000000000000001e7"
OPERATORS = ("linear", "conv2d", "matmul", "softmax", "normalize", "gather", "embedding")


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    """A chain with the verifier on it."""
    with run_anvil(tmp_path_factory.mktemp("anvil") / "anvil.log", block_s=0) as anvil:
        yield Chain(anvil.rpc)


@cache
def honest(verifier: str, number: int) -> Submission:
    """Return an honest proof for a verifier on its chain: every argument, several operators."""
    choices = [Choice(None, lookup, opening) for lookup in Lookup for opening in Opening]
    choice = choices[number % len(choices)]
    kind = OPERATORS[number]
    if kind == "linear":
        return Case(draw_model(2, 3, (5, 3, 2)), choice).submit(verifier=verifier)
    model = draw_operator(kind, number, max_width=6)
    return Case(model, choice).submit(verifier=verifier)


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


def compare(chain: Chain, seed: int, count: int, by_reference: int) -> None:
    """Require one verdict on `count` changed proofs, the first ones by the reference too."""
    rng = random.Random(seed)
    submissions = [honest(chain.verifier, number) for number in range(len(OPERATORS))]
    keys = [chain.install(made.key) for made in submissions]
    for made, key in zip(submissions, keys, strict=True):
        assert made.accepted_by_rust()
        assert made.accepted_by_reference()
        assert chain.error_of(made, key) is None
    for k in range(count):
        made, key = submissions[k % len(OPERATORS)], keys[k % len(OPERATORS)]
        changed = replace(made, proof=mutate(made.proof, rng))
        same = changed.proof == made.proof
        assert changed.accepted_by_rust() == same, k
        error = chain.error_of(changed, key)
        assert (error is None) == same, k
        assert same or not str(error).startswith(("Unknown(", "Empty", "Panic", "Error")), (
            k,
            error,
        )
        if k < by_reference:
            with pairing_by_tau():
                assert changed.accepted_by_reference() == same, k


def test_mutated_proofs__rust_solidity_reference__one_verdict(chain: Chain) -> None:
    compare(chain, seed=1, count=400, by_reference=60)


@pytest.mark.slow
def test_mutated_proofs__many__one_verdict(chain: Chain) -> None:
    compare(chain, seed=2, count=10_000, by_reference=1_000)


def refused_key(chain: Chain, blob: bytes) -> str | None:
    """Return the error with which `inspect` refuses a key, None if it does not."""
    chain.place(KEY_ADDRESS, blob)
    return chain.error_of_call("inspect", [KEY_ADDRESS])


def compare_keys(chain: Chain, seed: int, count: int) -> None:
    """Require that a proof passes for no other program, and that no verifier breaks on one.

    Which programs are refused before the proof is read is each verifier's own matter (FORMAT.md
    3.5): what relies on a version compares its key with the one that its graph compiles to.
    """
    rng = random.Random(seed)
    inspected, read = 0, 0
    for k in range(count):
        made = honest(chain.verifier, k % len(OPERATORS))
        blob, program = made.key.to_bytes(), encode_program(made.key.program)
        changed = bytearray(program)
        for _ in range(rng.randint(1, 2)):
            at = rng.randrange(len(changed))
            changed[at] = rng.choice((0, 1, changed[at] ^ 1, changed[at] + 1 & 0xFF, 0x40, 0xFF))
        if changed == program:
            continue
        other = blob[:KEY_HEAD] + bytes(changed) + blob[KEY_HEAD + len(program) :]
        statement = replace(made.statement, program_hash=keccak(bytes(changed)))
        submission = replace(made, statement=statement)
        with pytest.raises(NativeProofError) as refusal:
            native.verify(other, TAU, *submission.arguments())
        read += not refusal.value.reason.startswith("key: ")
        error = refused_key(chain, other)
        inspected += error is None
        for name in (error or "none", chain.error_of(submission, KEY_ADDRESS)):
            assert name is not None, (k, other.hex())
            assert not name.startswith(("Unknown(", "Empty", "Panic", "Error")), (
                k,
                name,
                other.hex(),
            )
    assert min(inspected, read), "every change was refused at once: this says nothing about proofs"


def test_mutated_programs__no_proof_passes_and_nothing_breaks(chain: Chain) -> None:
    compare_keys(chain, seed=3, count=400)


@pytest.mark.slow
def test_mutated_programs__many__no_proof_passes_and_nothing_breaks(chain: Chain) -> None:
    compare_keys(chain, seed=4, count=10_000)
