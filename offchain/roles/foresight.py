"""Reads what a forecast needs: the chain, and where the files are there one's own trace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from offchain.chain.abi import DecodedEvent
from offchain.chain.client import ChainClient
from offchain.chain.contracts.pinpoint_types import PinpointDispute, PostedTrace, Search
from offchain.chain.manifest import Manifest
from offchain.errors import NoSuchJob
from offchain.params.presets import Parameters
from offchain.roles.context import Contracts
from offchain.roles.forecast import Depths, DisputeForecast, forecast_dispute, forecast_job
from offchain.roles.pinned import list_claims
from offchain.roles.pins import hash_claim
from offchain.roles.search_log import read_calls
from offchain.roles.trace_book import MOVED, OPENED, PINNED, fits
from offchain.roles.trace_turns import get_deadline
from offchain.submit.content import ContentStore, compute_digest
from offchain.submit.plans import PlanBook
from offchain.submit.versions import VersionBook
from offchain.trace.recorder import Trace, record_trace
from offchain.types import Digest, Job, JobId

UNKNOWN_TILES = 1  # levels of an output's tree, where nothing is recomputed


@dataclass(frozen=True)
class Recomputed:
    """A job as it is computed here."""

    out_digest: Digest
    trace: Trace | None  # None where the version has no plan

    def judge(self, op: int, out_digest: bytes, in_digests: Sequence[bytes]) -> bool | None:
        """Whether an operator's claim is right; None where its inputs are not those known here."""
        if self.trace is None:
            return None
        own = self.trace.claim(op, 0)
        if tuple(in_digests) != own.in_digests:
            return None
        return out_digest == own.out_digest


@dataclass(frozen=True)
class Foresight:
    """One deployment, looked at."""

    client: ChainClient
    manifest: Manifest
    contracts: Contracts
    parameters: Parameters

    def recompute(self, versions: VersionBook, content: ContentStore, job_id: JobId) -> Recomputed:
        """Return a job as the reference path computes it; raises like versions and content do."""
        created = self.contracts.market.find_created(self.manifest.first_block, job_id)
        if not created:
            raise NoSuchJob(job_id)
        terms = created[0].terms
        version = versions.reproduce(terms.version)
        model = version.model
        raw = content.get(terms.in_digest, model.input_bits, model.input_shape)
        raw_output, execution = model.run_traced(raw)
        plan = PlanBook(self.contracts.adjudicators, self.manifest.first_block).find(version)
        trace = None if plan is None else record_trace(plan.plan, model.graph, execution)
        digest = compute_digest(raw_output, model.output_bits, model.output_shape)
        return Recomputed(digest, trace)

    def foresee(self, job_id: JobId, recomputed: Recomputed | None) -> Mapping[str, Any]:
        """Return what becomes of a job; raise ContractRevert for an unknown one."""
        job, game = self.contracts.market.get_job(job_id), self.contracts.pinpoint
        now = self.contracts.market.get_time().now
        events = game.find_events(self.manifest.first_block, job_id)
        posted = game.get_trace(job_id)
        found = []
        for event in events:
            if event.name != OPENED:
                continue
            dispute = game.get_dispute(job_id, int(event.arguments["key"]))
            if dispute.phase.is_open:
                found.append(self._foresee(job, dispute, posted, events, now, recomputed))
        is_right = None if recomputed is None else recomputed.out_digest == job.out_digest
        prove_it = self.contracts.game.get_dispute_of(job_id)
        return forecast_job(job, now, prove_it, found, is_right)

    def _foresee(
        self,
        job: Job,
        dispute: PinpointDispute,
        posted: PostedTrace,
        events: Sequence[DecodedEvent],
        now: int,
        recomputed: Recomputed | None,
    ) -> DisputeForecast:
        own = [e for e in events if e.arguments.get("id") == dispute.id]
        states = [Search.of(e.arguments["state"]) for e in own if e.name == MOVED]
        state = states[-1] if states and fits(dispute, states[-1].hash()) else None
        base_fee = self.client.get_head().base_fee_wei
        return forecast_dispute(
            dispute,
            state,
            posted,
            self._measure(job, recomputed),
            get_deadline(self.contracts.pinpoint, dispute, posted),
            now,
            max(base_fee, self.parameters.gas_price_floor),
            self._judge(job, dispute, own, recomputed),
        )

    def _measure(self, job: Job, recomputed: Recomputed | None) -> Depths:
        plan = self.contracts.adjudicators.get_plan(job.version)
        tiles = UNKNOWN_TILES
        if recomputed is not None and recomputed.trace is not None:
            ops = recomputed.trace.plan.ops
            tiles = (max(op.descriptor.out.tiles for op in ops) - 1).bit_length()
        return Depths(plan.layer_depth, plan.op_depth, tiles) if plan else Depths(0, 0, tiles)

    def _judge(
        self,
        job: Job,
        dispute: PinpointDispute,
        own: Sequence[DecodedEvent],
        recomputed: Recomputed | None,
    ) -> bool | None:
        """Whether what is asserted in a dispute is right, as far as that is known here."""
        if recomputed is None:
            return None
        pinned = [e for e in own if e.name == PINNED]
        if not pinned:
            return recomputed.out_digest == job.out_digest
        game = self.contracts.pinpoint
        calls = read_calls(self.client, pinned[-1].tx_hash, str(game.address))
        seed = bytes(pinned[-1].arguments["seed"])
        for claim in list_claims(game, job, calls, seed):
            if fits(dispute, hash_claim(claim)):
                return recomputed.judge(claim.op, claim.out_digest, claim.in_digests)
        return None
