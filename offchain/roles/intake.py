"""Which jobs an operator takes: what it will never take, and what it does not take now."""

from __future__ import annotations

from collections import Counter
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Final

from offchain.chain.fees import compute_reserve_wei
from offchain.errors import JobRefused
from offchain.params.settings import Settings
from offchain.roles.context import Context
from offchain.roles.exposure import (
    Exposure,
    bound_result_gas,
    count_promised,
    measure_exposure,
    measure_load,
)
from offchain.roles.money import (
    ACCEPT_GAS,
    bound_wanted_gas,
    compute_fee_floor,
    compute_replica_floor,
    compute_session_floor,
    count_paying,
    is_in_eth,
)
from offchain.roles.pace import measure_pace
from offchain.roles.schedule import can_prove_all
from offchain.submit.versions import ReproducedVersion
from offchain.types import ETH, BlockStamp, JobTerms, Session, SessionId, Wei

if TYPE_CHECKING:
    from offchain.roles.operator import Operator

STEPS_TO_RESULT: Final = 2  # transactions of a job until its result is committed
POLL_S: Final = 1.0  # from a block until the next step is under way


def verify_wanted(terms: JobTerms, settings: Settings) -> None:
    """Raise JobRefused for a job that these settings never take."""
    if is_in_eth(terms):
        return
    if not settings.accept_token:
        raise JobRefused(f"paid in token {terms.token}, which is not accepted here")
    if terms.fee < settings.min_fee_token:
        raise JobRefused(f"fee {terms.fee} is below the floor {settings.min_fee_token}")


def hold_intake(context: Context) -> AbstractContextManager[None]:
    """Hold the decision on which jobs are taken, across the workers of one account."""
    account = context.submitter.account
    return context.journal.locks.hold(f"intake-{context.client.chain_id}-{account}")


def find_obstacle(
    operator: Operator,
    terms: JobTerms,
    version: ReproducedVersion,
    begin_gas: int = ACCEPT_GAS,
) -> str | None:
    """Return why a job is not taken now, though it may be later, or None.

    `begin_gas`: of taking the job, or the order that it comes from.
    """
    context = operator.context
    head = context.client.get_head()
    floor = get_fee_floor(context, terms, version, head.base_fee_wei, begin_gas)
    if is_in_eth(terms) and terms.fee < floor:
        return "the fee is below the floor"
    exposure = measure_exposure(operator)
    if exposure.uncommitted >= compute_most_uncommitted(context, head):
        return "earlier jobs' results are due first"
    gas = bound_wanted_gas(terms, version.version) + begin_gas
    return _find_burden(context, head, version, exposure, gas)


def find_session_obstacle(
    operator: Operator,
    session: Session,
    terms: JobTerms,
    version: ReproducedVersion,
    count: int = 1,
) -> str | None:
    """Return why `count` requests of a session are not served now, or None.

    Nothing on chain reserves deposit or stake for a request: what is promised is counted here.
    """
    context = operator.context
    head = context.client.get_head()
    if is_in_eth(terms) and terms.fee < get_session_floor(context, version, head.base_fee_wei):
        return "the session's fee is below the floor"
    promised = count_promised(context)
    promised[session.id] += count
    if session.deposit < promised[session.id] * terms.fee:
        return "the deposit pays for no more results"
    if not _has_stake(operator, promised, session):
        return "the free stake covers no more results"
    exposure, gas = measure_exposure(operator), count * bound_result_gas(version)
    return _find_burden(context, head, version, exposure, gas, count)


def _find_burden(
    context: Context,
    head: BlockStamp,
    version: ReproducedVersion,
    exposure: Exposure,
    gas: int,
    count: int = 1,
) -> str | None:
    """Return what this operator could not bear beside all that is open, or None."""
    if version.model.cost.seconds > context.settings.prover_timeout_s:
        return "a proof may take longer than prover_timeout_s allows"
    disputed = exposure.list_disputed()
    loads = [*exposure.list_loads(), *[measure_load(version)] * count]
    disputed_s = sum(load.cost_s for load in disputed)
    if not can_prove_all(loads, disputed_s, len(disputed), context.parameters):
        return "too many results are open to prove them all in time"
    owed = compute_reserve_wei(exposure.bound_gas() + gas, head.base_fee_wei)
    if not context.submitter.can_spend(Wei(0), 0, obligations_wei=owed):
        return "the balance does not cover what the open jobs may ask for"
    return None


def _has_stake(operator: Operator, promised: Counter[SessionId], session: Session) -> bool:
    """Whether the free stake covers every promised result in the session's token."""
    context, token = operator.context, session.terms.token
    compute_lock = context.contracts.market.compute_lock
    needed = 0
    for session_id, count in promised.items():
        terms = context.sessions.get_terms(session_id)
        if terms is not None and terms.token == token:
            needed += count * compute_lock(token, terms.fee)
    return context.contracts.vault.get_account(session.terms.operator, token).free >= needed


def compute_most_uncommitted(context: Context, head: BlockStamp) -> int:
    """Return how many jobs may wait for their result at once: at least one.

    Every worker sends one transaction after the other, two a job until its result is committed;
    half of T_exec is kept for blocks that do not take them.
    """
    job_s = STEPS_TO_RESULT * (measure_pace(context.client, head) + POLL_S)
    return max(1, int(context.settings.workers * context.parameters.exec_seconds / 2 / job_s))


def get_fee_floor(
    context: Context,
    terms: JobTerms,
    version: ReproducedVersion,
    base_fee_wei: Wei,
    begin_gas: int = ACCEPT_GAS,
) -> Wei:
    """Return the least fee for which a job in ETH is taken at this base fee."""
    chosen = context.settings.min_fee_wei
    if chosen is not None:
        return Wei(chosen)
    taken_bps = _get_taken_bps(context)
    return compute_fee_floor(version.version, terms, base_fee_wei, taken_bps, begin_gas)


def get_session_floor(context: Context, version: ReproducedVersion, base_fee_wei: Wei) -> Wei:
    """Return the least fee for which a request of a session in ETH is served at this base fee."""
    chosen = context.settings.min_session_fee_wei
    if chosen is not None:
        return Wei(chosen)
    size, taken_bps = context.settings.batch_size, _get_taken_bps(context)
    return compute_session_floor(version.version, size, base_fee_wei, taken_bps)


def get_replica_floor(
    context: Context, version: ReproducedVersion, token: str, base_fee_wei: Wei
) -> Wei:
    """Return the least fee, in the token, for which a replica is served, from this base fee on."""
    settings = context.settings
    if token != ETH:
        return Wei(settings.min_fee_token)
    if settings.min_fee_wei is not None:
        return Wei(settings.min_fee_wei)
    return compute_replica_floor(version.version, base_fee_wei, _get_taken_bps(context))


def count_least_batch(context: Context, session: Session, base_fee_wei: Wei) -> int:
    """Return how many results a batch of the session holds at least, at this base fee.

    As many as pay for its gas, unless the operator chose a floor of its own or is paid in a token.
    """
    if context.settings.min_session_fee_wei is not None or session.terms.token != ETH:
        return 1
    version = context.versions.reproduce(session.terms.version).version
    return count_paying(session.terms.fee, version, base_fee_wei, _get_taken_bps(context))


def _get_taken_bps(context: Context) -> int:
    return context.parameters.protocol_fee_bps + context.parameters.keeper_tip_bps
