"""Pages without a wallet, without a job, without a gateway; themes; ways through by keyboard."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from offchain.cli.demo.showcase import Showcase
from tests.dapp.browser import Watcher, check_page


def test_my_jobs_and_account__no_wallet__say_what_to_do(page: Page, stage: Showcase) -> None:
    for path, words in (("my-jobs", "to see your jobs"), ("account", "to see your credit")):
        page.goto(f"{stage.dapp}#/{path}")
        expect(page.get_by_test_id("empty")).to_contain_text(words)
        check_page(page, f"{path}-no-wallet")
        page.get_by_test_id(f"{path}-connect").click()
        expect(page.get_by_test_id("wallet-dialog")).to_be_visible()
        page.keyboard.press("Escape")


def test_address__no_page__says_so(page: Page, stage: Showcase) -> None:
    page.goto(f"{stage.dapp}#/nowhere/at/all")
    expect(page.get_by_test_id("empty")).to_contain_text("There is no such page")
    check_page(page, "not-found")
    page.goto(f"{stage.dapp}#/jobs/0x12")
    expect(page.get_by_test_id("empty")).to_contain_text("no job's id")


def test_job__unknown__not_taken_for_a_fault(page: Page, stage: Showcase, watcher: Watcher) -> None:
    watcher.allow("404")  # the gateway does not know it either
    page.goto(f"{stage.dapp}#/jobs/0x{'ab' * 32}")
    expect(page.get_by_test_id("empty")).to_contain_text("The chain knows no such job")
    check_page(page, "job-unknown")


def test_gateway__away__said_and_tried_again(page: Page, stage: Showcase, watcher: Watcher) -> None:
    watcher.allow("ERR_CONNECTION_REFUSED|ERR_FAILED")
    page.route(f"{stage.gateway}/config", lambda route: route.abort("connectionrefused"))
    page.reload()
    expect(page.get_by_test_id("error")).to_contain_text("The gateway does not answer")
    check_page(page, "gateway-away")
    page.unroute(f"{stage.gateway}/config")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("heading", name="Order an inference")).to_be_visible()


def test_gateway__names_other_contracts__refused(page: Page, stage: Showcase) -> None:
    def lie(route: object) -> None:
        answer = route.fetch()  # type: ignore[attr-defined]
        document = answer.json()
        document["contracts"]["StakeVault"] = document["contracts"]["ModelRegistry"]
        route.fulfill(response=answer, json=document)  # type: ignore[attr-defined]

    page.route(f"{stage.gateway}/config", lie)
    page.reload()
    expect(page.get_by_test_id("error")).to_contain_text("do not fit together")


def test_theme__chosen__kept(page: Page) -> None:
    expect(page.get_by_role("heading", name="Order an inference")).to_be_visible()
    background = "() => getComputedStyle(document.body).backgroundColor"
    before = page.evaluate(background)
    page.get_by_role("button", name="Switch to light").click()
    page.get_by_role("button", name="Switch to dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    dark = page.evaluate(background)
    assert dark != before
    page.reload()
    assert page.evaluate(background) == dark


def test_keyboard__skip_link_and_navigation__reach_everything(page: Page, stage: Showcase) -> None:
    expect(page.get_by_role("heading", name="Order an inference")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
    page.get_by_role("navigation", name="Main", exact=True).get_by_role(
        "link", name="Account"
    ).press("Enter")
    expect(page.get_by_role("heading", name="Account", exact=True)).to_be_visible()
    expect(page.get_by_role("main")).to_be_focused()  # a page change, for who does not see it


def test_phone__navigation__at_the_thumb(phone: Page) -> None:
    below = phone.get_by_role("navigation", name="Main, below")
    below.get_by_role("link", name="My jobs").click()
    expect(phone.get_by_role("heading", name="My jobs")).to_be_visible()
    expect(below.get_by_role("link", name="My jobs")).to_have_attribute("aria-current", "page")
