"""The protocol on a local chain through ape: registration, and a job without and with objection.

The verifier is the real one. The key is of a small dense model; its proof is made by the native
prover for the statement that the chain itself asks for.
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

from offchain.chain.binding import checksum
from offchain.chain.data_contract import (
    build_data_contract,
    build_index_contract,
    split_content,
)
from offchain.chain.deployment import NO_TOKEN, ORDER, Plan
from offchain.commit.digest import tensor_digest, weight_root
from offchain.native import prove
from offchain.params.presets import GWEI, LOCAL
from offchain.prove.job import ProvableModel, make_provable
from offchain.prove.program_bytes import hash_program
from offchain.prove.reference.srs import insecure_tau_g2
from offchain.prove.statement import Statement
from tests.small_mlp import SmallMlp, tiny

ETH: Final = "0x0000000000000000000000000000000000000000"
FEE: Final = 2 * 10**15
STAKE: Final = 10**18
TILE_TREE: Final = 1
OUTPUT_BYTES: Final = 64
COSTS: Final = (5, 800_000)  # seconds and gas of a proof, as declared
CONTRACTS: Final = (
    "StakeVault",
    "ModelRegistry",
    "JobMarket",
    "DisputeGame",
    "Guardian",
    "SessionMarket",
    "OrderBook",
    "ResultRelay",
    "AdjudicatorRegistry",
    "Beacon",
    "CandidatePool",
    "Quorum",
    "Audits",
)
PROVEN: Final = 2
SLASHED: Final = 3  # LockStatus
BPS: Final = 10_000
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
    model: SmallMlp
    provable: ProvableModel
    version: bytes

    @property
    def input(self) -> bytes:
        """Return the public input's bytes."""
        return self.model.input_bytes()

    @property
    def output(self) -> bytes:
        """Return the honest output's bytes."""
        return self.model.output_bytes()

    def digests(self) -> tuple[bytes, bytes]:
        """Return the digests of the input and of the honest output."""
        graph, honest = self.model.graph, self.model.execute().output
        in_digest = tensor_digest(self.model.x, graph.input.bits)
        return in_digest, tensor_digest(honest, graph.output_spec().bits)

    def terms(self, salt: int) -> tuple[Any, ...]:
        """Return the terms of a job as its id commits to them."""
        in_digest, _ = self.digests()
        return (self.client.address, self.version, in_digest, ETH, FEE, 0, 0, salt)

    def committed_job(self, salt: int = 1) -> tuple[bytes, list[ReceiptAPI]]:
        """Create, accept and commit a job honestly; return its id and the receipts."""
        _, out_digest = self.digests()
        terms = self.terms(salt)
        params = (*terms[1:], "file:input")
        created = self.market.createJob(params, sender=self.client, value=FEE)
        job_id = self.market.computeJobId(terms)
        accepted = self.market.acceptJob(job_id, sender=self.worker)
        committed = self.market.commitResult(job_id, out_digest, "file:o", sender=self.worker)
        return job_id, [created, accepted, committed]

    def ledger_sum(self, *jobs: bytes) -> int:
        """Return what the vault owes to accounts and `jobs`, and what was burned, in wei."""
        people = (self.client, self.owner, self.worker, self.challenger)
        ledgers = [self.vault.getAccount(ETH, a) for a in people]
        owed = sum(a.free + a.locked + a.unbonding + a.credit for a in ledgers)
        for job_id in jobs:
            funds = self.vault.getFunds(ETH, job_id)
            held = funds.lock if funds.status == SLASHED else 0
            owed += funds.escrow + held + self.vault.bondsOf(job_id)
        return int(owed + self.vault.burned(ETH))


def deploy_data(account: AccountAPI, payload: bytes) -> str:
    """Deploy a data contract; return its address."""
    return create(account, build_data_contract(payload).calldata)


def deploy_parts(account: AccountAPI, payload: bytes, piece_bytes: int) -> str:
    """Deploy a payload in pieces, and the contract that names them; return that one's address."""
    parts = [deploy_data(account, piece) for piece in split_content(payload, piece_bytes)]
    return create(account, build_index_contract(parts).calldata)


def create(account: AccountAPI, init: bytes) -> str:
    """Run init code; return the address of what it creates."""
    ecosystem = ape.networks.provider.network.ecosystem
    receipt = account.call(ecosystem.create_transaction(sender=account.address, data=init))
    return str(receipt.contract_address)


def pass_time(seconds: int) -> None:
    """Mine a block `seconds` after the head."""
    ape.chain.pending_timestamp = ape.chain.blocks.head.timestamp + seconds
    ape.chain.mine()


def version_params(
    model: SmallMlp, provable: ProvableModel, vk_data: str, verifier: ContractInstance
) -> tuple[Any, ...]:
    """Return VersionParams as its registrant computes them."""
    graph, key = model.graph, provable.key
    root = weight_root([tensor_digest(model.weights[w.name], w.bits) for w in graph.weights])
    hashes = (graph.hash(), root, hash_program(key.program), key.hash())
    declared = (TILE_TREE, OUTPUT_BYTES, 0, "file:model")
    return (*hashes, vk_data, verifier.address, key.srs_id, *COSTS, *declared)


@pytest.fixture(scope="module")
def model() -> SmallMlp:
    """The smallest of the small models."""
    return tiny()


@pytest.fixture(scope="module")
def provable(model: SmallMlp) -> ProvableModel:
    """The model's program and key."""
    return make_provable(model.graph, model.weights)


@pytest.fixture
def contracts(project: Any, accounts: Any) -> dict[str, ContractInstance]:
    """Every contract with the local preset, each at the address that the others were told."""
    deployer = accounts[0]
    plan = Plan(
        chain_id=ape.chain.chain_id,
        genesis="",
        preset="local",
        deployer=checksum(deployer.address),
        first_nonce=deployer.nonce,
        first_block=0,
        guardians=tuple(checksum(account.address) for account in accounts[6:9]),
        token=NO_TOKEN,
        tau_g2=insecure_tau_g2(),
    )
    deployed = {
        name: deployer.deploy(project.get_contract(name), *plan.build_arguments(name))
        for name in ORDER
    }
    assert all(contract.address == plan.find_address(n) for n, contract in deployed.items())
    return deployed


@pytest.fixture
def verifier(contracts: dict[str, ContractInstance]) -> ContractInstance:
    """The real verifier, with the insecure development SRS."""
    return contracts["VerifierCore"]


@pytest.fixture
def world(
    accounts: Any,
    model: SmallMlp,
    provable: ProvableModel,
    contracts: dict[str, ContractInstance],
    verifier: ContractInstance,
) -> World:
    """A deployment with preset local, one version and one operator with stake."""
    _, client, owner, worker, challenger = accounts[:5]
    vault, registry, market, game = (
        contracts[name] for name in ("StakeVault", "ModelRegistry", "JobMarket", "DisputeGame")
    )
    vk_data = deploy_data(owner, provable.key.to_bytes())
    params = version_params(model, provable, vk_data, verifier)
    registry.registerVersion(params, sender=owner)
    version = registry.computeVersionId(params, owner)
    vault.deposit(ETH, STAKE, value=STAKE, sender=owner)
    vault.proposeWorker(worker, sender=owner)
    vault.acceptOwner(owner, sender=worker)
    people = (client, owner, worker, challenger)
    return World(vault, registry, market, game, *people, model, provable, version)


def test_registerVersion__declared_graph_is_not_the_keys__reverts(
    world: World, verifier: ContractInstance
) -> None:
    vk_data = deploy_data(world.owner, world.provable.key.to_bytes())
    _, *others = version_params(world.model, world.provable, vk_data, verifier)
    with ape.reverts(world.registry.WrongGraph):
        world.registry.registerVersion((b"\x01" * 32, *others), sender=world.owner)


def test_registerVersion__truncated_key__reverts(world: World, verifier: ContractInstance) -> None:
    vk_data = deploy_data(world.owner, world.provable.key.to_bytes()[:-64])
    params = version_params(world.model, world.provable, vk_data, verifier)
    with ape.reverts():
        world.registry.registerVersion(params, sender=world.owner)


def test_registerVersion__key_in_parts__is_the_same_key(
    world: World, verifier: ContractInstance
) -> None:
    blob = world.provable.key.to_bytes()
    vk_data = deploy_parts(world.owner, blob, len(blob) // 3)
    assert verifier.inspect(vk_data).vkHash == world.provable.key.hash()
    params = version_params(world.model, world.provable, vk_data, verifier)
    world.registry.registerVersion(params, sender=world.owner)
    version = world.registry.getVersion(world.registry.computeVersionId(params, world.owner))
    assert version.vkData == vk_data


def test_registerVersion__parts_in_another_order__reverts(
    world: World, verifier: ContractInstance
) -> None:
    blob = world.provable.key.to_bytes()
    half = len(blob) // 2
    swapped = blob[half:] + blob[:half]
    vk_data = deploy_parts(world.owner, swapped, len(blob) - half)
    params = version_params(world.model, world.provable, vk_data, verifier)
    with ape.reverts():
        world.registry.registerVersion(params, sender=world.owner)


def test_registerVersion__real_key__is_what_the_chain_read(world: World) -> None:
    version = world.registry.getVersion(world.version)
    assert version.graphHash == world.model.graph.hash()
    assert version.opCount == world.provable.key.program.op_count
    assert version.owner == world.owner


def test_job__nobody_objects__is_paid_for_little_gas(world: World) -> None:
    job_id, receipts = world.committed_job()
    pass_time(LOCAL.challenge_seconds + 1)
    receipts.append(world.market.finalise(job_id, sender=world.challenger))
    gas = [r.gas_used for r in receipts]
    print(f"gas of create, accept, commit, finalise: {gas}, together {sum(gas)}")

    before = world.owner.balance
    paid = world.vault.withdrawCredit(ETH, sender=world.owner)
    burned = FEE * LOCAL.protocol_fee_bps // BPS
    tip = FEE * LOCAL.keeper_tip_bps // BPS  # not due: nobody was late
    assert world.owner.balance == before + FEE - burned - paid.total_fees_paid
    assert tip > 0 and world.vault.getAccount(ETH, world.challenger).credit == 0
    assert world.vault.balance == world.ledger_sum() == STAKE + burned
    assert sum(gas) <= HAPPY_PATH_GAS


def test_job__challenged__is_proven_by_a_real_proof(world: World) -> None:
    job_id, _ = world.committed_job()
    terms = world.terms(1)
    bond = world.game.requiredBond(job_id)
    world.game.challenge(job_id, world.digests()[1], value=bond, sender=world.challenger)
    assert world.vault.balance == world.ledger_sum(job_id)

    asked = Statement(*tuple(world.game.getStatement(job_id, terms, world.worker)))
    provable = world.provable
    tensors = world.model.tensors(provable)
    proof = prove(provable.key.to_bytes(), provable.srs, asked.hash(), tensors)
    world.game.prove(job_id, terms, world.input, world.output, proof, sender=world.worker)

    assert world.market.assurance(job_id) == PROVEN
    fee_burned = FEE * LOCAL.protocol_fee_bps // BPS
    earned = FEE - fee_burned + bond * 80 // 100
    assert world.vault.getAccount(ETH, world.owner).credit == earned
    assert world.vault.burned(ETH) == fee_burned + bond - bond * 80 // 100
    assert world.vault.balance == world.ledger_sum(job_id)


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
    receipts.append(world.game.claimDefault(job_id, sender=challenger))
    lock = LOCAL.lock_fees * FEE
    assert world.vault.getAccount(ETH, challenger).credit == bond
    assert world.vault.getAccount(ETH, world.client).credit == FEE
    assert world.vault.balance == world.ledger_sum(job_id)
    pass_time(LOCAL.airgap_seconds + 1)
    receipts.append(world.game.distributeSlash(job_id, sender=challenger))
    receipts.append(world.vault.withdrawCredit(ETH, sender=challenger))

    gas = [r.gas_used for r in receipts]
    print(f"gas of challenge, default, distribution, withdrawal: {gas}, together {sum(gas)}")
    assert sum(gas) <= LOCAL.dispute_gas
    assert world.vault.getAccount(ETH, world.owner).free == STAKE - lock
    assert world.vault.getAccount(ETH, world.client).credit == FEE + lock * 40 // 100
    assert world.vault.burned(ETH) == lock - lock * 40 // 100 - lock * 35 // 100
    assert world.vault.balance == world.ledger_sum(job_id)


def test_local_preset__is_the_one_the_forge_tests_use() -> None:
    text = (Path(__file__).parent / "Presets.sol").read_text(encoding="utf-8")
    body = re.search(r"return Parameters\(\{(.*?)\}\);", text, re.DOTALL)
    assert body
    fields = re.findall(r"(\w+): ([^,\n]+)", body.group(1))
    values = {name: value.replace("gwei", f"* {GWEI}") for name, value in fields}
    assert all(re.fullmatch(r"[\d_ ()*+e]+", value) for value in values.values())
    assert [eval(value) for value in values.values()] == list(LOCAL.to_abi())


def test_access_matrix__names_every_function_that_changes_state(project: Any) -> None:
    tables = [Path(__file__).parent / f"Access{part}.t.sol" for part in ("Matrix", "Modules")]
    table = "".join(path.read_text(encoding="utf-8") for path in tables)
    rows = set(re.findall(r'"(\w+\.\w+)"', table))
    methods = {
        f"{name}.{m.name}"
        for name in CONTRACTS
        for m in project.get_contract(name).contract_type.mutable_methods
    }
    assert rows == methods
