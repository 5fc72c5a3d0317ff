"""A headless Chromium, and pages that fail a test for whatever they complain about."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Page,
    Request,
    Response,
    ViewportSize,
    expect,
    sync_playwright,
)

ROOT: Final = Path(__file__).parents[2]
SCREENSHOTS: Final = ROOT / ".local" / "screenshots"
AXE: Final = ROOT / "offchain" / "dapp" / "node_modules" / "axe-core" / "axe.min.js"
NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS: Final = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
DESKTOP: Final[ViewportSize] = {"width": 1280, "height": 900}
PHONE: Final[ViewportSize] = {"width": 390, "height": 844}
SCHEMES: Final = ("light", "dark")
# Nothing but what counts: neither lists of what passed nor files fetched once more.
RUN_AXE: Final = """async () => {
  const options = { resultTypes: ["violations"], preload: false };
  return (await axe.run(document, options)).violations;
}"""
SERIOUS: Final = frozenset({"serious", "critical"})
TIMEOUT_MS: Final = 20_000.0  # of one expectation; several blocks on a busy machine


class NoBrowser(RuntimeError):
    """There is no Chromium on this machine."""


def find_chromium() -> str:
    """Return Chromium's path; raise NoBrowser, saying how to get one."""
    named = os.environ.get("ZKDPS_CHROMIUM")
    found = named or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        raise NoBrowser(
            "no Chromium here: install it (Debian, Ubuntu: apt-get install chromium) or name it in "
            "ZKDPS_CHROMIUM"
        )
    return found


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Run a headless Chromium until the block is left."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Watcher:
    """Everything that a page complained of; `allow` names what a test provokes on purpose."""

    complaints: list[str] = field(default_factory=list)
    allowed: list[re.Pattern[str]] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        """Note errors and warnings of the console, exceptions, and requests that fail."""
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self._note(f"exception: {error}"))
        page.on("requestfailed", self._on_request_failed)
        page.on("response", self._on_response)

    def allow(self, pattern: str) -> None:
        """Expect a complaint that matches; one that a test provokes."""
        self.allowed.append(re.compile(pattern))

    def verify(self) -> None:
        """Raise AssertionError for any complaint that nobody expected."""
        unexpected = [c for c in self.complaints if not any(p.search(c) for p in self.allowed)]
        assert not unexpected, "the page complained:\n" + "\n".join(unexpected)

    def _note(self, text: str) -> None:
        self.complaints.append(text)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._note(f"console {message.type}: {message.text} ({message.location.get('url')})")

    def _on_request_failed(self, request: Request) -> None:
        # A page that is left cuts off its streams and whatever it was fetching.
        if request.failure != "net::ERR_ABORTED":
            self._note(f"request failed: {request.method} {request.url}: {request.failure}")

    def _on_response(self, response: Response) -> None:
        if response.status >= 500:
            self._note(f"status {response.status}: {response.request.method} {response.url}")


def find_violations(page: Page) -> list[str]:
    """Return axe-core's serious and critical findings in the page as it is now."""
    # Evaluated through the debugger, which the page's Content-Security-Policy does not concern.
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate(RUN_AXE)
    return [
        f"{violation['id']} ({violation['impact']}): {violation['help']}: "
        + "; ".join(node["html"][:200] for node in violation["nodes"][:3])
        for violation in found
        if violation["impact"] in SERIOUS
    ]


def find_height(page: Page) -> int:
    """Return how tall the page is, in pixels."""
    height: int = page.evaluate("() => document.documentElement.scrollHeight")
    return height


def find_overflow(page: Page) -> int:
    """Return by how many pixels the page is wider than its window."""
    width: int = page.evaluate(
        "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    return width


def check_page(page: Page, name: str) -> None:
    """Check a page at both widths in both schemes, and leave a screenshot of each.

    Raises AssertionError for serious findings of axe-core, and for sideways scrolling.
    """
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    expect(page.get_by_test_id("loading")).to_have_count(0, timeout=TIMEOUT_MS)
    size = page.viewport_size or DESKTOP
    problems = []
    for width, viewport in (("1280", DESKTOP), ("390", PHONE)):
        page.set_viewport_size(viewport)
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            # As tall as the page: what is fixed to the window's edges is at the picture's.
            page.set_viewport_size(
                {**viewport, "height": max(viewport["height"], find_height(page))}
            )
            page.wait_for_timeout(150)  # a transition of colours would be measured half-way
            where = f"{name} at {width} px, {scheme}"
            page.screenshot(
                path=SCREENSHOTS / f"{name}-{width}-{scheme}.png",
                full_page=True,
                animations="disabled",
            )
            problems += [f"{where}: {found}" for found in find_violations(page)]
            overflow = find_overflow(page)
            if overflow > 0:
                problems.append(f"{where}: {overflow} px wider than the window")
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(size)
    assert not problems, "\n".join(problems)
