"""What the gateway asks the chain, and the clock that it goes by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from eth_abi.abi import encode

from offchain.chain.client import ChainClient
from offchain.chain.endpoint import RpcError
from offchain.errors import ContractRevert
from offchain.gateway.references import OrderFate
from offchain.roles.context import Contracts
from offchain.types import (
    Address,
    Amount,
    BlockStamp,
    Job,
    JobId,
    OrderHash,
    ProtocolTime,
    Session,
    SessionId,
    SessionState,
    VersionId,
    Wei,
)

# What a contract's signature may cost: as in `contracts/libraries/Signatures.sol`.
SIGNATURE_GAS: Final = 100_000
TRANSACTION_GAS: Final = 21_000  # taken from an eth_call's gas before the code runs
BYTE_GAS: Final = 40  # of calldata, EIP-7623's price for whoever does nothing else
# EIP-1271: isValidSignature(bytes32,bytes), selector and right answer.
MAGIC: Final = bytes.fromhex("1626ba7e")
UNKNOWN: Final = frozenset({"UnknownJob", "UnknownSession", "UnknownVersion"})


@dataclass(frozen=True)
class Moment:
    """A head block and the protocol's clock at it."""

    head: BlockStamp
    time: ProtocolTime


class ChainView(Protocol):
    """Reads at the head. Each may raise RpcUnavailable."""

    chain_id: int
    market: Address
    sessions: Address
    orders: Address
    tokens: frozenset[Address]  # that fees can be paid in, zero for ETH

    def read_moment(self) -> Moment:
        """Return head and clock."""
        ...

    def find_job(self, job_id: JobId) -> Job | None:
        """Return a job, or None."""
        ...

    def find_session(self, session: SessionId) -> Session | None:
        """Return a session, or None."""
        ...

    def is_nonce_used(self, session: SessionId, nonce: int) -> bool:
        """Whether a batch holds a request with this nonce."""
        ...

    def find_order(self, order: OrderHash) -> OrderFate:
        """Return what became of an order."""
        ...

    def has_version(self, version: VersionId) -> bool:
        """Whether a version is registered."""
        ...

    def get_credit(self, account: Address, token: Address) -> Amount:
        """Return what the vault would pay for an account."""
        ...

    def get_proof_fee(self, version: VersionId) -> Wei:
        """Return the least fee of a job that requires a proof."""
        ...

    def get_served_owner(self, account: Address) -> Address | None:
        """Return the owner that an account ever worked for."""
        ...

    def get_code(self, account: Address) -> bytes:
        """Return an account's code."""
        ...

    def is_signed_by_code(self, account: Address, digest: bytes, signature: bytes) -> bool:
        """Whether an account's code accepts a signature (EIP-1271), within SIGNATURE_GAS."""
        ...


class DeployedChain:
    """A deployment through a node."""

    def __init__(self, client: ChainClient, contracts: Contracts) -> None:
        self.chain_id = client.chain_id
        self.market = contracts.market.address
        self.sessions = contracts.sessions.address
        self.orders = contracts.orders.address
        self.tokens = frozenset(contracts.vault.get_tokens())
        self._client, self._contracts = client, contracts
        self._versions: set[VersionId] = set()  # registered ones stay registered

    def read_moment(self) -> Moment:
        """Return head and clock."""
        return Moment(self._client.get_head(), self._contracts.market.get_time())

    def find_job(self, job_id: JobId) -> Job | None:
        """Return a job, or None."""
        try:
            return self._contracts.market.get_job(job_id)
        except ContractRevert as revert:
            _expect_unknown(revert)
            return None

    def find_session(self, session: SessionId) -> Session | None:
        """Return a session, or None."""
        try:
            found = self._contracts.sessions.get_session(session)
        except ContractRevert as revert:
            _expect_unknown(revert)
            return None
        return None if found.state is SessionState.NONE else found

    def is_nonce_used(self, session: SessionId, nonce: int) -> bool:
        """Whether a batch holds a request with this nonce."""
        return bool(self._contracts.sessions.is_nonce_used(session, nonce))

    def find_order(self, order: OrderHash) -> OrderFate:
        """Return what became of an order."""
        orders = self._contracts.orders
        return OrderFate(orders.find_job(order), orders.is_cancelled(order))

    def has_version(self, version: VersionId) -> bool:
        """Whether a version is registered."""
        if version in self._versions:
            return True
        try:
            self._contracts.registry.get_version(version)
        except ContractRevert as revert:
            _expect_unknown(revert)
            return False
        self._versions.add(version)
        return True

    def get_credit(self, account: Address, token: Address) -> Amount:
        """Return what the vault would pay for an account."""
        return self._contracts.vault.get_account(account, token).credit

    def get_proof_fee(self, version: VersionId) -> Wei:
        """Return the least fee of a job that requires a proof."""
        return self._contracts.market.compute_proof_fee(version)

    def get_served_owner(self, account: Address) -> Address | None:
        """Return the owner that an account ever worked for."""
        return self._contracts.vault.get_served_owner(account)

    def get_code(self, account: Address) -> bytes:
        """Return an account's code."""
        return self._client.get_code(account)

    def is_signed_by_code(self, account: Address, digest: bytes, signature: bytes) -> bool:
        """Whether an account's code accepts a signature (EIP-1271), within SIGNATURE_GAS."""
        question = MAGIC + encode(["bytes32", "bytes"], [digest, signature])
        gas = SIGNATURE_GAS + TRANSACTION_GAS + BYTE_GAS * len(question)
        call = {"to": account, "data": "0x" + question.hex(), "gas": hex(gas)}
        try:
            answer = str(self._client.rpc.request("eth_call", call, "latest"))
        except RpcError:
            return False  # it reverted, or ran out of gas
        return answer[:66].lower() == "0x" + MAGIC.hex() + "00" * 28


def _expect_unknown(revert: ContractRevert) -> None:
    if revert.name not in UNKNOWN:
        raise revert


class ChainClock:
    """Head and protocol's clock as they were read last; reading is somebody else's thread."""

    def __init__(self, chain: ChainView) -> None:
        self._chain = chain
        self._moment = chain.read_moment()

    @property
    def moment(self) -> Moment:
        """Return what was read last."""
        return self._moment

    @property
    def now(self) -> int:
        """Return the protocol's clock."""
        return int(self._moment.time.now)

    def refresh(self) -> None:
        """Read again; raises RpcUnavailable."""
        self._moment = self._chain.read_moment()
