"""The Solidity verifier on a real chain against the Rust prover and verifier, on random models."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from eth_abi.abi import encode

from offchain import native
from offchain.chain.abi import ContractAbi, ErrorBook
from offchain.chain.anvil import run_anvil
from offchain.chain.data_contract import build_data_contract
from offchain.chain.rpc import Rpc, RpcError
from offchain.commit.digest import tensor_digest
from offchain.commit.srs_file import srs_id
from offchain.errors import NativeProofError
from offchain.execute.reference import run_traced
from offchain.model.graph import Graph, Linear, Requant, TensorSpec, WeightSpec
from offchain.prove.compile import compile_layout
from offchain.prove.cost import GAME, estimate_cost
from offchain.prove.key import build_key
from offchain.prove.program import VerificationKey
from offchain.prove.statement import Statement
from offchain.prove.witness import RequantTrace, build_witness
from tests.random_models import RandomModel, draw_model
from tests.vectors.models import to_bytes
from tests.vectors.proofs import MARKET, PROVER

ARTEFACT: Final = (
    Path(__file__).parents[2]
    / ".local"
    / "forge"
    / "out"
    / "VerifierCore.sol"
    / "VerifierCore.json"
)
TAU: Final = native.tau_g2_insecure()
GAS_LIMIT: Final = 16_000_000
RECEIPT_S: Final = 20.0
# The bar for a whole transaction that proves the 64-32-10 digits model; EIP-7623's floor included.
MLP_GAS: Final = 650_000


@dataclass(frozen=True)
class Submission:
    """What a prover sends for one job."""

    key: VerificationKey
    statement: Statement
    public_in: bytes
    public_out: bytes
    proof: bytes

    def accepted_by_rust(self) -> bool:
        """Ask the native verifier."""
        arguments = (self.statement.hash(), self.public_in, self.public_out, self.proof)
        try:
            native.verify(self.key.to_bytes(), TAU, *arguments)
        except NativeProofError:
            return False
        return True


class Chain:
    """A fresh chain with the verifier on it."""

    def __init__(self, rpc: Rpc, tau_g2: bytes = TAU) -> None:
        artefact = json.loads(ARTEFACT.read_text(encoding="utf-8"))
        self.abi = ContractAbi("VerifierCore", artefact["abi"])
        self._errors = ErrorBook([self.abi])
        self._rpc = rpc
        self._account = rpc.request("eth_accounts")[0]
        words = [int.from_bytes(tau_g2[k : k + 32], "big") for k in range(0, 128, 32)]
        code = bytes.fromhex(artefact["bytecode"]["object"][2:]) + encode(["uint256[4]"], [words])
        self.verifier = str(self.send(code)["contractAddress"])

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
        """Return the address of a key's data contract."""
        return str(self.send(build_data_contract(key.to_bytes()).calldata)["contractAddress"])

    def encode(self, submission: Submission, key: str) -> bytes:
        """Return the calldata of `verify`."""
        s = submission
        fields = tuple(getattr(s.statement, name) for name in s.statement.__dataclass_fields__)
        arguments = [fields, key, s.public_in, s.public_out, s.proof]
        return self.abi.encode_call("verify", arguments)

    def error_of(self, submission: Submission, key: str) -> str | None:
        """Return the name of the error with which the verifier refuses, None if it accepts."""
        data = "0x" + self.encode(submission, key).hex()
        try:
            self._rpc.request(
                "eth_call", {"to": self.verifier, "data": data, "gas": hex(GAS_LIMIT)}
            )
        except RpcError as refusal:
            raw = bytes.fromhex(str(refusal.extra).removeprefix("0x"))
            return str(self._errors.decode("verify", raw).name)
        return None


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    """A chain that mines at every transaction."""
    with run_anvil(tmp_path_factory.mktemp("anvil") / "anvil.log", block_s=0) as anvil:
        yield Chain(anvil.rpc)


def submit(model: RandomModel, verifier: str, job: int) -> Submission:
    """Execute and prove a model's input for a job of the chain."""
    layout = compile_layout(model.graph)
    srs = native.srs_insecure(layout.program.c)
    key = build_key(
        layout, model.weights, srs_id(TAU), lambda chunk: native.commit(srs, np.asarray(chunk))
    )
    execution = run_traced(model.graph, model.weights, model.x)
    trace = {name: RequantTrace(step.acc, step.y) for name, step in execution.steps.items()}
    in_bits, out_bits = (8 * p.bytes_per_element for p in layout.program.public)
    statement = Statement(
        format=1,
        chain_id=31337,
        verifier=verifier,
        market=MARKET,
        job_id=job,
        shard=0,
        challenge_seed=job.to_bytes(32, "big"),
        prover=PROVER,
        model_version=bytes(32),
        program_hash=layout.program.hash(),
        srs_id=key.srs_id,
        mode=1,
        op_range=layout.program.op_count,
        in_digest=tensor_digest(model.x, in_bits),
        out_digest=tensor_digest(execution.output, out_bits),
    )
    tensors = build_witness(layout, model.weights, model.x, trace)
    return Submission(
        key,
        statement,
        to_bytes(model.x, in_bits),
        to_bytes(execution.output, out_bits),
        native.prove(key.to_bytes(), srs, statement.hash(), tensors),
    )


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
    submission = submit(digits_model(), chain.verifier, 1)
    receipt = chain.send(chain.encode(submission, chain.install(submission.key)), to=chain.verifier)
    assert int(receipt["gasUsed"], 16) <= MLP_GAS


def test_estimate_cost__proofs_on_chain__never_above_the_bound(chain: Chain) -> None:
    """An operator stakes on what the bound says; the game around the verifier is in it too."""
    wide = draw_model(8, 1, (2000, 3))
    for job, model in enumerate((digits_model(), wide), start=1):
        submission = submit(model, chain.verifier, job)
        program, key = submission.key.program, chain.install(submission.key)
        cost = estimate_cost(program, len(submission.key.to_bytes()))
        gas = int(chain.send(chain.encode(submission, key), to=chain.verifier)["gasUsed"], 16)
        assert len(submission.proof) == cost.proof_bytes
        assert gas <= cost.gas - GAME <= 2 * gas, model.graph.input


@pytest.mark.parametrize(
    ("seed", "rows", "sizes"),
    [
        (1, 1, (1, 1)),
        (2, 1, (3, 1, 2)),
        (3, 5, (7, 3)),
        (4, 2, (9, 5, 6, 3)),
        (5, 3, (33, 17, 4)),
        (6, 4, (4, 4, 4, 4, 4)),
        (7, 1, (200, 11, 3)),
    ],
)
def test_verify__random_model__agrees_with_rust(
    chain: Chain, seed: int, rows: int, sizes: tuple[int, ...]
) -> None:
    honest = submit(draw_model(seed, rows, sizes), chain.verifier, seed)
    key = chain.install(honest.key)
    assert honest.accepted_by_rust()
    assert chain.error_of(honest, key) is None
    rng = random.Random(seed)
    for _ in range(12):
        changed = bytearray(honest.proof)
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
        forged = replace(honest, proof=bytes(changed))
        assert not forged.accepted_by_rust()
        error = chain.error_of(forged, key)
        assert error is not None
        assert not error.startswith(("Unknown", "Empty", "Panic", "Error"))


def test_verify__another_output__refused(chain: Chain) -> None:
    honest = submit(draw_model(8, 2, (8, 4, 3)), chain.verifier, 8)
    key = chain.install(honest.key)
    public = honest.key.program.public[1]
    false_out = bytearray(honest.public_out)
    false_out[-1] ^= 1
    shape, bits = (public.rows, public.cols), 8 * public.bytes_per_element
    values = np.frombuffer(bytes(false_out), dtype=f">i{bits // 8}").reshape(shape)
    forged = replace(honest, public_out=bytes(false_out))
    assert chain.error_of(forged, key) == "WrongOutputDigest"
    statement = replace(honest.statement, out_digest=tensor_digest(values.astype(np.int64), bits))
    forged = replace(forged, statement=statement)
    assert not forged.accepted_by_rust()
    assert chain.error_of(forged, key) == "SumCheckMismatch"
