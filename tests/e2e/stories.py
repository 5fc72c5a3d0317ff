"""One story for each step of each role: how the chain comes to the moment before it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from offchain.roles.base import BaseRole
from offchain.roles.challenger import Challenger
from offchain.roles.client import Client
from offchain.roles.drills import EquivocatingOperator, PerturbedOperator, WithholdingOperator
from offchain.roles.operator import Operator
from offchain.types import Amount, VerifyMask
from tests.e2e.agents import ETHER, Agents
from tests.e2e.disasters import Moment

BACKEND: Final = "numpy"  # starts sooner than torch
Story = Callable[[Agents], Moment]


def operator_moment(agents: Agents, step: str, kind: type[BaseRole] = Operator) -> Moment:
    owner = agents.addresses["owner"]
    settings = agents.settings("operator", "worker", owner=owner, backend=BACKEND)
    return Moment(step, kind, settings, agents.addresses["worker"])


def client_moment(agents: Agents, step: str, client: Client, sends: bool = True) -> Moment:
    settings = client.context.settings
    return Moment(step, Client, settings, agents.addresses["client"], sends, agents.placed)


def watcher_moment(agents: Agents, step: str, sends: bool = True) -> Moment:
    settings = agents.settings("challenger", "watcher")
    return Moment(step, Challenger, settings, agents.addresses["watcher"], sends)


# How far a job has come


def ordered(agents: Agents, kind: type[BaseRole] = Operator, **order: object) -> tuple:
    operator = agents.hire(kind, backend=BACKEND)
    client = agents.order(**order)
    agents.tick(client)
    return operator, client


def committed(agents: Agents, kind: type[BaseRole] = Operator, **order: object) -> tuple:
    operator, client = ordered(agents, kind, **order)
    agents.tick(operator)
    agents.tick(operator)
    return operator, client


def challenged(agents: Agents, kind: type[BaseRole] = Operator) -> tuple:
    always = kind is Operator
    operator, client = committed(agents, kind, verify=False, may_challenge=False)
    agents.create("watcher")
    watcher = Challenger(agents.open("challenger", "watcher", challenge_always=always))
    while "challenge" not in agents.tick(watcher):
        pass
    agents.tick(watcher)  # takes what was sent beyond the bond
    return operator, client, watcher


def defaulted(agents: Agents, kind: type[BaseRole] = Operator) -> tuple:
    operator, client, watcher = challenged(agents, kind)
    dispute = agents.world.contracts.game.get_dispute_of(agents.job(client).id)
    assert dispute is not None
    agents.jump(dispute.prove_until + 1)
    agents.tick(watcher)
    return operator, client, watcher


# The operator's steps


def accept_owner(agents: Agents) -> Moment:
    agents.create("owner", "worker")
    owner, vault = agents.account("owner"), agents.world.contracts.vault
    owner.send(vault.build_deposit(ETHER))
    owner.send(vault.build_propose_worker(agents.addresses["worker"]))
    return operator_moment(agents, "accept-owner")


def accept(agents: Agents) -> Moment:
    ordered(agents)
    return operator_moment(agents, "accept")


def commit(agents: Agents) -> Moment:
    operator, _ = ordered(agents)
    agents.tick(operator)
    return operator_moment(agents, "commit")


def refuse(agents: Agents) -> Moment:
    operator, _ = ordered(agents)
    agents.tick(operator)
    for folder in (agents.folder / "content", agents.folder / "worker" / "inputs"):
        for file in folder.glob("*.bin"):
            file.unlink()
    agents.tick(operator)
    return operator_moment(agents, "refuse")


def finalise(agents: Agents) -> Moment:
    _, client = committed(agents)
    agents.jump(agents.job(client).deadline + 1)
    return operator_moment(agents, "finalise")


def request_proof(agents: Agents) -> Moment:
    committed(agents, fee=Amount(ETHER // 50), verify_mask=VerifyMask.PROOF_REQUIRED)
    return operator_moment(agents, "request-proof")


def deliver(agents: Agents) -> Moment:
    _, client = committed(agents, WithholdingOperator, verify=False, request_delivery=True)
    agents.jump(agents.job(client).deadline - 2)
    agents.tick(client)
    return operator_moment(agents, "deliver")


def prove(agents: Agents) -> Moment:
    challenged(agents)
    return operator_moment(agents, "prove")


def cure(agents: Agents) -> Moment:
    defaulted(agents)
    return operator_moment(agents, "cure")


def unjail(agents: Agents) -> Moment:
    defaulted(agents, PerturbedOperator)
    vault, owner = agents.world.contracts.vault, agents.addresses["owner"]
    agents.jump(vault.get_standing(owner).jailed_until)
    return operator_moment(agents, "unjail", PerturbedOperator)


# The challenger's


def check(agents: Agents) -> Moment:
    committed(agents, PerturbedOperator)
    agents.create("watcher")
    return watcher_moment(agents, "check", sends=False)


def challenge(agents: Agents) -> Moment:
    committed(agents, PerturbedOperator)
    agents.create("watcher")
    agents.tick(watcher_moment(agents, "check").open_role())
    return watcher_moment(agents, "challenge")


def claim_default(agents: Agents) -> Moment:
    _, client, _ = challenged(agents, PerturbedOperator)
    dispute = agents.world.contracts.game.get_dispute_of(agents.job(client).id)
    assert dispute is not None
    agents.jump(dispute.prove_until + 1)
    return watcher_moment(agents, "claim-default")


def distribute(agents: Agents) -> Moment:
    _, client, watcher = defaulted(agents, PerturbedOperator)
    agents.tick(watcher)  # takes its bond back
    agents.jump(agents.job(client).deadline + 1)
    return watcher_moment(agents, "distribute-slash")


def withdraw(agents: Agents) -> Moment:
    defaulted(agents, PerturbedOperator)
    return watcher_moment(agents, "withdraw")


# The client's


def create(agents: Agents) -> Moment:
    agents.hire(Operator, backend=BACKEND)
    return client_moment(agents, "create", agents.order())


def verify(agents: Agents) -> Moment:
    _, client = committed(agents)
    return client_moment(agents, "verify", client, sends=False)


def object_(agents: Agents) -> Moment:
    _, client = committed(agents, PerturbedOperator)
    agents.tick(client)
    return client_moment(agents, "challenge", client)


def request_delivery(agents: Agents) -> Moment:
    _, client = committed(agents, WithholdingOperator, verify=False, request_delivery=True)
    agents.jump(agents.job(client).deadline - 2)
    return client_moment(agents, "request-delivery", client)


def fail(agents: Agents) -> Moment:
    operator, client = ordered(agents)
    agents.tick(operator)
    agents.jump(agents.job(client).deadline + 1)
    return client_moment(agents, "fail", client)


def expire(agents: Agents) -> Moment:
    _, client = ordered(agents)
    agents.jump(agents.job(client).deadline + 1)
    return client_moment(agents, "expire", client)


def announce(agents: Agents) -> Moment:
    _, client = committed(agents, EquivocatingOperator)
    return client_moment(agents, "announce-evidence", client)


def report(agents: Agents) -> Moment:
    _, client = committed(agents, EquivocatingOperator)
    agents.tick(client)
    return client_moment(agents, "report-fraud", client)


STORIES: Final[Mapping[str, Story]] = {
    "operator accept-owner": accept_owner,
    "operator accept": accept,
    "operator commit": commit,
    "operator refuse": refuse,
    "operator finalise": finalise,
    "operator request-proof": request_proof,
    "operator deliver": deliver,
    "operator prove": prove,
    "operator cure": cure,
    "operator unjail": unjail,
    "challenger check": check,
    "challenger challenge": challenge,
    "challenger claim-default": claim_default,
    "challenger distribute-slash": distribute,
    "challenger withdraw": withdraw,
    "client create": create,
    "client verify": verify,
    "client challenge": object_,
    "client request-delivery": request_delivery,
    "client fail": fail,
    "client expire": expire,
    "client announce-evidence": announce,
    "client report-fraud": report,
}
