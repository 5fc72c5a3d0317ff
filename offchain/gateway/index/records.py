"""What the handlers of events share: keys, initial records, and the counts beside the records."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from offchain.chain.binding import checksum
from offchain.chain.rpc import Notify
from offchain.gateway.index.changes import Changes, Fact
from offchain.gateway.index.tables import Body
from offchain.types import NOBODY, DisputeState, JobState

CLOCK: Final = "clock"
COUNTS: Final = "counts"


@dataclass(frozen=True)
class Deployment:
    """What terms are checked against before they are stored."""

    chain_id: int
    market: str
    sessions: str
    notify: Notify


Handler = Callable[[Changes, Fact, Deployment], None]
Handlers = Mapping[str, Handler]


@lru_cache(maxsize=65536)
def name_account(address: str) -> str:
    """Return an address in the one form that is stored."""
    return checksum(address)


def name_somebody(address: str) -> str | None:
    """Return an address, or None for zero."""
    found = name_account(address)
    return None if found == NOBODY else found


def name_id(raw: bytes) -> str:
    """Return 32 bytes as they are stored."""
    return "0x" + raw.hex()


def get_account(changes: Changes, fact: Fact, address: str) -> Body:
    """Return an account's record; the first event that names it begins it."""
    key = name_account(address)
    initial: Body = {
        "address": key,
        "isOperator": False,
        "tokens": {},
        "worker": None,
        "proposedWorker": None,
        "serves": None,
        "jailedUntil": 0,
        "misses": 0,
        "missWindowStart": 0,
        "lastMiss": None,
        "jobs": {},
        "disputes": {},
        "versions": {},
        "batches": 0,
        "batchResults": 0,
        "jobsOrdered": 0,
        "challenges": 0,
    }
    return changes.get("account", key, fact, initial)


def set_operator(changes: Changes, fact: Fact, account: Body) -> None:
    """Note that an account has staked or has somebody work for it."""
    if not account["isOperator"]:
        account["isOperator"] = True
        get_counts(changes, fact)["operators"] += 1


def get_counts(changes: Changes, fact: Fact) -> Body:
    """Return the record with the counts over everything."""
    initial: Body = {
        "jobs": {}, "disputes": {}, "sessions": {}, "batches": {},
        "versions": 0, "operators": 0, "batchResults": 0, "ordersTaken": 0,
    }  # fmt: skip
    return changes.get("protocol", COUNTS, fact, initial)


def count(counter: dict[str, int], state: str, change: int) -> None:
    """Add to a count; one that comes to 0 is left out, as if it had never been."""
    counter[state] = counter.get(state, 0) + change
    if not counter[state]:
        del counter[state]


def add(amounts: dict[str, int], name: str, amount: int) -> None:
    """Add to a sum that is there only once there was something to add."""
    if amount:
        amounts[name] = amounts.get(name, 0) + amount


def read_clock(changes: Changes, time: int) -> int:
    """Return the protocol's clock at a block's timestamp (`contracts/core/ProtocolClock.sol`)."""
    return compute_clock(changes.find("protocol", CLOCK), time)


def compute_clock(clock: Body | None, time: int) -> int:
    """Return timestamp less all time spent paused.

    A pause is [start, latest end, end or None]; one that nobody ended ends by itself.
    """
    pauses = [] if clock is None else clock["pauses"]
    stood = 0
    for start, until, ended in pauses:
        end = until if ended is None else ended
        stood += max(0, min(time, end) - start)
    return time - stood


def set_job_state(changes: Changes, fact: Fact, job: Body, state: JobState) -> None:
    """Move a job on, and the counts of its version, operator and everything with it."""
    _count_job(changes, fact, job, -1)
    job["state"] = int(state)
    _count_job(changes, fact, job, 1)


def set_operator_of(changes: Changes, fact: Fact, job: Body, operator: str) -> None:
    """Note who took a job; from here on it is counted there too."""
    _count_job(changes, fact, job, -1)
    job["operator"] = name_account(operator)
    _count_job(changes, fact, job, 1)
    account = get_account(changes, fact, operator)
    count(account["versions"], job["version"], 1)


def count_created(changes: Changes, fact: Fact, job: Body) -> None:
    """Count a job from its creation on."""
    _count_job(changes, fact, job, 1)


def _count_job(changes: Changes, fact: Fact, job: Body, change: int) -> None:
    state = JobState(job["state"]).name.lower()
    count(get_counts(changes, fact)["jobs"], state, change)
    version = changes.find("version", job["version"])
    if version is not None:
        count(version["jobs"], state, change)
    if job["operator"] is not None:
        count(get_account(changes, fact, job["operator"])["jobs"], state, change)


def set_dispute_state(changes: Changes, fact: Fact, dispute: Body, state: DisputeState) -> None:
    """Move a dispute on, and the counts with it; a dispute begins in the state NONE."""
    for value, change in ((DisputeState(dispute["state"]), -1), (state, 1)):
        if value is DisputeState.NONE:
            continue
        name = value.name.lower()
        count(get_counts(changes, fact)["disputes"], name, change)
        count(get_account(changes, fact, dispute["operator"])["disputes"], name, change)
        version = changes.find("version", dispute["version"])
        if version is not None:
            count(version["disputes"], name, change)
    dispute["state"] = int(state)
