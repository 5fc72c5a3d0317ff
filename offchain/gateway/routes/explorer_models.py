"""Answers of the explorer: what the index knows, as JSON.

States are lower case; amounts are decimal strings in the smallest unit of their token; times are
timestamps of blocks, deadlines seconds of the protocol's clock, which a pause stops.
"""

from __future__ import annotations

from typing import Any

from pydantic import Field

from offchain.gateway.schema import AddressText, AsOf, DecimalText, Hex32, Model

Counts = dict[str, int]  # state -> number; a state that nothing is in is left out
Sums = dict[str, str]  # name -> amount; a sum that never was is left out


class EventEntry(Model):
    """One log; integers are decimal strings, structs and packed results are left out."""

    block: int
    timestamp: int
    log: int
    tx: str
    contract: str
    name: str
    arguments: dict[str, Any]


class Payment(Model):
    """One credit in the vault, and why.

    `title`: fee, refund, royalty, tip (of whoever settled a forgotten job), bondReturned, bondWon
    (by who proved), compensation (of the client) and reward (of the challengers) out of a slashed
    lock, excess (sent beyond a bond).
    """

    account: AddressText
    token: AddressText
    amount: DecimalText
    title: str
    at: int
    tx: str


class Funds(Model):
    """The vault's money of one job, session or batch."""

    escrow: DecimalText
    lock: DecimalText
    lockStatus: str = Field(description="none, active, released, slashed or divided")
    fined: DecimalText
    bonds: DecimalText
    burned: Sums = Field(description="token -> amount")
    payments: list[Payment]


class Terms(Model):
    """What a job's id is the hash of, with chain and market; they were found to hash to it."""

    client: AddressText
    version: Hex32
    inDigest: Hex32
    token: AddressText
    fee: DecimalText
    verifyMask: int
    privacyMask: int
    salt: DecimalText


class Deadlines(Model):
    """Last seconds, on the protocol's clock; null where a job has not come so far."""

    assignUntil: int | None
    commitUntil: int | None
    challengeUntil: int | None
    deliverBy: int | None
    proveBy: int | None
    airgapUntil: int | None


class Delivery(Model):
    """A demand for the output's bytes on chain."""

    payment: DecimalText
    deliverBy: int
    deliveredAt: int | None


class JobItem(Model):
    """A job in a list. `deadline` is the one that its state waits for."""

    id: Hex32
    client: AddressText
    operator: AddressText | None
    version: Hex32
    token: AddressText
    fee: DecimalText
    state: str
    assurance: str = Field(description="none, unchallenged or proven")
    proofRequired: bool
    inDigest: Hex32
    outDigest: Hex32 | None
    deadline: int | None
    createdBlock: int
    createdAt: int
    updatedAt: int
    session: Hex32 | None
    batch: Hex32 | None
    leaf: int | None
    order: Hex32 | None


class Evidence(Model):
    """Two results that one operator vouched for."""

    first: Hex32
    second: Hex32


class DisputeItem(Model):
    """A dispute in a list; `proveBy` and `airgapUntil` are its clocks."""

    job: Hex32
    state: str
    phase: str = Field(description="proof-due, proof-overdue, airgap, division-due or over")
    operator: AddressText
    client: AddressText
    version: Hex32
    challengers: list[AddressText]
    bond: DecimalText = Field(description="of each challenger")
    proveBy: int | None
    airgapUntil: int | None
    challengeSeed: Hex32 | None
    openedAt: int
    openedBlock: int
    prover: AddressText | None
    beneficiary: AddressText | None
    reporter: AddressText | None
    evidence: Evidence | None
    closedAt: int | None


class JobAnswer(JobItem):
    """A job with everything the index knows of it."""

    asOf: AsOf
    terms: Terms
    inputUri: str
    outputUri: str
    deadlines: Deadlines
    delivery: Delivery | None
    closedAt: int | None
    dispute: DisputeItem | None
    funds: Funds | None
    events: list[EventEntry]


class DisputeAnswer(DisputeItem):
    """A dispute with its job's state, its money and the events of both."""

    asOf: AsOf
    jobState: str
    outDigest: Hex32 | None
    funds: Funds | None
    events: list[EventEntry]


class VersionItem(Model):
    """A registered version; what it claims is for everybody to recompute."""

    id: Hex32
    number: int
    owner: AddressText
    graphHash: Hex32
    weightRoot: Hex32
    programHash: Hex32
    vkHash: Hex32
    vkData: AddressText
    adjudicator: AddressText = Field(description="the verifier that judges its proofs")
    srsId: Hex32
    proveSeconds: int
    proofGas: DecimalText
    digestKind: int
    outputBytes: int
    royaltyBps: int
    opCount: DecimalText
    uri: str
    registeredAt: int
    registeredBlock: int
    jobs: Counts
    disputes: Counts
    sessions: int
    batchResults: int
    modelKey: str = Field(description="names its files under /models, where this gateway has them")
    title: str | None = Field(description="of interface.json, where the gateway has it")


class VersionAnswer(VersionItem):
    """A version with what its model's folder says, where this gateway has it."""

    asOf: AsOf
    report: dict[str, Any] | None = Field(description="report.json: fidelity, size, widths")
    interface: dict[str, Any] | None = Field(description="interface.json")


class TokenSums(Model):
    """An account's money in one token."""

    token: AddressText
    free: DecimalText
    locked: DecimalText
    unbonding: DecimalText
    unbondReadyAt: int
    credit: DecimalText
    earned: DecimalText = Field(description="fees of results")
    slashed: DecimalText
    fined: DecimalText
    totals: Sums = Field(
        description="deposited, withdrawn, funded, paidOut, spent, bonded, and sums by title"
    )


class VersionCount(Model):
    """How many jobs of a version an operator took."""

    version: Hex32
    jobs: int


class OperatorItem(Model):
    """An owner of stake. `jailedUntil` is 0 where it is not in jail."""

    address: AddressText
    worker: AddressText | None
    proposedWorker: AddressText | None
    tokens: list[TokenSums]
    jailedUntil: int
    misses: int
    missWindowStart: int
    jobs: Counts
    disputes: Counts
    served: int = Field(description="jobs that were paid, and results of batches")
    versions: list[VersionCount]
    batches: int
    batchResults: int
    sinceBlock: int


class OperatorAnswer(OperatorItem):
    """An operator."""

    asOf: AsOf


class AccountAnswer(Model):
    """An account's part of the vault's ledger, and a page of its movements, newest first."""

    asOf: AsOf
    address: AddressText
    isOperator: bool
    serves: AddressText | None = Field(description="whose worker it is")
    tokens: list[TokenSums]
    jobsOrdered: int
    challenges: int
    events: list[EventEntry]
    next: str | None


class SessionItem(Model):
    """A session; `funds.escrow` is what is left of its deposit."""

    id: Hex32
    client: AddressText
    signer: AddressText
    operator: AddressText
    version: Hex32
    token: AddressText
    fee: DecimalText
    royaltyBps: int
    state: str
    openedAt: int
    openedBlock: int
    closesAt: int | None
    closedAt: int | None
    batches: int
    results: int
    deposit: DecimalText


class LeafEntry(Model):
    """A result of a batch; `extracted` says that it became a job of its own."""

    index: int
    nonce: int
    job: Hex32
    inDigest: Hex32
    outDigest: Hex32
    extracted: bool


class BatchItem(Model):
    """A batch of results."""

    id: Hex32
    session: Hex32
    operator: AddressText
    version: Hex32
    root: Hex32
    state: str
    count: int
    extracted: int
    committedAt: int
    committedBlock: int
    challengeUntil: int
    closedAt: int | None


class BatchAnswer(BatchItem):
    """A batch with its leaves, which were found to hash to its root."""

    asOf: AsOf
    leaves: list[LeafEntry]
    funds: Funds | None
    events: list[EventEntry]


class JobPage(Model):
    """Jobs, newest first."""

    asOf: AsOf
    items: list[JobItem]
    next: str | None


class DisputePage(Model):
    """Disputes, newest first."""

    asOf: AsOf
    items: list[DisputeItem]
    next: str | None


class VersionPage(Model):
    """Versions, newest first."""

    asOf: AsOf
    items: list[VersionItem]
    next: str | None


class OperatorPage(Model):
    """Operators, newest first."""

    asOf: AsOf
    items: list[OperatorItem]
    next: str | None


class SessionPage(Model):
    """Sessions, newest first."""

    asOf: AsOf
    items: list[SessionItem]
    next: str | None


class BatchPage(Model):
    """Batches, newest first."""

    asOf: AsOf
    items: list[BatchItem]
    next: str | None


class TokenTotals(Model):
    """Money of one token over everything."""

    token: AddressText
    totals: Sums


class StatsAnswer(Model):
    """Counts over everything."""

    asOf: AsOf
    clock: int = Field(description="the protocol's clock at the block")
    isPaused: bool
    isRefundMode: bool
    jobs: Counts
    disputes: Counts
    sessions: Counts
    batches: Counts
    batchResults: int
    versions: int
    operators: int
    ordersTaken: int
    tokens: list[TokenTotals]
