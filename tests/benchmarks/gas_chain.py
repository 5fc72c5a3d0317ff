"""A deployment on a fresh chain that mines at every transaction and records what each one cost."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from offchain.chain.abi import ContractAbi
from offchain.chain.anvil import Anvil, run_anvil
from offchain.chain.binding import checksum
from offchain.chain.client import Call, ChainClient, Receipt
from offchain.chain.contracts.guardian import Guardian
from offchain.chain.keys import create_key_file
from offchain.chain.manifest import Manifest
from offchain.cli.deploy import DeployOptions, run_deploy
from offchain.roles.account import Account
from offchain.roles.context import Contracts, bind_contracts, connect
from offchain.types import AccountId, Address

TOKEN: Final = Path(__file__).parents[2] / ".local/forge/out/PlainToken.sol/PlainToken.json"
FUNDS_WEI: Final = 10**21
RECEIPT_S: Final = 30.0
GAS_LIMIT: Final = 1 << 24  # of a transaction (EIP-7825)
POLL_S: Final = 0.02
SETUP: Final = "setup"  # contract of rows that are no entry points of the protocol


@dataclass(frozen=True)
class Row:
    """One transaction: which entry point, in which case, and what it cost."""

    contract: str
    function: str
    case: str
    gas: int
    calldata_bytes: int


@dataclass
class GasChain:
    """Sends as anybody and keeps a row of every transaction."""

    anvil: Anvil
    client: ChainClient
    manifest: Manifest
    contracts: Contracts
    token: Address
    folder: Path
    rows: list[Row] = field(default_factory=list)
    _people: int = 0

    @property
    def guardian(self) -> Guardian:
        """Return the guardian's binding."""
        return Guardian(self.client, self.manifest)

    def create_account(self) -> Address:
        """Return a fresh address with money."""
        self._people += 1
        address = checksum("0x" + f"{0xACC0000 + self._people:040x}")
        self.anvil.fund(address, FUNDS_WEI)
        return address

    def send(self, sender: str, call: Call, case: str = "") -> Receipt:
        """Send a call and record its receipt; raise RuntimeError when it reverts."""
        fields = {
            "from": sender,
            "data": "0x" + call.calldata.hex(),
            "value": hex(call.value_wei),
            # Not the node's estimate: a second later a step may write a word more.
            "gas": hex(GAS_LIMIT),
        } | ({} if call.to is None else {"to": str(call.to)})
        sent = self.anvil.rpc.request("eth_sendTransaction", fields)
        wait_mined(self.anvil, sent)
        receipt = self.client.get_receipt(sent)
        if receipt is None or not receipt.succeeded:
            number = self.client.get_head().number
            reason = self.client.explain_revert(call, AccountId(sender), number)
            raise RuntimeError(f"{call.label} in block {number}: {reason}")
        row = Row(call.contract, call.function, case, receipt.gas_used, len(call.calldata))
        self.rows.append(row)
        return receipt

    def pass_deadline(self, deadline: int) -> None:
        """Move the clock to one second after a deadline of the protocol's clock."""
        ahead = deadline + 1 - self.contracts.market.get_time().now
        self.anvil.jump_to(self.client.get_head().timestamp + max(ahead, 1))

    def mint(self, account: Address, amount: int) -> None:
        """Give an account units of the ERC-20."""
        abi = ContractAbi("PlainToken", read_token()["abi"])
        calldata = abi.encode_call("mint", [account, amount])
        self.send(account, Call(SETUP, "mint", self.token, calldata))

    def open_account(self, name: str) -> Account:
        """Return an account with a key of its own, for what is signed."""
        key_file = self.folder / f"{name}.key"
        address = create_key_file(key_file).address
        self.anvil.fund(address, FUNDS_WEI)
        manifest = self.folder / "manifest.json"
        return Account(self.anvil.url, manifest, key_file, None, self.folder / "state")

    @contextmanager
    def undone(self) -> Iterator[None]:
        """Take everything back that is done inside; its rows stay."""
        snapshot = self.anvil.rpc.request("evm_snapshot")
        try:
            yield
        finally:
            self.anvil.rpc.request("evm_revert", snapshot)


def read_token() -> dict[str, object]:
    """Return the compiled ERC-20."""
    artefact: dict[str, object] = json.loads(TOKEN.read_text(encoding="utf-8"))
    return artefact


@contextmanager
def run_gas_chain(folder: Path) -> Iterator[GasChain]:
    """Deploy preset local with an ERC-20 beside ETH; everybody may send as anybody."""
    with run_anvil(folder / "anvil.log", block_s=0) as anvil:
        anvil.rpc.request("anvil_autoImpersonateAccount", True)
        token = _create_token(anvil)
        key_file = folder / "deployer.key"
        anvil.fund(create_key_file(key_file).address, FUNDS_WEI)
        manifest_file = run_deploy(
            DeployOptions(key_file, anvil.url, manifest=folder / "manifest.json", token=token)
        )
        client, manifest = connect(anvil.url, manifest_file)
        contracts = bind_contracts(client, manifest)
        yield GasChain(anvil, client, manifest, contracts, token, folder)


def _create_token(anvil: Anvil) -> Address:
    sender = anvil.rpc.request("eth_accounts")[0]
    bytecode = read_token()["bytecode"]
    assert isinstance(bytecode, dict)
    fields = {"from": sender, "data": bytecode["object"]}
    sent = anvil.rpc.request("eth_sendTransaction", fields)
    return checksum(wait_mined(anvil, sent)["contractAddress"])


def wait_mined(anvil: Anvil, tx_hash: str) -> Mapping[str, Any]:
    """Return a receipt; the node answers before it has mined."""
    deadline = time.monotonic() + RECEIPT_S
    while time.monotonic() < deadline:
        receipt: Mapping[str, Any] | None = anvil.rpc.request("eth_getTransactionReceipt", tx_hash)
        if receipt is not None:
            return receipt
        time.sleep(POLL_S)
    raise TimeoutError(f"no receipt of {tx_hash} after {RECEIPT_S:.0f} s")
