"""The scenarios: who takes part, what must come out, and what came out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from offchain.cli.demo.ledger import Snapshot, Transaction, sum_gas
from offchain.cli.demo.narrator import ETHER
from offchain.types import JobState

FEE_WEI: Final = ETHER // 1000
STAKE_WEI: Final = ETHER
OUTCOMES: Final = {
    JobState.FINAL: "paid",
    JobState.PROVEN: "proven",
    JobState.REJECTED: "slashed",
    JobState.FAILED: "refunded",
}


@dataclass(frozen=True)
class Scenario:
    """What is played and what must come out."""

    name: str
    title: str
    outcome: str
    fault: str = ""  # of the operator
    has_challenger: bool = False
    challenge_always: bool = False
    game: str = "prove"  # how the challenger disputes
    proofs_generated: int = 0
    proofs_refused: int = 0
    fee_wei: int = FEE_WEI
    stake_wei: int = STAKE_WEI


SCENARIOS: Final = (
    Scenario("honest-unchallenged", "An honest operator, and nobody objects", "paid"),
    Scenario(
        "honest-challenged",
        "An honest operator is challenged, and proves",
        "proven",
        has_challenger=True,
        challenge_always=True,
        proofs_generated=1,
    ),
    Scenario(
        "cheater-challenged",
        "A cheating operator runs cheaper weights, and is caught",
        "slashed",
        fault="perturbed-weights",
        has_challenger=True,
        proofs_generated=1,
        proofs_refused=1,
    ),
    Scenario(
        "pinpointed",
        "One operator in the middle is wrong: it alone is judged, and nothing is proven",
        "slashed",
        fault="wrong-operator",
        has_challenger=True,
        game="pinpoint",
    ),
    Scenario(
        "withheld-trace",
        "The same, and the trace is withheld: it is searched, move by move",
        "slashed",
        fault="withhold-trace",
        has_challenger=True,
        game="pinpoint",
    ),
    Scenario("vanished-operator", "An operator accepts and vanishes", "refunded", fault="vanish"),
)


@dataclass(frozen=True)
class Result:
    """What a scenario came to."""

    scenario: Scenario
    outcome: str
    seconds: float
    before: Snapshot
    after: Snapshot
    transactions: tuple[Transaction, ...]
    leaks: Mapping[str, int]
    proofs_generated: int
    proofs_refused: int
    pids: Mapping[str, int]
    answer: Mapping[str, Any]

    @property
    def holds(self) -> bool:
        """Whether everything is as the scenario says."""
        return (
            self.outcome == self.scenario.outcome
            and not self.leaks
            and self.proofs_generated == self.scenario.proofs_generated
            and self.proofs_refused == self.scenario.proofs_refused
        )

    def to_json(self) -> Mapping[str, Any]:
        """Return the entry of the demo's JSON report."""
        return {
            "name": self.scenario.name,
            "outcome": self.outcome,
            "seconds": round(self.seconds, 1),
            "gas": dict(sum_gas(self.transactions)),
            "conserved": not self.leaks,
            "proofs_generated": self.proofs_generated,
            "proofs_refused": self.proofs_refused,
            "balances": {party: self._describe_money(party) for party in self.before.holdings},
            "burned_wei": str(self.after.burned_wei - self.before.burned_wei),
            "pids": dict(self.pids),
            "transactions": [t.to_json() for t in self.transactions],
        }

    def _describe_money(self, party: str) -> Mapping[str, str]:
        """Return wallet and vault together, as decimal strings: JSON numbers lose wei."""
        paid = sum(t.cost_wei for t in self.transactions if t.party == party)
        return {
            "before_wei": str(self.before.holdings[party].total_wei),
            "after_wei": str(self.after.holdings[party].total_wei),
            "gas_paid_wei": str(paid),
        }
