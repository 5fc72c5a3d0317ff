"""The Solidity verifier on a real chain against the Rust prover and verifier, on random graphs."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from eth_abi.abi import encode

from offchain.chain.abi import ContractAbi, ErrorBook
from offchain.chain.anvil import run_anvil
from offchain.chain.data_contract import MAX_CODE_BYTES, build_data_contract
from offchain.chain.rpc import Rpc, RpcError
from offchain.model.graph import Graph, Linear, Requant, TensorSpec, WeightSpec
from offchain.prove.compile import Choice
from offchain.prove.cost import GAME, estimate_cost
from offchain.prove.program import Lookup, Opening
from offchain.prove.verification_key import VerificationKey
from tests.differential.submissions import TAU, Case, Submission
from tests.random_models import RandomModel, draw_graph, draw_model, draw_operator
from tests.random_operators import DRAWERS
from tests.vectors.proofs import statement_for

__all__ = ["TAU", "Chain", "Submission"]

FORGE: Final = Path(__file__).parents[2] / ".local" / "forge" / "out"
GAS_LIMIT: Final = 16_000_000
LARGE_KEY: Final = "0x00000000000000000000000000000000000001e8"
# The bar for a whole transaction that proves the 64-32-10 digits model; EIP-7623's floor included.
MLP_GAS: Final = 650_000
RECEIPT_S: Final = 20.0
CHOICES: Final = tuple(Choice(None, lookup, opening) for lookup in Lookup for opening in Opening)


class Chain:
    """A fresh chain with the verifier on it."""

    def __init__(self, rpc: Rpc, tau_g2: bytes = TAU) -> None:
        self._rpc = rpc
        self._account = rpc.request("eth_accounts")[0]
        words = [int.from_bytes(tau_g2[k : k + 32], "big") for k in range(0, 128, 32)]
        openings = [
            self._create(name, encode(["uint256[4]"], [words]))
            for name in ("HyperKzgOpening", "MercuryOpening")
        ]
        parts = [*openings, self._create("Inspector", b"")]
        self.verifier = self._create("VerifierCore", encode(["address"] * 3, parts))
        names = ("VerifierCore", "HyperKzgOpening", "MercuryOpening", "Inspector")
        self.abi = ContractAbi("VerifierCore", artefact("VerifierCore")["abi"])
        self._errors = ErrorBook([ContractAbi(name, artefact(name)["abi"]) for name in names])

    def _create(self, name: str, arguments: bytes) -> str:
        code = bytes.fromhex(artefact(name)["bytecode"]["object"][2:])
        return str(self.send(code + arguments)["contractAddress"])

    def send(self, calldata: bytes, to: str | None = None) -> dict[str, Any]:
        """Return the receipt of a transaction that succeeds."""
        call = {"from": self._account, "data": "0x" + calldata.hex(), "gas": hex(GAS_LIMIT)}
        if to is not None:
            call["to"] = to
        hash_ = self._rpc.request("eth_sendTransaction", call)
        deadline = time.monotonic() + RECEIPT_S
        while (receipt := self._rpc.request("eth_getTransactionReceipt", hash_)) is None:
            assert time.monotonic() < deadline, "no receipt"
        assert receipt["status"] == "0x1"
        return dict(receipt)

    def install(self, key: VerificationKey) -> str:
        """Return the address of a key's data contract, whatever its size."""
        if len(key.to_bytes()) >= MAX_CODE_BYTES:
            self.place(LARGE_KEY, key.to_bytes())
            return LARGE_KEY
        return str(self.send(build_data_contract(key.to_bytes()).calldata)["contractAddress"])

    def encode(self, submission: Submission, key: str) -> bytes:
        """Return the calldata of `verify`."""
        s = submission
        fields = tuple(getattr(s.statement, name) for name in s.statement.__dataclass_fields__)
        arguments = [fields, key, s.public_in, s.public_out, s.proof]
        return self.abi.encode_call("verify", arguments)

    def error_of(self, submission: Submission, key: str) -> str | None:
        """Return the name of the error with which the verifier refuses, None if it accepts."""
        return self._error("verify", self.encode(submission, key))

    def error_of_call(self, name: str, arguments: list[Any]) -> str | None:
        """Return the name of the error of a call to the verifier, None if it returns."""
        return self._error(name, self.abi.encode_call(name, arguments))

    def place(self, address: str, key: bytes) -> None:
        """Put a key's bytes where an address points to."""
        self._rpc.request("anvil_setCode", address, "0x00" + key.hex())

    def _error(self, name: str, calldata: bytes) -> str | None:
        call = {"to": self.verifier, "data": "0x" + calldata.hex(), "gas": hex(GAS_LIMIT)}
        try:
            self._rpc.request("eth_call", call)
        except RpcError as refusal:
            raw = bytes.fromhex(str(refusal.extra).removeprefix("0x"))
            return str(self._errors.decode(name, raw).name)
        return None


def artefact(name: str) -> dict[str, Any]:
    """Return what the compiler made of a contract."""
    text = (FORGE / f"{name}.sol" / f"{name}.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    """A chain that mines at every transaction."""
    with run_anvil(tmp_path_factory.mktemp("anvil") / "anvil.log", block_s=0) as anvil:
        yield Chain(anvil.rpc)


def digits_model() -> RandomModel:
    """Return random weights in the shape of the 64-32-10 digits network."""
    rng = np.random.default_rng(1)
    weights = {
        "w0": rng.integers(-20, 21, (32, 64)),
        "b0": rng.integers(-500, 500, (32,)),
        "w1": rng.integers(-20, 21, (10, 32)),
        "b1": rng.integers(-500, 500, (10,)),
    }
    graph = Graph(
        (TensorSpec("x", (1, 64), 8, 0, 16),),
        "y1",
        tuple(WeightSpec(k, v.shape, 8 if k[0] == "w" else 32) for k, v in weights.items()),
        (
            Linear("a0", "x", "w0", "b0"),
            Requant("y0", "a0", 1200, 16, (8, 8), 10, "relu", 8, 0, 127),
            Linear("a1", "y0", "w1", "b1"),
            Requant("y1", "a1", 300, 16, (8, 8), 10, "identity", 16, -512, 511),
        ),
    )
    return RandomModel(graph, weights, rng.integers(0, 17, (1, 64)))


def test_verify__digits_model__accepted_below_the_gas_bar(chain: Chain) -> None:
    submission = Case(digits_model(), Choice()).submit(verifier=chain.verifier)
    receipt = chain.send(chain.encode(submission, chain.install(submission.key)), to=chain.verifier)
    assert int(receipt["gasUsed"], 16) <= MLP_GAS


def compare(chain: Chain, case: Case, seed: int, changes: int) -> None:
    """Require that both verifiers accept the truth and refuse changed proofs."""
    honest = case.submit(job=seed % 250 + 1, verifier=chain.verifier)
    key = chain.install(honest.key)
    assert honest.accepted_by_rust()
    assert chain.error_of(honest, key) is None
    rng = random.Random(seed)
    for _ in range(changes):
        changed = bytearray(honest.proof)
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
        forged = replace(honest, proof=bytes(changed))
        assert not forged.accepted_by_rust()
        error = chain.error_of(forged, key)
        assert error is not None
        assert not error.startswith(("Unknown(", "Empty", "Panic", "Error"))


@pytest.mark.parametrize("kind", DRAWERS)
def test_verify__random_operator__agrees_with_rust(chain: Chain, kind: str) -> None:
    seed = list(DRAWERS).index(kind)
    model = draw_operator(kind, 1000 + seed, max_width=8)
    compare(chain, Case(model, CHOICES[(seed + 1) % 4]), 1000 + seed, changes=3)


@pytest.mark.parametrize("seed", range(500, 506))
def test_verify__random_graph__agrees_with_rust(chain: Chain, seed: int) -> None:
    model = draw_graph(seed, operators=4, max_width=8)
    compare(chain, Case(model, CHOICES[seed % 4]), seed, changes=6)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(600, 660))
def test_verify__many_random_graphs__agree_with_rust(chain: Chain, seed: int) -> None:
    model = draw_graph(seed, operators=6)
    compare(chain, Case(model, CHOICES[seed % 4]), seed, changes=6)


def test_estimate_cost__proofs_on_chain__never_above_the_bound(chain: Chain) -> None:
    """An operator stakes on what the bound says; the game around the verifier is in it too."""
    models = [draw_model(8, 1, (2000, 3)), draw_model(1, 1, (64, 32, 10))]
    models += [draw_operator(kind, 7, max_width=8) for kind in ("conv2d", "softmax", "normalize")]
    for job, model in enumerate(models, start=1):
        submission = Case(model, CHOICES[job % 4]).submit(job=job, verifier=chain.verifier)
        program, key = submission.key.program, chain.install(submission.key)
        cost = estimate_cost(program, len(submission.key.to_bytes()))
        gas = int(chain.send(chain.encode(submission, key), to=chain.verifier)["gasUsed"], 16)
        assert len(submission.proof) == cost.proof_bytes
        assert gas <= cost.gas - GAME, model.graph.input


def test_verify__another_output__refused(chain: Chain) -> None:
    case = Case(draw_model(8, 2, (8, 4, 3)), CHOICES[0])
    honest = case.submit(job=8, verifier=chain.verifier)
    key = chain.install(honest.key)
    false_out = honest.public_out[:-1] + bytes([honest.public_out[-1] ^ 1])
    forged = replace(honest, public_out=false_out)
    assert chain.error_of(forged, key) == "WrongOutputDigest"
    digest = statement_for(honest.key, honest.public_in, false_out, 8).out_digest
    forged = replace(forged, statement=replace(honest.statement, out_digest=digest))
    assert not forged.accepted_by_rust()
    assert chain.error_of(forged, key) == "SumCheckMismatch"
