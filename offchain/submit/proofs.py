"""Proofs for disputes: the one way from a role into the prover; it asks for an open challenge."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Final

from offchain import native
from offchain.chain.job_ids import id_number
from offchain.chain.journal import Journal
from offchain.errors import NativeProofError, ProofError, UnchallengedProof
from offchain.model.execution import Execution
from offchain.params.settings import Settings
from offchain.prove.job import ProvableModel, prove_job
from offchain.prove.process import ProverProcess
from offchain.prove.statement import FORMAT, MODE_PUBLIC, Statement
from offchain.submit.content import compute_digest, write_atomically
from offchain.submit.models import Model
from offchain.submit.versions import ReproducedVersion
from offchain.types import Address, Dispute, DisputeState, Job, JobTerms

PROVER_ENTRIES: Final = "prover-entries"  # journal counter: how often the prover was entered
SEED_BYTES: Final = 32
PROVABLE: Final = (DisputeState.OPEN, DisputeState.DEFAULT)


@dataclass(frozen=True)
class ProverRun:
    """What a proof took."""

    prover_pid: int
    prove_s: float
    proof_bytes: int


@dataclass(frozen=True)
class Evidence:
    """What `DisputeGame.prove` takes; `run` is None where the proof was made before a restart."""

    raw_input: bytes
    raw_output: bytes
    proof: bytes
    statement: Statement
    run: ProverRun | None


def build_statement(
    version: ReproducedVersion,
    job: Job,
    terms: JobTerms,
    dispute: Dispute,
    chain_id: int,
    market: Address,
    prover: Address,
) -> Statement:
    """Return the statement that the chain will build for this dispute; raise UnchallengedProof.

    Everything in it was fixed before the challenge, except the seed that the challenge stored. A
    default may be cured by a proof of the same statement.
    """
    is_seeded = len(dispute.challenge_seed) == SEED_BYTES and any(dispute.challenge_seed)
    if not (is_seeded and dispute.state in PROVABLE and dispute.job == job.id):
        raise UnchallengedProof(f"job {job.id} has no open challenge: nothing is to be proven")
    return Statement(
        format=FORMAT,
        chain_id=chain_id,
        verifier=version.version.verifier,
        market=market,
        job_id=id_number(job.id),
        shard=0,
        challenge_seed=dispute.challenge_seed,
        prover=prover,
        model_version=version.version.id,
        program_hash=version.version.program_hash,
        srs_id=version.version.srs_id,
        mode=MODE_PUBLIC,
        op_range=version.model.layout.program.op_count,
        in_digest=terms.in_digest,
        out_digest=job.out_digest,
    )


def prove_dispute(
    journal: Journal,
    settings: Settings,
    statement: Statement,
    model: Model,
    raw_input: bytes,
) -> Evidence:
    """Prove a challenged job in a child process, once: a proof is stored before it is used.

    Every entry into the prover is counted before it happens. Raises UnchallengedProof without a
    challenge seed, WitnessError where the execution violates the graph, ProverFailed when the
    child runs out of memory or time.
    """
    raw_output, execution = model.run_traced(raw_input)
    proof, run = prove_once(journal, settings, statement, model.provable, execution)
    return Evidence(raw_input, raw_output, proof, statement, run)


def prove_once(
    journal: Journal,
    settings: Settings,
    statement: Statement,
    provable: ProvableModel,
    execution: Execution,
) -> tuple[bytes, ProverRun | None]:
    """Return a statement's proof; errors as for `prove_dispute`. No run: it was stored before."""
    stored = _locate_proof(settings, statement)
    if stored.exists():
        return stored.read_bytes(), None
    journal.increment(PROVER_ENTRIES)
    _count_in_process(settings.home)
    started = time.monotonic()
    with ProverProcess(settings.prover_memory_mib, settings.prover_timeout_s) as prover:
        proof = prove_job(provable, statement, execution, prover.prove)
        run = ProverRun(prover.pid, round(time.monotonic() - started, 3), len(proof))
    write_atomically(stored, proof)
    return proof, run


def forget_proof(settings: Settings, statement: Statement) -> None:
    """Delete a statement's stored proof, so that it is proven again."""
    _locate_proof(settings, statement).unlink(missing_ok=True)


def _locate_proof(settings: Settings, statement: Statement) -> Path:
    return settings.home / "proofs" / f"{statement.hash().hex()}.bin"


def verify_statement(statement: Statement, on_chain: Mapping[str, object]) -> None:
    """Raise ProofError unless the chain will check a proof against exactly this statement."""
    mine, theirs = astuple(statement), tuple(on_chain.values())
    for name, a, b in zip(on_chain, mine, theirs, strict=True):
        is_same = a.lower() == b.lower() if isinstance(a, str) and isinstance(b, str) else a == b
        if not is_same:
            raise ProofError(f"the chain's statement has {name} = {b!r}, built here: {a!r}")


def verify_evidence(model: Model, evidence: Evidence) -> None:
    """Raise ProofError unless the proof shows its statement under the model's key."""
    shape, bits = model.output_shape, model.output_bits
    if compute_digest(evidence.raw_output, bits, shape) != evidence.statement.out_digest:
        raise ProofError("the reference's output is not the committed one: nothing can prove it")
    try:
        native.verify(
            model.vk_blob,
            model.provable.reference.tau_g2,
            evidence.statement.hash(),
            evidence.raw_input,
            evidence.raw_output,
            evidence.proof,
        )
    except NativeProofError as error:
        raise ProofError(str(error)) from None


def _count_in_process(home: Path) -> None:
    """Add one to this process's own counter file, apart from the journal that it cross-checks."""
    folder = home / "prover-entries"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / str(os.getpid())).open("a", encoding="ascii") as file:
        file.write("entered\n")


def count_prover_entries(home: Path) -> int:
    """Return how often any process of a role entered the prover, by its own counter files."""
    return sum(len(f.read_text().splitlines()) for f in (home / "prover-entries").glob("*"))
