"""Beacon: randomness that is decided after it was asked for."""

from __future__ import annotations

from typing import ClassVar

from offchain.chain.binding import Binding
from offchain.chain.client import Call
from offchain.types import Address, BlockNumber, SeedState


class Beacon(Binding):
    """Seeds out of block hashes."""

    NAME: ClassVar[str] = "Beacon"

    def get_state(self, requester: Address, key: bytes) -> SeedState:
        """Return whether there is a seed."""
        return SeedState(self.read("stateOf", requester, key))

    def get_seed(self, requester: Address, key: bytes) -> bytes:
        """Return a fixed seed; raise ContractRevert SeedNotReady where there is none."""
        return bytes(self.read("seedOf", requester, key))

    def get_request_block(self, requester: Address, key: bytes) -> BlockNumber:
        """Return the block in which the key was asked for; 0 if it never was."""
        return BlockNumber(self.read("requestedAt", requester, key))

    def build_fix(self, requester: Address, key: bytes) -> Call:
        """Fix a seed before the chain forgets the block that decided it."""
        return self.build("fix", requester, key)
