"""The page comes up, quietly, from its own origin, and the fixtures see what they are there for."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from offchain.cli.demo.offers import CHEAT_TITLE
from offchain.cli.demo.showcase import Showcase
from tests.dapp.browser import Watcher, check_page, find_violations


def test_start__fresh_browser__a_title_and_no_complaint(page: Page, stage: Showcase) -> None:
    expect(page.get_by_test_id("model")).to_have_count(3)
    check_page(page, "start")
    assert page.url.startswith(stage.dapp)


def test_models__both_and_the_cheat__named_as_what_they_are(page: Page, stage: Showcase) -> None:
    page.goto(stage.dapp + "#/models")
    for title in ("Handwritten digits", "Language of a text", CHEAT_TITLE):
        expect(page.get_by_text(title).first).to_be_visible()


def test_start__requests__to_the_page_the_gateway_and_the_node_only(
    page: Page, stage: Showcase
) -> None:
    asked: set[str] = set()
    page.on("request", lambda request: asked.add("/".join(request.url.split("/")[:3])))
    page.reload(wait_until="networkidle")
    allowed = {stage.dapp.rstrip("/"), stage.gateway, stage.anvil.url}
    assert asked <= allowed | {"data:"}, asked - allowed


def test_watcher__errors_of_a_page__fail_its_test(page: Page, watcher: Watcher) -> None:
    page.evaluate("() => console.error('broken')")
    page.evaluate("() => setTimeout(() => { throw new Error('thrown') })")
    page.wait_for_timeout(100)
    with pytest.raises(AssertionError, match=r"broken[\s\S]*thrown"):
        watcher.verify()
    watcher.allow("broken|thrown")


def test_violations__picture_and_button_without_words__found(page: Page) -> None:
    assert find_violations(page) == []
    nameless = "<img src='mark.svg'><button></button>"
    page.evaluate("html => document.body.insertAdjacentHTML('beforeend', html)", nameless)
    assert {found.split()[0] for found in find_violations(page)} >= {"image-alt", "button-name"}
