"""What a role's journal holds is told from the server, too, and two accounts do not mix there."""

from __future__ import annotations

import uuid
from dataclasses import replace
from pathlib import Path

from offchain.chain.abi import ContractAbi
from offchain.chain.journal import Journal, StepKey, StepStatus
from offchain.chain.keys import create_key_file
from offchain.chain.manifest import Deployment, Manifest, save_manifest
from offchain.cli.operator import read_journal
from offchain.params.settings import Settings
from offchain.roles.opening import locate, open_journal
from offchain.types import Address
from tests.servers.processes import Postgres

JOB = "0x" + uuid.uuid4().hex * 2


def test_read_journal__database_url__the_accounts_own_steps(
    tmp_path: Path, postgres: Postgres
) -> None:
    signer = create_key_file(tmp_path / "key")
    create_key_file(tmp_path / "other")
    deployment = Deployment(Address("0x" + "44" * 20), ContractAbi("JobMarket", []), "0x", b"")
    manifest = Manifest(
        chain_id=31337,
        preset="local",
        first_block=0,
        srs_id=bytes(32),
        srs_insecure=True,
        contracts={"JobMarket": deployment},
        guardians=(),
        token=None,
    )
    save_manifest(tmp_path / "31337.json", manifest)
    settings = Settings(
        role="operator",
        home=tmp_path / "home",
        rpc_url="http://127.0.0.1:1",
        manifest=tmp_path / "31337.json",
        key_file=tmp_path / "key",
        content=str(tmp_path),
        models=tmp_path,
        database_url=postgres.url,
    )
    settings.save()
    journal = Journal(locate(settings.journal, settings, manifest, signer.address))
    journal.put_step(StepKey("operator", JOB, "commit"), StepStatus.DONE, {"digest": "0x01"})
    journal.increment("prover-entries")
    told = read_journal(settings.home)
    assert told["prover_entries"] == 1
    assert told["steps"] == [{"job": JOB, "step": "commit", "status": "done", "digest": "0x01"}]
    assert not settings.journal.exists()
    other = replace(settings, key_file=tmp_path / "other")
    assert open_journal(other).get_steps("operator") == ()
