"""What a job has to pay for somebody to take it: operators' own floor, with room above it."""

from __future__ import annotations

from typing import Final, Literal

from offchain.errors import ConfigError
from offchain.roles.money import compute_fee_floor, compute_session_floor
from offchain.sdk.connection import Connection
from offchain.types import ETH, Address, Amount, Digest, JobTerms, VerifyMask, VersionId

Fee = int | Literal["market"]
MARKET: Final = "market"
MARKET_PERCENT: Final = 150  # of the floor: the base fee may rise until somebody takes the job
SESSION_BATCH: Final = 8  # results that an operator surely commits together


def choose_fee(
    connection: Connection, fee: Fee, version: VersionId, token: Address, mask: VerifyMask
) -> Amount:
    """Return the fee that was named or, for "market", half as much again as operators' floor."""
    if fee != MARKET:
        return Amount(_check(fee))
    _require_eth(token)
    terms = JobTerms(
        connection.contracts.market.address,
        version,
        Digest(bytes(32)),
        token,
        Amount(0),
        int(mask),
        0,
        0,
    )
    registered = connection.contracts.registry.get_version(version)
    base_fee = connection.client.get_head().base_fee_wei
    floor = int(compute_fee_floor(registered, terms, base_fee, _get_taken_bps(connection)))
    if terms.proof_required:
        floor = max(floor, connection.contracts.market.compute_proof_fee(version))
    return Amount(floor * MARKET_PERCENT // 100)


def choose_session_fee(
    connection: Connection, fee: Fee, version: VersionId, token: Address
) -> Amount:
    """Return the fee of each result of a session; "market" as `choose_fee` has it."""
    if fee != MARKET:
        return Amount(_check(fee))
    _require_eth(token)
    registered = connection.contracts.registry.get_version(version)
    base_fee = connection.client.get_head().base_fee_wei
    taken = _get_taken_bps(connection)
    floor = compute_session_floor(registered, SESSION_BATCH, base_fee, taken)
    return Amount(floor * MARKET_PERCENT // 100)


def _check(fee: object) -> int:
    if isinstance(fee, bool) or not isinstance(fee, int) or fee <= 0:
        raise ConfigError(f'a fee is a positive number of wei, or "{MARKET}"; not {fee!r}')
    return fee


def _require_eth(token: Address) -> None:
    if token != ETH:
        raise ConfigError("the ERC-20 has no market price here: name the fee")


def _get_taken_bps(connection: Connection) -> int:
    return connection.parameters.protocol_fee_bps + connection.parameters.keeper_tip_bps
