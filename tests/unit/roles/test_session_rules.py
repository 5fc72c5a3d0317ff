"""When a batch is due: properties of every choice."""

from __future__ import annotations

import random

import pytest

from offchain.errors import OrderRefused
from offchain.roles.session_rules import (
    LEAST_SAFETY_S,
    SAFETY_BLOCKS,
    BatchRules,
    Result,
    choose_batch,
    compute_safety_s,
    group_by_step,
    read_request,
    read_result,
    request_to_detail,
    verify_request,
)
from offchain.types import (
    ETH,
    NOBODY,
    Amount,
    Digest,
    Seconds,
    Session,
    SessionId,
    SessionRequest,
    SessionState,
    SessionTerms,
    VersionId,
)

NOW = 1_000
ID = SessionId("0x" + "51" * 32)
TERMS = SessionTerms(NOBODY, NOBODY, NOBODY, VersionId(bytes(32)), ETH, Amount(5), 1)
DRAWS = 3_000


def draw_results(draw: random.Random) -> list[Result]:
    return [
        Result(
            SessionRequest(ID, nonce, Digest(b"\1" * 32), Seconds(NOW + draw.randint(-5, 60))),
            bytes(64),
            Digest(b"\2" * 32),
            Seconds(NOW - draw.randint(0, 30)),
        )
        for nonce in range(draw.randint(0, 12))
    ]


def test_choose_batch__any_facts__only_what_the_contract_takes_and_nothing_waits_too_long() -> None:
    seen: set[str] = set()
    for seed in range(DRAWS):
        draw = random.Random(seed)
        results = draw_results(draw)
        state = draw.choice([s for s in SessionState if s is not SessionState.NONE])
        closes_at = NOW + draw.randint(-3, 3)
        session = Session(ID, state, TERMS, Amount(100), Seconds(closes_at))
        rules = BatchRules(draw.randint(1, 8), draw.randint(0, 40), draw.randint(3, 20))
        room = draw.randint(0, 10)
        chosen = choose_batch(results, session, NOW, rules, room)
        is_open = state is SessionState.OPEN
        can_post = is_open or (state is SessionState.CLOSING and closes_at >= NOW)
        usable = [r for r in results if r.request.valid_until > NOW]
        assert len(chosen) <= min(rules.size, room)
        assert set(chosen) <= set(usable)
        assert not chosen or can_post
        is_urgent = any(
            r.request.valid_until - NOW <= rules.safety_s or NOW - r.served_at >= rules.seconds
            for r in usable
        )
        if usable and can_post and room:
            if is_urgent or not is_open or len(usable) >= rules.size:
                assert chosen, seed
                seen.add("due")
                first = min(r.request.valid_until for r in usable)
                assert chosen[0].request.valid_until == first
            else:
                assert not chosen, seed
                seen.add("waits")
        else:
            seen.add("impossible")
    assert seen == {"due", "waits", "impossible"}


def test_choose_batch__fees_do_not_pay_for_it__waits_for_others_whatever_ends() -> None:
    draw = random.Random(5)
    results = [r for r in draw_results(draw) if r.request.valid_until > NOW + 1]
    assert len(results) > 2
    closing = Session(ID, SessionState.CLOSING, TERMS, Amount(100), Seconds(NOW + 1))
    for session in (closing, Session(ID, SessionState.OPEN, TERMS, Amount(100), Seconds(0))):
        rules = BatchRules(size=64, seconds=0, safety_s=1_000, least=len(results))
        assert len(choose_batch(results, session, NOW, rules, room=64)) == len(results)
        assert choose_batch(results[1:], session, NOW, rules, room=64) == ()
        assert choose_batch(results, session, NOW, rules, room=len(results) - 1) == ()


@pytest.mark.parametrize(
    ("block_s", "expected"),
    [(0.0, LEAST_SAFETY_S), (0.1, LEAST_SAFETY_S), (1.0, SAFETY_BLOCKS), (12.0, 12 * 5)],
)
def test_compute_safety_s__blocks_of_the_chains_own_pace(block_s: float, expected: int) -> None:
    assert compute_safety_s(block_s) == expected


@pytest.mark.parametrize(("left", "is_taken"), [(11, True), (10, False), (0, False), (-4, False)])
def test_verify_request__time_to_run_and_commit(left: int, is_taken: bool) -> None:
    request = SessionRequest(ID, 0, Digest(bytes(32)), Seconds(NOW + left))
    if is_taken:
        verify_request(request, NOW, 5)
        return
    with pytest.raises(OrderRefused):
        verify_request(request, NOW, 5)


def test_group_by_step__neighbours_together() -> None:
    assert group_by_step([33, 0, 15, 16, 31, 2**32 - 1]) == (0, 1, 2, (2**32 - 1) // 16)


def test_journalled_request__read_as_written() -> None:
    request = SessionRequest(ID, 9, Digest(b"\3" * 32), Seconds(77))
    detail = request_to_detail(request, b"\5" * 64)
    assert read_request(ID, 9, detail) == (request, b"\5" * 64)
    assert read_result(ID, 9, detail) is None
    answered = {**detail, "out_digest": "04" * 32, "served_at": 5}
    assert read_result(ID, 9, answered) == Result(
        request, b"\5" * 64, Digest(b"\4" * 32), Seconds(5)
    )
