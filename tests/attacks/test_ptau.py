"""Damaged and forged .ptau files: whatever is changed, the import names the section and refuses.

The files were made by the ceremony's own tools (tests/vectors/ptau/generate): raw, prepared for
phase 2, and cut from a larger prepared one. Two contributions and a beacon each.
"""

from __future__ import annotations

import hashlib
import random
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from offchain.commit.ptau import import_ptau
from offchain.errors import PtauError
from offchain.prove.reference.field import Q, R
from tests.vectors.ptau_file import CONTRIBUTIONS, NAMES, TABLE_START, VECTORS, Field, PtauBytes

FILES = ("raw-4.ptau", "prepared-4.ptau", "cut-3-of-5.ptau")
POINT_SECTIONS = [number for number in NAMES if number not in (1, CONTRIBUTIONS)]

Import = Callable[..., None]


@pytest.fixture(params=FILES)
def genuine(request: pytest.FixtureRequest) -> PtauBytes:
    """A file that passes."""
    return PtauBytes.load(request.param)


@pytest.fixture
def prepared() -> PtauBytes:
    """The file with every section."""
    return PtauBytes.load("prepared-4.ptau")


@pytest.fixture
def run(tmp_path: Path) -> Import:
    """Import bytes as a file; check that a refused one leaves nothing behind."""
    file, out = tmp_path / "file.ptau", tmp_path / "out.srs"

    def run_import(ptau: PtauBytes, log_size: int = 3, expected: bytes | None = None) -> None:
        file.write_bytes(ptau.content)
        out.unlink(missing_ok=True)
        try:
            import_ptau(file, out, log_size, expected, lambda *_: None)
        except PtauError:
            assert [p.name for p in tmp_path.iterdir()] == ["file.ptau"]
            raise

    return run_import


def refusal(run: Import, ptau: PtauBytes, expected: bytes | None = None) -> PtauError:
    with pytest.raises(PtauError) as caught:
        run(ptau, expected=expected)
    return caught.value


def masks(seed: int) -> Iterator[int]:
    """Yield bytes that are not zero."""
    rng = random.Random(seed)
    while True:
        yield rng.randrange(1, 256)


def test_import__genuine_file__accepted(run: Import, genuine: PtauBytes) -> None:
    run(genuine)


def test_import__flipped_byte_of_container_or_header__refused(
    run: Import, genuine: PtauBytes
) -> None:
    mask = masks(1)
    for at in range(TABLE_START):
        assert refusal(run, genuine.flipped(at, next(mask))).section == "table"
    for number, (start, _) in genuine.spans.items():
        for at in range(start - 12, start):
            found = refusal(run, genuine.flipped(at, next(mask))).section
            assert found in ("table", NAMES[number]), (number, at)
    start, length = genuine.spans[1]
    for at in range(start, start + length):
        found = refusal(run, genuine.flipped(at, next(mask))).section
        # Contributions begin with a hash that depends on the ceremony's power.
        assert found in ("header", "contributions"), at
        assert found == "header" or at >= start + 40, at


def test_import__flipped_byte_of_a_point__refused_naming_its_section(
    run: Import, genuine: PtauBytes
) -> None:
    mask = masks(2)
    for number in POINT_SECTIONS:
        if number not in genuine.spans:
            continue
        start, _ = genuine.spans[number]
        size, count = genuine.point_bytes(number), genuine.count(number)
        for index in sorted({0, 1 % count, count // 2, count - 1}):
            for offset in (0, size // 2, size - 1):
                at = start + index * size + offset
                found = refusal(run, genuine.flipped(at, next(mask)))
                assert found.section == NAMES[number], (number, index, offset)


def flip_fields(run: Import, genuine: PtauBytes, places: Callable[[Field], list[int]]) -> None:
    """Flip bytes of section 7: what the equations do not cover, the file's hash does."""
    published = hashlib.blake2b(genuine.content).digest()
    mask = masks(3)
    for field in genuine.fields():
        uncovered = genuine.is_uncovered(field)
        for at in places(field):
            # ASCII stays ASCII, so that a changed name is a name.
            changed = genuine.flipped(at, 1 if "value" in field.name else next(mask))
            if uncovered:
                run(changed)
            else:
                assert refusal(run, changed).section == "contributions", (field, at)
            assert refusal(run, changed, published).section == "file"


def test_import__flipped_byte_of_a_contribution__refused(run: Import, genuine: PtauBytes) -> None:
    def places(field: Field) -> list[int]:
        offsets = {0, field.length // 2, field.length - 1}
        return [field.start + offset for offset in sorted(offsets)]

    flip_fields(run, genuine, places)


@pytest.mark.slow
def test_import__every_byte_of_the_contributions_flipped__refused(run: Import) -> None:
    def places(field: Field) -> list[int]:
        return list(range(field.start, field.start + field.length))

    flip_fields(run, PtauBytes.load("raw-4.ptau"), places)


@pytest.mark.slow
def test_import__every_byte_of_the_points_flipped__refused(run: Import) -> None:
    genuine = PtauBytes.load("prepared-4.ptau")
    mask = masks(4)
    for number in POINT_SECTIONS:
        start, length = genuine.spans[number]
        for at in range(start, start + length, 7):
            assert refusal(run, genuine.flipped(at, next(mask))).section == NAMES[number]


@pytest.mark.parametrize("number", POINT_SECTIONS)
def test_import__point_replaced_by_another_of_the_group__refused(
    run: Import, prepared: PtauBytes, number: int
) -> None:
    """Every point is on the curve and of the right order: only the equations can tell."""
    count = prepared.count(number)
    other = prepared.point(3 if prepared.point_bytes(number) == 128 else 2, 3)
    for index in sorted({0, 1 % count, 2 % count, count // 2, count - 1}):
        found = refusal(run, prepared.with_point(number, index, other))
        assert found.section == NAMES[number]
        assert "point" in found.reason


@pytest.mark.parametrize("number", POINT_SECTIONS)
def test_import__negated_point__refused(run: Import, prepared: PtauBytes, number: int) -> None:
    index = prepared.count(number) // 2
    point = prepared.point(number, index)
    half = len(point) // 2
    negated = b"".join(
        (Q - int.from_bytes(point[k : k + 32], "little")).to_bytes(32, "little")
        for k in range(half, len(point), 32)
    )
    changed = prepared.with_point(number, index, point[:half] + negated)
    assert refusal(run, changed).section == NAMES[number]


@pytest.mark.parametrize("number", POINT_SECTIONS)
def test_import__infinity__refused(run: Import, prepared: PtauBytes, number: int) -> None:
    index = prepared.count(number) - 1
    changed = prepared.with_point(number, index, bytes(prepared.point_bytes(number)))
    assert str(refusal(run, changed)) == f"{NAMES[number]}: point {index}: is the point at infinity"


@pytest.mark.parametrize("number", POINT_SECTIONS)
def test_import__coordinate_not_canonical__refused(
    run: Import, prepared: PtauBytes, number: int
) -> None:
    """The same residue, written q higher: 2^256 is more than 5 q."""
    index = prepared.count(number) // 2
    point = prepared.point(number, index)
    raised = (int.from_bytes(point[:32], "little") + Q).to_bytes(32, "little")
    found = refusal(run, prepared.with_point(number, index, raised + point[32:]))
    assert found.section == NAMES[number]
    assert "modulus" in found.reason


@pytest.mark.parametrize("number", [3, 6, 13])
def test_import__g2_point_outside_the_subgroup__refused(
    run: Import, prepared: PtauBytes, number: int
) -> None:
    """The twist has a cofactor: a point on it need not have order r (proofs-spec.md 44)."""
    index = prepared.count(number) - 1
    found = refusal(run, prepared.with_point(number, index, draw_twist_point()))
    assert found.section == NAMES[number]
    assert found.reason == f"point {index}: is not in the prime-order subgroup"


def test_import__contributions_that_do_not_chain__refused(run: Import, prepared: PtauBytes) -> None:
    body = prepared.get(CONTRIBUTIONS)
    starts = [f.start for f in prepared.fields() if f.name == "tauG1"]
    base = prepared.spans[CONTRIBUTIONS][0]
    one, two, three = (
        body[a - base : b - base]
        for a, b in zip(starts, [*starts[1:], base + len(body)], strict=True)
    )
    for parts in ([], [one], [two, three], [one, three], [two, one, three], [one, two, two, three]):
        forged = struct.pack("<I", len(parts)) + b"".join(parts)
        found = refusal(run, prepared.with_section(CONTRIBUTIONS, forged))
        if parts == [one]:  # a true chain, but to other points than the file's
            assert found.section == "tauG1"
        else:
            assert found.section == "contributions"


def test_import__beacon_with_other_parameters__refused(run: Import, prepared: PtauBytes) -> None:
    """A beacon names its parameters, all of them, and its keys are the ones they give."""
    fields = {f.name: f for f in prepared.fields() if f.number == prepared.contributors}
    kind = fields["kind"].start
    found = refusal(run, prepared.with_bytes(kind, struct.pack("<I", 0)))
    assert "parameters do not fit the kind" in found.reason
    value = fields["parameter3.value"].start
    found = refusal(run, prepared.flipped(value, 1))
    assert "the keys are not the beacon's" in found.reason
    slow = prepared.with_bytes(fields["iterations"].start + 1, bytes([63]))
    assert "beacon of 2^63 hashes" in refusal(run, slow).reason


def test_import__container_rearranged__refused(run: Import, prepared: PtauBytes) -> None:
    sections = prepared.sections()
    rearranged = {
        "missing": sections[:-1],
        "doubled": [*sections[:3], sections[2], *sections[4:]],
        "out of order": [sections[1], sections[0], *sections[2:]],
        "unknown": [*sections[:-1], (16, sections[-1][1])],
        "half prepared": sections[:9],
        "more": [*sections, (16, b"")],
    }
    for name, parts in rearranged.items():
        assert refusal(run, PtauBytes.build(parts)).section == "table", name
    for content in (b"", b"ptau", prepared.content[:-1], prepared.content + b"\0"):
        assert refusal(run, PtauBytes(content)).section == "table"


@pytest.mark.parametrize("number", [n for n in NAMES if n != CONTRIBUTIONS])
def test_import__section_of_another_length__refused(
    run: Import, prepared: PtauBytes, number: int
) -> None:
    body = prepared.get(number)
    for changed in (body[:-1], body + b"\0", body + body[-128:], b""):
        assert refusal(run, prepared.with_section(number, changed)).section == NAMES[number]


def test_import__lagrange_points_exchanged__refused(run: Import, prepared: PtauBytes) -> None:
    """Two points exchanged: each is a Lagrange point, in the wrong place."""
    for number in (12, 13, 14, 15):
        first, second = prepared.point(number, 1), prepared.point(number, 2)
        changed = prepared.with_point(number, 1, second).with_point(number, 2, first)
        assert refusal(run, changed).section == NAMES[number]


def test_import__cut_file__largest_lagrange_size_padded_with_anything_else__refused(
    run: Import,
) -> None:
    """A cut file's largest size takes a power that was cut off: that one, and no other point."""
    cut = PtauBytes.load("cut-3-of-5.ptau")
    run(cut)
    top = 2 ** (3 + 1)
    first = cut.count(12) - top
    changed = cut.with_point(12, first, cut.point(12, first + 1))
    assert refusal(run, changed).section == "lagrangeTauG1"


def test_import__file_too_small_or_missing__refused(run: Import, tmp_path: Path) -> None:
    with pytest.raises(PtauError, match=r"2\^4 powers, 2\^5 are wanted"):
        run(PtauBytes.load("raw-4.ptau"), log_size=5)
    with pytest.raises(PtauError) as caught:
        import_ptau(tmp_path / "absent", tmp_path / "out", 3, None, lambda *_: None)
    assert caught.value.section == "file"
    with pytest.raises(PtauError) as caught:
        import_ptau(tmp_path, tmp_path / "out", 3, None, lambda *_: None)
    assert caught.value.section == "file"


def test_import__observer_raises__stops_and_leaves_nothing(tmp_path: Path) -> None:
    class StoppedByUserError(Exception):
        pass

    def observe(section: str, _done: int, _total: int) -> None:
        if section == "alphaTauG1":
            raise StoppedByUserError

    out = tmp_path / "out.srs"
    with pytest.raises(StoppedByUserError):
        import_ptau(VECTORS / "raw-4.ptau", out, 3, None, observe)
    assert list(tmp_path.iterdir()) == []


def draw_twist_point() -> bytes:
    """Return a point of the twist that is not of order r, in the file's encoding."""
    from py_ecc.fields import optimized_bn128_FQ2 as FQ2
    from py_ecc.optimized_bn128.optimized_curve import b2, is_inf, multiply

    k = 1
    while True:
        x = FQ2([k, 1])
        square = x * x * x + b2
        y = square ** ((Q * Q + 15) // 32)  # Q^2 = 9 mod 16: a root up to an eighth root of unity
        for power in range(8):
            root = y * (FQ2([9, 1]) ** ((Q * Q - 1) // 16 * power))
            if root * root == square:
                if not is_inf(multiply((x, root, FQ2.one()), R)):
                    coordinates = [int(c) for element in (x, root) for c in element.coeffs]
                    return b"".join(((c << 256) % Q).to_bytes(32, "little") for c in coordinates)
                break
        k += 1
