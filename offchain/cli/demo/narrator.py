"""Tells what happens from the chain's own events, in the order in which the chain says it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from offchain.chain.abi import DecodedEvent
from offchain.chain.contracts.pinpoint_types import Phase
from offchain.chain.cursor import EventCursor
from offchain.types import Verdict

ETHER: Final = 10**18
SHORT: Final = 10  # hex characters of a digest that people compare by eye


class Narrator:
    """Prints lines with seconds since the start; `quiet` keeps standard output for JSON."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._started = time.monotonic()
        self._cursor: EventCursor | None = None
        self._names: Mapping[str, str] = {}
        self._told = 0

    def say(self, text: str = "") -> None:
        """Print one line."""
        self._write(f"{time.monotonic() - self._started:6.1f} s  {text}" if text else "")

    def follow(self, cursor: EventCursor, names: Mapping[str, str]) -> None:
        """Tell a deployment's events from now on; `names` maps lower-case accounts to parties."""
        self._cursor, self._names = cursor, names
        cursor.advance()
        self._told = len(cursor.get_events())

    def poll(self) -> None:
        """Tell what has happened since the last poll."""
        if self._cursor is None:
            return
        self._cursor.advance()
        events = self._cursor.get_events()
        for event in events[self._told :]:
            text = self._describe(event)
            if text:
                self.say(f"block {event.block_number}: {text}")
        self._told = len(events)

    def tell_party(self, party: str, event: Mapping[str, Any]) -> None:
        """Tell what a party has logged, where it is of interest to everybody."""
        template = PARTY_TEMPLATES.get(event["event"])
        if template is not None:
            self.say(f"  {party} (pid {event['pid']}): {template.format(**event)}")

    def _describe(self, event: DecodedEvent) -> str | None:
        template = TEMPLATES.get(event.name)
        if template is None:
            return None
        arguments = dict(event.arguments)
        if event.name == "JobCreated":
            _, _, in_digest, _, fee, *_ = arguments["terms"]
            arguments |= {"inDigest": in_digest, "fee": fee}
        if event.name in ("DisputeOpened", "DisputeResolved", "SearchMoved"):
            arguments["phase"] = Phase(arguments["phase"]).name
        if event.name == "Adjudicated":
            arguments["verdict"] = Verdict(arguments["verdict"]).name
        return template.format(**{k: self._show(k, v) for k, v in arguments.items()})

    def _show(self, name: str, value: Any) -> str:
        if isinstance(value, bytes):
            return "0x" + value.hex()[:SHORT] + "..."
        if isinstance(value, str) and value.startswith("0x"):
            return self._names.get(value.lower(), value)
        if name in ("fee", "amount", "bond", "returned"):
            return show_ether(value)
        return str(value)


TEMPLATES: Final = {
    "Deposited": "{owner} stakes {amount}",
    "WorkerSet": "{worker} works for {owner}",
    "JobCreated": "job {jobId}: {client} escrows {fee} for one inference, input {inDigest}",
    "JobAccepted": "job {jobId}: accepted with {operator}'s stake",
    "StakeLocked": "job {jobId}: {amount} of {operator}'s stake locked",
    "ResultCommitted": "job {jobId}: result committed, digest {outDigest}, in clear and unproven",
    "JobFinalised": "job {jobId}: nobody objected in time: FINAL, {operator} is paid",
    "ResultChallenged": "job {jobId}: {challenger} objects with a bond of {bond}; "
    "seed {challengeSeed} fixed, a proof is due",
    "ResultProven": "job {jobId}: proof accepted on chain: PROVEN and final at once",
    "DefaultClaimed": "job {jobId}: no valid proof came in time: default",
    "LockSlashed": "job {jobId}: {operator} loses {amount}, held back for the airgap",
    "JobRejected": "job {jobId}: REJECTED, the client has its fee back",
    "SlashDistributed": "job {jobId}: the airgap is over, the slash is divided",
    "Jailed": "{operator} is in jail",
    "JobFailed": "job {jobId}: nothing was committed in time: FAILED, the client is refunded",
    "TracePosted": "job {jobId}: the trace is posted, root {root}",
    "DisputeOpened": "job {jobId}: {challenger} disputes its trace with a bond of {bond}: {phase}",
    "SearchMoved": "job {jobId}: the search moves on, {phase}",
    "OperatorPinned": "job {jobId}: operator {op} is pinned in element {elem}: nothing else is "
    "judged",
    "Adjudicated": "job {jobId}: recomputed on chain, the element is {verdict}",
    "DisputeResolved": "job {jobId}: the dispute over the trace is over: {phase}",
    "Credited": "job {jobId}: {amount} for {account}",
    "Burned": "job {jobId}: {amount} burned",
    "CreditWithdrawn": "{account} withdraws {amount}",
}


PARTY_TEMPLATES: Final = {
    "result-checked": "recomputed the result; it agrees: {agrees}; committed answer: class {label}",
    "result-recomputed": "recomputed the result on the reference path; it differs: {differs}",
    "proof-made": "proof of {proof_bytes} bytes in {prove_s} s, in child process {prover_pid}",
    "proof-accepted": "the chain has verified the proof",
    "pinpointed": "the trace differs from its own first in operator {op}, element {element}",
    "search-moved": "its move: {move}",
    "revealed": "its answer: {move}",
    "proof-refused": "false proof sent all the same: the chain refuses it with {error}, "
    "reverted transaction {tx}",
    "stopped": "stopped",
}


def show_ether(wei: int) -> str:
    """Return an amount for people, without losing a wei."""
    sign, wei = ("-", -wei) if wei < 0 else ("", wei)
    whole, part = divmod(wei, ETHER)
    digits = f"{part:018d}".rstrip("0")
    return f"{sign}{whole}.{digits or '0'} ETH"
