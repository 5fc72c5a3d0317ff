"""Model versions and the protocol's own clock."""

from __future__ import annotations

from typing import Final

from offchain.gateway.index.changes import Changes, Fact
from offchain.gateway.index.records import (
    CLOCK,
    Deployment,
    Handlers,
    get_counts,
    name_account,
    name_id,
)
from offchain.gateway.index.tables import Body


def on_registered(changes: Changes, fact: Fact, _: Deployment) -> None:
    """Note: a version exists."""
    counts = get_counts(changes, fact)
    counts["versions"] += 1
    (
        graph_hash, weight_root, program_hash, vk_hash, vk_data, verifier, srs_id,
        prove_seconds, proof_gas, digest_kind, output_bytes, royalty_bps, uri,
    ) = fact.arguments["params"]  # fmt: skip
    version: Body = {
        "id": name_id(fact.arguments["versionId"]),
        "number": counts["versions"],  # registrations are numbered in their order, from 1
        "owner": name_account(fact.arguments["owner"]),
        "opCount": fact.arguments["opCount"],
        "graphHash": name_id(graph_hash),
        "weightRoot": name_id(weight_root),
        "programHash": name_id(program_hash),
        "vkHash": name_id(vk_hash),
        "vkData": name_account(vk_data),
        "verifier": name_account(verifier),
        "srsId": name_id(srs_id),
        "proveSeconds": prove_seconds,
        "proofGas": proof_gas,
        "digestKind": digest_kind,
        "outputBytes": output_bytes,
        "royaltyBps": royalty_bps,
        "uri": uri,
        "registeredAt": fact.time,
        "jobs": {},
        "disputes": {},
        "sessions": 0,
        "batchResults": 0,
    }
    changes.put("version", version["id"], fact, version)


def _get_clock(changes: Changes, fact: Fact) -> Body:
    return changes.get("protocol", CLOCK, fact, {"pauses": [], "refundMode": False})


def on_paused(changes: Changes, fact: Fact, _: Deployment) -> None:
    """Note: the clock stands."""
    clock = _get_clock(changes, fact)
    clock["pauses"] = [*clock["pauses"], [fact.time, fact.arguments["until"], None]]


def on_unpaused(changes: Changes, fact: Fact, _: Deployment) -> None:
    """Note: the clock runs again."""
    clock = _get_clock(changes, fact)
    start, until, _ended = clock["pauses"][-1]
    clock["pauses"] = [*clock["pauses"][:-1], [start, until, fact.time]]


def on_refund_mode(changes: Changes, fact: Fact, _: Deployment) -> None:
    """Note: jobs can only be voided, for ever."""
    _get_clock(changes, fact)["refundMode"] = True


HANDLERS: Final[Handlers] = {
    "VersionRegistered": on_registered,
    "Paused": on_paused,
    "Unpaused": on_unpaused,
    "RefundModeEntered": on_refund_mode,
}
