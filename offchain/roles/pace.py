"""How fast the chain's blocks come, by their own timestamps."""

from __future__ import annotations

from typing import Final

from offchain.chain.client import ChainClient
from offchain.types import BlockStamp

BLOCKS: Final = 10  # the pace of the chain is taken from so many


def measure_pace(client: ChainClient, head: BlockStamp) -> float:
    """Return the seconds from block to block lately; 0 where there is nothing to measure."""
    before = client.get_block(max(head.number - BLOCKS, 0))
    blocks = 0 if before is None else head.number - before.number
    if before is None or not blocks:
        return 0.0
    return (head.timestamp - before.timestamp) / blocks
