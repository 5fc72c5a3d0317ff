"""The gas of one verification: a transaction to the real verifier on a fresh chain."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from eth_abi.abi import encode

from offchain import native
from offchain.chain.abi import ContractAbi
from offchain.chain.anvil import run_anvil
from offchain.chain.data_contract import (
    build_data_contract,
    build_index_contract,
    split_content,
)
from offchain.chain.rpc import Rpc

ARTEFACTS: Final = Path(__file__).parents[2] / ".local/forge/out"
RECEIPT_S: Final = 30.0
WORD: Final = 32


@dataclass(frozen=True)
class VerifierChain:
    """A fresh chain with the verifier on it; its only account is unlocked."""

    rpc: Rpc
    chain_id: int
    account: str
    verifier: str
    abi: ContractAbi

    def verify(
        self, statement: Sequence[Any], vk: bytes, raw_input: bytes, output: bytes, proof: bytes
    ) -> int:
        """Send the proof as a transaction; return the receipt's gas, or fail when it reverts."""
        key = self.keep(vk)
        call = self.abi.encode_call("verify", [tuple(statement), key, raw_input, output, proof])
        return int(send(self.rpc, self.account, self.verifier, call)["gasUsed"], 16)

    def keep(self, vk: bytes) -> str:
        """Put a key on the chain, in parts where it does not fit one; return its address."""

        def create(creation: bytes) -> str:
            return str(send(self.rpc, self.account, None, creation)["contractAddress"])

        parts = [create(build_data_contract(piece).calldata) for piece in split_content(vk)]
        return parts[0] if len(parts) == 1 else create(build_index_contract(parts).calldata)


@contextmanager
def run_verifier_chain(log: Path) -> Iterator[VerifierChain]:
    """Run Anvil at its default fork and deploy the verifier with the development SRS."""
    tau = native.tau_g2_insecure()
    words = [int.from_bytes(tau[i : i + WORD], "big") for i in range(0, len(tau), WORD)]
    with run_anvil(log) as anvil:
        account = anvil.rpc.request("eth_accounts")[0]

        def deploy(name: str, types: Sequence[str], arguments: Sequence[Any]) -> str:
            creation = bytes.fromhex(_artefact(name)["bytecode"]["object"][2:])
            receipt = send(anvil.rpc, account, None, creation + encode(types, arguments))
            return str(receipt["contractAddress"])

        parts = [
            deploy("HyperKzgOpening", ["uint256[4]"], [words]),
            deploy("MercuryOpening", ["uint256[4]"], [words]),
            deploy("Inspector", [], []),
        ]
        yield VerifierChain(
            rpc=anvil.rpc,
            chain_id=int(anvil.rpc.request("eth_chainId"), 16),
            account=account,
            verifier=deploy("VerifierCore", ["address"] * 3, parts),
            abi=ContractAbi("VerifierCore", _artefact("VerifierCore")["abi"]),
        )


def _artefact(name: str) -> dict[str, Any]:
    path = ARTEFACTS / f"{name}.sol" / f"{name}.json"
    artefact: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return artefact


def send(rpc: Rpc, account: str, to: str | None, calldata: bytes) -> dict[str, Any]:
    """Send a transaction, or a creation; return its receipt, or fail when it reverts."""
    fields = {"from": account, "data": "0x" + calldata.hex()} | ({"to": to} if to else {})
    tx_hash = rpc.request("eth_sendTransaction", fields)
    deadline = time.monotonic() + RECEIPT_S
    while time.monotonic() < deadline:
        receipt: dict[str, Any] | None = rpc.request("eth_getTransactionReceipt", tx_hash)
        if receipt is not None:
            if int(receipt["status"], 16) != 1:
                raise RuntimeError(f"transaction {tx_hash} reverted")
            return receipt
        time.sleep(0.1)
    raise TimeoutError(f"no receipt of {tx_hash} after {RECEIPT_S:.0f} s")
