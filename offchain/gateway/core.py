"""What every route holds: chain, index, content, orders, requests and models, opened once."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from fastapi import Request

from offchain.chain.client import ChainClient
from offchain.chain.database import Database, Place
from offchain.chain.manifest import Manifest
from offchain.gateway.background import Repeater
from offchain.gateway.chain_view import ChainClock, ChainView, DeployedChain
from offchain.gateway.config import GatewayConfig
from offchain.gateway.content import ContentService
from offchain.gateway.database import SerialDatabase
from offchain.gateway.index.index import Index
from offchain.gateway.limits import ClientLimits
from offchain.gateway.models import Shelf
from offchain.gateway.orders import OrderBoard
from offchain.gateway.receipts import ReceiptBook
from offchain.gateway.references import IndexView
from offchain.gateway.requests import RequestBoard
from offchain.gateway.schema import AsOf
from offchain.gateway.storage import Backend, open_backend
from offchain.gateway.tables import SCHEMA
from offchain.params.presets import Parameters
from offchain.roles.context import Contracts, bind_contracts, connect, read_parameters
from offchain.roles.log import Log


@dataclass(frozen=True)
class Boards:
    """What clients bring: content, receipts, orders and requests, in one database."""

    content: ContentService
    receipts: ReceiptBook
    orders: OrderBoard
    requests: RequestBoard
    limits: ClientLimits
    chain: ChainView
    clock: ChainClock


@dataclass(frozen=True)
class Gateway(Boards):
    """One gateway's whole world, opened once a process."""

    config: GatewayConfig
    log: Log
    client: ChainClient
    manifest: Manifest
    contracts: Contracts
    parameters: Parameters
    index: Index
    models: Shelf
    database: Database
    # Set when the process is asked to stop: streams end by themselves.
    stopping: threading.Event = field(default_factory=threading.Event)
    repeaters: Sequence[Repeater] = ()

    def get_as_of(self) -> AsOf:
        """Return the head that what is read from the chain itself was read at."""
        head = self.clock.moment.head
        return AsOf(block=head.number, hash=head.hash, timestamp=head.timestamp)


def open_boards(
    config: GatewayConfig,
    limits: ClientLimits,
    database: Database,
    backend: Backend,
    chain: ChainView,
    index: IndexView,
    log: Log,
) -> Boards:
    """Return the parts that clients write into; reads the chain's clock once."""
    clock = ChainClock(chain)
    receipts = ReceiptBook(database, chain, clock)
    orders = OrderBoard(database, chain, clock, config.limits)
    requests = RequestBoard(database, chain, clock, config.limits, receipts)
    references = (index, orders, requests)
    return Boards(
        content=ContentService(
            database, backend, clock, config.limits, config.retention_s, references, log
        ),
        receipts=receipts,
        orders=orders,
        requests=requests,
        limits=limits,
        chain=chain,
        clock=clock,
    )


def open_gateway(config: GatewayConfig, limits: ClientLimits, log: Log) -> Gateway:
    """Connect to the node and open what is kept; raises OffchainError where that fails."""
    client, manifest = connect(config.rpc_url, config.manifest, log.event)
    contracts = bind_contracts(client, manifest)
    parameters = read_parameters(manifest, contracts.market)
    # The index reads what belongs together from one node: nobody else may switch it meanwhile.
    own_client, _ = connect(config.rpc_url, config.manifest, log.event)
    index = Index(config.home, own_client, manifest, config.confirmations, log.event)
    space = f"{manifest.chain_id}/{contracts.market.address}/gateway"
    database = SerialDatabase(Place(config.database, config.database_url, space), SCHEMA)
    backend = open_backend(config.storage, config.home)
    chain = DeployedChain(client, contracts)
    boards = open_boards(config, limits, database, backend, chain, index, log)
    sweeper = Sweeper(boards, index, config.retention_s, parameters.longest_life_seconds)
    follower = Follower(boards, index)
    steps = (
        ("clock", boards.clock.refresh, config.poll_s),
        ("index", index.advance, config.poll_s),
        ("follow", follower.step, config.poll_s),
        ("sweep", sweeper.step, config.sweep_s),
    )
    return Gateway(
        **vars(boards),
        config=config,
        log=log,
        client=client,
        manifest=manifest,
        contracts=contracts,
        parameters=parameters,
        index=index,
        models=Shelf(config.models, log),
        database=database,
        repeaters=[Repeater(name, step, pause_s, log) for name, step, pause_s in steps],
    )


def get_gateway(request: Request) -> Gateway:
    """Return the gateway that a request came to: `gateway: Gateway = Depends(get_gateway)`."""
    return cast(Gateway, cast(Any, request.app).state.gateway)


class Follower:
    """Learns from the index what became of orders and requests."""

    def __init__(self, boards: Boards, index: IndexView) -> None:
        self._boards, self._index = boards, index

    def step(self) -> None:
        """Follow both; raises OffchainError."""
        self._boards.orders.follow(self._index)
        self._boards.requests.follow(self._index)


class Sweeper:
    """Drops what is not needed any more, as long as the index can tell."""

    def __init__(self, boards: Boards, index: Index, retention_s: int, life_s: int) -> None:
        self._boards, self._index = boards, index
        self._retention_s = retention_s
        self._evidence_s = retention_s + life_s  # a receipt may speak for a job as long as it lives

    def step(self) -> None:
        """Drop content, receipts, orders and requests; raises OffchainError.

        An index that is still being rebuilt knows no reference: nothing is dropped then.
        """
        if self._index.get_health().is_stale:
            return
        now = self._boards.clock.now
        self._boards.orders.purge(now - self._retention_s)
        self._boards.requests.purge(now - self._evidence_s)
        self._boards.receipts.purge(now - 2 * self._evidence_s)
        self._boards.content.sweep()
