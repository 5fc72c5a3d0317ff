"""Deploy one preset's contracts: `ape run deploy --network ethereum:local:foundry --help`.

Uses the artefacts that forge compiled once. Writes the manifest from which every role reads
addresses and ABIs, and beside it, until that is done, the plan from which a deployment that
stopped in the middle goes on.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click
from ape import chain
from ape.api import AccountAPI, TransactionAPI
from ape.cli import ConnectedProviderCommand
from ape.contracts import ContractContainer
from ape.types import AddressType, TransactionSignature
from ape.utils import cached_property
from eth_utils.crypto import keccak
from ethpm_types import ContractType

from offchain.chain.abi import ErrorBook
from offchain.chain.artifacts import load_artifact
from offchain.chain.binding import checksum
from offchain.chain.client import Call, ChainClient
from offchain.chain.deployment import (
    CONTRACTS,
    NO_TOKEN,
    ORDER,
    Plan,
    check_token,
    choose_guardians,
    find_genesis,
    find_plan,
    is_deployed,
    is_finished,
    load_plan,
    save_plan,
    verify_deployment,
)
from offchain.chain.fees import compute_fees, compute_gas_limit
from offchain.chain.keys import Signer, load_signer
from offchain.chain.manifest import Deployment, Manifest, save_manifest
from offchain.chain.rpc import Rpc
from offchain.commit.srs import ReferenceString, choose_srs
from offchain.errors import DeploymentError, OffchainError
from offchain.params.presets import PRESETS
from offchain.params.settings import LOCAL_CHAIN_IDS
from offchain.types import AccountId

ROOT: Final = Path(__file__).parents[1]
MINED_S: Final = 300.0  # a creation that is not mined by then is left for the next call
POLL_S: Final = 0.2
FOLDER: Final = click.Path(dir_okay=False, path_type=Path)
FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)


class FileAccount(AccountAPI):
    """An account whose key lies in a private file; ape never sees the key."""

    key_file: Path
    password_file: Path | None = None
    on_signed: Callable[[str], None] = lambda _hash: None

    @cached_property
    def signer(self) -> Signer:
        """Read the key, once."""
        return load_signer(self.key_file, self.password_file)

    @property
    def address(self) -> AddressType:
        """The account."""
        return AddressType(self.signer.address)

    def sign_message(self, msg: Any, **signer_options: Any) -> None:
        """Sign no messages: nothing here asks for one."""

    def sign_transaction(
        self, txn: TransactionAPI, **_signer_options: Any
    ) -> TransactionAPI | None:
        """Return the transaction with its signature; its hash is told before it is sent."""
        v, r, s = self.signer.sign_fields(txn.model_dump(by_alias=True, exclude={"sender"}))
        txn.signature = TransactionSignature(v=v, r=r.to_bytes(32, "big"), s=s.to_bytes(32, "big"))
        self.on_signed("0x" + keccak(txn.serialize_transaction()).hex())
        return txn


@click.command(cls=ConnectedProviderCommand)
@click.option(
    "--key-file",
    type=FILE,
    required=True,
    help="Deployer's key: a hex file of mode 0600, or a keystore.",
)
@click.option("--password-file", type=FILE, help="Password of the keystore.")
@click.option(
    "--preset",
    type=click.Choice(list(PRESETS)),
    default="local",
    show_default=True,
    help="Parameters of the protocol.",
)
@click.option(
    "--guardian",
    "guardians",
    multiple=True,
    help="A guardian's address; three. On a local chain: accounts 7 to 9 of the node by default.",
)
@click.option(
    "--token", default=NO_TOKEN, help="Address of the ERC-20 beside ETH; none by default."
)
@click.option(
    "--manifest",
    type=FOLDER,
    help="Where the manifest goes; deployments/<chainId>.json by default.",
)
@click.option(
    "--srs",
    type=FILE,
    envvar="ZKDPS_SRS",
    help="Powers of a ceremony (`zkdps srs import`); the insecure development SRS by default.",
)
@click.option(
    "--accept-insecure-srs",
    is_flag=True,
    help="Deploy the development SRS on a chain that is not a local one. ANYBODY CAN FORGE PROOFS.",
)
@click.option("--restart", is_flag=True, help="Deploy afresh, whatever is on chain already.")
def cli(
    key_file: Path,
    password_file: Path | None,
    preset: str,
    guardians: tuple[str, ...],
    token: str,
    manifest: Path | None,
    srs: Path | None,
    accept_insecure_srs: bool,
    restart: bool,
) -> None:
    """Deploy verifier, registry, guardian, vault, market, both games, sessions, orders and quorums.

    Run it again after an interruption: what is on chain is left alone, the rest follows.
    """
    try:
        client = ChainClient(Rpc(str(getattr(chain.provider, "uri", ""))), ErrorBook(()))
        reference = choose_srs(srs)
        check_srs(client.chain_id, reference, accept_insecure_srs)
        deployer = FileAccount(key_file=key_file, password_file=password_file)
        path = manifest or ROOT / "deployments" / f"{client.chain_id}.json"
        wanted = Plan(
            chain_id=client.chain_id,
            genesis=find_genesis(client),
            preset=preset,
            deployer=checksum(deployer.address),
            first_nonce=client.get_nonce(deployer.address),
            first_block=client.get_head().number,
            guardians=choose_guardians(client.chain_id, guardians),
            token=check_token(client, token),
            tau_g2=reference.tau_g2,
        )
        if not restart and is_finished(client, path, wanted):
            click.echo(f"deployed already, nothing to do: {path}")
            return
        plan = choose_plan(path, wanted, restart)
        deploy_all(client, deployer, plan, find_plan(path))
        verify_deployment(client, plan)
        write_manifest(client, load_plan(find_plan(path)) or plan, path)
        find_plan(path).unlink(missing_ok=True)
    except OffchainError as error:
        raise click.ClickException(str(error)) from None
    name = "the INSECURE development SRS" if reference.insecure else f"SRS 0x{reference.id.hex()}"
    click.echo(f"deployed on chain {client.chain_id} with {name}; manifest {path}")


def check_srs(chain_id: int, reference: ReferenceString, accept_insecure: bool) -> None:
    """Raise DeploymentError where a forger would be let in unawares."""
    if reference.insecure and chain_id not in LOCAL_CHAIN_IDS and not accept_insecure:
        raise DeploymentError(
            f"chain {chain_id} is not a local chain, and the reference string is the insecure "
            "development one: anybody could forge proofs. Import a ceremony's with `zkdps srs "
            "import` and name it with --srs, or see --accept-insecure-srs."
        )


def choose_plan(path: Path, wanted: Plan, restart: bool) -> Plan:
    """Return the stored plan of an unfinished deployment, or store the wanted one."""
    stored = None if restart else load_plan(find_plan(path))
    if stored is None or stored.genesis != wanted.genesis:
        save_plan(find_plan(path), wanted)
        return wanted
    if not stored.is_same_order(wanted):
        raise DeploymentError(
            f"{find_plan(path)} is an unfinished deployment with other options: see --restart"
        )
    click.echo(f"going on with the deployment of {find_plan(path)}")
    return stored


def deploy_all(client: ChainClient, deployer: FileAccount, plan: Plan, file: Path) -> None:
    """Create, in the order of dependence, what is not there yet."""
    for name in ORDER:
        address = plan.find_address(name)
        if is_deployed(client, plan, name):
            click.echo(f"{name:14} {address} exists")
            continue
        if client.get_nonce(deployer.address) > plan.find_nonce(name):
            click.echo(f"{name:14} {address} was sent before")
        else:
            plan = create(client, deployer, plan, name, file)
        wait_created(client, plan, name)
        click.echo(f"{name:14} {address} created")


def create(client: ChainClient, deployer: FileAccount, plan: Plan, name: str, file: Path) -> Plan:
    """Send one creation; return the plan with its hash, which is stored before it is sent."""
    noted = plan

    def note(tx_hash: str) -> None:
        nonlocal noted
        noted = plan.note(name, tx_hash)
        save_plan(file, noted)

    deployer.on_signed = note
    container, arguments = load_container(name), plan.build_arguments(name)
    call = Call(name, "constructor", None, bytes(container(*arguments).data))
    # Estimated here: ape asks without the sender, whose balance a node wants to see.
    needed = client.estimate_gas(call, AccountId(plan.deployer))
    fees = compute_fees(client.get_head().base_fee_wei)
    transaction = container(
        *arguments,
        nonce=plan.find_nonce(name),
        gas_limit=compute_gas_limit(needed, client.get_block_gas_limit()),
        max_fee=fees.max_fee_wei,
        max_priority_fee=fees.tip_wei,
        required_confirmations=0,
    )
    deployer.call(transaction)
    return noted


def wait_created(client: ChainClient, plan: Plan, name: str) -> None:
    """Wait until a creation is mined: on a chain with a block time ape does not always."""
    deadline = time.monotonic() + MINED_S
    while not is_deployed(client, plan, name):
        if client.get_mined_nonce(plan.deployer) > plan.find_nonce(name):
            if is_deployed(client, plan, name):
                return
            raise DeploymentError(
                f"nonce {plan.find_nonce(name)} of {plan.deployer} was used for something else, or "
                f"the creation of {name} failed: begin afresh with --restart"
            )
        if time.monotonic() > deadline:
            raise DeploymentError(f"{name} is not mined after {MINED_S:.0f} s: run this again")
        time.sleep(POLL_S)


def load_container(name: str) -> ContractContainer:
    """Return a packaged contract as ape takes it."""
    artifact = load_artifact(name)
    return ContractContainer(
        ContractType.model_validate(
            {
                "contractName": name,
                "abi": artifact.abi.entries,
                "deploymentBytecode": {"bytecode": "0x" + artifact.creation_code.hex()},
                "runtimeBytecode": {"bytecode": "0x" + artifact.runtime_code.hex()},
            }
        )
    )


def write_manifest(client: ChainClient, plan: Plan, path: Path) -> None:
    """Write what the roles need; ABIs are the compiler's, byte for byte."""
    contracts = {
        name: Deployment(
            address=plan.find_address(name),
            abi=load_artifact(name).abi,
            tx_hash=plan.transactions.get(name, ""),
            code_hash=bytes(keccak(client.get_code(plan.find_address(name)))),
        )
        for name in CONTRACTS
    }
    save_manifest(
        path,
        Manifest(
            chain_id=plan.chain_id,
            preset=plan.preset,
            first_block=plan.first_block,
            srs_id=plan.srs_id,
            srs_insecure=ReferenceString(plan.tau_g2, None).insecure,
            contracts=contracts,
            guardians=plan.guardians,
            token=None if plan.token == NO_TOKEN else plan.token,
        ),
    )
