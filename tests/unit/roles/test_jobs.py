"""A walk over many jobs asks again about those that may have changed, and only about them."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain as chain_up
from types import SimpleNamespace
from typing import Any

import pytest

from offchain.roles.jobs import MAX_AGE_S, MOST_AGED, JobBook
from offchain.types import JobId

JOBS = tuple(JobId(f"0x{number:064x}") for number in range(3))


@dataclass
class Chain:
    """A cursor and a head that count what they are asked."""

    position: int = 10
    rewinds: int = 0
    now: float = 0.0
    blocks: dict[str, int] = field(default_factory=lambda: dict.fromkeys(JOBS, 5))
    asked: list[JobId] = field(default_factory=list)
    gone: set[JobId] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.book = JobBook(MAX_AGE_S, lambda: self.now)

    def get_position(self) -> int:
        return self.position

    def get_last_blocks(self) -> dict[str, int]:
        return self.blocks

    def read(self, job_id: JobId) -> Any:
        self.asked.append(job_id)
        return None if job_id in self.gone else SimpleNamespace(id=job_id)

    def walk(self, live: tuple[JobId, ...] = JOBS) -> list[JobId]:
        """Return which jobs the chain was asked about."""
        self.asked = []
        found = [job.id for job in self.book.read(self, live, self.read)]  # type: ignore[arg-type]
        assert found == [job_id for job_id in live if job_id not in self.gone]
        return self.asked


@pytest.fixture
def chain() -> Chain:
    chain = Chain()
    assert chain.walk() == list(JOBS)
    assert chain.walk() == []
    return chain


def test_read__an_event_since__that_job_again(chain: Chain) -> None:
    chain.position, chain.blocks[JOBS[1]] = 12, 11
    assert chain.walk() == [JOBS[1]]
    chain.position = 13
    assert chain.walk() == []


def test_read__reorganised__all_again(chain: Chain) -> None:
    chain.position = 9
    assert chain.walk() == list(JOBS)


def test_read__reorganised_and_already_past_it__all_again(chain: Chain) -> None:
    chain.rewinds, chain.position = 1, 12
    assert chain.walk() == list(JOBS)
    assert chain.walk() == []


def test_read__job_that_the_head_has_not__asked_about_again_after_its_event(chain: Chain) -> None:
    chain.position, chain.blocks[JOBS[0]] = 11, 11
    chain.gone.add(JOBS[0])
    assert chain.walk() == [JOBS[0]]
    chain.gone.clear()
    chain.position = chain.blocks[JOBS[0]] = 12
    assert chain.walk() == [JOBS[0]]


def test_read__closed_and_live_again__read_again(chain: Chain) -> None:
    assert chain.walk(JOBS[1:]) == []
    assert chain.walk() == [JOBS[0]]


def test_read__old__a_few_at_a_time_and_each_in_its_turn() -> None:
    many = tuple(JobId(f"0x{number:064x}") for number in range(2 * MOST_AGED + 1))
    chain = Chain(blocks=dict.fromkeys(many, 5))
    chain.walk(many)
    chain.now += MAX_AGE_S
    asked = [chain.walk(many) for _ in range(4)]
    assert [len(jobs) for jobs in asked] == [MOST_AGED, MOST_AGED, 1, 0]
    assert sorted(chain_up(*asked)) == sorted(many)


def test_read__without_an_age__every_job_every_time() -> None:
    chain = Chain()
    chain.book = JobBook()
    assert chain.walk() == chain.walk() == list(JOBS)
