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
    """States of a job, in the order of `contracts/types/Job.sol`."""

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
