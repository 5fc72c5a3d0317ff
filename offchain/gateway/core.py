"""What every route holds: chain, database, content, and the parts that others add."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from fastapi import Request

from offchain.chain.client import ChainClient
from offchain.chain.manifest import Manifest
from offchain.gateway.background import Repeater
from offchain.gateway.config import GatewayConfig
from offchain.gateway.models import Shelf
from offchain.params.presets import Parameters
from offchain.roles.context import Contracts, bind_contracts, connect, read_parameters
from offchain.roles.log import Log


@dataclass(frozen=True)
class Gateway:
    """One gateway's whole world, opened once a process."""

    config: GatewayConfig
    log: Log
    client: ChainClient
    manifest: Manifest
    contracts: Contracts
    parameters: Parameters
    models: Shelf
    # Set when the process is asked to stop: streams end by themselves.
    stopping: threading.Event = field(default_factory=threading.Event)
    repeaters: Sequence[Repeater] = ()


def open_gateway(config: GatewayConfig, log: Log) -> Gateway:
    """Connect to the node and open what is kept; raises OffchainError where that fails."""
    client, manifest = connect(config.rpc_url, config.manifest, log.event)
    contracts = bind_contracts(client, manifest)
    return Gateway(
        config=config,
        log=log,
        client=client,
        manifest=manifest,
        contracts=contracts,
        parameters=read_parameters(manifest, contracts.market),
        models=Shelf(config.models, log),
    )


def get_gateway(request: Request) -> Gateway:
    """Return the gateway that a request came to: `gateway: Gateway = Depends(get_gateway)`."""
    return cast(Gateway, cast(Any, request.app).state.gateway)
