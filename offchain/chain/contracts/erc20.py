"""The one ERC-20 beside ETH: what owners and clients do with it (EIP-20)."""

from __future__ import annotations

from typing import Any, Final

from offchain.chain.abi import ContractAbi
from offchain.chain.client import Call, ChainClient
from offchain.types import Address, Amount


def _entry(name: str, inputs: list[str], output: str) -> dict[str, Any]:
    return {
        "type": "function",
        "name": name,
        "inputs": [{"name": f"arg{i}", "type": kind} for i, kind in enumerate(inputs)],
        "outputs": [{"name": "", "type": output}],
    }


ABI: Final = ContractAbi(
    "ERC20",
    [
        _entry("approve", ["address", "uint256"], "bool"),
        _entry("balanceOf", ["address"], "uint256"),
        _entry("allowance", ["address", "address"], "uint256"),
    ],
)


class Erc20:
    """A token contract; it is no part of the deployment, so no manifest names it."""

    def __init__(self, client: ChainClient, address: Address) -> None:
        self.address = address
        self._client = client

    def get_balance(self, account: str) -> Amount:
        """Return an account's balance."""
        return self._read("balanceOf", account)

    def get_allowance(self, owner: str, spender: str) -> Amount:
        """Return what `spender` may take of `owner`'s."""
        return self._read("allowance", owner, spender)

    def build_approve(self, spender: str, amount: int) -> Call:
        """Let `spender` take up to `amount` of the caller's."""
        calldata = ABI.encode_call("approve", [spender, amount])
        return Call(ABI.name, "approve", self.address, calldata)

    def _read(self, function: str, *arguments: str) -> Amount:
        call = Call(ABI.name, function, self.address, ABI.encode_call(function, arguments))
        return Amount(ABI.decode_result(function, self._client.call(call))[0])
