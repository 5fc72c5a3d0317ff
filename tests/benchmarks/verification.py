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
from offchain.chain.data_contract import build_data_contract
from offchain.chain.rpc import Rpc

VERIFIER: Final = Path(__file__).parents[2] / ".local/forge/out/VerifierCore.sol/VerifierCore.json"
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
        key = send(self.rpc, self.account, None, build_data_contract(vk).calldata)[
            "contractAddress"
        ]
        call = self.abi.encode_call("verify", [tuple(statement), key, raw_input, output, proof])
        return int(send(self.rpc, self.account, self.verifier, call)["gasUsed"], 16)


@contextmanager
def run_verifier_chain(log: Path) -> Iterator[VerifierChain]:
    """Run Anvil at its default fork and deploy the verifier with the development SRS."""
    artefact = json.loads(VERIFIER.read_text(encoding="utf-8"))
    tau = native.tau_g2_insecure()
    words = [int.from_bytes(tau[i : i + WORD], "big") for i in range(0, len(tau), WORD)]
    creation = bytes.fromhex(artefact["bytecode"]["object"][2:]) + encode(["uint256[4]"], [words])
    with run_anvil(log) as anvil:
        account = anvil.rpc.request("eth_accounts")[0]
        yield VerifierChain(
            rpc=anvil.rpc,
            chain_id=int(anvil.rpc.request("eth_chainId"), 16),
            account=account,
            verifier=send(anvil.rpc, account, None, creation)["contractAddress"],
            abi=ContractAbi("VerifierCore", artefact["abi"]),
        )


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
