"""The drift page in a real browser: what moved, what it achieves, and a look on demand."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.browser import DESK, PHONE, Visiting
from tests.fakes import console_data as data
from tests.fakes.console_api import ConsoleApi


@pytest.mark.parametrize("size", [PHONE, DESK])
def test_what_moved_is_told_and_shown(visiting: Visiting, size: tuple[int, int]) -> None:
    visit = visiting(size)
    page = visit.sign_in("wsk_engineer", "#/drift")
    rows = page.locator(".row")
    expect(rows).to_have_count(3)
    expect(rows.nth(0)).to_contain_text("1 moved")
    expect(rows.nth(1)).to_contain_text("nothing moved")
    expect(rows.nth(2)).to_contain_text("nothing can be said")
    visit.audit("checks")
    rows.nth(0).click()
    expect(page.locator("main h2")).to_have_text("Fraud, version 4")
    expect(page.locator(".metric").first).to_contain_text("amount: above 220 is 38% of the window, and was 10%")
    expect(page.locator(".metric").first).to_contain_text(data.HOSTILE)
    meets = page.locator(".block").filter(has_text="What it meets").locator(".metric")
    # The furthest first.
    expect(meets.nth(0)).to_contain_text("amount0.339moved")
    expect(meets.nth(2)).to_contain_text("hour0.003")
    achieves = page.locator(".block").filter(has_text="What it achieves").locator(".metric")
    expect(achieves.nth(1)).to_contain_text("frauds to frauds expected1.105usual 0.819 – 1.271")
    page.get_by_role("button", name="Show it").click()
    expect(page.frame_locator("iframe").get_by_text("165 cases")).to_be_visible()
    assert page.evaluate("window.broken") is None
    visit.problems = [each for each in visit.problems if "inline event handler" not in each]
    visit.audit("check")


def test_an_engineer_looks_now(visiting: Visiting, api: ConsoleApi) -> None:
    visit = visiting()
    page = visit.sign_in("wsk_engineer", "#/drift")
    page.get_by_role("button", name="Look now").click()
    expect(page.locator("main h2")).to_have_text("Fraud, version 4")
    expect(page.locator(".row")).to_have_count(4)
    [(_, told)] = api.received
    assert told["model"] == "fraud"
    assert told["key"]


def test_what_cannot_be_said_is_said_and_others_do_not_see_the_page(visiting: Visiting) -> None:
    visit = visiting()
    page = visit.sign_in("wsk_engineer", f"#/drift/drf_{1:032x}")
    expect(page.get_by_text("the window holds 12 rows: 200 are the least")).to_be_visible()
    other = visiting()
    page = other.sign_in("wsk_staff", "#/drift")
    expect(page.get_by_text("There is nothing here for your key.")).to_be_visible()
