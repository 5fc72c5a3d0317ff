"""Moves made on the chain itself, so that pages have something to show without the page's help."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
from eth_account import Account
from sklearn.datasets import load_digits

from offchain.chain.client import Call, ChainClient
from offchain.chain.session_ids import compute_session_id
from offchain.chain.transaction import parse_signature
from offchain.chain.typed_data import build_request
from offchain.cli.demo.offers import DIGITS
from offchain.cli.demo.showcase import Showcase
from offchain.commit.digest import encode_tensor
from offchain.commit.model_folder import PublishedModel, read_model_folder
from offchain.execute import reference
from offchain.model.graph import Graph
from offchain.model.weights import IntArray
from offchain.roles.context import Contracts, bind_contracts, connect
from offchain.submit.content import open_content
from offchain.types import (
    ETH,
    Address,
    Amount,
    BatchItem,
    Digest,
    JobId,
    JobTerms,
    Seconds,
    SessionId,
    SessionRequest,
    SessionTerms,
    VersionId,
)

ETHER: Final = 10**18
STAKE: Final = 3 * ETHER
FEE: Final = ETHER // 1000
VALID_S: Final = 3600


@dataclass(frozen=True)
class Moves:
    """Transactions of whoever is named: the chain is one's own, and signs for everybody."""

    stage: Showcase

    @cached_property
    def _connected(self) -> tuple[ChainClient, Contracts]:
        client, manifest = connect(self.stage.anvil.url, self.stage.manifest)
        return client, bind_contracts(client, manifest)

    @property
    def contracts(self) -> Contracts:
        """The deployment."""
        return self._connected[1]

    def send(self, call: Call, sender: str) -> None:
        """Send a transaction and have it mined at once; raise AssertionError if it fails."""
        rpc = self.stage.anvil.rpc
        rpc.request("anvil_impersonateAccount", sender)
        tx = rpc.request(
            "eth_sendTransaction",
            {"from": sender, "to": call.to, "data": "0x" + call.calldata.hex(),
             "value": hex(call.value_wei)},
        )  # fmt: skip
        rpc.request("evm_mine")
        assert int(rpc.request("eth_getTransactionReceipt", tx)["status"], 16) == 1, call.label

    def create_account(self) -> Address:
        """Return an account with some ETH, of which nobody has the key."""
        address = Address(Account.create().address)
        self.stage.anvil.fund(address, 10 * ETHER)
        return address

    def order(self, client: str, fee: int = 1) -> JobId:
        """Order a job that nobody takes: it pays next to nothing, and its input is nowhere."""
        market = self.contracts.market
        terms = JobTerms(
            client=Address(client),
            version=self.get_version("languages"),
            in_digest=Digest(secrets.token_bytes(32)),
            token=ETH,
            fee=Amount(fee),
            verify_mask=0,
            privacy_mask=0,
            salt=secrets.randbits(64),
        )
        self.send(market.build_create_job(terms, ""), client)
        return market.compute_job_id(terms)

    def get_version(self, name: str) -> VersionId:
        """Return a version of the showcase by its name."""
        return VersionId(bytes.fromhex(self.stage.versions[name][2:]))

    def hire(self) -> tuple[Address, Address]:
        """Return an operator of one's own, staked: owner and worker."""
        owner, worker = self.create_account(), self.create_account()
        vault = self.contracts.vault
        self.send(vault.build_deposit(STAKE), owner)
        self.send(vault.build_propose_worker(worker), owner)
        self.send(vault.build_accept_owner(owner), worker)
        return owner, worker

    def serve_session(self, count: int, cheated: int | None = None) -> SessionId:
        """Open a session for the digits network and commit `count` results under it.

        All are true but the one of the nonce `cheated`: it is the answer to another scan, given by
        an operator that does not compute what it is paid for.
        """
        owner, worker = self.hire()
        key = Account.create()
        client = self.create_account()
        sessions = self.contracts.sessions
        terms = SessionTerms(
            client=client,
            signer=Address(key.address),
            operator=owner,
            version=self.get_version("digits"),
            token=ETH,
            fee=Amount(FEE),
            salt=secrets.randbits(64),
        )
        opening = sessions.build_open_session(
            terms.signer, owner, terms.version, ETH, FEE, terms.salt, FEE * (count + 1)
        )
        self.send(opening, client)
        session = compute_session_id(self._connected[0].chain_id, sessions.address, terms)
        items = [
            self._answer(session, nonce, key, nonce + 1 if nonce == cheated else nonce)
            for nonce in range(count)
        ]
        self.send(sessions.build_commit_batch(session, items), worker)
        return session

    def _answer(self, session: SessionId, nonce: int, key: Account, computed: int) -> BatchItem:
        """Return a signed request for the scan `nonce`, and the answer to the scan `computed`."""
        graph = self._model.graph
        x = load_scan(nonce, graph)
        y = reference.run(graph, self._model.weights, load_scan(computed, graph))
        content = open_content(self.stage.gateway)
        bits, out_bits = graph.input.bits, graph.output_spec().bits
        in_digest = content.put(encode_tensor(x, bits), bits, x.shape)
        valid_until = Seconds(self.stage.get_time() + VALID_S)
        request = SessionRequest(session, nonce, in_digest, valid_until)
        message = build_request(
            self._connected[0].chain_id, self.contracts.sessions.address, request
        )
        signed = key.sign_message(message.to_signable()).signature
        return BatchItem(
            nonce=nonce,
            valid_until=valid_until,
            in_digest=in_digest,
            out_digest=content.put(encode_tensor(y, out_bits), out_bits, y.shape),
            signature=parse_signature(bytes(signed)).to_compact(),
        )

    @cached_property
    def _model(self) -> PublishedModel:
        return read_model_folder(Path(self.stage.folder) / "models" / DIGITS.folder)


def load_scan(number: int, graph: Graph) -> IntArray:
    """Return one of the real scans of digits as the network's input."""
    scan: IntArray = load_digits().data[number].astype(np.int64)
    return scan.reshape(graph.input.shape)
