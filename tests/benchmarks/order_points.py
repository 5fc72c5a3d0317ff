"""Signed orders and results into contracts: what taking, withdrawing and telling cost."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from eth_abi.abi import encode

from offchain.chain.abi import ContractAbi
from offchain.chain.client import Call
from offchain.chain.contracts.order_book import OrderBook
from offchain.chain.contracts.result_relay import ResultRelay
from offchain.chain.keys import load_signer
from offchain.chain.transaction import parse_signature
from offchain.chain.typed_data import hash_order
from offchain.types import (
    ETH,
    Address,
    Amount,
    Digest,
    JobId,
    JobTerms,
    Order,
    Seconds,
    VersionId,
    Wei,
)
from tests.benchmarks.gas_chain import SETUP, GasChain

ARTEFACTS: Final = Path(__file__).parents[2] / ".local/forge/out"
EXAMPLE: Final = "DigitConsumer"
WALLET: Final = "Wallet"
PRIZE_WEI: Final = 10**17  # below what the example wants proven
FOREVER: Final = Seconds(2**40 - 1)


class OrderPoints:
    """Plays orders and deliveries for one version; `worker` has stake and no open jobs."""

    def __init__(
        self, chain: GasChain, version: VersionId, in_digest: Digest, worker: Address, fee: int
    ) -> None:
        self.chain = chain
        self.orders = OrderBook(chain.client, chain.manifest)
        self.relay = ResultRelay(chain.client, chain.manifest)
        self.worker = worker
        client = chain.open_account("orderer")
        self.client = Address(client.address)
        self._signer = load_signer(chain.folder / "orderer.key")
        self._order = Order(
            client=self.client,
            version=version,
            in_digest=in_digest,
            token=ETH,
            min_fee=Amount(fee),
            max_fee=Amount(2 * fee),
            ramp_start=Seconds(0),
            ramp_end=FOREVER,
            take_until=FOREVER,
            verify_mask=0,
            salt=0,
        )

    def play_orders(self) -> None:
        """Fund, take by both forms of a key and by a wallet's code, withdraw."""
        vault = self.chain.contracts.vault
        self.chain.send(self.client, vault.build_fund(100 * self._order.max_fee), "first")
        self.chain.send(self.client, vault.build_fund(1), "more")
        uri = self._order.in_digest.hex()
        for case in ("key, first", "key, later", "key, 64 bytes"):
            order, raw = self._sign()
            signature = parse_signature(raw).to_compact() if "64" in case else raw
            call = self.orders.build_take_order(order, signature, uri)
            self.chain.send(self.worker, call, case)
        wallet = self._deploy(WALLET, encode(["address"], [self.client]))
        order, raw = self._sign(client=wallet)
        self._fund_wallet(wallet, order.max_fee)
        self.chain.send(
            self.worker, self.orders.build_take_order(order, raw, uri), "contract wallet"
        )
        order, _ = self._sign()
        self.chain.send(self.client, self.orders.build_cancel_order(order))

    def play_results(
        self, out_digest: Digest, width: int, dims: Sequence[int], output: bytes
    ) -> None:
        """Order from a contract and tell it; subscribe it to a job of another, which it refuses."""
        end = self.chain.client.get_head().timestamp + 10**6
        types = ["address", "bytes32", "uint256", "uint256"]
        arguments = encode(types, [self.relay.address, self._order.version, 0, end])
        consumer = self._deploy(EXAMPLE, arguments, PRIZE_WEI)
        abi = ContractAbi(EXAMPLE, _read(EXAMPLE)["abi"])
        enter = abi.encode_call("enter", [self._order.in_digest, ""])
        call = Call(EXAMPLE, "enter", consumer, enter, Wei(self._order.min_fee))
        self.chain.send(self.client, call, "create and subscribe")
        fee, version = self._order.min_fee, self._order.version
        terms = JobTerms(consumer, version, self._order.in_digest, ETH, fee, 0, 0, 1)
        entered = self.chain.contracts.market.compute_job_id(terms)
        self._finish(entered, out_digest)
        deliver = self.relay.build_deliver(entered, width, dims, output)
        self.chain.send(self.worker, deliver, f"{len(output)} B, example")
        order, raw = self._sign()
        self.chain.send(self.worker, self.orders.build_take_order(order, raw, ""), "key, later")
        name = hash_order(self.chain.client.chain_id, self.orders.address, order)
        job_id = self.orders.find_job(name)
        assert job_id is not None
        self.chain.send(self.client, self.relay.build_subscribe(job_id, consumer, 100_000))
        self._commit(job_id, out_digest)
        deliver = self.relay.build_deliver(job_id, width, dims, output)
        self.chain.send(self.worker, deliver, f"{len(output)} B, refused")

    def _finish(self, job_id: JobId, out_digest: Digest) -> None:
        market = self.chain.contracts.market
        self.chain.send(self.worker, market.build_accept_job(job_id), "later job")
        self._commit(job_id, out_digest)

    def _commit(self, job_id: JobId, out_digest: Digest) -> None:
        market = self.chain.contracts.market
        commit = market.build_commit_result(job_id, out_digest, out_digest.hex())
        self.chain.send(self.worker, commit, "later job")
        self.chain.pass_deadline(market.get_job(job_id).deadline)
        self.chain.send(self.worker, market.build_finalise(job_id), "later job")

    def _sign(self, client: Address | None = None) -> tuple[Order, bytes]:
        self._order = replace(self._order, salt=self._order.salt + 1)
        order = replace(self._order, client=client or self.client)
        return order, self._signer.sign_typed(self.orders.build_message(order))

    def _fund_wallet(self, wallet: Address, amount: int) -> None:
        vault = self.chain.contracts.vault
        self.chain.anvil.fund(wallet, amount)
        abi = ContractAbi(WALLET, _read(WALLET)["abi"])
        fund = vault.build_fund(amount)
        call = abi.encode_call("execute", [vault.address, amount, fund.calldata])
        self.chain.send(self.client, Call(SETUP, "execute", wallet, call))

    def _deploy(self, name: str, arguments: bytes, value_wei: int = 0) -> Address:
        code = bytes.fromhex(_read(name)["bytecode"]["object"].removeprefix("0x"))
        call = Call(SETUP, name, None, code + arguments, Wei(value_wei))
        created = self.chain.send(self.client, call).created
        return Address(str(created))


def _read(name: str) -> Mapping[str, Any]:
    """Return a compiled contract that is no part of a deployment."""
    artefact: Mapping[str, Any] = json.loads((ARTEFACTS / f"{name}.sol/{name}.json").read_text())
    return artefact
