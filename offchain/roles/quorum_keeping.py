"""The steps of a quorum that anybody may take, taken by those whose stake is in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from offchain.chain.journal import StepKey
from offchain.errors import ContractRevert
from offchain.roles.base import OF
from offchain.roles.quorum_book import OpenQuorum, name_quorum, parse_quorum
from offchain.roles.quorum_steps import (
    EVENTS,
    EXPIRE,
    VOID,
    build_keeper_call,
    choose_keeper_step,
)
from offchain.types import JobId, ProtocolTime, QuorumState

if TYPE_CHECKING:
    from offchain.roles.operator import Operator

TOO_FEW: Final = "TooFewCandidates"
MOST_BLOCKS: Final = 8  # nobody waits longer for those before it: a draw has its deadline


class QuorumKeeping:
    """Keeps quorums going for one operator.

    Those concerned begin one after the other, a block apart: the first one suffices, and where it
    is away the next one is not late.
    """

    def __init__(self, operator: Operator) -> None:
        self._operator = operator
        self._context = operator.context
        self._seen: dict[StepKey, int] = {}  # block at which a step was first due here

    def choose(self, quorum: OpenQuorum, time: ProtocolTime) -> StepKey | None:
        """Return a step that anybody may take, when it is this operator's turn."""
        place = self._find_place(quorum)
        step = None if place is None else choose_keeper_step(self._context.quorums, quorum, time)
        is_clients = step == EXPIRE or (step == VOID and not quorum.replicas)
        if place is None or step is None or is_clients:
            return None  # who has no replica has nothing to fetch back
        key = self._context.key(name_quorum(quorum.id), step)
        head = self._context.client.get_head().number
        return key if head - self._seen.setdefault(key, head) >= min(place, MOST_BLOCKS) else None

    def _find_place(self, quorum: OpenQuorum) -> int | None:
        owner = self._operator.get_owner()
        if owner is None:
            return None
        if quorum.facts.state is QuorumState.OPEN:
            return self._context.quorums.find_place(quorum, owner)
        return quorum.find_own(owner)

    def keep(self, _: JobId, key: StepKey) -> None:
        """Take a step that anybody may take."""
        quorum = self._context.quorums.find(parse_quorum(key.job))
        if quorum is None:
            return
        time = self._context.contracts.market.get_time()
        step = choose_keeper_step(self._context.quorums, quorum, time)
        if step != key.step:
            return
        call = build_keeper_call(self._context.contracts.quorum, quorum, step)
        try:
            self._operator.send(JobId(key.job), key, call, EVENTS[step.partition(OF)[0]])
        except ContractRevert as revert:
            if revert.name != TOO_FEW:
                raise
            self._context.put_off(key, str(revert))  # others may enlist, or have stake again
