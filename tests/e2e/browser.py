"""A real headless Chromium on the console, and what every page of it has to hold."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

PHONE, DESK = (390, 844), (1440, 900)
AUDIT = (Path(__file__).parent / "audit.js").read_text()
_WATCH = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""

_GO = """address => new Promise((resolve) => {
  if (location.hash === address) return resolve();
  addEventListener("hashchange", () => resolve(), { once: true });
  location.hash = address;
})"""


@contextmanager
def chromium(*more: str) -> Iterator[Browser]:
    """The machine's Chromium, with `more` arguments.

    Where there is none the test is skipped; CI has one, so there it fails.
    """
    path = shutil.which("chromium")
    if path is None:
        reason = "no chromium on this machine (Debian: apt-get install chromium)"
        if os.environ.get("WAYSIDE_CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        # As root, as in a container, Chromium starts only without its sandbox.
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", *more])
        yield browser
        browser.close()


class Visit:
    """One person's browser window on the console, watched: what is wrong there fails the test at its end."""

    def __init__(self, browser: Browser, url: str, size: tuple[int, int] = DESK, **options: Any) -> None:
        width, height = size
        options = {"locale": "en-GB", **options}
        self.url = url
        self.context = browser.new_context(viewport={"width": width, "height": height}, **options)
        self.context.add_init_script(_WATCH)
        self.context.set_default_timeout(30_000)
        self.problems: list[str] = []
        self.page = self.open()

    def open(self) -> Page:
        """A further tab of the same person."""
        page = self.context.new_page()
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        return page

    def _heard(self, message: ConsoleMessage) -> None:
        # What the API refuses the browser logs by itself; whether it may refuse is each test's to say.
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            self.problems.append(message.text)

    def sign_in(self, key: str, address: str = "") -> Page:
        """Sign in at an address, such as `#/inbox`."""
        self.page.goto(f"{self.url}/console{address}")
        self.page.get_by_label("API key").fill(key)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.get_by_role("navigation", name="Pages").wait_for()
        self.settle()
        return self.page

    def go(self, address: str) -> None:
        """Go to an address within the console, and wait until nothing is loading there."""
        self.page.evaluate(_GO, address)
        self.settle()

    def settle(self) -> None:
        """Wait until nothing is loading."""
        expect(self.page.locator("main:not([aria-busy]) h1")).to_have_count(1)
        expect(self.page.locator("main .loading")).to_have_count(0)

    def audit(self, where: str) -> None:
        """Check what stands there now; what is wrong with it fails the test at the end, all of it together."""
        self.problems += [f"{where}: {each}" for each in self.page.evaluate(AUDIT)]

    def close(self) -> list[str]:
        """End the visit; returns what was wrong meanwhile."""
        for page in self.context.pages:
            self.problems += page.evaluate("window.violations ?? []")
        self.context.close()
        return self.problems


Visiting = Callable[..., Visit]
