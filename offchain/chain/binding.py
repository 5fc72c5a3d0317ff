"""What every contract binding shares: typed reads, prepared calls, structs by field name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from eth_utils.address import to_checksum_address

from offchain.chain.client import Call, ChainClient
from offchain.chain.manifest import Manifest
from offchain.types import Address, Wei


class Binding:
    """One deployed contract; subclasses name it and give its functions types."""

    NAME: ClassVar[str]

    def __init__(self, client: ChainClient, manifest: Manifest) -> None:
        deployment = manifest.get(self.NAME)
        self.address: Address = deployment.address
        self.abi = deployment.abi
        self._client = client

    def build(self, function: str, *arguments: Any, value_wei: int = 0) -> Call:
        """Return a call that is ready to be simulated, signed and sent."""
        calldata = self.abi.encode_call(function, arguments)
        return Call(self.NAME, function, self.address, calldata, Wei(value_wei))

    def read(self, function: str, *arguments: Any) -> Any:
        """Return the only output of a view."""
        return self.read_all(function, *arguments)[0]

    def read_all(self, function: str, *arguments: Any) -> tuple[Any, ...]:
        """Return all outputs of a view."""
        raw = self._client.call(self.build(function, *arguments))
        return self.abi.decode_result(function, raw)

    def read_struct(self, function: str, *arguments: Any) -> Mapping[str, Any]:
        """Return a view's struct as field name -> value."""
        fields = self.abi.field_names(function)
        return dict(zip(fields, self.read(function, *arguments), strict=True))


def checksum(address: str) -> Address:
    """Return an address in the one form that may be compared."""
    return Address(str(to_checksum_address(address)))
