"""What a person does on the page, step by step; each ends when the page has answered."""

from __future__ import annotations

from typing import Final

from playwright.sync_api import Locator, Page, expect

from offchain.cli.demo.showcase import Showcase
from tests.dapp.browser import TIMEOUT_MS

expect.set_options(timeout=TIMEOUT_MS)

SLOW_MS: Final = 60_000.0  # a proof, or several blocks and a poll of the operator
WINDOW_S: Final = 95  # past the showcase's window, whatever second it is
CHEATED_DIGIT: Final = 3  # of the examples; the cheat's weights change its scores


def connect(page: Page, account: int = 0) -> str:
    """Connect the development wallet, choose one of its accounts, and return its address."""
    page.get_by_test_id("connect").click()
    dialog = page.get_by_test_id("wallet-dialog")
    dialog.get_by_test_id("offer-zkdps.development").click()
    page.get_by_test_id("wallet").click()
    choice = page.get_by_test_id("account")
    choice.select_option(index=account)
    address = choice.input_value()
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_be_hidden()
    return address


def open_order(page: Page, stage: Showcase, version: str) -> None:
    """Go to the order form with a version chosen."""
    page.goto(f"{stage.dapp}#/submit?version={stage.versions[version]}")
    expect(page.locator(f'input[value="{stage.versions[version]}"]')).to_be_checked()


def choose_example(page: Page, number: int) -> None:
    """Take one of the publisher's examples as input."""
    page.get_by_test_id("example").nth(number).click()


def submit(page: Page) -> str:
    """Order what the form says; return the job's id from the page that follows."""
    page.get_by_test_id("submit").click()
    page.wait_for_url("**/#/jobs/0x*")
    return page.url.rsplit("/", 1)[1]


def order_digit(page: Page, stage: Showcase, version: str = "digits", example: int = 3) -> str:
    """Order one of the example digits."""
    open_order(page, stage, version)
    choose_example(page, example)
    return submit(page)


def get_state(page: Page) -> Locator:
    """Return the element whose data-state is the job's state on the chain."""
    return page.get_by_test_id("state")


def await_state(page: Page, state: str) -> None:
    """Wait until the page shows a job in this state."""
    expect(get_state(page)).to_have_attribute("data-state", state, timeout=SLOW_MS)


def await_verdict(page: Page, verdict: str) -> None:
    """Wait until the page's own check of the answer has ended like this."""
    expect(page.get_by_test_id("verdict")).to_have_attribute(
        "data-verdict", verdict, timeout=SLOW_MS
    )
