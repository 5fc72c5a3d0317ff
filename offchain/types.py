"""Names for everything that could be confused, and frozen records that cross floors."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import NewType

Address = NewType("Address", str)  # EIP-55 checksummed, 0x-prefixed
AccountId = NewType("AccountId", str)  # the checksummed address of a signing key
BlockNumber = NewType("BlockNumber", int)
Digest = NewType("Digest", bytes)  # 32 bytes, offchain.commit.digest
DisputeId = NewType("DisputeId", int)
JobId = NewType("JobId", int)
Seconds = NewType("Seconds", int)  # block time, never a wall clock
TxHash = NewType("TxHash", str)  # 0x-prefixed
VersionId = NewType("VersionId", bytes)  # 32 bytes, ModelRegistry
Wei = NewType("Wei", int)


class JobState(IntEnum):
    """States of a job, as in `contracts/types/Job.sol`; a job's state only ever grows."""

    NONE = 0
    OPEN = 1
    ASSIGNED = 2
    COMMITTED = 3
    DISPUTED = 4
    FINAL = 5
    PROVEN = 6
    REJECTED = 7
    EXPIRED = 8
    FAILED = 9
    CANCELLED = 10

    @property
    def is_terminal(self) -> bool:
        """Whether the job can never change state again."""
        return self >= JobState.FINAL


@dataclass(frozen=True)
class BlockStamp:
    """A block that everything in one tick is read against."""

    number: BlockNumber
    hash: str
    timestamp: Seconds
    base_fee_wei: Wei


@dataclass(frozen=True)
class Version:
    """A registered model version, as the registry holds it."""

    id: VersionId
    owner: Address
    prove_seconds: int
    proof_gas: int
    verifier: Address
    vk_data: Address  # data contract whose code is 0x00 || key blob
    graph_hash: bytes
    weight_root: bytes
    program_hash: bytes
    vk_hash: bytes
    srs_id: bytes


@dataclass(frozen=True)
class Job:
    """A job as the market holds it."""

    id: JobId
    state: JobState
    client: Address
    operator: Address  # the owner whose stake is locked, zero before acceptance
    fee_wei: Wei
    deadline: Seconds  # last second of the state: of taking, committing or challenging
    version: VersionId
    in_digest: Digest
    out_digest: Digest


@dataclass(frozen=True)
class Dispute:
    """A challenge of a job's result."""

    id: DisputeId
    job: JobId
    challenger: Address
    operator: Address
    bond_wei: Wei
    prove_until: Seconds
    challenge_seed: bytes  # stored by the challenge transaction; nothing can be proven before it
    is_open: bool


@dataclass(frozen=True)
class VaultAccount:
    """One account's part of the vault's ledger."""

    free_wei: Wei
    locked_wei: Wei
    unbonding_wei: Wei
    credit_wei: Wei
    held_wei: Wei  # slash proceeds behind the airgap

    @property
    def total_wei(self) -> Wei:
        """Return everything the vault holds for the account."""
        return Wei(
            self.free_wei + self.locked_wei + self.unbonding_wei + self.credit_wei + self.held_wei
        )
