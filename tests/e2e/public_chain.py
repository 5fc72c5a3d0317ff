"""A chain like a public one: locked accounts, 12 s blocks, a base fee that moves."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from offchain.chain.anvil import Anvil

BLOCK_S: Final = 12
CHAIN_ID: Final = 4242
GWEI: Final = 10**9
PACE_S: Final = 0.4  # wall clock a block: thirty times as fast as a public chain
LOW_FEE: Final = 4 * GWEI
RISE_BLOCKS: Final = 9
STEP: Final = (9, 8)  # EIP-1559: an eighth more or less at most


def walk_base_fee() -> Iterator[int]:
    """Yield base fees that rise and fall as fast as EIP-1559 lets them: 4 to 11.5 gwei."""
    fee, (up, down) = LOW_FEE, STEP
    for block in itertools.count():
        yield fee
        is_rising = block % (2 * RISE_BLOCKS) < RISE_BLOCKS
        fee = fee * up // down if is_rising else fee * down // up


@contextmanager
def mine_public_blocks(anvil: Anvil) -> Iterator[None]:
    """Mine in the background: blocks 12 s apart by their timestamps, the base fee on the move."""
    anvil.rpc.request("evm_setIntervalMining", 0)
    anvil.rpc.request("evm_setAutomine", False)
    stop, fees = threading.Event(), walk_base_fee()

    def mine() -> None:
        while not stop.wait(PACE_S):
            anvil.rpc.request("anvil_setNextBlockBaseFeePerGas", hex(next(fees)))
            anvil.mine(1, BLOCK_S)

    miner = threading.Thread(target=mine, daemon=True)
    miner.start()
    try:
        yield
    finally:
        stop.set()
        miner.join()
