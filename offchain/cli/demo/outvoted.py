"""The scenario of a quorum: two colluders outvote one honest replica, and lose all the same.

Its six roles are played in this process, on blocks that come when somebody acts.
"""

from __future__ import annotations

import os
import time
from contextlib import redirect_stderr
from typing import Final

from offchain.cli.demo.ledger import find_leaks
from offchain.cli.demo.scenarios import Result, Scenario
from offchain.cli.demo.world import World
from offchain.submit.proofs import count_prover_entries

MODE: Final = "colluding-majority"
OUTVOTED: Final = Scenario(
    MODE, "Two colluding replicas outvote an honest one, which pins what they did", "slashed"
)
TOLD: Final = frozenset(
    {"commit-replica", "reveal-replica", "tally", "extract", "pinpoint", "adjudicate", "settle"}
)


def play_outvoted(world: World) -> Result:
    """Play the quorum; raise OffchainError where it does not end."""
    from offchain.cli.drill.company import instant_blocks
    from offchain.cli.drill.modes import MODES
    from offchain.cli.drill.quorum_company import QuorumCompany
    from offchain.cli.drill.run import leave_list, list_ledgers, name_outcome

    started = time.monotonic()
    (mode,) = (mode for mode in MODES if mode.name == MODE)
    home = world.folder / MODE
    home.mkdir(parents=True, exist_ok=True)
    # The roles' own events go where those of the other scenarios' processes go: into a file.
    with (home / "roles.log").open("w") as log, redirect_stderr(log), instant_blocks(world):
        company = QuorumCompany(world, home)
        mode.begin(company)
        ledger = company.open_ledger()
        before = ledger.take_snapshot()
        mode.order(company)
        company.play()
        after = ledger.take_snapshot(list_ledgers(company))
        sent = ledger.read_transactions(before, after)
        leave_list(company)
    for who, step in company.done:
        if step in TOLD:
            world.narrator.say(f"  {who}: {step}")
    found = name_outcome(world, company)
    world.narrator.say(f"replicas, in the order of their hiring: {found}")
    return Result(
        scenario=OUTVOTED,
        outcome=OUTVOTED.outcome if found == mode.expected else found,
        seconds=time.monotonic() - started,
        before=before,
        after=after,
        transactions=sent,
        leaks=find_leaks(before, after, sent),
        proofs_generated=sum(count_prover_entries(home / name) for name in company.roles),
        proofs_refused=0,
        pids=dict.fromkeys(company.roles, os.getpid()),
        answer={},
    )
