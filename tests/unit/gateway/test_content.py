"""Content is what its digest says, is kept while it is needed, and takes no more than its share."""

from __future__ import annotations

from pathlib import Path

import pytest

from offchain.errors import DatabaseUnavailable
from offchain.gateway.config import Limits
from offchain.gateway.faults import DigestMismatch, OutOfSpace, Unknown
from offchain.gateway.references import Use
from offchain.submit.content import compute_digest
from offchain.types import Digest, Seconds
from tests.unit.gateway.fakes import DAY, HOUR, Scene, open_scene

RAW, SHAPE = bytes(range(64)), (1, 64)
DIGEST = compute_digest(RAW, 8, SHAPE)
ALICE, BOB = "10.0.0.1", "10.0.0.2"


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return open_scene(tmp_path)


def files(scene: Scene) -> list[Path]:
    return [path for path in (scene.config.home / "content").rglob("*") if path.is_file()]


def pass_time(scene: Scene, seconds: int) -> None:
    scene.chain.now += seconds
    scene.boards.clock.refresh()


def test_put__same_bytes_twice__stored_once_and_told(scene: Scene) -> None:
    content = scene.boards.content
    assert content.put(RAW, 8, SHAPE, ALICE) == (DIGEST, True)
    assert content.put(RAW, 8, SHAPE, ALICE, DIGEST) == (DIGEST, False)
    assert content.get(DIGEST) == RAW
    assert len(files(scene)) == 1


@pytest.mark.parametrize(
    ("raw", "bits", "shape", "named"),
    [
        (RAW, 8, SHAPE, Digest(bytes(32))),
        (RAW, 8, (8, 8), DIGEST),
        (RAW, 16, SHAPE, None),
        (b"", 8, SHAPE, None),
        (RAW, 8, (1, 63), None),
        (RAW, 8, (999_999_999,) * 8, None),
    ],
)
def test_put__not_what_it_is_called__refused_and_nothing_kept(
    scene: Scene, raw: bytes, bits: int, shape: tuple[int, ...], named: Digest | None
) -> None:
    with pytest.raises(DigestMismatch):
        scene.boards.content.put(raw, bits, shape, ALICE, named)
    assert files(scene) == [] and scene.boards.content.get_used() == 0


def test_get__after_a_restart__same_bytes(scene: Scene, tmp_path: Path) -> None:
    scene.boards.content.put(RAW, 8, SHAPE, ALICE)
    again = open_scene(tmp_path).boards.content
    assert again.get(DIGEST) == RAW
    assert again.get_used(ALICE) == again.get_used() == 4096


@pytest.mark.parametrize("damage", ["changed", "shorter", "longer", "gone", "link"])
def test_get__damaged_in_storage__not_served_and_can_be_uploaded_again(
    scene: Scene, damage: str, tmp_path: Path
) -> None:
    content = scene.boards.content
    content.put(RAW, 8, SHAPE, ALICE)
    (file,) = files(scene)
    if damage == "link":
        file.unlink()
        (tmp_path / "elsewhere").write_bytes(RAW)
        file.symlink_to(tmp_path / "elsewhere")
    elif damage == "gone":
        file.unlink()
    else:
        file.write_bytes({"changed": RAW[::-1], "shorter": RAW[1:], "longer": RAW + b"1"}[damage])
    with pytest.raises(Unknown):
        content.get(DIGEST)
    assert "content-damaged" in scene.log.names
    assert content.get_used() == 0
    assert content.put(RAW, 8, SHAPE, ALICE) == (DIGEST, True)
    assert content.get(DIGEST) == RAW


def test_put__what_lies_there_is_damaged__replaced(scene: Scene) -> None:
    content = scene.boards.content
    content.put(RAW, 8, SHAPE, ALICE)
    files(scene)[0].write_bytes(bytes(64))
    content.put(RAW, 8, SHAPE, BOB)
    assert content.get(DIGEST) == RAW
    assert (content.get_used(ALICE), content.get_used(BOB)) == (0, 4096)


# Retention


def test_sweep__nobody_names_it__dropped_after_a_day(scene: Scene) -> None:
    content = scene.boards.content
    content.put(RAW, 8, SHAPE, ALICE)
    pass_time(scene, DAY - 1)
    assert content.sweep() == 0 and content.get(DIGEST) == RAW
    pass_time(scene, 1)
    assert content.sweep() == 1
    with pytest.raises(Unknown):
        content.get(DIGEST)
    assert files(scene) == [] and content.get_used() == 0


def test_sweep__more_than_fits_into_one_look__all_dropped(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten addresses upload faster than a fixed number a minute could drop."""
    monkeypatch.setattr("offchain.gateway.content.SWEEP", 2)
    for number in range(5):
        scene.boards.content.put(bytes([number]) * 4, 8, (1, 4), ALICE)
    pass_time(scene, DAY)
    assert scene.boards.content.sweep() == 5
    assert scene.boards.content.get_used() == 0


def test_sweep__a_job_is_not_final__kept_until_a_day_after_it_is(scene: Scene) -> None:
    content = scene.boards.content
    content.put(RAW, 8, SHAPE, ALICE)
    scene.index.uses[DIGEST] = Use(is_live=True)
    for _ in range(10):
        pass_time(scene, DAY)
        assert content.sweep() == 0
    ended = scene.chain.now
    scene.index.uses[DIGEST] = Use(ended_at=Seconds(ended))
    pass_time(scene, DAY - 1)
    content.sweep()
    assert content.has(DIGEST)
    pass_time(scene, 1)
    assert content.sweep() == 1


def test_sweep__uploaded_again__its_time_begins_again(scene: Scene) -> None:
    content = scene.boards.content
    content.put(RAW, 8, SHAPE, ALICE)
    pass_time(scene, DAY - HOUR)
    content.put(RAW, 8, SHAPE, BOB)
    assert (content.get_used(ALICE), content.get_used(BOB)) == (0, 4096)
    pass_time(scene, 2 * HOUR)
    assert content.sweep() == 0
    pass_time(scene, DAY)
    assert content.sweep() == 1


def test_sweep__index_cannot_tell__nothing_dropped(scene: Scene) -> None:
    content = scene.boards.content
    content.put(RAW, 8, SHAPE, ALICE)
    pass_time(scene, 9 * DAY)
    scene.index.failure = DatabaseUnavailable("index", "locked")
    with pytest.raises(DatabaseUnavailable):
        content.sweep()
    assert content.get(DIGEST) == RAW


# Space


def test_put__client_used_up_its_share__refused_while_others_are_served(tmp_path: Path) -> None:
    limits = Limits(stored_bytes=4 * 4096, stored_bytes_per_client=2 * 4096)
    content = open_scene(tmp_path, limits=limits).boards.content
    for n in range(2):
        content.put(bytes([n]), 8, (1, 1), ALICE)
    with pytest.raises(OutOfSpace, match="this address"):
        content.put(bytes([2]), 8, (1, 1), ALICE)
    for n in range(2, 4):
        content.put(bytes([n]), 8, (1, 1), BOB)
    with pytest.raises(OutOfSpace, match="all content"):
        content.put(bytes([4]), 8, (1, 1), "10.0.0.3")
    assert content.get_used() == 4 * 4096


def test_put__renewed_by_a_client_without_space__refused_and_charged_to_nobody_else(
    tmp_path: Path,
) -> None:
    limits = Limits(stored_bytes_per_client=4096)
    content = open_scene(tmp_path, limits=limits).boards.content
    content.put(RAW, 8, SHAPE, ALICE)
    content.put(b"1", 8, (1, 1), BOB)
    with pytest.raises(OutOfSpace):
        content.put(RAW, 8, SHAPE, BOB)
    assert (content.get_used(ALICE), content.get_used(BOB)) == (4096, 4096)
