"""A fresh local chain: find Anvil, start it on a free loopback port, stop exactly that process."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from offchain.chain.rpc import Rpc
from offchain.errors import ConfigError, OffchainError, RpcUnavailable

BLOCK_S: Final = 1
CHAIN_ID: Final = 31337
START_S: Final = 15.0
VARIABLE: Final = "ZKDPS_ANVIL"
# Where the repository's own set-up puts it when the user has no Foundry.
LOCAL_BIN: Final = Path(__file__).parents[2] / ".local" / "bin"


@dataclass(frozen=True)
class Anvil:
    """A running local chain."""

    url: str
    pid: int
    rpc: Rpc

    def fund(self, account: str, wei: int) -> None:
        """Set a balance, as a genesis file would."""
        self.rpc.request("anvil_setBalance", account, hex(wei))

    def jump_to(self, timestamp: int) -> None:
        """Mine a block of this time: a wait that nobody can cut short is skipped, not faked."""
        self.rpc.request("evm_setNextBlockTimestamp", timestamp)
        self.rpc.request("evm_mine")

    def mine(self, blocks: int, block_s: int) -> None:
        """Mine so many blocks at once, each `block_s` seconds after the one before."""
        head = self.rpc.request("eth_getBlockByNumber", "latest", False)
        self.rpc.request("evm_setNextBlockTimestamp", int(head["timestamp"], 16) + block_s)
        self.rpc.request("anvil_mine", hex(blocks), hex(block_s))

    def start_clock(self, block_s: int) -> None:
        """Mine every `block_s` seconds from now on instead of at every transaction."""
        self.rpc.request("evm_setIntervalMining", block_s)


def find_anvil() -> str:
    """Return Anvil's path: the user's own first, then the one that set-up installed."""
    named = os.environ.get(VARIABLE)
    found = named or shutil.which("anvil") or shutil.which("anvil", path=str(LOCAL_BIN))
    if found is None:
        raise ConfigError("anvil not found: install Foundry, or run ./scripts/demo once to set up")
    return found


@contextmanager
def run_anvil(
    log: Path,
    port: int = 0,
    block_s: int = BLOCK_S,
    chain_id: int = CHAIN_ID,
    unlocked: int = 1,
) -> Iterator[Anvil]:
    """Run a fresh chain until the block is left; the node itself signs for `unlocked` accounts.

    Blocks come every `block_s` seconds or, with 0, at every transaction.
    """
    port = port or _free_port()
    pace = ["--block-time", str(block_s)] if block_s else []
    with log.open("wb") as file:
        process = subprocess.Popen(
            [
                find_anvil(), "--host", "127.0.0.1", "--port", str(port),
                "--accounts", str(unlocked), "--chain-id", str(chain_id), *pace,
            ],
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # an interrupt ends the roles first, then the chain
        )  # fmt: skip
    try:
        rpc = Rpc(f"http://127.0.0.1:{port}")
        _wait_ready(process, rpc)
        yield Anvil(rpc.url, process.pid, rpc)
    finally:
        process.terminate()
        process.wait()


def _wait_ready(process: subprocess.Popen[bytes], rpc: Rpc) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise OffchainError(f"anvil ended with status {process.returncode} at start")
        try:
            rpc.request("eth_chainId")
        except RpcUnavailable:
            continue
        return
    raise OffchainError(f"anvil does not answer after {START_S:.0f} s")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
