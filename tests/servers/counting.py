"""A small role whose steps are on chain: put each of N keys into a contract that takes each once.

What a role does with models and proofs is tested elsewhere; this one is all submission. A second
transaction for a step would show in the account's nonce, even one that reverted.
"""

from __future__ import annotations

import json

from offchain.chain.abi import ErrorBook
from offchain.chain.binding import checksum
from offchain.chain.client import Call, ChainClient
from offchain.chain.database import Place
from offchain.chain.journal import Journal, StepKey, StepStatus
from offchain.chain.keys import load_signer
from offchain.chain.rpc import Rpc
from offchain.errors import ContractRevert
from offchain.params.settings import Settings
from offchain.roles.lock import hold_step
from offchain.roles.log import Log
from offchain.submit.transactions import Submitter

# calldata = one word k: if (storage[k] != 0) revert(); storage[k] = 1
RUNTIME = bytes.fromhex("5f35805415600b575f5ffd5b6001905500")
CREATION = b"\x70" + RUNTIME + bytes.fromhex("5f526011600ff3")  # returns the runtime's 17 bytes
ROLE = "operator"


def encode_key(number: int) -> bytes:
    return (number + 1).to_bytes(32, "big")


class CountingRole:
    """Puts keys 1..count; everything it knows of them is read from the chain."""

    def __init__(self, settings: Settings) -> None:
        task = json.loads(settings.manifest.read_text())
        self.log = Log(settings.role)
        self._count: int = task["count"]
        self._contract = checksum(task["contract"])
        self._client = ChainClient(Rpc(settings.rpc_url, notify=self.log.event), ErrorBook([]))
        assert settings.key_file is not None
        signer = load_signer(settings.key_file)
        space = f"{self._client.chain_id}/{self._contract}/{settings.role}/{signer.address}"
        self._journal = Journal(Place(settings.journal, settings.database_url, space))
        self._submitter = Submitter(self._client, self._journal, signer)

    def compute_due_steps(self) -> tuple[StepKey, ...]:
        """Return the keys that are not in the contract."""
        return tuple(
            StepKey(ROLE, str(number), "put")
            for number in range(self._count)
            if not self._is_done(number)
        )

    def perform(self, key: StepKey) -> None:
        """Put one key."""
        number = int(key.job)
        with hold_step(self._journal, key) as mine:
            if not mine or self._is_done(number):
                return
            call = Call("Once", "put", self._contract, encode_key(number))
            try:
                receipt = self._submitter.submit(key, call)
            except ContractRevert:
                if not self._is_done(number):
                    raise
                return
            self._journal.put_step(key, StepStatus.DONE)
            self.log.event("step-done", step=key.job, tx=receipt.tx_hash)

    def is_finished(self) -> bool:
        """Whether all keys are in."""
        return not self.compute_due_steps()

    def _is_done(self, number: int) -> bool:
        slot = "0x" + encode_key(number).hex()
        word = self._client.rpc.request("eth_getStorageAt", self._contract, slot, "latest")
        return int(word, 16) != 0
