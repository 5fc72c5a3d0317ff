"""What may happen to a party in the middle of a step, and whether it gets over it.

A story brings a real chain to the moment at which one role has one step to do. Then the step is
done by a process that is killed, or after the database is gone, or it is undone by a
reorganisation; somebody starts the role again, and the step must have happened exactly once.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from offchain.chain.client import ChainClient
from offchain.chain.journal import Journal, StepKey
from offchain.params.settings import Settings
from offchain.roles.base import OF, BaseRole
from offchain.roles.client import Client, Request
from offchain.roles.loop import perform_inline
from offchain.roles.opening import open_context
from offchain.submit.content import FolderStore
from tests.e2e.agents import Agents

# Not forks of the tests' own process: threads of the native core would be missing in them.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.e2e.stories"])
TICKS = 6  # within so many a restarted role has done a step
DATABASES = ("journal", "events", "broker")  # *.sqlite3*: all that a role remembers


@dataclass(frozen=True)
class Moment:
    """A role about to do `step`; any process can start it, as often as wanted."""

    step: str
    kind: type[BaseRole]
    settings: Settings
    account: str
    sends: bool = True  # whether the step is a transaction
    order: tuple[Request, bool, bool] | None = None  # a client's: what, verified, challenged

    @property
    def home(self) -> Path:
        """Return the folder with all that the role remembers."""
        return self.settings.home

    def open_role(self) -> BaseRole:
        context = open_context(self.settings)
        return self.kind(context) if self.order is None else Client(context, *self.order)


# What a step leaves behind: after each of these the process may die.
TRACES: tuple[tuple[type[Any], str], ...] = (
    (Journal, "put_step"),
    (Journal, "put_transaction"),
    (Journal, "set_transaction_status"),
    (Journal, "increment"),
    (FolderStore, "put"),
    (FolderStore, "put_receipt"),
    (ChainClient, "broadcast"),
    (ChainClient, "get_receipt"),
)


class Disaster:
    """One story on a chain that can be put back to its moment."""

    def __init__(self, agents: Agents, moment: Moment) -> None:
        self._agents, self.moment = agents, moment
        self._rpc = agents.world.anvil.rpc
        self._backup = agents.folder.parent / f"{agents.folder.name}-backup"
        shutil.copytree(agents.folder, self._backup)
        self._snapshot = self._rpc.request("evm_snapshot")
        self._nonce = self.count_sent()

    def count_sent(self) -> int:
        return int(self._rpc.request("eth_getTransactionCount", self.moment.account, "latest"), 16)

    def rewind(self) -> None:
        """Put chain and files back to the moment."""
        self._rpc.request("evm_revert", self._snapshot)
        self._snapshot = self._rpc.request("evm_snapshot")
        shutil.rmtree(self._agents.folder)
        shutil.copytree(self._backup, self._agents.folder)

    def die_after(self, count: int, is_mining: bool = True) -> str | None:
        """Let a process do the step and die after its count-th trace; return which that was.

        None: it left fewer traces than that, and finished.
        """
        told = self._agents.folder / "last-trace"
        told.unlink(missing_ok=True)
        self._set_mining(is_mining)
        arguments = (self.moment, frozenset(self._agents.jobs), count, told)
        child = PROCESSES.Process(target=_be_killed, args=arguments)
        child.start()
        child.join()
        if child.exitcode == -signal.SIGKILL:
            return told.read_text()
        assert child.exitcode == 0
        return None

    def forget(self) -> None:
        """Lose everything that the role remembers."""
        for name in DATABASES:
            for file in self.moment.home.glob(f"{name}*.sqlite3*"):
                file.unlink()

    def undo(self, depth: int) -> None:
        """Mine up to `depth` blocks above the step's, then reorganise all of them away."""
        for _ in range(depth - 1):
            self._rpc.request("evm_mine")
        self._rpc.request("anvil_reorg", depth, [])

    def recover(self) -> str:
        """Start the role again; return what is wrong afterwards, or "ok"."""
        self._set_mining(True)
        role = self.moment.open_role()
        for _ in range(TICKS):
            due = role.compute_due_steps()
            keys = [key for key in due if key.job in self._agents.jobs]
            wanted = [key for key in keys if is_step(key, self.moment.step)]
            if not wanted and self._is_sent():
                break
            # A role that has forgotten may have to find out again why the step is due.
            for key in wanted or keys:
                perform_inline(role)(key)
        else:
            return "never done"
        sent = self.count_sent() - self._nonce
        return "ok" if sent == self._expected else f"sent {sent} times"

    @property
    def _expected(self) -> int:
        return 1 if self.moment.sends else 0

    def _is_sent(self) -> bool:
        return self.count_sent() - self._nonce >= self._expected

    def _set_mining(self, is_mining: bool) -> None:
        """Mine at every transaction, or leave what is sent in the pool."""
        self._rpc.request("evm_setAutomine", is_mining)
        if is_mining:
            self._rpc.request("evm_mine")  # what waits in the pool


def _be_killed(moment: Moment, jobs: frozenset[str], count: int, told: Path) -> None:
    role = moment.open_role()
    due = [key for key in role.compute_due_steps() if key.job in jobs]
    wanted = [key for key in due if is_step(key, moment.step)]
    assert wanted
    _kill_after(count, told)
    for key in wanted:
        role.perform(key)


def is_step(key: StepKey, step: str) -> bool:
    return key.step.partition(OF)[0] == step


def _kill_after(count: int, told: Path) -> None:
    left = count

    def wrap(owner: type[Any], name: str) -> None:
        original = getattr(owner, name)

        def traced(*arguments: Any, **named: Any) -> Any:
            nonlocal left
            result = original(*arguments, **named)
            if name == "get_receipt" and result is None:
                return result  # still waiting: nothing has happened
            left -= 1
            if left == 0:
                told.write_text(_describe(name, arguments))
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        setattr(owner, name, traced)

    for owner, name in TRACES:
        wrap(owner, name)


def _describe(name: str, arguments: tuple[Any, ...]) -> str:
    """Return a trace's name, with what was written down where that tells more."""
    if name == "put_step":
        return f"{arguments[1].step.partition(OF)[0]} {arguments[2].value}"
    if name == "set_transaction_status":
        return f"tx {arguments[2].value}"
    plain = {
        "put_transaction": "tx signed",
        "broadcast": "tx sent",
        "get_receipt": "receipt seen",
        "put": "content stored",
        "put_receipt": "result signed",
        "increment": "counted",
    }
    return plain[name]
