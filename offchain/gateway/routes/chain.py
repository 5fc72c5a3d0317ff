"""The deployment: where its contracts are, what they can be asked, and whether all is well here."""

from __future__ import annotations

import time
from dataclasses import asdict
from importlib.metadata import version
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Response
from fastapi import Path as PathParameter
from pydantic import Field

from offchain.gateway.core import Gateway, get_gateway
from offchain.gateway.faults import Unknown
from offchain.gateway.schema import AddressText, AsOf, DecimalText, Model, describe_errors

router = APIRouter(tags=["chain"])

NAME: Final = "^[A-Za-z][A-Za-z0-9]{0,63}$"  # of a contract
SHORT_LIVED: Final = "public, max-age=60"
MAX_LAG: Final = 20  # blocks that the index may be behind

Door = Annotated[Gateway, Depends(get_gateway)]


class LimitsAnswer(Model):
    """What a client of this gateway has to know before it uploads."""

    maxContentBytes: int
    requestsPerMinute: int
    writesPerMinute: int
    uploadBytesPerMinute: int
    retentionSeconds: int
    longestValiditySeconds: int


class ConfigAnswer(Model):
    """One deployment on one chain. Hold it against the chain before money depends on it."""

    chainId: int
    rpcUrl: str = Field(description="A node that browsers may use; empty where none is offered.")
    contracts: dict[str, AddressText]
    token: AddressText | None = Field(description="The ERC-20 that fees can be paid in.")
    preset: str
    parameters: dict[str, DecimalText]
    firstBlock: int
    srsInsecure: bool = Field(description="Whoever made the reference string can forge proofs.")
    limits: LimitsAnswer


class AbiAnswer(Model):
    """A contract's ABI."""

    name: str
    address: AddressText
    abi: list[dict[str, Any]]


class HealthAnswer(Model):
    """Whether this gateway follows the chain."""

    status: Literal["ok", "degraded"]
    version: str
    asOf: AsOf
    protocolClock: int
    headAgeSeconds: int = Field(description="Of the machine's clock; 0 where it is behind.")
    indexedBlock: int
    indexLag: int
    isIndexStale: bool
    contentBytes: int
    contentLimitBytes: int


@router.get("/config")
def get_config(gateway: Door, response: Response) -> ConfigAnswer:
    """Return addresses, parameters and limits."""
    response.headers["Cache-Control"] = SHORT_LIVED
    manifest, limits = gateway.manifest, gateway.config.limits
    contracts = {name: str(deployed.address) for name, deployed in manifest.contracts.items()}
    parameters = {to_camel(name): str(value) for name, value in asdict(gateway.parameters).items()}
    return ConfigAnswer(
        chainId=manifest.chain_id,
        rpcUrl=gateway.config.public_rpc_url,
        contracts=contracts,
        token=manifest.token,
        preset=manifest.preset,
        parameters=parameters,
        firstBlock=manifest.first_block,
        srsInsecure=manifest.srs_insecure,
        limits=LimitsAnswer(
            maxContentBytes=limits.max_content_bytes,
            requestsPerMinute=limits.requests_per_minute,
            writesPerMinute=limits.writes_per_minute,
            uploadBytesPerMinute=limits.upload_bytes_per_minute,
            retentionSeconds=gateway.config.retention_s,
            longestValiditySeconds=limits.longest_validity_s,
        ),
    )


@router.get("/abi/{name}", responses=describe_errors(404))
def get_abi(
    name: Annotated[str, PathParameter(pattern=NAME, examples=["JobMarket"])],
    gateway: Door,
    response: Response,
) -> AbiAnswer:
    """Return a contract's ABI."""
    deployed = gateway.manifest.contracts.get(name)
    if deployed is None:
        raise Unknown(f"the deployment has no {name}")
    response.headers["Cache-Control"] = SHORT_LIVED
    entries = [dict(entry) for entry in deployed.abi.entries]
    return AbiAnswer(name=name, address=deployed.address, abi=entries)


@router.get(
    "/health",
    responses={503: {"model": HealthAnswer, "description": "It does not follow the chain now"}},
)
def get_health(gateway: Door, response: Response) -> HealthAnswer:
    """Tell whether the gateway follows the chain; what it keeps is served in either case."""
    moment, health = gateway.clock.moment, gateway.index.get_health()
    lag = max(moment.head.number - health.position.number, 0)
    is_well = not health.is_stale and lag <= MAX_LAG
    if not is_well:
        response.status_code = 503
    return HealthAnswer(
        status="ok" if is_well else "degraded",
        version=version("offchain"),
        asOf=gateway.get_as_of(),
        protocolClock=gateway.clock.now,
        headAgeSeconds=max(int(time.time()) - moment.head.timestamp, 0),
        indexedBlock=health.position.number,
        indexLag=lag,
        isIndexStale=health.is_stale,
        contentBytes=gateway.content.get_used(),
        contentLimitBytes=gateway.config.limits.stored_bytes,
    )


def to_camel(name: str) -> str:
    """Return a Python name as the API writes it."""
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)
