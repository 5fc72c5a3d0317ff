"""The SDK for programs with an event loop: the same names, each call in a thread of its own.

What blocks is the network and the model, not this process, so threads are all that is needed
(`asyncio.to_thread`). Cancelling an awaited call leaves its thread to end by itself: a transaction
that was begun is journalled and not undone. What is a property in `Client`'s world is one here too,
to be awaited: `await job.label`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

from offchain.sdk.client import Client, ModelVersion
from offchain.sdk.job import WAIT_S, Challenge, Job, Until
from offchain.sdk.orders import PlacedOrder
from offchain.sdk.orders import State as OrderState
from offchain.sdk.pending import PendingResult
from offchain.sdk.pending import State as PendingState
from offchain.sdk.pending import Until as PendingUntil
from offchain.sdk.pricing import Fee
from offchain.sdk.results import Array
from offchain.sdk.session import Session
from offchain.submit.models import Model
from offchain.types import ETH, Address, Amount, Assurance, JobState, Seconds, SessionState

run = asyncio.to_thread


class AsyncJob:
    """`Job`, awaited."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.id = job.id
        self.terms = job.terms

    async def state(self) -> JobState:
        """See `Job.state`."""
        return await run(self.job.state)

    @property
    def assurance(self) -> Awaitable[Assurance]:
        """See `Job.assurance`."""
        return run(lambda: self.job.assurance)

    async def wait(self, timeout: float = WAIT_S, until: Until = "final") -> AsyncJob:
        """See `Job.wait`."""
        await run(self.job.wait, timeout, until)
        return self

    @property
    def output(self) -> Awaitable[Array]:
        """See `Job.output`."""
        return run(lambda: self.job.output)

    @property
    def label(self) -> Awaitable[int]:
        """See `Job.label`."""
        return run(lambda: self.job.label)

    async def verify(self) -> None:
        """See `Job.verify`."""
        await run(self.job.verify)

    async def challenge(self, with_bond: bool = True) -> Challenge:
        """See `Job.challenge`."""
        return await run(self.job.challenge, with_bond)

    async def settle(self) -> JobState:
        """See `Job.settle`."""
        return await run(self.job.settle)

    async def cancel(self) -> None:
        """See `Job.cancel`."""
        await run(self.job.cancel)

    async def request_delivery(self) -> Amount:
        """See `Job.request_delivery`."""
        return await run(self.job.request_delivery)


class AsyncPlacedOrder:
    """`PlacedOrder`, awaited."""

    def __init__(self, placed: PlacedOrder) -> None:
        self.placed = placed
        self.hash = placed.hash
        self.order = placed.order

    @property
    def price(self) -> Awaitable[Amount]:
        """See `PlacedOrder.price`."""
        return run(lambda: self.placed.price)

    async def state(self) -> OrderState:
        """See `PlacedOrder.state`."""
        return await run(self.placed.state)

    async def wait(self, timeout: float = WAIT_S) -> AsyncJob:
        """See `PlacedOrder.wait`."""
        return AsyncJob(await run(self.placed.wait, timeout))

    async def cancel(self) -> None:
        """See `PlacedOrder.cancel`."""
        await run(self.placed.cancel)


class AsyncPendingResult:
    """`PendingResult`, awaited."""

    def __init__(self, pending: PendingResult) -> None:
        self.pending = pending
        self.nonce = pending.nonce
        self.job_id = pending.job_id

    async def state(self) -> PendingState:
        """See `PendingResult.state`."""
        return await run(self.pending.state)

    @property
    def assurance(self) -> Awaitable[Assurance]:
        """See `PendingResult.assurance`."""
        return run(lambda: self.pending.assurance)

    async def wait(
        self, timeout: float = WAIT_S, until: PendingUntil = "signed"
    ) -> AsyncPendingResult:
        """See `PendingResult.wait`."""
        await run(self.pending.wait, timeout, until)
        return self

    @property
    def output(self) -> Awaitable[Array]:
        """See `PendingResult.output`."""
        return run(lambda: self.pending.output)

    @property
    def label(self) -> Awaitable[int]:
        """See `PendingResult.label`."""
        return run(lambda: self.pending.label)

    async def verify(self) -> None:
        """See `PendingResult.verify`."""
        await run(self.pending.verify)

    async def challenge(self) -> Challenge:
        """See `PendingResult.challenge`."""
        return await run(self.pending.challenge)

    async def settle(self) -> PendingState:
        """See `PendingResult.settle`."""
        return await run(self.pending.settle)


class AsyncSession:
    """`Session`, awaited."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.id = session.id
        self.terms = session.terms

    async def state(self) -> SessionState:
        """See `Session.state`."""
        return await run(self.session.state)

    @property
    def deposit(self) -> Awaitable[Amount]:
        """See `Session.deposit`."""
        return run(lambda: self.session.deposit)

    async def request(
        self, values: Any, valid_seconds: int | None = None, name: str | None = None
    ) -> AsyncPendingResult:
        """See `Session.request`."""
        return AsyncPendingResult(await run(self.session.request, values, valid_seconds, name))

    @property
    def results(self) -> Awaitable[tuple[AsyncPendingResult, ...]]:
        """See `Session.results`."""
        return run(lambda: tuple(map(AsyncPendingResult, self.session.results)))

    async def add_deposit(self, amount: int) -> None:
        """See `Session.add_deposit`."""
        await run(self.session.add_deposit, amount)

    async def close(self) -> Seconds:
        """See `Session.close`."""
        return await run(self.session.close)

    async def withdraw(self) -> None:
        """See `Session.withdraw`."""
        await run(self.session.withdraw)


class AsyncClient:
    """`Client`, awaited: `client = await AsyncClient.connect(...)`."""

    def __init__(self, client: Client) -> None:
        self.client = client

    @classmethod
    async def connect(cls, gateway: str | None = None, **named: Any) -> AsyncClient:
        """See `Client.connect`."""
        return cls(await run(lambda: Client.connect(gateway, **named)))

    @property
    def address(self) -> Address:
        """See `Client.address`."""
        return self.client.address

    async def versions(self) -> tuple[ModelVersion, ...]:
        """See `Client.versions`."""
        return await run(self.client.versions)

    async def model(self, version: str) -> Model:
        """See `Client.model`."""
        return await run(self.client.model, version)

    async def price(self, version: str, proof_required: bool = False, token: str = ETH) -> Amount:
        """See `Client.price`."""
        return await run(self.client.price, version, proof_required, token)

    async def submit(
        self, version: str, values: Any, fee: Fee = "market", **named: Any
    ) -> AsyncJob:
        """See `Client.submit`."""
        return AsyncJob(await run(lambda: self.client.submit(version, values, fee, **named)))

    async def job(self, job_id: str) -> AsyncJob:
        """See `Client.job`."""
        return AsyncJob(await run(self.client.job, job_id))

    async def jobs(self) -> tuple[AsyncJob, ...]:
        """See `Client.jobs`."""
        return tuple(map(AsyncJob, await run(self.client.jobs)))

    async def order(
        self, version: str, values: Any, min_fee: Fee = "market", **named: Any
    ) -> AsyncPlacedOrder:
        """See `Client.order`."""
        placed = await run(lambda: self.client.order(version, values, min_fee, **named))
        return AsyncPlacedOrder(placed)

    async def open_session(
        self, version: str, operator: str, deposit: int, fee: Fee = "market", **named: Any
    ) -> AsyncSession:
        """See `Client.open_session`."""
        opened = await run(
            lambda: self.client.open_session(version, operator, deposit, fee, **named)
        )
        return AsyncSession(opened)

    async def session(self, session_id: str) -> AsyncSession:
        """See `Client.session`."""
        return AsyncSession(await run(self.client.session, session_id))

    async def credit(self, token: str = ETH) -> Amount:
        """See `Client.credit`."""
        return await run(self.client.credit, token)

    async def fund(self, amount: int, token: str = ETH) -> None:
        """See `Client.fund`."""
        await run(self.client.fund, amount, token)

    async def withdraw(self, token: str = ETH) -> Amount:
        """See `Client.withdraw`."""
        return await run(self.client.withdraw, token)
