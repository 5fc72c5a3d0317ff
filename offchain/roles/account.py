"""What an account does apart from jobs: stake, publish a version, withdraw credit."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from offchain.chain.client import Call, Receipt
from offchain.chain.contracts.model_registry import TILE_TREE, VersionParams
from offchain.chain.data_contract import build_data_contract
from offchain.chain.journal import Journal, StepKey
from offchain.chain.keys import AskPassword
from offchain.chain.signers import SignerSource, open_signer
from offchain.errors import OffchainError
from offchain.roles.context import bind_contracts, connect
from offchain.submit.models import load_model
from offchain.submit.transactions import Submitter
from offchain.types import Address, Wei

ROLE: Final = "account"
JOURNAL: Final = "account.sqlite3"


class Account:
    """One key that signs a few transactions of its own; every invocation is a job of its own."""

    def __init__(
        self,
        rpc_url: str,
        manifest: Path,
        key_file: Path | None,
        password_file: Path | None,
        state: Path,
        signer_url: str = "",
        signer_address: str = "",
        signer_api: str = "rpc",
        signer_ca_file: Path | None = None,
        ask: AskPassword | None = None,
    ) -> None:
        self.client, self.manifest = connect(rpc_url, manifest)
        self.contracts = bind_contracts(self.client, self.manifest)
        source = SignerSource(
            key_file, password_file, signer_url, signer_address, signer_api, signer_ca_file
        )
        signer = open_signer(source, ask)
        journal = Journal(state / f"{self.client.chain_id}-{signer.address}" / JOURNAL)
        self._submitter = Submitter(self.client, journal, signer)
        self._job = uuid.uuid4().hex

    @property
    def address(self) -> Address:
        """Return the account's address."""
        return Address(self._submitter.account)

    def send(self, call: Call) -> Receipt:
        """Send one transaction and wait for it."""
        return self._submitter.submit(StepKey(ROLE, self._job, call.label), call)

    def stake(self, amount_wei: Wei, worker: str) -> Mapping[str, Any]:
        """Add free stake and name the worker; return what was done."""
        deposit = self.send(self.contracts.vault.build_deposit(amount_wei))
        named = self.send(self.contracts.vault.build_set_worker(worker))
        free = self.contracts.vault.get_account(self.address).free_wei
        return {
            "owner": self.address,
            "worker": worker,
            "free_wei": int(free),
            "transactions": [deposit.tx_hash, named.tx_hash],
        }

    def withdraw(self) -> Mapping[str, Any]:
        """Take all credit that is ripe; return what it was."""
        amount = self.contracts.vault.get_withdrawable(self.address)
        receipt = self.send(self.contracts.vault.build_withdraw_credit())
        return {"account": self.address, "amount_wei": int(amount), "transaction": receipt.tx_hash}

    def register_version(
        self, folder: Path, uri: str, prove_seconds: int | None = None, proof_gas: int | None = None
    ) -> Mapping[str, Any]:
        """Publish a model's key in a data contract and register the version it belongs to.

        Proving time and gas default to the bounds below which no operator would stake on it.
        """
        model = load_model(folder)
        prove_seconds = model.cost.seconds if prove_seconds is None else prove_seconds
        proof_gas = model.cost.gas if proof_gas is None else proof_gas
        digests = model.compute_digests()
        created = self.send(build_data_contract(model.vk_blob)).created
        if created is None:
            raise OffchainError("the key's data contract was not created")
        params = VersionParams(
            graph_hash=digests.graph_hash,
            weight_root=digests.weight_root,
            program_hash=digests.program_hash,
            vk_hash=digests.vk_hash,
            vk_data=created,
            verifier=self.manifest.get("VerifierCore").address,
            srs_id=digests.srs_id,
            prove_seconds=prove_seconds,
            proof_gas=proof_gas,
            digest_kind=TILE_TREE,
            uri=uri,
        )
        registry = self.contracts.registry
        version = registry.compute_version_id(params, self.address)
        receipt = self.send(registry.build_register_version(params))
        return {
            "version": "0x" + version.hex(),
            "vk_data": created,
            "vk_bytes": len(model.vk_blob),
            "transaction": receipt.tx_hash,
        }
