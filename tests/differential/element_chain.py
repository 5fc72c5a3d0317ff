"""A local chain with both element adjudicators, asked by eth_call."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from eth_utils.crypto import keccak

from offchain.chain.abi import ContractAbi, ErrorBook
from offchain.chain.rpc import Rpc, RpcError
from offchain.types import Digest

FORGE: Final = Path(__file__).parents[2] / ".local" / "forge" / "out"
GAS: Final = 30_000_000
# An adjudicator lies at a fixed address of its own, so that a test needs no transaction.
ADDRESSES: Final = {
    "ContractionAdjudicator": "0x" + "c1" * 20,
    "RowAdjudicator": "0x" + "c2" * 20,
}
FIRST_ROW_OPCODE: Final = 0x08
VERDICTS: Final = ("NONE", "CONSISTENT", "INCONSISTENT")
WHOLE: Final = (1 << 64) - 1


@dataclass(frozen=True)
class Claim:
    """What a claim of one element says; nothing else in it matters to these adjudicators."""

    elem: int
    out_digest: Digest
    in_digests: tuple[Digest, ...]
    desc: bytes
    op: int = 0

    def to_tuple(self) -> tuple[Any, ...]:
        """Return the struct of contracts/types/Claim.sol in the order of its fields."""
        words = [keccak(text=name) for name in ("version", "job", "seed")]
        prover = "0x" + "11" * 20
        ends = (self.elem, self.out_digest, list(self.in_digests), self.desc)
        return (*words, prover, self.op, *ends)

    @property
    def contract(self) -> str:
        """The contract that covers the descriptor's opcode."""
        return contract_of(self.desc[1])


class Adjudicators:
    """Both contracts; what they return is a verdict's or an error's name."""

    def __init__(self, rpc: Rpc) -> None:
        """Place the compiled contracts, which have no constructor, on the chain."""
        self._rpc = rpc
        artefacts = {name: _artefact(name) for name in ADDRESSES}
        self.abi = ContractAbi("RowAdjudicator", artefacts["RowAdjudicator"]["abi"])
        self._errors = ErrorBook(ContractAbi(name, a["abi"]) for name, a in artefacts.items())
        for name, address in ADDRESSES.items():
            rpc.request("anvil_setCode", address, artefacts[name]["deployedBytecode"]["object"])

    def encode(self, claim: Claim, evidence: bytes) -> bytes:
        """Return the calldata of `adjudicate`."""
        return self.abi.encode_call("adjudicate", [claim.to_tuple(), evidence])

    def call_raw(self, opcode: int, calldata: bytes) -> str:
        """Return what an opcode's contract answers; raise RpcError where it reverts."""
        return self._call("eth_call", contract_of(opcode), calldata, GAS)

    def ask(self, claim: Claim, evidence: bytes, gas: int = GAS, name: str | None = None) -> str:
        """Return "CONSISTENT", "INCONSISTENT", or the name of the error."""
        calldata = self.encode(claim, evidence)
        try:
            raw = self._call("eth_call", name or claim.contract, calldata, gas)
        except RpcError as refusal:
            data = bytes.fromhex(str(refusal.extra or "0x").removeprefix("0x"))
            return self._errors.decode("adjudicate", data).name
        return VERDICTS[int(raw, 16)]

    def measure(self, claim: Claim, evidence: bytes) -> int:
        """Return the gas of a whole transaction that asks for this verdict."""
        calldata = self.encode(claim, evidence)
        return int(self._call("eth_estimateGas", claim.contract, calldata, GAS), 16)

    def covers(self, name: str, opcode: int) -> bool:
        """Whether a contract says that it covers an opcode."""
        raw = self._call("eth_call", name, self.abi.encode_call("covers", [opcode]), GAS)
        return bool(int(raw, 16))

    def _call(self, method: str, name: str, calldata: bytes, gas: int) -> str:
        call = {"to": ADDRESSES[name], "data": "0x" + calldata.hex(), "gas": hex(gas)}
        return str(self._rpc.request(method, call))


def contract_of(opcode: int) -> str:
    """Return the contract that covers an opcode."""
    return "RowAdjudicator" if opcode >= FIRST_ROW_OPCODE else "ContractionAdjudicator"


def _artefact(name: str) -> dict[str, Any]:
    text = (FORGE / f"{name}.sol" / f"{name}.json").read_text(encoding="utf-8")
    return dict(json.loads(text))
