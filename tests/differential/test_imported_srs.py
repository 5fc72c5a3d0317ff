"""One ceremony's string in all implementations: provers, verifiers, and the contract."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from offchain import native
from offchain.chain.anvil import run_anvil
from offchain.commit.digest import tensor_digest
from offchain.commit.ptau import import_ptau
from offchain.commit.srs import VARIABLE, insecure_srs_id
from offchain.commit.srs_file import read_srs_file
from offchain.prove.compile import Choice
from offchain.prove.job import make_provable
from offchain.prove.program_bytes import hash_program
from offchain.prove.statement import FORMAT, Statement
from tests.differential.test_solidity_verifier import Chain, Submission
from tests.small_mlp import tiny
from tests.vectors.proofs import MARKET, PROVER
from tests.vectors.ptau_file import VECTORS


def test_imported_srs__verifier_deployed_with_its_tau__accepts_only_its_proofs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    powers = tmp_path / "powers.srs"
    import_ptau(VECTORS / "raw-7.ptau", powers, 7, None, lambda *_: None)
    tau_g2 = read_srs_file(powers).tau_g2
    with run_anvil(tmp_path / "anvil.log", block_s=0) as anvil:
        chain = Chain(anvil.rpc, tau_g2)
        monkeypatch.setenv(VARIABLE, str(powers))
        genuine = prove_tiny(chain.verifier)
        native.verify(
            genuine.key.to_bytes(), tau_g2, genuine.statement.hash(),
            genuine.public_in, genuine.public_out, genuine.proof,
        )  # fmt: skip
        key = chain.install(genuine.key)
        assert chain.error_of(genuine, key) is None

        monkeypatch.delenv(VARIABLE)
        insecure = prove_tiny(chain.verifier)
        assert insecure.accepted_by_rust()  # which is asked with the insecure [tau]_2
        assert insecure.key.srs_id == insecure_srs_id()
        assert chain.error_of(insecure, chain.install(insecure.key)) == "WrongSrs"
        statement = replace(genuine.statement, srs_id=insecure_srs_id())
        assert chain.error_of(replace(genuine, statement=statement), key) == "WrongSrs"

        # A key and a proof made with the public tau that claim the ceremony's id: only the pairing
        # can tell, and it does.
        claimed = replace(insecure.key, srs_id=genuine.key.srs_id)
        statement, small = genuine.statement, tiny()
        model = make_provable(small.graph, small.weights, Choice(c=7))
        proof = native.prove(
            claimed.to_bytes(), native.srs_insecure(7), statement.hash(), small.tensors(model)
        )
        forged = replace(genuine, key=claimed, proof=proof)
        assert chain.error_of(forged, chain.install(claimed)) == "PairingFailed"


def prove_tiny(verifier: str) -> Submission:
    """Compile, execute and prove the smallest model under the chosen string."""
    small = tiny()
    model = make_provable(small.graph, small.weights, Choice(c=7))
    out = small.execute().output
    program = model.layout.program
    statement = Statement(
        format=FORMAT,
        chain_id=31337,
        verifier=verifier,
        market=MARKET,
        job_id=1,
        shard=0,
        challenge_seed=bytes(range(32)),
        prover=PROVER,
        model_version=bytes(32),
        program_hash=hash_program(program),
        srs_id=model.key.srs_id,
        mode=1,
        op_range=program.op_count,
        in_digest=tensor_digest(small.x, 8),
        out_digest=tensor_digest(out, 8),
    )
    proof = native.prove(model.key.to_bytes(), model.srs, statement.hash(), small.tensors(model))
    return Submission(model.key, statement, small.input_bytes(), small.output_bytes(), proof)
