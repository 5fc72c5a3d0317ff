"""For which versions an operator may be drawn: those that it is set to serve, and can judge.

Whoever is drawn can refuse an input that is unusable, but no version. So an operator enlists for
versions that it has reproduced and could prove, whose plan of disputes is active and right, and
names the least fee that pays for its work.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from offchain.chain.binding import checksum
from offchain.chain.journal import StepKey, StepStatus
from offchain.errors import ConfigError, ContractRevert, JobRefused, ModelMissing
from offchain.roles.base import OF, REFUSALS, Action
from offchain.roles.context import ACCOUNT_JOB
from offchain.roles.intake import get_replica_floor
from offchain.roles.plan_checks import verify_defensible
from offchain.submit.versions import check_provable
from offchain.types import ETH, Address, Candidate, JobId, VersionId

if TYPE_CHECKING:
    from offchain.chain.client import Call
    from offchain.roles.operator import Operator

ENLIST: Final = "enlist"
LEAVE: Final = "leave"
ENLISTED: Final = "CandidateEnlisted"
GROWTH: Final = 2  # an entry is renewed once the stake is so many times what it was
VERSION_DIGITS: Final = 64

Place = tuple[VersionId, Address]  # version and token


class Candidacy:
    """Keeps one operator on the lists that it is to be on."""

    def __init__(self, operator: Operator) -> None:
        self._operator = operator
        self._context = operator.context
        self._wanted = parse_versions(operator.context.settings.replicas)
        self._seen: tuple[str, tuple[StepKey, ...]] = ("", ())  # what was due at a block

    @property
    def actions(self) -> Mapping[str, Action]:
        """Return step name -> what performs it."""
        return {ENLIST: self.enlist, LEAVE: self.leave}

    # What is due

    def compute_steps(self) -> tuple[StepKey, ...]:
        """Return the entries that have to be made, renewed or taken back; once a block."""
        head = self._context.client.get_head().hash
        if head != self._seen[0]:
            self._seen = (head, self._compute())
        return self._seen[1]

    def _compute(self) -> tuple[StepKey, ...]:
        owner = self._operator.get_owner()
        if owner is None:
            return ()
        wanted = self._list_wanted() if self._operator.may_take_jobs() else ()
        due = [self._name(ENLIST, place) for place in wanted if self._is_missing(place, owner)]
        served = [place for place in self._list_entered(owner) if place[0] not in self._wanted]
        due += [self._name(LEAVE, place) for place in served if self._find(place, owner)]
        return tuple(key for key in due if not self._context.journal.is_given_up(key))

    def _list_wanted(self) -> tuple[Place, ...]:
        tokens = [ETH]
        if self._context.settings.accept_token:
            tokens += [t for t in self._context.contracts.vault.get_tokens() if t != ETH]
        return tuple((version, token) for version in self._wanted for token in tokens)

    def _list_entered(self, owner: Address) -> tuple[Place, ...]:
        """Return every list that this owner was ever on, as confirmed events tell."""
        found = {
            (VersionId(event.arguments["version"]), checksum(event.arguments["token"]))
            for event in self._context.cursor.get_events(ENLISTED)
            if checksum(event.arguments["operator"]) == owner
        }
        return tuple(sorted(found))

    def _is_missing(self, place: Place, owner: Address) -> bool:
        entry = self._find(place, owner)
        account = self._context.contracts.vault.get_account(owner, place[1])
        stake = account.free + account.locked
        if entry is None or stake == 0:
            return stake > 0
        # Whoever unbonds has to enlist anew: else one stake could stand behind many entries.
        is_void = account.unbond_ready_at >= entry.unbond_before
        return is_void or stake >= GROWTH * max(1, entry.stake)

    def _find(self, place: Place, owner: Address) -> Candidate | None:
        listed = self._context.contracts.pool.get_candidates(*place)
        return next((entry for entry in listed if entry.operator == owner), None)

    # What is done

    def enlist(self, _: JobId, key: StepKey) -> None:
        """Enlist for a version after everything that could make a draw a loss was looked at."""
        context, (version_id, token) = self._context, parse_place(key)
        owner = self._operator.get_owner()
        if owner is None or not self._is_missing((version_id, token), owner):
            return
        try:
            version = self._operator.load_version(version_id)
            check_provable(version.version, version.model, context.client.get_block_gas_limit())
            verify_defensible(context, version_id)
        except (ModelMissing, JobRefused) as error:
            context.put_off(key, str(error))  # files may come, settings change
            return
        except REFUSALS as error:
            context.give_up(key, str(error))
            return
        if not context.plans.is_active(version_id):
            context.put_off(key, "the version has no active plan: its disputes would be proofs")
            return
        floor = get_replica_floor(context, version, token, context.client.get_head().base_fee_wei)
        tag = checksum(context.settings.tag) if context.settings.tag else owner
        call = context.contracts.pool.build_enlist(version_id, token, tag, floor)
        self._send(key, call, "enlisted", min_fee=floor)

    def leave(self, _: JobId, key: StepKey) -> None:
        """Leave a list that this operator is not set to be on."""
        place, owner = parse_place(key), self._operator.get_owner()
        if owner is not None and self._find(place, owner):
            self._send(key, self._context.contracts.pool.build_leave(*place), "left-list")

    def _send(self, key: StepKey, call: Call, event: str, **facts: object) -> None:
        context = self._context
        try:
            receipt = context.submitter.submit(key, call)
        except ContractRevert as revert:
            context.put_off(key, str(revert))  # no place, no stake, a tag that does not admit it
            return
        if not context.journal.is_done(key):
            with context.journal.atomic():
                context.journal.put_step(key, StepStatus.DONE)
                context.journal.increment(
                    _name_counter(key.step.partition(OF)[0], parse_place(key))
                )
        context.log.event(event, version=parse_place(key)[0], tx=receipt.tx_hash, **facts)

    def _name(self, step: str, place: Place) -> StepKey:
        # Numbered: whoever left may come back.
        number = self._context.journal.get_counter(_name_counter(step, place))
        name = OF.join((step, place[0].hex(), place[1], str(number)))
        return self._context.key(ACCOUNT_JOB, name)


def parse_versions(listed: str) -> tuple[VersionId, ...]:
    """Return the versions that a setting lists; raise ConfigError for what is none."""
    found = []
    for text in filter(None, listed.split(",")):
        digits = text.strip().removeprefix("0x")
        try:
            raw = bytes.fromhex(digits)
        except ValueError:
            raw = b""
        if len(digits) != VERSION_DIGITS or len(raw) * 2 != VERSION_DIGITS:
            raise ConfigError(f"version {text!r}: 0x and {VERSION_DIGITS} hex digits")
        found.append(VersionId(raw))
    return tuple(dict.fromkeys(found))


def parse_place(key: StepKey) -> Place:
    """Return the list that a step is about."""
    _, version, token, _ = key.step.split(OF)
    return VersionId(bytes.fromhex(version)), Address(token)


def _name_counter(step: str, place: Place) -> str:
    return OF.join((step, place[0].hex(), place[1]))
