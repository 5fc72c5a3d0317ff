"""A job, a version, a deployment in plain facts, for people and scripts alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from offchain.types import ETH, CreatedJob, Job, JobState, ProtocolTime

if TYPE_CHECKING:
    from offchain.chain.abi import DecodedEvent
    from offchain.chain.client import ChainClient
    from offchain.chain.manifest import Manifest
    from offchain.roles.context import Contracts


def show(value: Any) -> Any:
    """Return bytes as hex and structs as lists; everything else as it is."""
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, (tuple, list)):
        return [show(item) for item in value]
    return value


def describe_terms(created: CreatedJob) -> Mapping[str, Any]:
    """Return what a job's id commits to."""
    terms = {name: show(value) for name, value in asdict(created.terms).items()}
    return {"job": created.id, **terms, "input_uri": created.input_uri}


def describe_job(contracts: Contracts, created: CreatedJob) -> Mapping[str, Any]:
    """Return all that market, game and vault say of a job now."""
    market, vault, game = contracts.market, contracts.vault, contracts.game
    job, time = market.get_job(created.id), market.get_time()
    funds = vault.get_funds(created.id, job.token)
    dispute = game.get_dispute_of(created.id)
    facts: dict[str, Any] = {
        "job": created.id,
        "state": job.state.name,
        "assurance": market.get_assurance(created.id).name,
        "next": name_next(job, time),
        "clock": int(time.now),
        "deadline": int(job.deadline),
        "client": job.client,
        "operator": None if job.operator == ETH else job.operator,
        "version": show(job.version),
        "token": "ETH" if job.token == ETH else job.token,
        "fee": int(job.fee),
        "in_digest": show(created.terms.in_digest),
        "out_digest": show(job.out_digest) if any(job.out_digest) else None,
        "proof_required": job.proof_required,
        "deliver_by": int(job.deliver_by) or None,
        "escrow": int(funds.escrow),
        "lock": int(funds.lock),
        "created_in_block": int(created.block_number),
    }
    if dispute is not None:
        facts["dispute"] = {
            "state": dispute.state.name,
            "prove_until": int(dispute.prove_until),
            "bond_wei": int(dispute.bond_wei),
            "bonds_wei": int(vault.get_bonds(created.id)),
            "challengers": list(game.get_challengers(created.id)),
        }
    return facts


def name_next(job: Job, time: ProtocolTime) -> str:
    """Return in words what a job waits for, or what can be done about it."""
    late = time.now > job.deadline
    if time.is_refund_mode and not job.state.is_terminal:
        return "the refund mode is on: `zkdps job expire` gives the money back"
    if time.is_paused and not job.state.is_terminal:
        return "the protocol is paused; every deadline waits"
    words = {
        JobState.OPEN: ("an operator may take it", "nobody took it: `zkdps job expire`"),
        JobState.ASSIGNED: ("its operator computes", "no result came: `zkdps job expire`"),
        JobState.COMMITTED: ("anybody may challenge", "nobody did: `zkdps job finalise`"),
        JobState.DISPUTED: ("a proof is due", "a proof is due: `zkdps challenge claim` if late"),
        JobState.REJECTED: ("a proof still cures", "`zkdps challenge distribute`, unless done"),
    }
    if job.state is JobState.COMMITTED and job.deliver_by:
        overdue = time.now > job.deliver_by
        return "no output came: `zkdps job expire`" if overdue else "the output is due on chain"
    if job.state is JobState.COMMITTED and job.proof_required:
        proof = "a proof is required: `zkdps challenge open --without-bond` begins it"
        return "nobody proved: `zkdps job expire`" if late else proof
    return words[job.state][late] if job.state in words else "nothing: it is over"


def describe_events(events: Sequence[DecodedEvent]) -> Sequence[Mapping[str, Any]]:
    """Return a job's history as the chain's logs tell it."""
    return [
        {
            "block": event.block_number,
            "transaction": event.tx_hash,
            "contract": event.contract,
            "event": event.name,
            "arguments": {name: show(value) for name, value in event.arguments.items()},
        }
        for event in events
    ]


def read_job_events(
    client: ChainClient, contracts: Contracts, created: CreatedJob
) -> Sequence[DecodedEvent]:
    """Return every event of a deployment that names the job, oldest first."""
    watched = (
        contracts.market,
        contracts.game,
        contracts.vault,
        contracts.sessions,
        contracts.orders,
    )
    last = client.get_head().number
    found = []
    for binding in watched:
        for log in client.collect_logs([binding.address], int(created.block_number), last):
            event = binding.abi.decode_event(log)
            if event is not None and show(event.arguments.get("jobId")) == created.id:
                found.append(event)
    return sorted(found, key=lambda event: (event.block_number, event.log_index))


def describe_deployment(
    client: ChainClient, manifest: Manifest, contracts: Contracts
) -> Mapping[str, Any]:
    """Return what a deployment is and how it stands."""
    time, head = contracts.market.get_time(), client.get_head()
    tokens = contracts.vault.get_tokens()
    return {
        "chain": client.chain_id,
        "preset": manifest.preset,
        "block": int(head.number),
        "clock": int(time.now),
        "paused": time.is_paused,
        "refund_mode": time.is_refund_mode,
        "base_fee_wei": int(head.base_fee_wei),
        "reference_string": show(manifest.srs_id),
        "reference_string_is_insecure": manifest.srs_insecure,
        "guardians": list(manifest.guardians),
        "token": manifest.token,
        "contracts": {name: d.address for name, d in manifest.contracts.items()},
        "vault_wei": int(client.get_balance(contracts.vault.address)),
        "burned": {("ETH" if t == ETH else t): int(contracts.vault.get_burned(t)) for t in tokens},
    }
