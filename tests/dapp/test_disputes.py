"""Challenging on the page: an honest operator proves and takes the bond, a cheat is slashed."""

from __future__ import annotations

import re
from typing import Final

from playwright.sync_api import Page, expect

from offchain.cli.demo.showcase import Showcase
from offchain.roles.context import Contracts, bind_contracts
from offchain.roles.context import connect as connect_chain
from offchain.types import Address, JobId
from tests.dapp.browser import Watcher, check_page
from tests.dapp.steps import SLOW_MS, await_state, await_verdict, connect, order_digit

PROVE_S: Final = 70  # past the showcase's time to prove, the version's own included
AIRGAP_S: Final = 35


def bind(stage: Showcase) -> Contracts:
    """Return the contracts, to hold the page against."""
    return bind_contracts(*connect_chain(stage.anvil.url, stage.manifest))


def test_challenge__honest_operator__proven_and_the_bond_lost(page: Page, stage: Showcase) -> None:
    account = Address(connect(page, 1))
    job = JobId(order_digit(page, stage))
    await_state(page, "COMMITTED")
    await_verdict(page, "agrees")
    card = page.get_by_test_id("challenge-card")
    expect(card).to_contain_text("It would lose")
    expect(card).to_contain_text("The whole bond is lost")
    page.get_by_test_id("challenge").click()
    await_state(page, "PROVEN")
    expect(page.get_by_test_id("outcome")).to_contain_text(re.compile(r"Your bond of .* is lost"))
    expect(page.get_by_test_id("assurance")).to_contain_text("Proven")
    check_page(page, "job-proven")

    contracts = bind(stage)
    dispute = contracts.game.get_dispute_of(job)
    assert dispute is not None
    assert dispute.bond_wei > 0
    # Only what was sent beyond the bond came back.
    assert contracts.vault.get_account(account).credit < dispute.bond_wei


def test_challenge__cheat__slashed_and_everything_withdrawn(
    page: Page, stage: Showcase, watcher: Watcher
) -> None:
    account = Address(connect(page, 2))
    job = JobId(order_digit(page, stage, "cheat"))
    await_state(page, "COMMITTED")
    await_verdict(page, "differs")
    expect(page.get_by_test_id("verdict")).to_contain_text("Computed here: 3.")
    check_page(page, "job-differs")

    # A gateway that sides with the cheat withholds the model: the challenge stays.
    watcher.allow("404")
    page.route("**/models/**", lambda route: route.fulfill(status=404, body="{}"))
    page.reload()
    expect(page.get_by_test_id("challenge-card")).to_contain_text("Not checked")
    page.unroute("**/models/**")
    page.reload()
    await_verdict(page, "differs")
    page.get_by_test_id("challenge").click()
    await_state(page, "DISPUTED")
    expect(page.get_by_test_id("dispute")).to_contain_text("You are in it")
    check_page(page, "job-disputed")

    page.reload()  # all of it is on the chain
    stage.skip(PROVE_S)
    page.get_by_test_id("claimDefault").click(timeout=SLOW_MS)
    await_state(page, "REJECTED")
    expect(page.get_by_test_id("answer")).to_contain_text("this answer does not count")

    stage.skip(AIRGAP_S)
    page.get_by_test_id("distributeSlash").click(timeout=SLOW_MS)
    expect(page.get_by_test_id("timeline")).to_contain_text("Stake divided", timeout=SLOW_MS)
    expect(page.get_by_test_id("state-card")).to_contain_text("came to you")
    check_page(page, "job-slashed")

    contracts = bind(stage)
    assert contracts.vault.get_funds(job).lock == 0
    credit = contracts.vault.get_account(account).credit
    dispute = contracts.game.get_dispute_of(job)
    assert dispute is not None
    assert (
        credit > dispute.bond_wei + contracts.market.get_job(job).fee
    )  # and its part of the stake

    page.goto(f"{stage.dapp}#/account")
    expect(page.get_by_test_id("credit")).to_be_visible()
    check_page(page, "account-credit")
    page.get_by_test_id("withdraw").click()
    expect(page.get_by_test_id("credit-card")).to_contain_text("Nothing to withdraw")
    assert contracts.vault.get_account(account).credit == 0
    check_page(page, "account-empty")

    # Out of jail, for the tests that follow: it takes no job while it is there.
    standing = contracts.vault.get_standing(Address(stage.operators["cheat"]))
    stage.skip(max(1, standing.jailed_until - stage.get_time() + 1))
