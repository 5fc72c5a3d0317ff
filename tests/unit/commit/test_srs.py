"""Files of powers, imported or generated, and the choice of the one that is used."""

from __future__ import annotations

import hashlib
import os
import struct
from dataclasses import replace
from pathlib import Path

import pytest

from offchain import native
from offchain.commit.digest import tensor_digest_of_bytes
from offchain.commit.ptau import choose_hash, import_ptau
from offchain.commit.srs import (
    VARIABLE,
    build_insecure_file,
    choose_srs,
    insecure_srs_id,
    load_insecure_srs,
    verify_srs_file,
)
from offchain.commit.srs_file import POINT_BYTES, SrsFile, read_srs_file, srs_id
from offchain.errors import NativeProofError, ProofError, PtauError, SrsError
from offchain.prove.compile import Choice
from offchain.prove.job import make_provable
from offchain.prove.reference import prover, verifier
from offchain.prove.reference.curve import decode
from offchain.prove.reference.field import Q
from offchain.prove.statement import FORMAT, MODE_PUBLIC, Statement
from offchain.submit.models import Model
from offchain.submit.proofs import Evidence, verify_evidence
from offchain.types import NOBODY, Digest, VersionId
from tests.small_mlp import tiny
from tests.vectors.ptau_file import VECTORS, PtauBytes

POWER = 7
RAW = VECTORS / f"raw-{POWER}.ptau"
HASH = bytes(range(32))


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The powers of a ceremony's file."""
    out = tmp_path_factory.mktemp("srs") / "powers.srs"
    import_ptau(RAW, out, POWER, None, lambda *_: None)
    return out


def read_point(point: bytes) -> bytes:
    """Return a .ptau point (little-endian, times 2^256) as it is on chain."""
    inverse = pow(1 << 256, -1, Q)
    words = [point[k : k + 32] for k in range(0, len(point), 32)]
    numbers = [int.from_bytes(word, "little") * inverse % Q for word in words]
    if len(numbers) == 4:
        numbers = [numbers[1], numbers[0], numbers[3], numbers[2]]
    return b"".join(n.to_bytes(32, "big") for n in numbers)


def test_import__powers__are_those_of_the_file(imported: Path) -> None:
    ptau = PtauBytes.load(RAW.name)
    read = read_srs_file(imported)
    assert read.log_size == POWER
    expected = [read_point(ptau.point(2, i)) for i in range(1 << POWER)]
    assert read.powers == b"".join(expected)
    assert read.tau_g2 == read_point(ptau.point(3, 1))
    assert read.source == hashlib.blake2b(RAW.read_bytes()).digest()
    verify_srs_file(read)


def test_import__smaller_size__is_a_prefix_with_the_same_id(imported: Path, tmp_path: Path) -> None:
    import_ptau(RAW, tmp_path / "small", 5, None, lambda *_: None)
    small, large = read_srs_file(tmp_path / "small"), read_srs_file(imported)
    assert small.id == large.id == srs_id(large.tau_g2) != insecure_srs_id()
    assert small.powers == large.take(5)


def test_import__facts__name_the_contributions(tmp_path: Path) -> None:
    seen = []
    facts = import_ptau(
        VECTORS / "cut-3-of-5.ptau", tmp_path / "out", 2, None, lambda *told: seen.append(told)
    )
    assert (facts["power"], facts["ceremony_power"], facts["prepared"]) == (3, 5, True)
    names = [c["name"] for c in facts["contributions"]]
    assert names == ["first test contribution", "second test contribution", "test beacon"]
    assert [c["beacon"] for c in facts["contributions"]] == [False, False, True]
    assert [section for section, _, _ in seen] == [
        "file", "tauG1", "tauG2", "alphaTauG1", "betaTauG1", "betaG2",
        "lagrangeTauG1", "lagrangeTauG2", "lagrangeAlphaTauG1", "lagrangeBetaTauG1",
    ]  # fmt: skip
    assert all(0 < done <= total for _, done, total in seen)


def test_choose_hash__file_that_nobody_published__asked_for() -> None:
    found = hashlib.blake2b(RAW.read_bytes()).digest()
    with pytest.raises(SrsError, match=found.hex()):
        choose_hash(RAW, None, accept_unpublished=False)
    assert choose_hash(RAW, None, accept_unpublished=True) == found
    assert choose_hash(RAW, bytes(64), accept_unpublished=False) == bytes(64)
    with pytest.raises(SrsError, match="No such file"):
        choose_hash(RAW.with_name("absent"), None, accept_unpublished=False)


def test_import__another_hash__refused(tmp_path: Path) -> None:
    with pytest.raises(PtauError) as caught:
        import_ptau(RAW, tmp_path / "out", 3, bytes(64), lambda *_: None)
    assert caught.value.section == "file"


def test_read_srs_file__any_byte_changed__refused(tmp_path: Path) -> None:
    file = tmp_path / "powers"
    content = build_insecure_file(2).to_bytes()
    for at in range(len(content)):
        file.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        with pytest.raises(SrsError):
            read_srs_file(file)
    for changed in (b"", content[:-1], content + b"\0"):
        file.write_bytes(changed)
        with pytest.raises(SrsError):
            read_srs_file(file)
    file.write_bytes(content)
    assert read_srs_file(file) == build_insecure_file(2)


def test_verify_srs_file__powers_of_another_tau_or_order__refused(imported: Path) -> None:
    """The checksum is anybody's to compute: only the pairing ties powers to [tau]_2."""
    genuine = read_srs_file(imported)
    points = [
        genuine.powers[k : k + POINT_BYTES] for k in range(0, len(genuine.powers), POINT_BYTES)
    ]
    swapped = [*points[:9], points[10], points[9], *points[11:]]
    insecure = build_insecure_file(POWER)
    for forged in (
        replace(genuine, tau_g2=insecure.tau_g2),
        replace(genuine, powers=insecure.powers),
        replace(genuine, powers=b"".join(swapped)),
        replace(genuine, powers=b"".join([points[1], *points[1:]])),
    ):
        with pytest.raises(PtauError, match="tauG1"):
            verify_srs_file(forged)


def test_choose_srs__nothing_named__insecure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    chosen = choose_srs()
    assert chosen.insecure
    assert chosen.id == insecure_srs_id()
    assert chosen.load(4) == load_insecure_srs(4)


def test_choose_srs__generated_file__still_insecure(tmp_path: Path) -> None:
    file = tmp_path / "powers"
    file.write_bytes(build_insecure_file(4).to_bytes())
    assert choose_srs(file).insecure
    assert choose_srs(file).load(4) == load_insecure_srs(4)


def test_choose_srs__file_named__used_or_refused(
    imported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(imported))
    chosen = choose_srs()
    assert not chosen.insecure
    assert len(chosen.load(3)) == POINT_BYTES << 3
    with pytest.raises(SrsError, match=r"2\^8 powers are needed, the SRS has 2\^7"):
        chosen.load(8)
    for bad, reason in (
        (tmp_path / "absent", "No such file"),
        (Path("relative"), "absolute"),
        (RAW, r"imported first"),
    ):
        monkeypatch.setenv(VARIABLE, str(bad))
        with pytest.raises(SrsError, match=reason):
            choose_srs()


def test_choose_srs__file_replaced_while_in_use__refused(imported: Path, tmp_path: Path) -> None:
    file = tmp_path / "powers"
    file.write_bytes(imported.read_bytes())
    chosen = choose_srs(file)
    file.write_bytes(build_insecure_file(POWER).to_bytes())
    os.utime(file, (1, 1))
    with pytest.raises(SrsError, match="another SRS"):
        chosen.load(3)


def test_prove__imported_string__both_provers_and_verifiers_agree(
    imported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(imported))
    small = tiny()
    model = make_provable(small.graph, small.weights, Choice(c=POWER))
    read = read_srs_file(imported)
    assert model.key.srs_id == read.id
    tensors = small.tensors(model)
    proof = native.prove(model.key.to_bytes(), model.srs, HASH, tensors)
    points = [decode(read.powers[k : k + 64]) for k in range(0, 64 << POWER, 64)]
    as_integers = {i: [int(v) for v in t] for i, t in enumerate(tensors) if t is not None}
    assert proof == prover.prove(model.key, points, HASH, as_integers)

    out = small.output_bytes()
    native.verify(model.key.to_bytes(), read.tau_g2, HASH, small.input_bytes(), out, proof)
    verifier.verify(model.key, read.tau_g2, HASH, small.input_bytes(), out, proof)
    insecure = native.tau_g2_insecure()
    with pytest.raises(NativeProofError):
        native.verify(model.key.to_bytes(), insecure, HASH, small.input_bytes(), out, proof)
    with pytest.raises(ProofError):
        verifier.verify(model.key, insecure, HASH, small.input_bytes(), out, proof)


def test_verify_evidence__imported_string__honest_proof_is_sent(
    imported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An operator that checked against another string would withhold every honest proof."""
    monkeypatch.setenv(VARIABLE, str(imported))
    small = tiny()
    model = Model(Path("tiny"), small.graph, small.weights)
    # The ceremony's file is shorter than the chunks that the compiler would choose.
    vars(model)["provable"] = make_provable(small.graph, small.weights, Choice(c=POWER))
    raw_input = small.input_bytes()
    raw_output, _ = model.run_traced(raw_input)
    statement = Statement(
        format=FORMAT,
        chain_id=1,
        verifier=NOBODY,
        market=NOBODY,
        job_id=1,
        shard=0,
        challenge_seed=HASH,
        prover=NOBODY,
        model_version=VersionId(HASH),
        program_hash=HASH,
        srs_id=model.provable.reference.id,
        mode=MODE_PUBLIC,
        op_range=model.layout.program.op_count,
        in_digest=Digest(HASH),
        out_digest=tensor_digest_of_bytes(raw_output, model.output_shape, model.output_bits),
    )
    proof = native.prove(
        model.vk_blob, model.provable.srs, statement.hash(), small.tensors(model.provable)
    )
    verify_evidence(model, Evidence(raw_input, raw_output, proof, statement, None))
    with pytest.raises(ProofError):
        verify_evidence(model, Evidence(raw_input, raw_output, proof[:-1], statement, None))


def test_srs_file__layout__is_the_documented_one() -> None:
    content = build_insecure_file(1).to_bytes()
    assert content[:16] == b"zkdpssrs" + struct.pack(">II", 1, 1)
    assert content[16:144] == native.tau_g2_insecure()
    assert content[144:208] == bytes(64)
    assert content[208:336] == native.srs_insecure(1)
    assert content[336:] == hashlib.blake2b(content[:336]).digest()
    assert SrsFile(1, content[16:144], bytes(64), content[208:336]).to_bytes() == content
