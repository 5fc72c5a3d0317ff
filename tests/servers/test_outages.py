"""A database that goes away is told as such, and what it had confirmed is there when it returns."""

from __future__ import annotations

from dataclasses import replace

import pytest

from offchain.chain.database import Place
from offchain.chain.journal import Journal, StepKey, StepStatus
from offchain.errors import DatabaseUnavailable
from tests.servers.processes import Postgres
from tests.unit.chain.test_journal import ACCOUNT, KEY, sign

OTHER = StepKey("operator", "9", "prove")


def test_journal__server_killed__unavailable_and_complete_afterwards(
    place: Place, postgres: Postgres
) -> None:
    secret = replace(place, url=place.url.replace("zkdps@", "zkdps:secret@"))
    journal = Journal(secret)
    journal.put_step(KEY, StepStatus.DONE)
    journal.put_transaction(sign())
    postgres.kill()
    for use in (
        lambda: journal.is_done(KEY),
        lambda: journal.put_step(OTHER, StepStatus.DONE),
        lambda: journal.locks.hold("nonce").__enter__(),
        lambda: journal.locks.try_hold("step").__enter__(),
        lambda: Journal(secret),
    ):
        with pytest.raises(DatabaseUnavailable, match=f"127.0.0.1:{postgres.port}") as lost:
            use()
        assert "secret" not in str(lost.value) and "zkdps" not in str(lost.value)
    postgres.run()
    assert journal.is_done(KEY) and not journal.is_done(OTHER)
    assert journal.get_unsettled_transactions(ACCOUNT) == (sign(),)
    with journal.locks.try_hold("step") as mine:
        assert mine


def test_journal__server_killed_in_a_transaction__nothing_of_it_stays(
    place: Place, postgres: Postgres
) -> None:
    journal = Journal(place)
    with pytest.raises(DatabaseUnavailable), journal.atomic():
        journal.put_step(KEY, StepStatus.DONE)
        postgres.kill()
        journal.increment("withdraw")
    postgres.run()
    assert not journal.is_done(KEY)
    assert journal.get_counter("withdraw") == 0


def test_journal__two_roles_on_one_server__nothing_is_shared(place: Place) -> None:
    operator, client = Journal(place), Journal(replace(place, space=place.space + "/client"))
    operator.put_transaction(sign())
    operator.put_step(KEY, StepStatus.DONE)
    assert client.get_step(KEY) is None
    assert client.get_highest_nonce(ACCOUNT) is None
    client.put_transaction(sign())
    assert len(operator.get_unsettled_transactions(ACCOUNT)) == 1
