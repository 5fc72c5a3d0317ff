"""Whoever knows better than a quorum: recomputes its result and takes a wrong one out of it.

A replica that is taken out is an ordinary job. It is disputed as any: over its trace where the
version has a plan, else by a demand for its proof.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from offchain.chain.fees import compute_reserve_wei
from offchain.chain.journal import StepKey, StepStatus
from offchain.errors import ContentError, ModelMissing
from offchain.roles.base import OF, REFUSALS, Action, BaseRole
from offchain.roles.disputes import CHALLENGE_GAS, GAS_TO_THE_END, compute_bond_to_send
from offchain.roles.quorum_book import OpenQuorum, name_quorum, parse_quorum
from offchain.types import Digest, JobId, QuorumState, ReplicaState, VersionId, Wei

if TYPE_CHECKING:
    from offchain.submit.models import Model

CHECK_QUORUM: Final = "check-quorum"
EXTRACT: Final = "extract-replica"
CHALLENGE_REPLICA: Final = "challenge-replica"
WATCH_STEPS: Final = frozenset({CHECK_QUORUM, EXTRACT, CHALLENGE_REPLICA})
EXTRACT_GAS: Final = 300_000
GetModel = Callable[[VersionId], "Model"]
GetInput = Callable[[VersionId, Digest], bytes]


class QuorumWatch:
    """Objects to quorums' results for one account."""

    def __init__(self, role: BaseRole, get_model: GetModel, get_input: GetInput) -> None:
        self._role = role
        self._context = role.context
        self._get_model = get_model
        self._get_input = get_input

    @property
    def actions(self) -> Mapping[str, Action]:
        """Return step name -> what performs it."""
        return {
            CHECK_QUORUM: self.check,
            EXTRACT: self.extract,
            CHALLENGE_REPLICA: self.challenge,
        }

    # What is due

    def choose(self, quorum: OpenQuorum, now: int) -> tuple[str, ...]:
        """Return what a quorum in a round of disputes asks of somebody who may know better."""
        if not quorum.is_round or now > quorum.facts.deadline:
            return ()
        own = self.get_own(quorum)
        if own is None:
            key = self.name_check(quorum)
            return () if self._context.journal.is_given_up(key) else (CHECK_QUORUM,)
        ends = f"{OF}{quorum.facts.deadline}"
        if quorum.facts.state is QuorumState.SPLIT:
            # Without a majority only proofs decide: whatever is wrong has to be proven, or goes.
            return tuple(f"{CHALLENGE_REPLICA}{OF}{k}{ends}" for k in find_others(quorum, own))
        index = find_to_extract(quorum, own)
        return () if index is None else (f"{EXTRACT}{OF}{index}{ends}",)

    def get_own(self, quorum: OpenQuorum) -> Digest | None:
        """Return the result as it was recomputed here, or None before that."""
        step = self._context.journal.get_step(self.name_check(quorum))
        if step is None or step.status is not StepStatus.DONE:
            return None
        return Digest(bytes.fromhex(step.detail["digest"]))

    def name_check(self, quorum: OpenQuorum) -> StepKey:
        """Return the journal's key of what was recomputed."""
        return self._context.key(name_quorum(quorum.id), CHECK_QUORUM)

    # What is done

    def check(self, _: JobId, key: StepKey) -> None:
        """Recompute a quorum's result on the reference path: it is public by now."""
        context = self._context
        quorum = context.quorums.find(parse_quorum(key.job))
        if quorum is None or not quorum.is_round or context.journal.is_done(key):
            return
        terms = quorum.facts.terms
        try:
            model = self._get_model(terms.version)
            raw = self._get_input(terms.version, terms.in_digest)
            model.check_input(raw)
        except (ContentError, ModelMissing) as error:
            context.put_off(key, str(error))  # it may come while the window is open
            return
        except REFUSALS as error:
            context.give_up(key, str(error))
            return
        output = model.run(raw, "numpy")
        digest = context.content.offer(output, model.output_bits, model.output_shape)
        context.journal.put_step(key, StepStatus.DONE, {"digest": digest.hex()})
        differs = bool(find_others(quorum, digest))
        context.log.event("quorum-recomputed", quorum=quorum.id, differs=differs)

    def extract(self, _: JobId, key: StepKey) -> None:
        """Make a wrong replica of the provisional result a job, to be disputed next."""
        quorum, index = self._read(key)
        if quorum is None or key.step not in self.choose(quorum, self._read_clock()):
            return
        bond = compute_bond_to_send(self._context.contracts.game.get_bond(self._version(quorum)))
        if self._can_afford(key, bond):
            call = self._context.contracts.quorum.build_extract(quorum.id, index)
            self._role.send(JobId(key.job), key, call, "replica-extracted", replica=index)

    def challenge(self, _: JobId, key: StepKey) -> None:
        """Take a replica out of a quorum without majority by demanding its proof."""
        quorum, index = self._read(key)
        if quorum is None or key.step not in self.choose(quorum, self._read_clock()):
            return
        bond = compute_bond_to_send(self._context.contracts.game.get_bond(self._version(quorum)))
        if self._can_afford(key, bond):
            call = self._context.contracts.quorum.build_challenge(quorum.id, index, bond)
            self._role.send(
                JobId(key.job), key, call, "replica-challenged", replica=index, sent_wei=bond
            )

    def _can_afford(self, key: StepKey, bond: Wei) -> bool:
        """Whether the balance covers a dispute to its end: none is begun that it does not."""
        context = self._context
        later = compute_reserve_wei(GAS_TO_THE_END, context.client.get_head().base_fee_wei)
        obligations = Wei(bond + later)
        gas = EXTRACT_GAS + CHALLENGE_GAS
        if context.submitter.can_spend(Wei(0), gas, obligations_wei=obligations):
            return True
        context.put_off(key, "the balance does not cover this dispute to its end", bond=bond)
        return False

    def _read(self, key: StepKey) -> tuple[OpenQuorum | None, int]:
        quorum = self._context.quorums.find(parse_quorum(key.job))
        return quorum, int(key.step.split(OF)[1])

    def _read_clock(self) -> int:
        return int(self._context.contracts.market.get_time().now)

    @staticmethod
    def _version(quorum: OpenQuorum) -> VersionId:
        return quorum.facts.terms.version


def find_others(quorum: OpenQuorum, own: Digest) -> tuple[int, ...]:
    """Return the numbers of the revealed replicas, not taken out yet, that say otherwise."""
    revealed = quorum.list_in(ReplicaState.REVEALED)
    return tuple(k for k in revealed if quorum.replicas[k].out_digest != own)


def find_to_extract(quorum: OpenQuorum, own: Digest) -> int | None:
    """Return the replica of a wrong provisional result that is to become a job, or None.

    One is enough: a verdict against it makes all others answer for themselves.
    """
    wrong = quorum.facts.out_digest
    if wrong == own:
        return None
    same = [k for k, replica in enumerate(quorum.replicas) if replica.out_digest == wrong]
    if any(quorum.replicas[k].state is ReplicaState.EXTRACTED for k in same):
        return None
    revealed = [k for k in same if quorum.replicas[k].state is ReplicaState.REVEALED]
    return revealed[0] if revealed else None
