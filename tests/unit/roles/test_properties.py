"""In every state, at every time, a role asks only for what the contracts would take."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from offchain.chain.journal import Step, StepKey, StepStatus
from offchain.roles.base import DISTRIBUTE, OF, VOID, VOID_DISPUTE, BaseRole
from offchain.roles.challenger import CHECK, Challenger
from offchain.roles.client import EXPIRE, FAIL, Client, Request
from offchain.roles.context import Context
from offchain.roles.defence import CURE, PROVE
from offchain.roles.disputes import CHALLENGE, CLAIM_DEFAULT, name_step
from offchain.roles.operator import (
    ACCEPT,
    COMMIT,
    DELIVER,
    FINALISE,
    REFUSE,
    REQUEST_PROOF,
    RUN,
    Operator,
)
from offchain.roles.results import REQUEST_DELIVERY, VERIFY
from offchain.types import (
    NOBODY,
    Amount,
    BlockNumber,
    Dispute,
    DisputeState,
    Job,
    JobState,
    ProtocolTime,
    Seconds,
    VersionId,
    Wei,
)
from tests.unit.roles.conftest import HEAD, JOB_ID, NOW, OTHER, OWNER, SEED, WORKER, FakeWorld

DRAWS = 6_000
SLASHED = (DisputeState.DEFAULT, DisputeState.FRAUD_PROVEN)
# What the contracts ask of a step: the job's states and, with its dispute, the time.
Condition = Callable[[Job, Dispute | None, int], bool]
ALLOWED: dict[str, Condition] = {
    ACCEPT: lambda j, _, now: j.state is JobState.OPEN and now <= j.deadline,
    EXPIRE: lambda j, _, now: j.state is JobState.OPEN and now > j.deadline,
    COMMIT: lambda j, _, now: j.state is JobState.ASSIGNED and now <= j.deadline,
    REFUSE: lambda j, _, now: j.state is JobState.ASSIGNED and now <= j.deadline - 15,
    FAIL: lambda j, _, now: (
        (j.state is JobState.ASSIGNED and now > j.deadline)
        or (
            j.state is JobState.COMMITTED
            and (now > j.deliver_by > 0 or (j.proof_required and now > j.deadline))
        )
    ),
    FINALISE: lambda j, _, now: (
        j.state is JobState.COMMITTED
        and now > j.deadline
        and not j.proof_required
        and not j.deliver_by
    ),
    DELIVER: lambda j, _, now: j.state is JobState.COMMITTED and now <= j.deliver_by,
    REQUEST_DELIVERY: lambda j, _, now: (
        j.state is JobState.COMMITTED and now <= j.deadline and not j.deliver_by
    ),
    REQUEST_PROOF: lambda j, _, now: (
        j.state is JobState.COMMITTED and j.proof_required and now <= j.deadline
    ),
    CHALLENGE: lambda j, d, now: (
        (j.state is JobState.COMMITTED and now <= j.deadline)
        or (
            j.state is JobState.DISPUTED
            and d is not None
            and d.is_open
            and d.bond_wei > 0
            and now <= d.prove_until
        )
    ),
    PROVE: lambda j, d, now: (
        j.state is JobState.DISPUTED and d is not None and d.is_open and now <= d.prove_until
    ),
    CLAIM_DEFAULT: lambda j, d, now: (
        j.state is JobState.DISPUTED and d is not None and d.is_open and now > d.prove_until
    ),
    CURE: lambda j, d, now: (
        j.state is JobState.REJECTED
        and d is not None
        and d.state is DisputeState.DEFAULT
        and now <= j.deadline
    ),
    DISTRIBUTE: lambda j, d, now: (
        j.state is JobState.REJECTED and d is not None and d.state in SLASHED and now > j.deadline
    ),
    VERIFY: lambda j, _, __: JobState.COMMITTED <= j.state <= JobState.PROVEN,
    CHECK: lambda j, _, __: j.state in (JobState.COMMITTED, JobState.DISPUTED),
}
IN_REFUND_MODE: dict[str, Condition] = {
    VOID: lambda j, _, __: JobState.OPEN <= j.state <= JobState.COMMITTED,
    VOID_DISPUTE: lambda j, d, now: (
        j.state is JobState.DISPUTED
        or (
            j.state is JobState.REJECTED
            and d is not None
            and d.state in SLASHED
            and now <= j.deadline
        )
    ),
    DISTRIBUTE: ALLOWED[DISTRIBUTE],
}


class MemoryJournal:
    """The steps of a journal, without a file."""

    def __init__(self) -> None:
        self._steps: dict[StepKey, Step] = {}

    def get_step(self, key: StepKey) -> Step | None:
        return self._steps.get(key)

    def put_step(self, key: StepKey, status: StepStatus, detail: Mapping[str, Any]) -> None:
        self._steps[key] = Step(key, status, detail)

    def is_given_up(self, key: StepKey) -> bool:
        step = self._steps.get(key)
        return step is not None and step.status is StepStatus.GIVEN_UP


def draw_world(chain: FakeWorld, draw: random.Random) -> None:
    """Put the chain into any state that the contracts can reach, at any time."""
    state = draw.choice([s for s in JobState if s is not JobState.NONE])
    required = draw.random() < 0.3
    deliver_by = draw.choice([0, 0, NOW - 1, NOW, NOW + 9]) if state is JobState.COMMITTED else 0
    chain.job = replace(
        chain.job,
        state=state,
        client=draw.choice([WORKER, OTHER]),
        operator=NOBODY if state is JobState.OPEN else draw.choice([OWNER, OTHER]),
        deadline=Seconds(NOW + draw.choice([-100, -1, 0, 1, 14, 15, 16, 100])),
        proof_required=required,
        deliver_by=Seconds(deliver_by),
    )
    if state is JobState.DISPUTED:
        disputed = DisputeState.OPEN
    elif state is JobState.REJECTED:
        disputed = draw.choice([*SLASHED, DisputeState.DISTRIBUTED, DisputeState.CURED])
    else:
        return
    first = NOBODY if required and disputed is not DisputeState.FRAUD_PROVEN else OTHER
    first = WORKER if draw.random() < 0.3 else first
    chain.dispute = Dispute(
        job=JOB_ID,
        state=disputed,
        challenger=first,
        operator=OWNER,
        bond_wei=Wei(0 if first == NOBODY else 5),
        prove_until=Seconds(NOW + draw.choice([-1, 0, 1])),
        opened_at_block=BlockNumber(HEAD - draw.choice([0, 3, 4, 5, 50])),
        challenge_seed=SEED,
    )
    chain.challengers = [] if first == NOBODY else [first]


def draw_journal(context: Context, chain: FakeWorld, draw: random.Random) -> None:
    """Remember any findings."""
    if draw.random() < 0.5:
        context.give_up(context.key(JOB_ID, RUN), "no input")
    for step, finding in ((CHECK, "differs"), (VERIFY, "agrees")):
        if draw.random() < 0.7:
            key = context.key(JOB_ID, name_step(step, chain.job))
            context.journal.put_step(key, StepStatus.DONE, {finding: draw.random() < 0.5})


def build_role(chain: FakeWorld, draw: random.Random) -> BaseRole:
    kind = draw.choice(["operator", "client", "challenger"])
    chain.settings.update(request_delivery=True, challenge_always=draw.random() < 0.5)
    context = chain.build_context(kind, MemoryJournal())
    draw_journal(context, chain, draw)
    if kind == "operator":
        return Operator(context)
    if kind == "challenger":
        return Challenger(context)
    chain.job = replace(chain.job, client=WORKER)
    request = Request("mine", VersionId(bytes(32)), bytes(8), Amount(1))
    client = Client(context, request, draw.random() < 0.5, draw.random() < 0.8)
    client._results._has_output = lambda _: False  # type: ignore[method-assign]
    return client


def test_choose__any_state_at_any_time__only_what_the_contracts_take(tmp_path: Path) -> None:
    asked: set[str] = set()
    for seed in range(DRAWS):
        draw = random.Random(seed)
        chain = FakeWorld(tmp_path)
        draw_world(chain, draw)
        role = build_role(chain, draw)
        job, dispute = chain.job, chain.dispute
        assert role.choose(job, ProtocolTime(NOW, is_paused=True)) is None
        step = role.choose(job, ProtocolTime(NOW))
        name = "" if step is None else step.partition(OF)[0]
        assert not name or ALLOWED[name](job, dispute, NOW), (seed, name, job, dispute)
        refund = role.choose(job, ProtocolTime(NOW, is_refund_mode=True)) or ""
        if refund:
            assert IN_REFUND_MODE[refund](job, dispute, NOW), (seed, refund, job, dispute)
            assert role.is_party(job)
        asked |= {name, refund}
    # A table whose rows are never asked for would prove nothing.
    assert asked == {*ALLOWED, *IN_REFUND_MODE, ""}
