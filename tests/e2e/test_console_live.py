"""The console on the real gateway: a double charge, from the customer's words to the money, in two browsers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.browser import DESK, PHONE, Visit
from tests.e2e.server import Server

ORDER, CUSTOMER = "ORD-12300", "CUS-00540"  # charged twice in the demo


@pytest.fixture
def visits(browser: Browser, demo_server: Server) -> Iterator[tuple[Visit, Visit]]:
    """A customer with a phone, and a desk; what was wrong in either fails the test."""
    both = Visit(browser, demo_server.url, PHONE), Visit(browser, demo_server.url, DESK)
    yield both
    problems = [problem for each in both for problem in each.close()]
    assert not problems, "\n".join(problems)


def test_an_approval_made_in_the_browser_resumes_the_run(visits: tuple[Visit, Visit], demo_server: Server) -> None:
    customer, staff = visits
    with demo_server.http() as http:
        made = http.post("/api/keys", json={"name": "phone", "role": "client", "customer_id": CUSTOMER}).json()
        before = http.get(f"/api/orders/{ORDER}").json()
    phone = customer.sign_in(made["key"])
    message = phone.get_by_label("Message", exact=True)
    message.fill("How long do I have to send something back?")
    message.press("Enter")
    phone.get_by_role("button", name="Source 1").click(timeout=60_000)
    expect(phone.get_by_role("dialog")).to_contain_text("Returns policy")
    phone.keyboard.press("Escape")
    phone.get_by_role("button", name="Good answer").click()
    expect(phone.locator(".toast")).to_be_visible()

    message.fill("I was charged twice for my order")
    message.press("Enter")
    card = phone.get_by_role("article", name="Approval: Issue a refund")
    expect(card).to_contain_text("Waiting for a person", timeout=60_000)

    desk = staff.sign_in(demo_server.key, "#/approvals")
    desk.get_by_role("link", name="Issue a refund").filter(has_text=CUSTOMER).click()
    desk.get_by_role("button", name="Approve", exact=True).click()
    desk.get_by_role("dialog").get_by_role("button", name="Approve").click()
    expect(desk.locator(".detail-head .badge")).to_have_text("approved")

    expect(card).to_contain_text("Approved", timeout=30_000)
    expect(phone.locator(".assistant .said-text").last).to_contain_text("on their way back to you", timeout=30_000)
    with demo_server.http() as http:
        after = http.get(f"/api/orders/{ORDER}").json()
    assert (before["refunded"], after["refunded"]) == ("0.00", "624.90")

    # The conversation as it went is there for whoever looks at it.
    desk.get_by_role("link", name="Timeline").click()
    conversation = desk.get_by_role("link", name="I was charged twice")
    conversation.first.click()
    expect(conversation).to_have_count(2)  # the conversation itself, and its turn
    conversation.last.click()
    expect(desk.locator(".waterfall > li").filter(has_text="Issue a refund")).to_have_count(1)
    staff.audit("turn")
    customer.audit("chat")


def test_the_work_pages_stand_on_the_real_records(visits: tuple[Visit, Visit], demo_server: Server) -> None:
    visit = visits[1]
    page = visit.sign_in(demo_server.key, "#/inbox")
    page.get_by_label("Filter").fill("shows two charges")
    page.locator(".list-rows .row").first.click()
    expect(page.get_by_role("group", name="Category")).to_contain_text("billing", timeout=60_000)
    visit.settle()
    visit.audit("ticket")
    visit.go("#/documents")
    page.get_by_label("Search the documents").fill("return a tent")
    page.keyboard.press("Enter")
    expect(page.locator(".hits li").first).to_be_visible()
    visit.audit("documents")
    visit.go("#/evaluations")
    visit.audit("evaluations")
