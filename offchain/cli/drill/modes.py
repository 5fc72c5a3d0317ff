"""What is drilled: who takes part, how the drill is begun, and what must come out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from offchain.cli.drill.company import Company
from offchain.cli.drill.quorum_company import QuorumCompany
from offchain.errors import OffchainError
from offchain.roles.drills import CarelessClient
from offchain.roles.poison import register_poisoned
from offchain.types import VersionId

Begin = Callable[[Company], None]


@dataclass(frozen=True)
class Mode:
    """A drill and the outcome without which it has failed."""

    name: str
    title: str
    expected: str
    begin: Begin
    kind: type[Company] = Company
    order: Begin = lambda _: None  # what is ordered once everybody's money was counted


def serve(fault: str = "", **settings: Any) -> Begin:
    """Return a drill in which one operator serves one job, and somebody watches."""

    def begin(company: Company) -> None:
        company.hire(fault, **settings)
        company.watch()
        company.order()

    return begin


def poison(mode: str) -> Begin:
    """Return a drill in which somebody registers a lie, and one client does not look at it."""

    def begin(company: Company) -> None:
        company.create("registrant")
        account, world = company.open_account("registrant"), company.world
        registered = register_poisoned(account, world.models / world.model, mode)
        version = VersionId(bytes.fromhex(str(registered["version"])[2:]))
        company.hire()
        company.watch()
        company.order(version, CarelessClient)

    return begin


def grieve(fault: str = "") -> Begin:
    """Return a drill in which somebody challenges a right operator of an honest trace."""

    def begin(company: Company) -> None:
        company.hire(fault)
        company.watch("griefer", challenge_always=True, game="pinpoint")
        company.watch()
        company.order()

    return begin


def replicate(*faults: str) -> Begin:
    """Return a drill in which so many operators compute one result, blindly."""

    def begin(company: Company) -> None:
        assert_quorum(company).hire_all(faults)
        company.create("client")

    return begin


def order_replicas(company: Company) -> None:
    """Have everybody who is enlisted drawn."""
    assert_quorum(company).order_quorum(len(company.roles))


def assert_quorum(company: Company) -> QuorumCompany:
    """Return a company that plays a quorum; raise OffchainError for any other."""
    if not isinstance(company, QuorumCompany):
        raise OffchainError("replicas are ordered in a quorum's drill")
    return company


MODES: Final = (
    Mode("honest", "an honest operator, watched", "paid", serve()),
    Mode("lazy", "an operator that runs nothing", "slashed", serve("lazy")),
    Mode(
        "wrong-operator",
        "one operator of the graph is wrong",
        "slashed",
        serve("wrong-operator", post_traces=True),
    ),
    Mode("wrong-weights", "cheaper weights than registered", "slashed", serve("perturbed-weights")),
    Mode("withhold", "a wrong operator, its trace withheld", "slashed", serve("withhold-trace")),
    Mode("late", "an honest operator that answers too late", "cured", grieve("late")),
    Mode("equivocate", "two signed results for one job", "slashed", serve("equivocate")),
    Mode("poisoned-weights", "a key for other weights", "expired", poison("poisoned-weights")),
    Mode("poisoned-program", "a key for another program", "expired", poison("poisoned-program")),
    Mode(
        "copy",
        "a replica that copies another's commitment",
        "paid, paid, missed",
        replicate("", "", "copy"),
        QuorumCompany,
        order_replicas,
    ),
    Mode(
        "colluding-majority",
        "two colluders outvote an honest replica",
        "slashed, slashed, paid",
        replicate("wrong-operator", "wrong-operator", ""),
        QuorumCompany,
        order_replicas,
    ),
    Mode("griefing-challenger", "a right operator is challenged", "paid", grieve()),
)
