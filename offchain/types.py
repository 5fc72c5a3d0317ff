"""Names for everything that could be confused, and frozen records that cross floors."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Final, NewType

Address = NewType("Address", str)  # EIP-55 checksummed, 0x-prefixed
AccountId = NewType("AccountId", str)  # the checksummed address of a signing key
Amount = NewType("Amount", int)  # smallest units of a job's token: wei where it is ETH
BlockNumber = NewType("BlockNumber", int)
Digest = NewType("Digest", bytes)  # 32 bytes, offchain.commit.digest
JobId = NewType("JobId", str)  # "0x" and 64 lower-case hex digits: the hash of the job's terms
SessionId = NewType("SessionId", str)  # as a job id: the hash of the session's terms
BatchId = NewType("BatchId", str)  # as a job id: the hash of the session and the batch's root
QuorumId = NewType("QuorumId", str)  # as a job id: the hash of the quorum's terms
OrderHash = NewType("OrderHash", str)  # "0x" and 64 hex digits: what a client signed off chain
Seconds = NewType("Seconds", int)  # of the protocol's clock or a block, never a wall clock
TxHash = NewType("TxHash", str)  # 0x-prefixed
VersionId = NewType("VersionId", bytes)  # 32 bytes, ModelRegistry
Wei = NewType("Wei", int)

ETH: Final = Address("0x" + "00" * 20)  # native ETH's key wherever a token is named
NOBODY: Final = Address("0x" + "00" * 20)


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
    REFUSED = 11
    VOIDED = 12

    @property
    def is_terminal(self) -> bool:
        """Whether the job can never change state again; a REJECTED one's lock may still move."""
        return self >= JobState.FINAL


class DisputeState(IntEnum):
    """States of the dispute about a job, as in `contracts/types/Dispute.sol`."""

    NONE = 0
    OPEN = 1
    DEFENDER_PROVEN = 2
    DEFAULT = 3
    FRAUD_PROVEN = 4
    DISTRIBUTED = 5
    CURED = 6
    VOIDED = 7

    @property
    def holds_slash(self) -> bool:
        """Whether a slashed lock waits for the airgap to be over."""
        return self in (DisputeState.DEFAULT, DisputeState.FRAUD_PROVEN)


class SessionState(IntEnum):
    """States of a session, as in `contracts/types/Session.sol`."""

    NONE = 0
    OPEN = 1
    CLOSING = 2
    CLOSED = 3
    VOIDED = 4


class BatchState(IntEnum):
    """States of a batch, as in `contracts/types/Session.sol`."""

    NONE = 0
    COMMITTED = 1
    FINAL = 2
    VOIDED = 3


class Assurance(IntEnum):
    """How much a consumer may rely on a job's result."""

    NONE = 0
    UNCHALLENGED = 1
    PROVEN = 2


class VerifyMask(IntFlag):
    """Bits of a job's `verify_mask`."""

    NONE = 0
    PROOF_REQUIRED = 1


class GuardianAction(IntEnum):
    """What two of the three members can do, as in `contracts/interfaces/IGuardian.sol`."""

    PAUSE = 0
    UNPAUSE = 1
    REFUND = 2
    RENOUNCE = 3


@dataclass(frozen=True)
class BlockStamp:
    """A block that everything in one tick is read against."""

    number: BlockNumber
    hash: str
    timestamp: Seconds
    base_fee_wei: Wei


@dataclass(frozen=True)
class ProtocolTime:
    """The protocol's clock at the head, and whether steps of jobs are possible at all."""

    now: Seconds
    is_paused: bool = False
    is_refund_mode: bool = False

    @property
    def is_running(self) -> bool:
        """Whether every step of a job is possible."""
        return not self.is_paused and not self.is_refund_mode


@dataclass(frozen=True)
class Version:
    """A registered model version, as the registry holds it."""

    id: VersionId
    owner: Address
    prove_seconds: int
    proof_gas: int
    verifier: Address
    op_count: int
    digest_kind: int
    vk_data: Address  # data contract with the key blob
    number: int  # position in the order of registration, from 1
    output_bytes: int
    royalty_bps: int
    graph_hash: bytes
    weight_root: bytes
    program_hash: bytes
    vk_hash: bytes
    srs_id: bytes


@dataclass(frozen=True)
class JobTerms:
    """What a job's id commits to; fields in the order of `contracts/types/Job.sol`."""

    client: Address
    version: VersionId
    in_digest: Digest
    token: Address
    fee: Amount
    verify_mask: int
    privacy_mask: int
    salt: int  # uint256; below 2**64 where the client chose it, a hash where another module did

    @property
    def proof_required(self) -> bool:
        """Whether the job is never final without a proof."""
        return bool(self.verify_mask & VerifyMask.PROOF_REQUIRED)


@dataclass(frozen=True)
class SessionTerms:
    """What a session's id commits to; fields in the order of `contracts/types/Session.sol`."""

    client: Address
    signer: Address  # the key whose requests count: the client's own, or one of its choice
    operator: Address  # the owner whose stake stands behind the results
    version: VersionId
    token: Address  # zero for ETH
    fee: Amount  # of each request
    salt: int  # uint64


@dataclass(frozen=True)
class Session:
    """A session as its market holds it."""

    id: SessionId
    state: SessionState
    terms: SessionTerms
    deposit: Amount  # what is left for further results
    closes_at: Seconds  # last second for a batch of a session that its client closes, else 0


@dataclass(frozen=True)
class BatchItem:
    """One result in a commitment, with the client's request."""

    nonce: int
    valid_until: Seconds
    in_digest: Digest
    out_digest: Digest
    signature: bytes  # the client's on its request, 64 bytes (EIP-2098)


@dataclass(frozen=True)
class BatchLeaf:
    """One result of a committed batch, by its place in it."""

    index: int
    nonce: int
    in_digest: Digest
    out_digest: Digest


@dataclass(frozen=True)
class Batch:
    """A batch as the sessions' market holds it."""

    id: BatchId
    state: BatchState
    session: SessionId
    operator: Address
    count: int  # of its results, extracted ones included
    extracted: int  # results that became jobs of their own
    challenge_until: Seconds


@dataclass(frozen=True)
class CommittedBatch:
    """A batch as its commitment's event told it; its leaves were found to hash to its root."""

    id: BatchId
    session: SessionId
    operator: Address
    root: bytes
    challenge_until: Seconds
    leaves: tuple[BatchLeaf, ...]


@dataclass(frozen=True)
class SessionRequest:
    """One signed order within a session: the EIP-712 struct Request, fields in its order."""

    session: SessionId
    nonce: int  # uint32; counts once in its session
    in_digest: Digest
    valid_until: Seconds  # last second, on the protocol's clock, at which a result may be posted


@dataclass(frozen=True)
class Order:
    """A job ordered by signature alone, at a price that rises; fields as in `types/Order.sol`.

    Before `ramp_start` a worker gets `min_fee` for it, from `ramp_end` on `max_fee`, in between
    linearly more.
    """

    client: Address
    version: VersionId
    in_digest: Digest
    token: Address
    min_fee: Amount
    max_fee: Amount
    ramp_start: Seconds
    ramp_end: Seconds
    take_until: Seconds  # last second at which a worker can take it
    verify_mask: int
    salt: int  # uint64


@dataclass(frozen=True)
class CreatedJob:
    """A job as its creation's event told it; the terms were found to hash to the id."""

    id: JobId
    terms: JobTerms
    input_uri: str
    block_number: BlockNumber


@dataclass(frozen=True)
class Job:
    """A job as the market holds it; what else belongs to it is in its terms."""

    id: JobId
    state: JobState
    client: Address
    token: Address  # zero for ETH
    fee: Amount
    operator: Address  # the owner whose stake is locked, zero before acceptance
    # Last second, on the protocol's clock, of taking (OPEN), committing (ASSIGNED), challenging
    # (COMMITTED, DISPUTED) or of the airgap (REJECTED).
    deadline: Seconds
    version: VersionId
    out_digest: Digest  # zero before the commit
    proof_required: bool
    deliver_by: Seconds  # last second of a delivery that is due and has not come; 0 where none is


@dataclass(frozen=True)
class Dispute:
    """The dispute about a job's result."""

    job: JobId
    state: DisputeState
    challenger: Address  # the first one, or who reported fraud; zero where the job requires a proof
    operator: Address
    bond_wei: Wei  # of each challenger
    prove_until: Seconds
    opened_at_block: BlockNumber
    challenge_seed: bytes  # stored by the challenge transaction; nothing can be proven before it

    @property
    def is_open(self) -> bool:
        """Whether a proof is due."""
        return self.state is DisputeState.OPEN


@dataclass(frozen=True)
class SignedResult:
    """A result that an operator's key vouched for; no signature stands for the committed one."""

    out_digest: Digest
    signature: bytes = b""


@dataclass(frozen=True)
class VaultAccount:
    """One account's part of the vault's ledger, in one token."""

    free: Amount
    locked: Amount
    credit: Amount
    unbonding: Amount
    unbond_ready_at: Seconds

    @property
    def total(self) -> Amount:
        """Return everything the vault holds for the account."""
        return Amount(self.free + self.locked + self.credit + self.unbonding)


@dataclass(frozen=True)
class JobFunds:
    """The money of one job, in its token."""

    escrow: Amount
    lock: Amount
    is_slashed: bool  # the lock is held until the airgap is over


@dataclass(frozen=True)
class Standing:
    """How an operator behaved."""

    jailed_until: Seconds  # 0 where it is not in jail
    window_start: Seconds
    misses: int


class Verdict(IntEnum):
    """What an adjudicator says of a claim, as in `contracts/types/Claim.sol`."""

    NONE = 0
    CONSISTENT = 1
    INCONSISTENT = 2


@dataclass(frozen=True)
class RegisteredPlan:
    """A version's plan on chain; all zero where there is none (`contracts/types/Plan.sol`)."""

    root: bytes
    ops: int
    layers: int
    plan_depth: int
    layer_depth: int
    op_depth: int
    adjudicators: int  # bit i: adjudicator i decides disputes
    active_at: int  # on the protocol's clock; 0: not active


class QuorumState(IntEnum):
    """States of a quorum, in the order of `contracts/types/Quorum.sol`."""

    NONE = 0
    OPEN = 1
    COMMITTING = 2
    AUDITING = 3
    REVEALING = 4
    PROVISIONAL = 5
    SPLIT = 6
    FINAL = 7
    FAILED = 8
    EXPIRED = 9
    VOIDED = 10

    @property
    def is_over(self) -> bool:
        """Whether nothing more happens to the quorum."""
        return self >= QuorumState.FINAL


class ReplicaState(IntEnum):
    """States of a replica; from PAID on it is over."""

    NONE = 0
    DRAWN = 1
    COMMITTED = 2
    REVEALED = 3
    EXTRACTED = 4
    PAID = 5
    RELEASED = 6
    MISSED = 7
    SILENT = 8
    SLASHED = 9
    OUT = 10
    VOIDED = 11


class QuorumAssurance(IntEnum):
    """How much a consumer may rely on a quorum's result."""

    NONE = 0
    UNCHALLENGED = 1
    AUDITED = 2
    QUORUM = 3
    PROVEN = 4


class SeedState(IntEnum):
    """States of what a requester asked the beacon for."""

    NONE = 0
    WAITING = 1
    READY = 2
    FIXED = 3
    MISSED = 4


class AuditState(IntEnum):
    """States of an audit by proof."""

    NONE = 0
    REQUESTED = 1
    SPARED = 2
    DRAWN = 3


@dataclass(frozen=True)
class QuorumTerms:
    """What a quorum's id commits to; fields in the order of `contracts/types/Quorum.sol`."""

    client: Address
    version: VersionId
    in_digest: Digest
    token: Address
    fee: Amount  # of each replica
    count: int  # 1, 3 or 5
    insured: Amount  # what a wrong result could gain somebody
    is_audited: bool  # whether the one replica may be audited
    salt: int  # uint64


@dataclass(frozen=True)
class Replica:
    """One operator's part in a quorum."""

    operator: Address
    state: ReplicaState
    commitment: bytes  # 32 bytes, zero before it is there
    out_digest: Digest  # zero before it is revealed


@dataclass(frozen=True)
class Quorum:
    """A quorum as its market holds it."""

    id: QuorumId
    state: QuorumState
    terms: QuorumTerms
    size: int  # replicas drawn, an auditor included
    is_suspect: bool  # a verdict went against a replica of the provisional result
    deadline: Seconds  # last second of the state
    out_digest: Digest  # provisional or final, zero where there is none


@dataclass(frozen=True)
class CreatedQuorum:
    """A quorum as its creation's event told it; the terms were found to hash to the id."""

    id: QuorumId
    terms: QuorumTerms
    input_uri: str
    draw_until: Seconds
    block_number: BlockNumber


@dataclass(frozen=True)
class DrawnReplica:
    """A replica as its draw's event told it."""

    quorum: QuorumId
    index: int
    job: JobId  # the job that the replica becomes if it is taken out
    operator: Address
    lock: Amount
    commit_until: Seconds


@dataclass(frozen=True)
class Candidate:
    """An operator that would serve replicas of a version."""

    operator: Address
    since: BlockNumber
    unbond_before: Seconds  # void once a request to unbond is ready then or later
    tag: Address  # those of one tag serve no quorum together
    stake: Amount
    min_fee: Amount  # it is not drawn for less
