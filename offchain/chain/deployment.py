"""The plan of a deployment: which contract comes to lie where, and whether all of it does.

The contracts name each other in their constructors, so an address is known before its contract
exists: it follows from the deployer and its nonce (Yellow Paper, section 7). The plan is stored
before anything is sent; a deployment that stopped in the middle goes on from it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import rlp
from eth_utils.crypto import keccak

from offchain.chain.artifacts import load_artifact
from offchain.chain.binding import checksum
from offchain.chain.client import ChainClient
from offchain.chain.manifest import load_manifest, verify_code
from offchain.chain.wiring import ADJUDICATORS, list_wiring, verify_facts
from offchain.errors import DeploymentError, ManifestError
from offchain.params.presets import get_preset, get_sampling
from offchain.params.settings import LOCAL_CHAIN_IDS
from offchain.types import Address

FORMAT: Final = "zkdps-deployment-plan/1"
NO_TOKEN: Final = Address("0x" + "00" * 20)
# Order of dependence; the market's and the game's constructors check what was promised before.
ORDER: Final = (
    "HyperKzgOpening",
    "MercuryOpening",
    "Inspector",
    "VerifierCore",
    "ModelRegistry",
    "Guardian",
    "StakeVault",
    "JobMarket",
    "DisputeGame",
    "SessionMarket",
    "OrderBook",
    "ResultRelay",
    "ContractionAdjudicator",
    "RowAdjudicator",
    "ProofAdjudicator",
    "AdjudicatorRegistry",
    "Beacon",
    "CandidatePool",
    "Quorum",
    "Audits",
    "PinpointGame",
)
# What other contracts of the order create: their creators' first creations.
WITHIN: Final = {"TraceSearches": "PinpointGame"}
CONTRACTS: Final = (*ORDER, *WITHIN)
FIRST_NONCE_OF_A_CONTRACT: Final = 1  # EIP-161
# Fields of contracts/types/Modules.sol.
MODULES: Final = (
    "JobMarket",
    "DisputeGame",
    "SessionMarket",
    "PinpointGame",
    "Quorum",
    "Audits",
)
MEMBERS: Final = 3
# Accounts 7, 8 and 9 of every development node (mnemonic "test test ... junk"): their keys are
# public, so they guard local chains and no others.
LOCAL_GUARDIANS: Final = (
    Address("0x14dC79964da2C08b23698B3D3cc7Ca32193d9955"),
    Address("0x23618e81E3f5cdF7f54C3d65f7FBc0aBf5B21E8f"),
    Address("0xa0Ee7A142d267C1f36714E4a8F75612F20a79720"),
)
WORD: Final = 32
SRS_PREFIX: Final = b"zkdps/srs/1"  # FORMAT.md 2


@dataclass(frozen=True)
class Plan:
    """What is deployed, by whom, from which nonce on."""

    chain_id: int
    genesis: str  # hash of block 0: a chain that began afresh is another one
    preset: str
    deployer: Address
    first_nonce: int
    first_block: int
    guardians: tuple[Address, ...]
    token: Address  # zero: none
    tau_g2: bytes  # of the reference string, 128 bytes
    transactions: Mapping[str, str] = field(default_factory=dict)  # contract -> hash, once signed

    def __post_init__(self) -> None:
        members = {member.lower() for member in self.guardians}
        if len(members) != MEMBERS or NO_TOKEN in members:
            raise DeploymentError(f"a guardian has {MEMBERS} different members, none of them zero")

    @property
    def srs_id(self) -> bytes:
        """Return the reference string's identifier."""
        return bytes(keccak(SRS_PREFIX + self.tau_g2))

    def find_nonce(self, name: str) -> int:
        """Return the nonce of a contract's creation."""
        return self.first_nonce + ORDER.index(name)

    def find_address(self, name: str) -> Address:
        """Return where a contract comes to lie."""
        if name in WITHIN:
            creator = self.find_address(WITHIN[name])
            return compute_create_address(creator, FIRST_NONCE_OF_A_CONTRACT)
        return compute_create_address(self.deployer, self.find_nonce(name))

    def build_arguments(self, name: str) -> tuple[Any, ...]:
        """Return a constructor's arguments."""
        at = {contract: self.find_address(contract) for contract in ORDER}
        parameters, sampling = get_preset(self.preset).to_abi(), get_sampling(self.preset)
        tau = [
            int.from_bytes(self.tau_g2[i : i + WORD], "big")
            for i in range(0, len(self.tau_g2), WORD)
        ]
        arguments: dict[str, tuple[Any, ...]] = {
            "HyperKzgOpening": (tau,),
            "MercuryOpening": (tau,),
            "Inspector": (),
            "VerifierCore": (at["HyperKzgOpening"], at["MercuryOpening"], at["Inspector"]),
            "ModelRegistry": ([at["VerifierCore"]], parameters),
            "Guardian": (list(self.guardians), at["JobMarket"]),
            "StakeVault": (tuple(at[module] for module in MODULES), self.token, parameters),
            "JobMarket": (
                at["StakeVault"],
                at["ModelRegistry"],
                at["Guardian"],
                at["OrderBook"],
                parameters,
            ),
            "DisputeGame": (at["StakeVault"], at["ModelRegistry"], at["JobMarket"], parameters),
            "SessionMarket": (at["StakeVault"], at["ModelRegistry"], at["JobMarket"], parameters),
            "OrderBook": (at["JobMarket"],),
            "ResultRelay": (at["JobMarket"],),
            "ContractionAdjudicator": (),
            "RowAdjudicator": (),
            "ProofAdjudicator": (at["ModelRegistry"],),
            "AdjudicatorRegistry": (
                at["ModelRegistry"],
                at["JobMarket"],
                [at[name] for name in ADJUDICATORS],
                parameters,
            ),
            "PinpointGame": (
                at["StakeVault"],
                at["ModelRegistry"],
                at["JobMarket"],
                at["DisputeGame"],
                at["AdjudicatorRegistry"],
                parameters,
            ),
            "Beacon": (sampling.delay_blocks,),
            "CandidatePool": (at["StakeVault"], at["ModelRegistry"]),
            "Quorum": (
                at["StakeVault"],
                at["ModelRegistry"],
                at["JobMarket"],
                at["Beacon"],
                at["CandidatePool"],
                sampling.audit_bps,
                parameters,
            ),
            "Audits": (
                at["StakeVault"],
                at["JobMarket"],
                at["Beacon"],
                sampling.proof_audit_bps,
                parameters,
            ),
        }
        return arguments[name]

    def is_same_order(self, other: Plan) -> bool:
        """Whether two plans ask for the same deployment, whatever nonce and block they began at."""
        own = replace(self, first_nonce=0, first_block=0, transactions={})
        return own == replace(other, first_nonce=0, first_block=0, transactions={})

    def note(self, name: str, tx_hash: str) -> Plan:
        """Return the plan with the hash of a signed creation."""
        return replace(self, transactions={**self.transactions, name: tx_hash})


def compute_create_address(deployer: str, nonce: int) -> Address:
    """Return where `deployer` creates with `nonce`: keccak(rlp([deployer, nonce]))[12:]."""
    packed = rlp.encode([bytes.fromhex(deployer[2:]), nonce])
    return checksum("0x" + keccak(packed)[-20:].hex())


def load_plan(path: Path) -> Plan | None:
    """Read a plan; None where there is none."""
    if not path.exists():
        return None
    try:
        read: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if read.pop("format") != FORMAT:
            raise DeploymentError(f"{path} is no {FORMAT}")
        read["guardians"] = tuple(read["guardians"])
        read["tau_g2"] = bytes.fromhex(read["tau_g2"])
        return Plan(**read)
    except (KeyError, TypeError, ValueError) as error:
        raise DeploymentError(f"{path}: {type(error).__name__}: {error}") from None


def save_plan(path: Path, plan: Plan) -> None:
    """Write a plan atomically."""
    document = {"format": FORMAT, **plan.__dict__, "tau_g2": plan.tau_g2.hex()}
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}.tmp")
    draft.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    draft.replace(path)


def choose_guardians(chain_id: int, named: tuple[str, ...]) -> tuple[Address, ...]:
    """Return the guardian's members; only a local chain has any by default."""
    if chain_id in LOCAL_CHAIN_IDS and not named:
        return LOCAL_GUARDIANS
    if len(named) != MEMBERS:
        raise DeploymentError(f"name {MEMBERS} guardians: --guardian ADDRESS, {MEMBERS} times")
    members = tuple(parse_address(member) for member in named)
    public = set(members) & set(LOCAL_GUARDIANS)
    if public and chain_id not in LOCAL_CHAIN_IDS:
        raise DeploymentError(f"everybody knows the key of {', '.join(sorted(public))}")
    return members


def check_token(client: ChainClient, token: str) -> Address:
    """Return the token's address; raise DeploymentError where no contract is."""
    address = parse_address(token)
    if address != NO_TOKEN and not client.get_code(address):
        raise DeploymentError(f"there is no contract at the token's address {address}")
    return address


def parse_address(text: str) -> Address:
    """Return a checksummed address; raise DeploymentError for anything else."""
    try:
        return checksum(text)
    except ValueError:
        raise DeploymentError(f"{text!r} is no address") from None


def find_genesis(client: ChainClient) -> str:
    """Return the hash of the chain's first block."""
    block = client.get_block(0)
    return "" if block is None else block.hash


def find_plan(manifest: Path) -> Path:
    """Return the file of an unfinished deployment's plan."""
    return manifest.with_suffix(".plan.json")


def is_finished(client: ChainClient, path: Path, wanted: Plan) -> bool:
    """Whether the manifest's deployment is on this chain; raise where it is another than wanted."""
    if not path.exists():
        return False
    found = load_manifest(path)
    if found.chain_id != client.chain_id:
        raise DeploymentError(f"{path} is the manifest of chain {found.chain_id}")
    try:
        for name, deployment in found.contracts.items():
            verify_code(name, deployment, client.get_code(deployment.address))
    except ManifestError as missing:
        if client.chain_id in LOCAL_CHAIN_IDS:
            return False  # a development chain that began afresh
        raise DeploymentError(f"{missing}; --restart deploys afresh") from None
    asked = (wanted.preset, wanted.guardians, wanted.token, wanted.srs_id)
    if asked != (found.preset, found.guardians, found.token or NO_TOKEN, found.srs_id):
        raise DeploymentError(f"{path} is a deployment with other options: see --restart")
    return True


def is_deployed(client: ChainClient, plan: Plan, name: str) -> bool:
    """Whether a contract lies where the plan says; raise DeploymentError for another's code."""
    address = plan.find_address(name)
    code = client.get_code(address)
    if code and not load_artifact(name).is_code_of(code):
        raise DeploymentError(
            f"the code at {address} is not the {name} that is compiled here: it was deployed from "
            "other sources; begin afresh with --restart"
        )
    return bool(code)


def verify_deployment(client: ChainClient, plan: Plan) -> None:
    """Raise DeploymentError unless every contract is there and knows its neighbours."""
    for name in CONTRACTS:
        if not is_deployed(client, plan, name):
            raise DeploymentError(f"there is no {name} at {plan.find_address(name)}")
    at = {name: plan.find_address(name) for name in CONTRACTS}
    verify_facts(client, at, list_wiring(at, plan.preset, plan.token))
    members = [("Guardian", "isMember", (member,), True) for member in plan.guardians]
    verify_facts(client, at, (*members, ("VerifierCore", "SRS_ID", (), plan.srs_id)))
