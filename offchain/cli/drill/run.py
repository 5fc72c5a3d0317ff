"""Play drills one after the other on one chain, and say what each came to."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from offchain.cli.demo.ledger import find_leaks, sum_gas
from offchain.cli.demo.narrator import Narrator
from offchain.cli.demo.play import MODEL, load_sample, prepare_model
from offchain.cli.demo.scenarios import OUTCOMES
from offchain.cli.demo.world import World, open_world
from offchain.cli.drill.company import Company, instant_blocks
from offchain.cli.drill.modes import MODES, Mode
from offchain.cli.drill.quorum_company import QuorumCompany
from offchain.errors import ConfigError
from offchain.types import ETH, DisputeState, JobId, JobState, ReplicaState

CURED: Final = "cured"
NOTHING: Final = "nothing"


@dataclass(frozen=True)
class Run:
    """What a drill came to."""

    mode: Mode
    outcome: str
    leaks: Mapping[str, int]
    profit: Mapping[str, Mapping[str, str]]
    gas: Mapping[str, int]
    steps: Sequence[tuple[str, str]]

    @property
    def holds(self) -> bool:
        """Whether it ended as it must, and all money adds up."""
        return self.outcome == self.mode.expected and not self.leaks

    def to_json(self) -> Mapping[str, Any]:
        """Return the entry of the report."""
        return {
            "mode": self.mode.name,
            "outcome": self.outcome,
            "expected": self.mode.expected,
            "conserved": not self.leaks,
            "profit_and_loss": dict(self.profit),
            "gas": dict(self.gas),
            "steps": [f"{who}: {step}" for who, step in self.steps],
        }


def choose_modes(names: Sequence[str]) -> tuple[Mode, ...]:
    """Return drills by name, all of them for no name; raise ConfigError for an unknown one."""
    known = {mode.name: mode for mode in MODES}
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise ConfigError(f"no drill {', '.join(unknown)}; there are {', '.join(known)}")
    return tuple(known[name] for name in names) if names else MODES


def play_drills(
    models: Path, names: Sequence[str], write: Callable[[str], None]
) -> tuple[Run, ...]:
    """Play the named drills, or all, on a fresh chain; raise OffchainError for one that hangs."""
    chosen = choose_modes(names)
    narrator = Narrator(write)
    prepare_model(models, narrator)
    with (
        tempfile.TemporaryDirectory(prefix="zkdps-drill-") as folder,
        open_world(
            Path(folder), models, MODEL, load_sample(), narrator, True, part_keys="none"
        ) as world,
        instant_blocks(world),
    ):
        runs = []
        for mode in chosen:
            narrator.say(f"=== {mode.name}: {mode.title}")
            run = play_drill(world, mode)
            verdict = "as it must" if run.holds else f"MUST BE {mode.expected}, leaks {run.leaks}"
            narrator.say(f"    {run.outcome}, {verdict}; {len(run.steps)} steps")
            runs.append(run)
    return tuple(runs)


def play_drill(world: World, mode: Mode) -> Run:
    """Play one drill with fresh accounts."""
    company = mode.kind(world, world.folder / f"drill-{mode.name}")
    mode.begin(company)
    ledger = company.open_ledger()
    before = ledger.take_snapshot()
    mode.order(company)
    company.play()
    after = ledger.take_snapshot(list_ledgers(company))
    sent = ledger.read_transactions(before, after)
    if isinstance(company, QuorumCompany):
        leave_list(company)
    return Run(
        mode=mode,
        outcome=name_outcome(world, company),
        leaks=find_leaks(before, after, sent),
        profit=company.compute_profit(before, after, sent),
        gas=sum_gas(sent),
        steps=tuple(company.done),
    )


def list_ledgers(company: Company) -> list[JobId]:
    """Return the ids under which a drill's money may lie in the vault."""
    if isinstance(company, QuorumCompany) and company.quorum is not None:
        return [JobId(company.quorum), *company.list_replica_jobs()]
    return [] if company.job is None else [company.job]


def leave_list(company: QuorumCompany) -> None:
    """Take a drill's operators off the list: the next one's are not drawn among them."""
    for name in company.roles:
        call = company.world.contracts.pool.build_leave(company.offer.version, ETH)
        company.open_account(name).send(call)


def name_replica(world: World, owner: str, state: ReplicaState | None) -> str:
    """Return what became of an owner's replica; one that was disputed as a job is out of it."""
    is_jailed = world.contracts.vault.get_standing(owner).jailed_until > 0
    if state is ReplicaState.OUT and is_jailed:
        return ReplicaState.SLASHED.name.lower()
    return NOTHING if state is None else state.name.lower()


def name_outcome(world: World, company: Company) -> str:
    """Return what became of the drill's job, or of its replicas in the order of their hiring."""
    if isinstance(company, QuorumCompany) and company.quorum is not None:
        replicas = world.contracts.quorum.get_replicas(company.quorum)
        states = {str(replica.operator): replica.state for replica in replicas}
        owners = (company.addresses[name.replace("worker", "owner")] for name in company.roles)
        return ", ".join(name_replica(world, owner, states.get(owner)) for owner in owners)
    if company.job is None:
        return NOTHING
    job = world.contracts.market.get_job(company.job)
    dispute = world.contracts.game.get_dispute_of(job.id)
    if dispute is not None and dispute.state is DisputeState.CURED:
        return CURED
    return {**OUTCOMES, JobState.EXPIRED: "expired"}.get(job.state, job.state.name)
