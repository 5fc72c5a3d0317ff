"""What makes contracts one deployment: each names its neighbours and its parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from offchain.chain.artifacts import load_artifact
from offchain.chain.client import Call, ChainClient
from offchain.errors import DeploymentError
from offchain.params.presets import get_preset, get_sampling
from offchain.types import Address

Fact = tuple[str, str, tuple[Any, ...], Any]  # contract, view, its arguments, what it answers
# Their places in the registry of adjudicators; a plan names them by a bit each.
ADJUDICATORS: Final = ("ContractionAdjudicator", "RowAdjudicator", "ProofAdjudicator")
UNPARAMETERISED: Final = (
    "HyperKzgOpening",
    "MercuryOpening",
    "Inspector",
    "VerifierCore",
    "Guardian",
    "OrderBook",
    "ResultRelay",
    *ADJUDICATORS,
    "Beacon",
    "CandidatePool",
)


def verify_facts(
    client: ChainClient, addresses: Mapping[str, Address], facts: Sequence[Fact]
) -> None:
    """Raise DeploymentError unless every view answers what it has to."""
    for name, function, arguments, expected in facts:
        abi = load_artifact(name).abi
        calldata = abi.encode_call(function, arguments)
        raw = client.call(Call(name, function, addresses[name], calldata))
        found = abi.decode_result(function, raw)[0]
        if found != expected:
            raise DeploymentError(f"{name}.{function} is {found}, expected {expected}")


def list_wiring(addresses: Mapping[str, Address], preset: str, token: Address) -> Sequence[Fact]:
    """Return what makes contracts one deployment, each naming its neighbours and parameters.

    `token` is the ERC-20, or NO_TOKEN.
    """
    at = {name: address.lower() for name, address in addresses.items()}
    kinds = ",".join(_parameter_types())
    named = keccak(encode([f"({kinds})"], [get_preset(preset).to_abi()]))
    sampling = get_sampling(preset)
    return (
        *(
            (name, "PARAMETERS_HASH", (), named)
            for name in addresses
            if name not in UNPARAMETERISED
        ),
        ("StakeVault", "MARKET", (), at["JobMarket"]),
        ("StakeVault", "GAME", (), at["DisputeGame"]),
        ("StakeVault", "SESSIONS", (), at["SessionMarket"]),
        ("StakeVault", "TOKEN", (), token.lower()),
        ("JobMarket", "VAULT", (), at["StakeVault"]),
        ("JobMarket", "REGISTRY", (), at["ModelRegistry"]),
        ("JobMarket", "GUARDIAN", (), at["Guardian"]),
        ("JobMarket", "ORDERS", (), at["OrderBook"]),
        ("DisputeGame", "VAULT", (), at["StakeVault"]),
        ("DisputeGame", "REGISTRY", (), at["ModelRegistry"]),
        ("DisputeGame", "MARKET", (), at["JobMarket"]),
        ("SessionMarket", "VAULT", (), at["StakeVault"]),
        ("SessionMarket", "REGISTRY", (), at["ModelRegistry"]),
        ("SessionMarket", "MARKET", (), at["JobMarket"]),
        ("SessionMarket", "GAME", (), at["DisputeGame"]),
        ("OrderBook", "MARKET", (), at["JobMarket"]),
        ("ResultRelay", "MARKET", (), at["JobMarket"]),
        ("Guardian", "MARKET", (), at["JobMarket"]),
        ("ProofAdjudicator", "REGISTRY", (), at["ModelRegistry"]),
        ("AdjudicatorRegistry", "REGISTRY", (), at["ModelRegistry"]),
        ("AdjudicatorRegistry", "MARKET", (), at["JobMarket"]),
        ("AdjudicatorRegistry", "adjudicatorCount", (), len(ADJUDICATORS)),
        ("StakeVault", "PINPOINT", (), at["PinpointGame"]),
        ("PinpointGame", "SEARCHES", (), at["TraceSearches"]),
        *(
            (name, view, (), at[neighbour])
            for name in ("PinpointGame", "TraceSearches")
            for view, neighbour in (
                ("VAULT", "StakeVault"),
                ("REGISTRY", "ModelRegistry"),
                ("MARKET", "JobMarket"),
                ("GAME", "DisputeGame"),
                ("ADJUDICATORS", "AdjudicatorRegistry"),
            )
        ),
        ("StakeVault", "QUORUM", (), at["Quorum"]),
        ("StakeVault", "AUDITS", (), at["Audits"]),
        ("CandidatePool", "VAULT", (), at["StakeVault"]),
        ("CandidatePool", "REGISTRY", (), at["ModelRegistry"]),
        ("Quorum", "VAULT", (), at["StakeVault"]),
        ("Quorum", "REGISTRY", (), at["ModelRegistry"]),
        ("Quorum", "MARKET", (), at["JobMarket"]),
        ("Quorum", "GAME", (), at["DisputeGame"]),
        ("Quorum", "BEACON", (), at["Beacon"]),
        ("Quorum", "POOL", (), at["CandidatePool"]),
        ("Audits", "MARKET", (), at["JobMarket"]),
        ("Audits", "GAME", (), at["DisputeGame"]),
        ("Audits", "BEACON", (), at["Beacon"]),
        ("Beacon", "DELAY", (), sampling.delay_blocks),
        ("Quorum", "AUDIT_BPS", (), sampling.audit_bps),
        ("Audits", "PROOF_AUDIT_BPS", (), sampling.proof_audit_bps),
        *(
            ("AdjudicatorRegistry", "adjudicatorAt", (place,), at[name])
            for place, name in enumerate(ADJUDICATORS)
        ),
        ("ModelRegistry", "isVerifier", (at["VerifierCore"],), True),
        ("VerifierCore", "HYPER_KZG", (), at["HyperKzgOpening"]),
        ("VerifierCore", "MERCURY", (), at["MercuryOpening"]),
        ("VerifierCore", "INSPECTOR", (), at["Inspector"]),
    )


def _parameter_types() -> Sequence[str]:
    """Return the ABI types of the fields of Parameters, as the vault's constructor takes them."""
    entries = load_artifact("StakeVault").abi.entries
    (constructor,) = (entry for entry in entries if entry["type"] == "constructor")
    *_, parameters = constructor["inputs"]
    return [part["type"] for part in parameters["components"]]
