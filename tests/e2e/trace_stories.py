"""Stories of disputes over traces: how the chain comes to the moment before each of their steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from offchain.chain.contracts.pinpoint_types import Phase, PinpointDispute
from offchain.roles.base import BaseRole
from offchain.roles.challenger import Challenger
from offchain.roles.client import Client
from offchain.roles.drills import LateOperator, SecretiveOperator, WrongOperator
from offchain.roles.operator import Operator
from offchain.roles.plans import publish_plan
from offchain.submit.models import load_model
from offchain.types import VersionId
from tests.e2e.agents import Agents
from tests.e2e.disasters import Moment
from tests.e2e.stories import BACKEND, Story, committed, operator_moment

MOST_TICKS: Final = 30
POOR_WEI: Final = 12 * 10**15  # gas for a report, and no bond


def register_planned(agents: Agents) -> str:
    """Return a version of the digits network whose results are disputed over traces."""
    world = agents.world
    agents.create("publisher")
    account = agents.account("publisher")
    model = load_model(world.models / world.model)
    version = str(account.register_version(model.folder, "planned")["version"])
    publish_plan(account, model, VersionId(bytes.fromhex(version[2:])), "none")
    wait = world.parameters.exec_seconds + world.parameters.challenge_seconds
    world.anvil.jump_to(world.client.get_head().timestamp + wait)
    return version


def watcher_moment(agents: Agents, step: str, is_griefer: bool = False) -> Moment:
    settings = agents.settings(
        "challenger", "watcher", challenge_always=is_griefer, game="pinpoint", backend=BACKEND
    )
    return Moment(step, Challenger, settings, agents.addresses["watcher"])


def disputed(
    agents: Agents, kind: type[BaseRole], until: str, by: str, is_griefer: bool = False
) -> Client:
    """Let operator and watcher play until a step of the given name is due of one of them."""
    version = register_planned(agents)
    operator, client = committed(agents, kind, version=version, verify=False, may_challenge=False)
    agents.create("watcher")
    watcher = watcher_moment(agents, "", is_griefer).open_role()
    roles = {"operator": operator, "challenger": watcher}
    for _ in range(MOST_TICKS):
        for name, role in roles.items():
            if name == by and is_due(agents, role, until):
                return client
            agents.tick(role)
    raise AssertionError(f"{until} was never due")


def is_due(agents: Agents, role: BaseRole, step: str) -> bool:
    keys = role.compute_due_steps()
    return any(key.step.partition(":")[0] == step for key in keys if key.job in agents.jobs)


def find_dispute(agents: Agents, client: Client) -> PinpointDispute:
    game, job = agents.world.contracts.pinpoint, agents.job(client).id
    events = game.find_events(agents.world.manifest.first_block, job)
    (opened,) = [e for e in events if e.name == "DisputeOpened"]
    return game.get_dispute(job, int(opened.arguments["key"]))


# The challenger's


def pinpoint(agents: Agents) -> Moment:
    disputed(agents, WrongOperator, "pinpoint", "challenger")
    return watcher_moment(agents, "pinpoint")


def report(agents: Agents) -> Moment:
    """Too poor for a bond, it has announced that the posted trace is wrong, a block ago."""
    version = register_planned(agents)
    operator = agents.hire(WrongOperator, backend=BACKEND, post_traces=True)
    client = agents.order(version=version, verify=False, may_challenge=False)
    agents.tick(client)
    while not agents.job(client).out_digest or not is_due(agents, operator, "post-trace"):
        agents.tick(operator)
    agents.tick(operator)
    agents.create("watcher")
    agents.world.anvil.fund(agents.addresses["watcher"], POOR_WEI)
    watcher = watcher_moment(agents, "").open_role()
    while not is_due(agents, watcher, "pinpoint"):
        agents.tick(watcher)
    agents.tick(watcher)
    agents.world.anvil.mine(1, 1)
    return watcher_moment(agents, "pinpoint")


def search_move(agents: Agents) -> Moment:
    disputed(agents, SecretiveOperator, "search-move", "challenger")
    return watcher_moment(agents, "search-move")


def adjudicate(agents: Agents) -> Moment:
    disputed(agents, WrongOperator, "adjudicate", "challenger")
    return watcher_moment(agents, "adjudicate")


def claim_timeout(agents: Agents) -> Moment:
    client = disputed(agents, LateOperator, "adjudicate", "challenger", is_griefer=True)
    dispute = find_dispute(agents, client)
    assert dispute.phase is Phase.LEAF
    agents.jump(dispute.deadline + 1)
    return watcher_moment(agents, "claim-timeout", is_griefer=True)


# The operator's


def post_trace(agents: Agents) -> Moment:
    disputed(agents, Operator, "post-trace", "operator", is_griefer=True)
    return operator_moment(agents, "post-trace")


def reveal(agents: Agents) -> Moment:
    disputed(agents, SecretiveOperator, "reveal", "operator")
    return operator_moment(agents, "reveal", SecretiveOperator)


def defend(agents: Agents) -> Moment:
    disputed(agents, Operator, "defend", "operator", is_griefer=True)
    return operator_moment(agents, "defend")


def cure_claim(agents: Agents) -> Moment:
    client = disputed(agents, LateOperator, "adjudicate", "challenger", is_griefer=True)
    agents.jump(find_dispute(agents, client).deadline + 1)
    watcher = watcher_moment(agents, "", is_griefer=True).open_role()
    while agents.job(client).state.name == "DISPUTED":
        agents.tick(watcher)
    return operator_moment(agents, "cure-claim", LateOperator)


def finalise_defended(agents: Agents) -> Moment:
    client = disputed(agents, Operator, "defend", "operator", is_griefer=True)
    operator = operator_moment(agents, "").open_role()
    while find_dispute(agents, client).phase is Phase.LEAF:
        agents.tick(operator)
    agents.jump(agents.job(client).deadline + 1)
    return operator_moment(agents, "finalise-defended")


TRACE_STORIES: Final[Mapping[str, Story]] = {
    "challenger pinpoint": pinpoint,
    "challenger report": report,
    "challenger search-move": search_move,
    "challenger adjudicate": adjudicate,
    "challenger claim-timeout": claim_timeout,
    "operator post-trace": post_trace,
    "operator reveal": reveal,
    "operator defend": defend,
    "operator cure-claim": cure_claim,
    "operator finalise-defended": finalise_defended,
}
