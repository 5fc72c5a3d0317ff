"""A deployment's plan: addresses, guardians, and what is on chain already."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from eth_utils.crypto import keccak

from offchain.chain.abi import ContractAbi
from offchain.chain.binding import checksum
from offchain.chain.client import ChainClient
from offchain.chain.deployment import (
    LOCAL_GUARDIANS,
    NO_TOKEN,
    ORDER,
    Plan,
    check_token,
    choose_guardians,
    compute_create_address,
    find_plan,
    is_finished,
    load_plan,
    parse_address,
    save_plan,
)
from offchain.chain.manifest import Deployment, Manifest, save_manifest
from offchain.errors import DeploymentError

PUBLIC, LOCAL = 4242, 31337
MEMBERS = tuple(checksum("0x" + f"{i:02x}" * 20) for i in (1, 2, 3))
CODE = b"\x01\x02"
PLAN = Plan(
    chain_id=PUBLIC,
    genesis="0xabc",
    preset="testnet",
    deployer=checksum("0x6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0"),
    first_nonce=0,
    first_block=7,
    guardians=MEMBERS,
    token=NO_TOKEN,
    tau_g2=bytes(range(128)),
)


class CodeNode:
    """A node that knows the code of some addresses."""

    def __init__(self, chain_id: int, codes: Mapping[str, bytes]) -> None:
        self.chain_id = chain_id
        self._codes = codes

    def get_code(self, address: str) -> bytes:
        return self._codes.get(address, b"")


def node(chain_id: int, codes: Mapping[str, bytes] | None = None) -> ChainClient:
    return cast(ChainClient, CodeNode(chain_id, codes or {}))


def test_compute_create_address__known_deployments() -> None:
    # The example under ethereum.stackexchange.com, question 760.
    wanted = (
        "0xcd234a471b72ba2f1ccf0a70fcaba648a5eecd8d",
        "0x343c43a37d37dff08ae8c4a11544c718abb4fcf8",
        "0xf778b86fa74e846c4f0a1fbd1335fe81c00a0c91",
        "0xfffd933a0bc612844eaf0c6fe3e5b8e9b6c1d19c",
    )
    found = [compute_create_address(PLAN.deployer, nonce).lower() for nonce in range(4)]
    assert found == list(wanted)


def test_plan__arguments__name_the_addresses_of_the_contracts_that_follow() -> None:
    vault = PLAN.build_arguments("StakeVault")
    followers = ("JobMarket", "DisputeGame", "SessionMarket", "PinpointGame", "Quorum", "Audits")
    assert vault[0] == tuple(map(PLAN.find_address, followers))
    assert PLAN.build_arguments("JobMarket")[3] == PLAN.find_address("OrderBook")
    assert len({PLAN.find_address(name) for name in ORDER}) == len(ORDER)


def test_plan__written_and_read__the_same(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    assert load_plan(path) is None
    noted = PLAN.note("Guardian", "0x12")
    save_plan(path, noted)
    assert load_plan(path) == noted
    assert noted.is_same_order(replace(PLAN, first_nonce=9))
    assert not noted.is_same_order(replace(PLAN, preset="devnet"))
    path.write_text('{"format": "other"}')
    with pytest.raises(DeploymentError):
        load_plan(path)


@pytest.mark.parametrize(
    "members",
    [MEMBERS[:2], (*MEMBERS[:2], MEMBERS[0]), (*MEMBERS[:2], NO_TOKEN)],
    ids=["two", "twice", "zero"],
)
def test_plan__guardian_that_is_not_three__refused(members: tuple[str, ...]) -> None:
    with pytest.raises(DeploymentError, match="3 different members"):
        replace(PLAN, guardians=members)


def test_choose_guardians__default_on_local_chains_only() -> None:
    assert choose_guardians(LOCAL, ()) == LOCAL_GUARDIANS
    assert choose_guardians(PUBLIC, MEMBERS) == MEMBERS
    with pytest.raises(DeploymentError, match="name 3 guardians"):
        choose_guardians(PUBLIC, ())
    with pytest.raises(DeploymentError, match="everybody knows the key"):
        choose_guardians(PUBLIC, (*MEMBERS[:2], LOCAL_GUARDIANS[1].lower()))


def test_check_token__address_without_code__refused() -> None:
    token = MEMBERS[0]
    assert check_token(node(PUBLIC), NO_TOKEN) == NO_TOKEN
    assert check_token(node(PUBLIC, {token: CODE}), token.lower()) == token
    with pytest.raises(DeploymentError, match="no contract"):
        check_token(node(PUBLIC), token)
    with pytest.raises(DeploymentError, match="no address"):
        parse_address("0x12")


def write_manifest(path: Path, chain_id: int) -> None:
    abi = ContractAbi("Guardian", [])
    guardian = Deployment(MEMBERS[0], abi, "0x1", bytes(keccak(CODE)))
    save_manifest(
        path,
        Manifest(
            chain_id, PLAN.preset, 7, PLAN.srs_id, False, {"Guardian": guardian}, PLAN.guardians
        ),
    )


def test_is_finished__manifest_of_what_is_on_chain__nothing_to_do(tmp_path: Path) -> None:
    path = tmp_path / "4242.json"
    there = node(PUBLIC, {MEMBERS[0]: CODE})
    assert not is_finished(there, path, PLAN)
    write_manifest(path, PUBLIC)
    assert is_finished(there, path, PLAN)
    for other in ({"preset": "devnet"}, {"token": MEMBERS[1]}, {"tau_g2": bytes(128)}):
        with pytest.raises(DeploymentError, match="other options"):
            is_finished(there, path, replace(PLAN, **other))  # type: ignore[arg-type]


def test_is_finished__chain_without_the_contracts__only_a_local_one_is_deployed_anew(
    tmp_path: Path,
) -> None:
    path = tmp_path / "manifest.json"
    write_manifest(path, PUBLIC)
    with pytest.raises(DeploymentError, match="--restart"):
        is_finished(node(PUBLIC), path, PLAN)
    with pytest.raises(DeploymentError, match="manifest of chain 4242"):
        is_finished(node(LOCAL), path, PLAN)
    write_manifest(path, LOCAL)
    assert not is_finished(node(LOCAL), path, PLAN)
    assert find_plan(path).name == "manifest.plan.json"
