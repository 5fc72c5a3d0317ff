"""The protocol on a local chain through ape: registration, and a job without and with objection.

The verifier is the real one. The key is of the smallest vector model; its proof is made by the
native prover for the statement that the chain itself asks for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import ape
import pytest
from ape.api import AccountAPI, ReceiptAPI
from ape.contracts import ContractInstance

from offchain.commit.digest import tensor_digest, weight_root
from offchain.native import prove, srs_insecure
from offchain.params.presets import GWEI, LOCAL
from offchain.prove.reference.srs import insecure_tau_g2
from offchain.prove.statement import Statement
from tests.vectors.models import SmallModel, tiny, to_bytes

ETH: Final = "0x0000000000000000000000000000000000000000"
FEE: Final = 2 * 10**15
STAKE: Final = 10**18
TILE_TREE: Final = 1
CONTRACTS: Final = ("StakeVault", "ModelRegistry", "JobMarket", "DisputeGame")
HAPPY_PATH_GAS: Final = 350_000  # create, accept, commit and finalise together


@dataclass(frozen=True)
class World:
    """The contracts, the accounts and one registered version."""

    vault: ContractInstance
    registry: ContractInstance
    market: ContractInstance
    game: ContractInstance
    client: AccountAPI
    owner: AccountAPI
    worker: AccountAPI
    challenger: AccountAPI
    model: SmallModel
    version: bytes

    @property
    def input(self) -> bytes:
        """Return the public input's bytes."""
        return self.model.input_bytes()

    @property
    def output(self) -> bytes:
        """Return the honest output's bytes."""
        values = self.model.execute()[self.model.layout.graph.output].y
        return to_bytes(values, self.model.layout.requants[-1].op.bits)

    def digests(self) -> tuple[bytes, bytes]:
        """Return the digests of the input and of the honest output."""
        graph, last = self.model.layout.graph, self.model.layout.requants[-1].op
        honest = self.model.execute()[graph.output].y
        in_digest = tensor_digest(self.model.public_in, graph.input.bits)
        return in_digest, tensor_digest(honest, last.bits)

    def committed_job(self) -> tuple[int, list[ReceiptAPI]]:
        """Create, accept and commit a job honestly; return its id and the receipts."""
        in_digest, out_digest = self.digests()
        params = (self.version, in_digest, FEE, 0, 0, "file:input")
        created = self.market.createJob(params, sender=self.client, value=FEE)
        job_id = self.market.jobCount()
        accepted = self.market.acceptJob(job_id, sender=self.worker)
        committed = self.market.commitResult(job_id, out_digest, "file:o", sender=self.worker)
        return job_id, [created, accepted, committed]

    def ledger_sum(self) -> int:
        """Return what the vault owes to the accounts, and what was burned, in wei."""
        people = (self.client, self.owner, self.worker, self.challenger)
        ledgers = [self.vault.getAccount(ETH, a) for a in people]
        owed = sum(a.free + a.locked + a.unbonding + a.credit + a.held for a in ledgers)
        return int(owed + self.vault.burned(ETH))


def deploy_data(account: AccountAPI, payload: bytes) -> str:
    """Deploy a data contract: code 0x00 || payload; return its address."""
    code = b"\x00" + payload
    # PUSH2 length, DUP1, PUSH1 10, RETURNDATASIZE, CODECOPY, RETURNDATASIZE, RETURN
    init = b"\x61" + len(code).to_bytes(2, "big") + bytes.fromhex("80600a3d393df3") + code
    ecosystem = ape.networks.provider.network.ecosystem
    receipt = account.call(ecosystem.create_transaction(sender=account.address, data=init))
    return str(receipt.contract_address)


def pass_time(seconds: int) -> None:
    """Mine a block `seconds` after the head."""
    ape.chain.pending_timestamp = ape.chain.blocks.head.timestamp + seconds
    ape.chain.mine()


def version_params(model: SmallModel, vk_data: str, verifier: ContractInstance) -> tuple[Any, ...]:
    """Return VersionParams as its registrant computes them."""
    graph = model.layout.graph
    root = weight_root([tensor_digest(model.weights[w.name], w.bits) for w in graph.weights])
    key, costs = model.key, (5, 800_000)
    hashes = (graph.hash(), root, key.program.hash(), key.hash())
    return (*hashes, vk_data, verifier.address, key.srs_id, *costs, TILE_TREE, "file:model")


@pytest.fixture(scope="module")
def model() -> SmallModel:
    """The smallest of the vectors' models."""
    return tiny()


@pytest.fixture
def verifier(project: Any, accounts: Any) -> ContractInstance:
    """The real verifier, with the insecure development SRS."""
    tau = insecure_tau_g2()
    words = [int.from_bytes(tau[i : i + 32], "big") for i in range(0, len(tau), 32)]
    return accounts[0].deploy(project.VerifierCore, words)


@pytest.fixture
def world(project: Any, accounts: Any, model: SmallModel, verifier: ContractInstance) -> World:
    """A wired deployment with preset local, one version and one operator with stake."""
    deployer, client, owner, worker, challenger = accounts[:5]
    p = LOCAL.to_abi()
    vault = deployer.deploy(project.StakeVault, p)
    registry = deployer.deploy(project.ModelRegistry, [verifier.address], p)
    market = deployer.deploy(project.JobMarket, vault, registry, p)
    game = deployer.deploy(project.DisputeGame, vault, registry, market, p)
    vault.setModules(market, game, sender=deployer)
    params = version_params(model, deploy_data(owner, model.key.to_bytes()), verifier)
    registry.registerVersion(params, sender=owner)
    version = registry.computeVersionId(params, owner)
    vault.deposit(value=STAKE, sender=owner)
    vault.setWorker(worker, sender=owner)
    return World(vault, registry, market, game, client, owner, worker, challenger, model, version)


def test_registerVersion__declared_graph_is_not_the_keys__reverts(
    world: World, verifier: ContractInstance
) -> None:
    vk_data = deploy_data(world.owner, world.model.key.to_bytes())
    _, *others = version_params(world.model, vk_data, verifier)
    with ape.reverts(world.registry.WrongGraph):
        world.registry.registerVersion((b"\x01" * 32, *others), sender=world.owner)


def test_registerVersion__truncated_key__reverts(world: World, verifier: ContractInstance) -> None:
    vk_data = deploy_data(world.owner, world.model.key.to_bytes()[:-64])
    with ape.reverts():
        world.registry.registerVersion(
            version_params(world.model, vk_data, verifier), sender=world.owner
        )


def test_registerVersion__real_key__is_what_the_chain_read(world: World) -> None:
    version = world.registry.getVersion(world.version)
    assert version.graphHash == world.model.layout.graph.hash()
    assert version.opCount == world.model.key.program.op_count
    assert version.owner == world.owner


def test_job__nobody_objects__is_paid_for_little_gas(world: World) -> None:
    job_id, receipts = world.committed_job()
    pass_time(LOCAL.challenge_seconds + 1)
    receipts.append(world.market.finalise(job_id, sender=world.challenger))
    gas = [r.gas_used for r in receipts]
    print(f"gas of create, accept, commit, finalise: {gas}, together {sum(gas)}")

    before = world.owner.balance
    paid = world.vault.withdrawCredit(ETH, sender=world.owner)
    assert world.owner.balance == before + FEE - paid.total_fees_paid
    assert world.vault.balance == world.ledger_sum() == STAKE
    assert sum(gas) <= HAPPY_PATH_GAS


def test_job__challenged__is_proven_by_a_real_proof(world: World) -> None:
    job_id, _ = world.committed_job()
    bond = world.game.requiredBond(job_id)
    world.game.challenge(job_id, world.digests()[1], value=bond, sender=world.challenger)
    dispute_id = world.game.disputeOf(job_id)

    asked = Statement(*tuple(world.game.getStatement(dispute_id, world.worker)))
    key = world.model.key
    tensors = {i: t.reshape(-1) for i, t in world.model.witness().items()}
    proof = prove(key.to_bytes(), srs_insecure(key.program.c), asked.hash(), tensors)
    world.game.prove(dispute_id, world.input, world.output, proof, sender=world.worker)

    assert world.market.assurance(job_id) == 2  # PROVEN
    earned = FEE + bond * 80 // 100
    assert world.vault.getAccount(ETH, world.owner).credit == earned
    assert world.vault.burned(ETH) == bond - bond * 80 // 100
    assert world.vault.balance == world.ledger_sum()


def test_job__nobody_proves__is_slashed_for_the_gas_that_the_preset_reckons_with(
    world: World,
) -> None:
    job_id, _ = world.committed_job()
    bond = world.game.requiredBond(job_id)
    challenger = world.challenger
    receipts = [
        world.game.challenge(job_id, world.digests()[1], value=bond, sender=challenger),
    ]
    pass_time(LOCAL.prove_cap_seconds + 1)
    receipts.append(world.game.claimDefault(world.game.disputeOf(job_id), sender=challenger))
    pass_time(LOCAL.airgap_seconds)
    receipts.append(world.vault.withdrawCredit(ETH, sender=challenger))

    gas = [r.gas_used for r in receipts]
    print(f"gas of challenge, default, withdrawal: {gas}, together {sum(gas)}")
    assert sum(gas) <= LOCAL.dispute_gas
    lock = LOCAL.lock_fees * FEE
    assert world.vault.getAccount(ETH, world.owner).free == STAKE - lock
    client = world.vault.getAccount(ETH, world.client)
    assert (client.credit, client.held) == (FEE, lock * 40 // 100)
    assert world.vault.balance == world.ledger_sum()


def test_local_preset__is_the_one_the_forge_tests_use() -> None:
    text = (Path(__file__).parent / "Deployment.sol").read_text(encoding="utf-8")
    body = re.search(r"return Parameters\(\{(.*?)\}\);", text, re.DOTALL)
    assert body
    fields = re.findall(r"(\w+): ([^,\n]+)", body.group(1))
    values = {name: value.replace("gwei", f"* {GWEI}") for name, value in fields}
    assert all(re.fullmatch(r"[\d_ ()*+]+", value) for value in values.values())
    assert [eval(value) for value in values.values()] == list(LOCAL.to_abi())


def test_access_matrix__names_every_function_that_changes_state(project: Any) -> None:
    table = (Path(__file__).parent / "AccessMatrix.t.sol").read_text(encoding="utf-8")
    rows = set(re.findall(r'"(\w+\.\w+)"', table))
    methods = {
        f"{name}.{m.name}"
        for name in CONTRACTS
        for m in project.get_contract(name).contract_type.mutable_methods
    }
    assert rows == methods
