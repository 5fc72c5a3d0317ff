"""Send a step's transaction at most once, whatever crashes: stored signed, then broadcast."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from eth_utils.address import to_checksum_address

from offchain.chain.client import Call, ChainClient, NonceUsed, Receipt
from offchain.chain.fees import Fees, compute_fees, compute_gas_limit, compute_replacement_fees
from offchain.chain.journal import Journal, StepKey, StoredTransaction, TxStatus
from offchain.chain.keys import Signer
from offchain.chain.nonce import NonceManager
from offchain.chain.rpc import RpcError
from offchain.chain.transaction import decode_signed
from offchain.errors import (
    ContractRevert,
    TransactionPending,
    TransactionReverted,
    UnknownPending,
)
from offchain.types import Address, BlockStamp, TxHash, Wei

POLL_S: Final = 0.2  # at first; it grows, or many steps that wait would flood the node
POLL_GROWTH: Final = 1.25
POLL_MAXIMUM_S: Final = 1.0
WAIT_S: Final = 60.0
REPLACE_AFTER_BLOCKS: Final = 5  # about a minute on Ethereum; a fee spike rarely lasts less
UNKNOWN_BLOCKS: Final = 10  # a pooled transaction that pays the base fee is mined long before
TX_TYPE: Final = 2  # EIP-1559
NO_RESERVE: Final = Wei(0)


class Submitter:
    """Signs and sends for one account of one role."""

    def __init__(
        self,
        client: ChainClient,
        journal: Journal,
        signer: Signer,
        sleep: Callable[[float], None] = time.sleep,
        reserve_wei: Wei = NO_RESERVE,
    ) -> None:
        self.account = signer.address
        self._client = client
        self._journal = journal
        self._signer = signer
        self._nonces = NonceManager(client, journal, signer.address)
        self._sleep = sleep
        self._reserve_wei = reserve_wei
        # The block at which unknown transactions were first seen in the pool, and their nonces.
        self._unknown: tuple[int, tuple[int, ...]] = (0, ())

    def can_spend(self, value_wei: Wei, gas: int, *, obligations_wei: Wei) -> bool:
        """Whether an optional spending leaves enough for what this account has to do.

        Ask before accepting a job or opening a challenge, never before committing, proving or
        claiming. `gas` is what the spending itself needs; `obligations_wei` is what the open jobs
        still need, see compute_reserve_wei; the configured reserve comes on top. What is on its
        way counts as spent.
        """
        fees = compute_fees(self._client.get_head().base_fee_wei)
        mined = self._client.get_mined_nonce(self.account)
        by_nonce: dict[int, Wei] = {}
        for tx in self._journal.get_unsettled_transactions(self.account):
            if tx.nonce >= mined:
                by_nonce[tx.nonce] = max(tx.cost_wei, by_nonce.get(tx.nonce, NO_RESERVE))
        needed = value_wei + gas * fees.max_fee_wei + sum(by_nonce.values())
        kept = obligations_wei + self._reserve_wei
        return self._client.get_balance(self.account) >= needed + kept

    def submit(self, key: StepKey, call: Call, gas_limit: int | None = None) -> Receipt:
        """Return the receipt of this step's transaction, sending it if it was never sent.

        Without `gas_limit` the call is simulated first, so a refusal costs nothing. Raises
        ContractRevert when the simulation fails, TransactionReverted when the mined transaction
        did, TransactionPending when it is not mined in time (a later call resumes it),
        UnknownPending while the pool holds what this account's journal does not know, and
        SubmissionConflict where another process was first.
        """
        receipt = self._resume(key, call, gas_limit)
        if receipt is not None:
            return receipt
        return self._wait(key, call, self._send(key, call, gas_limit))

    def begin(self, key: StepKey, call: Call) -> None:
        """Send this step's first transaction without waiting for it; `submit` waits.

        Raises what `submit` raises before it waits.
        """
        self._send(key, call, None)

    def is_under_way(self, key: StepKey) -> bool:
        """Whether a transaction of this step was signed that is neither reverted nor lost."""
        sent = self._journal.get_transactions(key)
        return any(tx.status in (TxStatus.SIGNED, TxStatus.MINED) for tx in sent)

    def _send(self, key: StepKey, call: Call, gas_limit: int | None) -> int:
        """Simulate unless the gas limit is given, sign, store, broadcast; return the gas limit."""
        # Before the simulation: one that came first would not see what is mined in between.
        self._verify_pool_is_known()
        self._send_undone_again()
        if gas_limit is None:
            estimate = self._client.estimate_gas(call, self.account)
            gas_limit = compute_gas_limit(estimate, self._client.get_block_gas_limit())
        with self._nonces.reserve() as nonce:
            self._broadcast_unsettled()
            fees = compute_fees(self._client.get_head().base_fee_wei)
            tx = self._sign_and_store(key, call, nonce, gas_limit, fees)
            self._broadcast(tx)
        return gas_limit

    def wait_for_pool(self) -> None:
        """Wait until the pool holds nothing that this journal did not sign.

        For commands that send once; roles come back with the next tick. Raises UnknownPending.
        """
        waited = 0.0
        while True:
            try:
                self._verify_pool_is_known()
            except UnknownPending:
                if waited >= WAIT_S:
                    raise
            else:
                return
            self._sleep(POLL_S)
            waited += POLL_S

    def _verify_pool_is_known(self) -> None:
        """Raise UnknownPending while the pool may hold this very step, signed by a lost journal.

        What no block takes for long is not waited for: its fee is too low, or it is stuck behind a
        gap; the next transaction queues up behind it.
        """
        try:
            self._nonces.verify_pool_is_known()
        except UnknownPending as error:
            head = self._client.get_head().number
            first_seen, nonces = self._unknown
            if error.nonces[0] not in nonces:
                first_seen = head
            self._unknown = (first_seen, error.nonces)
            if head - first_seen < UNKNOWN_BLOCKS:
                raise
        else:
            self._unknown = (0, ())

    def _send_undone_again(self) -> None:
        """Send again what a reorganisation has taken out of the chain, and come back later.

        Its nonces come before any other, and what it does decides whether anything else is due.
        Raises TransactionPending when there is such a transaction.
        """
        highest = self._journal.get_highest_settled_nonce(self.account)
        # Asked after the journal: what was settled before is counted, unless it was undone.
        mined = self._client.get_mined_nonce(self.account)
        if highest is None or highest < mined:
            return
        with self._nonces.reserve():
            self._journal.reopen_transactions(self.account, mined)
            self._broadcast_unsettled()
        raise TransactionPending(self._journal.get_unsettled_transactions(self.account)[0].hash, 0)

    def _broadcast_unsettled(self) -> None:
        """Hand every stored transaction of unknown fate to the node again.

        One that was signed and never sent, of a step that nobody asks for any more, would leave a
        gap in the nonces, and nothing signed later could ever be mined.
        """
        unsettled = self._journal.get_unsettled_transactions(self.account)
        latest = {tx.nonce: tx for tx in unsettled}  # the last one of each nonce
        pooled = range(0)
        if latest:
            mined = self._client.get_mined_nonce(self.account)
            pooled = range(mined, self._client.get_nonce(self.account))
        for tx in (tx for nonce, tx in latest.items() if nonce not in pooled):
            try:
                self._client.broadcast(tx.raw)
            except NonceUsed:
                receipt = self._client.get_receipt(tx.hash)
                if receipt is None:
                    continue  # a sibling's, perhaps: its own step finds out
                status = TxStatus.MINED if receipt.succeeded else TxStatus.REVERTED
                self._journal.set_transaction_status(tx.hash, status)
            except RpcError:
                continue  # its own step reports what the node has against it

    def _resume(self, key: StepKey, call: Call, gas_limit: int | None) -> Receipt | None:
        """Return the receipt of a transaction sent before, or None where a fresh one is due."""
        sent = [t for t in self._journal.get_transactions(key) if t.status is not TxStatus.LOST]
        if not sent or sent[-1].status is TxStatus.REVERTED:
            return None
        receipt = self._find_receipt(key, call)
        if receipt is not None:
            return receipt
        with self._nonces.reserve():
            try:
                if not self._broadcast_again(sent[-1]):
                    return self._find_receipt(key, call)
            except RpcError:
                # It stays: later nonces may wait for it, and another pool may hold it.
                if not self._is_stuck(sent[-1], self._client.get_head()):
                    raise
        return self._wait(key, call, gas_limit or self._estimate_replacement(call))

    def _estimate_replacement(self, call: Call) -> int | None:
        """Return the gas limit of a replacement, or None where the call would now be refused."""
        try:
            estimate = self._client.estimate_gas(call, self.account)
        except ContractRevert:
            return None  # being mined just now, or overtaken: it is only waited for
        return compute_gas_limit(estimate, self._client.get_block_gas_limit())

    def _sign_and_store(
        self, key: StepKey, call: Call, nonce: int, gas_limit: int, fees: Fees
    ) -> StoredTransaction:
        raw, tx_hash = self._signer.sign_transaction(
            {
                "type": TX_TYPE,
                "chainId": self._client.chain_id,
                "nonce": nonce,
                "to": call.to or b"",
                "value": int(call.value_wei),
                "data": call.calldata,
                "gas": gas_limit,
                "maxFeePerGas": int(fees.max_fee_wei),
                "maxPriorityFeePerGas": int(fees.tip_wei),
            }
        )
        tx = StoredTransaction(
            key=key,
            account=self.account,
            nonce=nonce,
            hash=TxHash(tx_hash),
            raw=raw,
            label=call.label,
            fees=fees,
            sent_block=self._client.get_head().number,
            status=TxStatus.SIGNED,
            cost_wei=Wei(call.value_wei + gas_limit * fees.max_fee_wei),
        )
        self._journal.put_transaction(tx)
        return tx

    def _broadcast(self, tx: StoredTransaction) -> None:
        """Hand a transaction to the node for the first time."""
        try:
            self._broadcast_again(tx)
        except RpcError:
            # The node refused it (funds, fees): the nonce is free again and nothing was sent.
            self._journal.set_transaction_status(tx.hash, TxStatus.LOST)
            raise

    def _broadcast_again(self, tx: StoredTransaction) -> bool:
        """Hand a stored transaction to the node; return False where its nonce is already used."""
        try:
            self._client.broadcast(tx.raw)
        except NonceUsed:
            if self._client.get_receipt(tx.hash) is None:
                self._sleep(POLL_S)  # while it mines, a node counts a nonce before it has receipts
            if self._client.get_receipt(tx.hash) is None:
                self._journal.set_transaction_status(tx.hash, TxStatus.LOST)
            return False
        return True

    def _wait(self, key: StepKey, call: Call, gas_limit: int | None) -> Receipt:
        waited, pause, seen = 0.0, POLL_S, ""
        while waited < WAIT_S:
            head = self._client.get_head()
            if head.hash != seen:  # nothing happens between two blocks
                seen = head.hash
                receipt = self._find_receipt(key, call)
                if receipt is not None:
                    return receipt
                if gas_limit is not None:
                    self._replace_when_stuck(key, call, gas_limit, head)
            self._sleep(pause)
            waited += pause
            pause = min(POLL_GROWTH * pause, POLL_MAXIMUM_S)
        raise TransactionPending(self._journal.get_transactions(key)[-1].hash, waited)

    def _find_receipt(self, key: StepKey, call: Call) -> Receipt | None:
        """Return the receipt of whichever of a step's transactions was mined, and record it."""
        stored = [t for t in self._journal.get_transactions(key) if t.status is not TxStatus.LOST]
        for tx in reversed(stored):
            receipt = self._client.get_receipt(tx.hash)
            if receipt is None or (tx.status is TxStatus.REVERTED and tx is not stored[-1]):
                continue
            for sibling in stored:
                if sibling.nonce == tx.nonce and sibling.hash != tx.hash:
                    self._journal.set_transaction_status(sibling.hash, TxStatus.LOST)
            if receipt.succeeded:
                self._journal.set_transaction_status(tx.hash, TxStatus.MINED)
                return receipt
            self._journal.set_transaction_status(tx.hash, TxStatus.REVERTED)
            reason = self._client.explain_revert(call, self.account, receipt.block_number)
            raise TransactionReverted(tx.hash, reason)
        return None

    def _replace_when_stuck(
        self, key: StepKey, call: Call, gas_limit: int, head: BlockStamp
    ) -> None:
        """Offer more for a step's transaction, and for those of lower nonces that it waits for."""
        tx = self._journal.get_transactions(key)[-1]
        if not self._is_stuck(tx, head):
            return
        with self._nonces.reserve():
            for other in self._journal.get_unsettled_transactions(self.account):
                if other.nonce < tx.nonce:
                    self._replace_other(other, head)
            fees = compute_replacement_fees(tx.fees, head.base_fee_wei)
            if fees is not None:
                replacement = self._sign_and_store(key, call, tx.nonce, gas_limit, fees)
                self._broadcast(replacement)

    def _replace_other(self, tx: StoredTransaction, head: BlockStamp) -> None:
        """Offer more for another step's transaction, which nobody may ask for any more."""
        siblings = self._journal.get_transactions(tx.key)
        fees = compute_replacement_fees(tx.fees, head.base_fee_wei)
        if tx.hash != siblings[-1].hash or fees is None or not self._is_stuck(tx, head):
            return
        if tx.nonce < self._client.get_mined_nonce(self.account):
            return
        sent, _ = decode_signed(tx.raw)
        contract, _, function = tx.label.partition(".")
        to = Address(to_checksum_address(sent.to)) if sent.to else None
        call = Call(contract, function, to, sent.calldata, Wei(sent.value_wei))
        with suppress(RpcError):  # its own step reports what the node has against it
            self._broadcast(self._sign_and_store(tx.key, call, tx.nonce, sent.gas, fees))

    def _is_stuck(self, tx: StoredTransaction, head: BlockStamp) -> bool:
        return head.number - tx.sent_block >= REPLACE_AFTER_BLOCKS
