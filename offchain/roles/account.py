"""One key that signs a few transactions of its own: whatever is no role's, and registrations."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from offchain.chain.client import Call, Receipt
from offchain.chain.contracts.model_registry import TILE_TREE, VersionParams
from offchain.chain.data_contract import MAX_PIECE_BYTES
from offchain.chain.journal import Journal, StepKey
from offchain.chain.keys import AskPassword
from offchain.chain.signers import SignerSource, open_signer
from offchain.chain.typed_data import TypedMessage
from offchain.roles.context import bind_contracts, connect
from offchain.submit.key_upload import publish_key
from offchain.submit.models import Model, load_model
from offchain.submit.transactions import Submitter
from offchain.types import NOBODY, Address, VersionId

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
        self._signer = open_signer(source, ask)
        journal = Journal(state / f"{self.client.chain_id}-{self._signer.address}" / JOURNAL)
        self._submitter = Submitter(self.client, journal, self._signer)
        self._job = uuid.uuid4().hex

    @property
    def address(self) -> Address:
        """Return the account's address."""
        return Address(self._submitter.account)

    def sign_typed(self, message: TypedMessage) -> bytes:
        """Return the account's signature of an EIP-712 message, 65 bytes."""
        return self._signer.sign_typed(message)

    def send(self, call: Call) -> Receipt:
        """Send one transaction and wait for it."""
        self._submitter.wait_for_pool()  # a role of this account may be sending, too
        return self._submitter.submit(StepKey(ROLE, self._job, call.label), call)

    def submit(self, key: StepKey, call: Call) -> Receipt:
        """Send a step's transaction once, whatever was interrupted before; wait for it."""
        self._submitter.wait_for_pool()
        return self._submitter.submit(key, call)

    def register_version(
        self,
        folder: Path,
        uri: str,
        prove_seconds: int | None = None,
        proof_gas: int | None = None,
        royalty_bps: int = 0,
    ) -> Mapping[str, Any]:
        """Publish a model's key in data contracts and register the version it belongs to.

        Proving time and gas default to the bounds below which no operator would stake on it. What
        this account has registered in the same way before is left alone.
        """
        model = load_model(folder)
        verifier = self.manifest.get("VerifierCore").address
        params = build_version_params(model, verifier, uri, prove_seconds, proof_gas, royalty_bps)
        return self.register(params, model.vk_blob)

    def publish_key(self, vk_blob: bytes, piece_bytes: int = MAX_PIECE_BYTES) -> Address:
        """Return the data contract of a key, created in as many transactions as it has parts.

        What this account's journal knows as created for this key is not created again, so that an
        upload that was interrupted goes on. Raises OffchainError where the chain holds another
        code than was sent.
        """
        self._submitter.wait_for_pool()
        return publish_key(self._submitter, self.client, ROLE, vk_blob, piece_bytes)

    def register(self, params: VersionParams, vk_blob: bytes) -> Mapping[str, Any]:
        """Publish a key and register `params` with it.

        `vk_data` is filled in here; what this account has registered with the same parameters and
        key before is left alone.
        """
        registry = self.contracts.registry
        for version, known in registry.find_registered(self.manifest.first_block, self.address):
            if replace(known, vk_data=params.vk_data) == params:
                return _describe(version, known.vk_data, vk_blob, None)
        params = replace(params, vk_data=self.publish_key(vk_blob))
        version = registry.compute_version_id(params, self.address)
        receipt = self.send(registry.build_register_version(params))
        return _describe(version, params.vk_data, vk_blob, receipt.tx_hash)


def build_version_params(
    model: Model,
    verifier: Address,
    uri: str,
    prove_seconds: int | None = None,
    proof_gas: int | None = None,
    royalty_bps: int = 0,
) -> VersionParams:
    """Return the true registration of a model; the key's data contract is still to be named."""
    digests = model.compute_digests()
    return VersionParams(
        graph_hash=digests.graph_hash,
        weight_root=digests.weight_root,
        program_hash=digests.program_hash,
        vk_hash=digests.vk_hash,
        vk_data=NOBODY,
        verifier=verifier,
        srs_id=digests.srs_id,
        prove_seconds=model.cost.seconds if prove_seconds is None else prove_seconds,
        proof_gas=model.cost.gas if proof_gas is None else proof_gas,
        digest_kind=TILE_TREE,
        output_bytes=model.output_bytes,
        royalty_bps=royalty_bps,
        uri=uri,
    )


def _describe(
    version: VersionId, vk_data: Address, vk_blob: bytes, transaction: str | None
) -> Mapping[str, Any]:
    return {
        "version": "0x" + version.hex(),
        "vk_data": vk_data,
        "vk_bytes": len(vk_blob),
        "transaction": transaction,
    }
