"""One showcase for all browser tests: chain, contracts, operators, gateway and page, as processes.

    def test_order__digit__answered(page, stage):      # `page` is at the page's start, 1280 px wide
        page.goto(stage.dapp + "#/submit")
        ...
        stage.skip(95)                                 # the chain's clock, past a window of 90 s
        check_page(page, "job-final")                  # axe-core, widths, screenshots

A test fails for any error or warning in the page's console unless it says `watcher.allow(pattern)`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from offchain.cli.demo.command import ROOT
from offchain.cli.demo.narrator import Narrator
from offchain.cli.demo.showcase import Showcase, open_showcase
from tests.dapp.browser import DESKTOP, PHONE, TIMEOUT_MS, Watcher, open_browser

Account = Callable[[int], str]


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Showcase]:
    """Everything that the page needs, on free ports."""
    folder = tmp_path_factory.mktemp("showcase")
    with open_showcase(folder, ROOT / ".local" / "models", Narrator(print)) as showcase:
        yield showcase
        showcase.check()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


@pytest.fixture
def watcher() -> Watcher:
    """What the page complains of; verified after the test."""
    return Watcher()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser that has never been here: no storage, no cookies."""
    opened = browser.new_context(viewport=DESKTOP, locale="en-GB", reduced_motion="reduce")
    opened.set_default_timeout(TIMEOUT_MS)
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext, stage: Showcase, watcher: Watcher) -> Iterator[Page]:
    """The page at its start, on a desktop."""
    opened = context.new_page()
    watcher.watch(opened)
    opened.goto(stage.dapp)
    yield opened
    watcher.verify()


@pytest.fixture
def phone(page: Page) -> Page:
    """The same page, as narrow as a phone."""
    page.set_viewport_size(PHONE)
    return page
