"""The console on the real gateway: a double charge, from the customer's words to the money, in two browsers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

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


def test_what_a_person_says_of_a_payment_is_its_label(visits: tuple[Visit, Visit], demo_server: Server) -> None:
    at = datetime.now(UTC).isoformat()
    paid = {"at": at, "card": "CRD-00042", "terminal": "TRM-WEB", "amount": "19.90"}
    with demo_server.http() as http:
        for number in range(7):
            made = http.post("/api/fraud/score", json={"id": f"LIVE-{number}", **paid}).json()
    assert (made["band"], made["outcome"]) == ("review", None)
    visit = visits[1]
    page = visit.sign_in(demo_server.key, "#/fraud")
    page.get_by_role("link", name="19.90 · CRD-00042").click()
    expect(page.locator(".grounds")).to_contain_text("The card was used 7 times within an hour")
    visit.audit("payment")
    page.get_by_role("button", name="It was fraud").click()
    expect(page.get_by_text("Nothing waits")).to_be_visible()
    page.get_by_role("link", name="All").click()
    page.locator(".list-rows .row").first.click()
    expect(page.get_by_text("Said by you")).to_be_visible()
    page.get_by_role("button", name="Block the card").click()
    page.get_by_label("Reason").fill("Seven times within a minute.")
    page.get_by_role("dialog").get_by_role("button", name="Block the card").click()
    expect(page.locator(".toast").filter(has_text="CRD-00042 is on the list.")).to_be_visible()
    with demo_server.http() as http:
        assert http.get("/api/fraud/decisions/LIVE-6").json()["outcome"] == "fraud"
        again = http.post("/api/fraud/score", json={"id": "LIVE-7", **paid}).json()
    assert (again["band"], again["rules"][0]) == ("block", "blocked_card")
