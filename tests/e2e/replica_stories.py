"""Stories of replicas: how the chain comes to the moment before each of their steps."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from offchain.roles.operator import Operator
from offchain.roles.quorum_book import name_quorum
from offchain.roles.quorum_order import place_quorum
from offchain.submit.models import encode_input
from offchain.types import ETH, Amount, QuorumId, QuorumTerms, VersionId
from tests.e2e.agents import FEE, Agents
from tests.e2e.disasters import Moment
from tests.e2e.stories import BACKEND, Story
from tests.e2e.trace_stories import register_planned

SEED_BLOCKS: Final = 3  # mined until the beacon has spoken


def moment(agents: Agents, step: str, version: str) -> Moment:
    owner = agents.addresses["owner"]
    settings = agents.settings("operator", "worker", owner=owner, **replica_settings(version))
    return Moment(step, Operator, settings, agents.addresses["worker"])


def replica_settings(version: str) -> dict[str, Any]:
    return {"backend": BACKEND, "replicas": version, "min_fee_wei": 1}


def listed(agents: Agents) -> tuple[Operator, str]:
    """Return an operator that is to enlist for a version with a plan."""
    version = register_planned(agents)
    operator = agents.hire(Operator, **replica_settings(version))
    assert isinstance(operator, Operator)
    return operator, version


def ordered(agents: Agents) -> tuple[Operator, str, QuorumId]:
    """Enlist the operator and order one replica from it."""
    operator, version = listed(agents)
    assert agents.tick(operator) == ["enlist"]
    agents.create("client")
    content = operator.context.content
    version_id = VersionId(bytes.fromhex(version[2:]))
    model = operator.load_version(version_id).model
    raw = encode_input(model, json.loads(agents.world.input_file.read_text()))
    terms = QuorumTerms(
        client=agents.account("client").address,
        version=version_id,
        in_digest=content.put(raw, model.input_bits, model.input_shape),
        token=ETH,
        fee=FEE,
        count=1,
        insured=Amount(0),
        is_audited=False,
        salt=1,
    )
    quorum, _ = place_quorum(agents.account("client"), terms)
    agents.jobs.add(name_quorum(quorum))
    agents.world.anvil.mine(SEED_BLOCKS, 1)
    return operator, version, quorum


def play(agents: Agents, *steps: str) -> tuple[str, QuorumId]:
    operator, version, quorum = ordered(agents)
    for step in steps:
        assert agents.tick(operator) == [step]
    return version, quorum


def enlist(agents: Agents) -> Moment:
    _, version = listed(agents)
    return moment(agents, "enlist", version)


def draw(agents: Agents) -> Moment:
    version, _ = play(agents)
    return moment(agents, "draw-replicas", version)


def commit(agents: Agents) -> Moment:
    version, _ = play(agents, "draw-replicas")
    return moment(agents, "commit-replica", version)


def reveal(agents: Agents) -> Moment:
    version, _ = play(agents, "draw-replicas", "commit-replica")
    return moment(agents, "reveal-replica", version)


def tally(agents: Agents) -> Moment:
    version, _ = play(agents, "draw-replicas", "commit-replica", "reveal-replica")
    return moment(agents, "tally", version)


def settle(agents: Agents) -> Moment:
    version, quorum = play(agents, "draw-replicas", "commit-replica", "reveal-replica", "tally")
    agents.jump(agents.world.contracts.quorum.get_quorum(quorum).deadline + 1)
    return moment(agents, "settle-quorum", version)


REPLICA_STORIES: Final[Mapping[str, Story]] = {
    "operator enlist": enlist,
    "operator draw-replicas": draw,
    "operator commit-replica": commit,
    "operator reveal-replica": reveal,
    "operator tally": tally,
    "operator settle-quorum": settle,
}
