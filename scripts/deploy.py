"""Deploy one preset's contracts: `ape run deploy --network ethereum:local:foundry --help`.

Uses the artefacts that forge compiled once. Writes the manifest from which every role reads
addresses and ABIs.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click
from ape import Contract, chain
from ape.api import AccountAPI, ReceiptAPI, TransactionAPI
from ape.cli import ConnectedProviderCommand
from ape.contracts import ContractContainer
from ape.types import AddressType, TransactionSignature
from ape.utils import cached_property
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from ethpm_types import ContractType

from offchain.chain.abi import ContractAbi
from offchain.chain.keys import Signer, load_signer
from offchain.chain.manifest import Deployment, Manifest, save_manifest
from offchain.params.presets import get_preset
from offchain.params.settings import LOCAL_CHAIN_IDS
from offchain.prove.reference.srs import insecure_tau_g2, srs_id
from offchain.types import Address

ROOT: Final = Path(__file__).parents[1]
ARTEFACTS: Final = ROOT / ".local" / "forge" / "out"


class FileAccount(AccountAPI):
    """An account whose key lies in a private file; ape never sees the key."""

    key_file: Path
    password_file: Path | None = None

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
        """Return the transaction with its signature."""
        v, r, s = self.signer.sign_fields(txn.model_dump(by_alias=True, exclude={"sender"}))
        txn.signature = TransactionSignature(v=v, r=r.to_bytes(32, "big"), s=s.to_bytes(32, "big"))
        return txn


@click.command(cls=ConnectedProviderCommand)
@click.option(
    "--key-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help="Deployer's key: a hex file of mode 0600, or a keystore.",
)
@click.option(
    "--password-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Password of the keystore.",
)
@click.option("--preset", default="local", show_default=True, help="Parameters of the protocol.")
@click.option(
    "--manifest",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the manifest goes; deployments/<chainId>.json by default.",
)
@click.option(
    "--accept-insecure-srs",
    is_flag=True,
    help="Deploy the development SRS on a chain that is not a local one. ANYBODY CAN FORGE PROOFS.",
)
def cli(
    key_file: Path,
    password_file: Path | None,
    preset: str,
    manifest: Path | None,
    accept_insecure_srs: bool,
) -> None:
    """Deploy verifier, vault, registry, market and game, and wire them once."""
    chain_id = chain.chain_id
    if chain_id not in LOCAL_CHAIN_IDS and not accept_insecure_srs:
        raise click.ClickException(
            f"chain {chain_id} is not a local chain, and the only reference string here is the "
            "insecure development one: anybody could forge proofs. See --accept-insecure-srs."
        )
    deployer = FileAccount(key_file=key_file, password_file=password_file)
    first_block = chain.blocks.head.number or 0
    contracts = deploy_all(deployer, preset)
    path = manifest or ROOT / "deployments" / f"{chain_id}.json"
    save_manifest(
        path,
        Manifest(
            chain_id=chain_id,
            preset=preset,
            first_block=first_block,
            srs_id=srs_id(insecure_tau_g2()),
            srs_insecure=True,
            contracts={name: describe(name, c) for name, c in contracts.items()},
        ),
    )
    click.echo(f"deployed on chain {chain_id} with the INSECURE development SRS; manifest {path}")


def deploy_all(deployer: FileAccount, preset: str) -> Mapping[str, ReceiptAPI]:
    """Deploy in the order of dependence, then wire and renounce; return name -> creation."""
    parameters = get_preset(preset).to_abi()
    tau = insecure_tau_g2()
    words = [int.from_bytes(tau[i : i + 32], "big") for i in range(0, len(tau), 32)]
    created = {}

    def create(name: str, *arguments: Any) -> str:
        created[name] = wait_mined(deployer.call(load_container(name)(*arguments)))
        return str(created[name].contract_address)

    verifier = create("VerifierCore", words)
    vault = create("StakeVault", parameters)
    registry = create("ModelRegistry", [verifier], parameters)
    market = create("JobMarket", vault, registry, parameters)
    game = create("DisputeGame", vault, registry, market, parameters)
    wired = Contract(vault, contract_type=load_container("StakeVault").contract_type)
    wait_mined(wired.setModules(market, game, sender=deployer))
    return created


def wait_mined(receipt: ReceiptAPI) -> ReceiptAPI:
    """Return the final receipt: on a development chain with a block time ape does not wait."""
    mined = chain.provider.get_receipt(receipt.txn_hash, required_confirmations=0)
    mined.raise_for_status()
    return mined


def load_container(name: str) -> ContractContainer:
    """Return a contract from forge's artefacts."""
    path = ARTEFACTS / f"{name}.sol" / f"{name}.json"
    if not path.exists():
        raise click.ClickException(f"{path} is missing: run ./scripts/demo or forge build first")
    artefact = json.loads(path.read_text(encoding="utf-8"))
    return ContractContainer(
        ContractType(
            contractName=name,
            abi=artefact["abi"],
            deploymentBytecode={"bytecode": artefact["bytecode"]["object"]},
            runtimeBytecode={"bytecode": artefact["deployedBytecode"]["object"]},
        )
    )


def describe(name: str, creation: ReceiptAPI) -> Deployment:
    """Return a manifest entry; the ABI is forge's, byte for byte."""
    artefact = json.loads((ARTEFACTS / f"{name}.sol" / f"{name}.json").read_text(encoding="utf-8"))
    address = Address(to_checksum_address(creation.contract_address))
    code_hash = bytes(keccak(bytes(chain.provider.get_code(AddressType(address)))))
    return Deployment(address, ContractAbi(name, artefact["abi"]), creation.txn_hash, code_hash)
