"""An evaluation's report in a real browser: its own styles and plots show under the policy that it is served with."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, async_playwright

from app.evaluations import Evaluations
from app.workspace import TENANT
from core.types import Role
from evals.cli import record
from evals.intervals import Interval
from evals.report import render
from evals.runner import Result, Run
from tests.fakes.gateway import gateway, listening

HOSTILE = "<script>document.title='ran'</script><img src=x onerror=\"document.title='ran'\">"


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """Chromium, as the system has it. Where WAYSIDE_CI is set, a missing one fails instead of skipping."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None and "WAYSIDE_CI" not in os.environ:
        pytest.skip("no Chromium")
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield started
        await started.close()


async def test_the_report_shows_its_plots_and_runs_nothing(tmp_path: Path, browser: Browser) -> None:
    results = [Result(f"c{number}", 0.1, {"share": number / 9}, {"text": HOSTILE}) for number in range(10)]
    run = Run("triage", 0, {"data": HOSTILE}, {"share": Interval(0.5, 0.3, 0.7, 10)}, frozenset(), results, 1.0)
    async with gateway(tmp_path) as served, listening(served) as url:
        secret, _ = await served.parts.identity.create(TENANT, "engineer", Role.ENGINEER)
        kept = record(run, None)
        Evaluations(tmp_path).store(kept, render(run))
        page = await browser.new_page(
            extra_http_headers={"authorization": f"Bearer {secret}"}, viewport={"width": 390, "height": 800}
        )
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        await page.goto(f"{url}/api/evals/{kept.id}/report")
        await page.locator("summary").click()
        heights = [
            await plot.evaluate("plot => getComputedStyle(plot).height") for plot in await page.locator("svg").all()
        ]
        assert heights == ["28px", "101px"], "a style attribute gives each plot its height"
        assert await page.locator("rect.bin").count() == 10
        colour = await page.locator("rect.bin").first.evaluate("bar => getComputedStyle(bar).fill")
        assert colour != "rgb(0, 0, 0)", "the style sheet colours the bars"
        assert await page.title() == "Wayside · triage"
        assert await page.locator("dd", has_text="document.title").count() == 6, "what looks like a script is text"
        assert said == []
