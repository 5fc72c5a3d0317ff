"""Plans: submitted, tested with vectors of every adjudicator they name, activated."""

from __future__ import annotations

from offchain import native
from offchain.chain.binding import checksum
from offchain.chain.contracts.adjudicator_registry import AdjudicatorRegistry
from offchain.commit.model_folder import write_model_folder
from offchain.model.execution import Execution
from offchain.prove.job import ProvableModel, list_tensors
from offchain.prove.statement import Statement
from offchain.roles.account import Account
from offchain.submit.models import Model, load_model
from offchain.submit.plans import PROOF, VersionPlan, build_version_plan
from offchain.submit.vectors import Vectors
from offchain.types import VersionId
from tests.benchmarks.gas_chain import GasChain
from tests.vectors.parts import build_graph


class PlanPoints:
    """Publishes the plan of three small operators, each with part keys."""

    def __init__(self, chain: GasChain) -> None:
        self.chain = chain
        self.account = chain.open_account("planner")

    def play(self) -> None:
        """Send every transaction."""
        graph, weights = build_graph()
        write_model_folder(self.chain.folder / "parts", graph, weights, {})
        model = load_model(self.chain.folder / "parts")
        registered = self.account.register_version(model.folder, "parts")
        version = VersionId(bytes.fromhex(registered["version"][2:]))
        publish_plan(self.chain, self.account, model, build_version_plan(model, "all"), version)


def publish_plan(
    chain: GasChain,
    account: Account,
    model: Model,
    plan: VersionPlan,
    version: VersionId,
    case: str = "one vector",
) -> None:
    """Submit, test and activate the plan of a version that the account has registered."""
    registry, sender = AdjudicatorRegistry(chain.client, chain.manifest), account.address
    verifier = checksum(chain.manifest.get("VerifierCore").address)
    addresses = registry.get_adjudicators()
    names = plan.list_deciders()
    numbers = [addresses.index(chain.manifest.get(name).address) for name in names]
    mask = sum(1 << number for number in numbers)
    chain.send(sender, registry.build_submit(plan.to_params(version, mask)))
    vectors = Vectors(model, plan, version, sender, registry.get_required_vectors())
    for name, number in zip(names, numbers, strict=True):
        made = (
            vectors.build_proof_vectors(
                chain.client.chain_id, verifier, registry.address, account.publish_key, prove
            )
            if name == PROOF
            else vectors.build_element_vectors(name)
        )
        for vector in made:
            call = registry.build_test(version, number, [vector])
            chain.send(sender, call, f"{case}, {name}")
    chain.send(sender, registry.build_activate(version))


def prove(part: ProvableModel, statement: Statement, execution: Execution) -> bytes:
    """Return a proof by the native prover."""
    tensors = list_tensors(part, execution)
    return native.prove(part.key.to_bytes(), part.srs, statement.hash(), tensors)
