"""The console's shell and all its pages, in a real browser over the fake API."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser import DESK, PHONE, Visiting
from tests.fakes.console_api import ConsoleApi

SMALL = (360, 740)
ADDRESSES = [
    "#/chat",
    "#/chat/new",
    "#/chat/thread-y_a1",
    "#/inbox",
    "#/inbox?status=resolved",
    "#/inbox?status=closed",
    "#/inbox/TCK-00031",
    "#/inbox/TCK-00033",
    "#/inbox/TCK-99999",
    "#/approvals",
    "#/approvals?status=expired",
    "#/approvals/apr_stock",
    "#/approvals/apr_hostile",
    "#/approvals/apr_edited?status=approved",
    "#/fraud",
    "#/fraud?view=all",
    "#/fraud/PAY-0199",
    "#/fraud/PAY-0197",
    "#/fraud/PAY-9999",
    "#/field",
    "#/field/fr_ready",
    "#/field/fr_failed",
    "#/timeline",
    "#/timeline/thread-y_a1",
    "#/timeline/turn/run-5",
    "#/documents",
    "#/evaluations",
    "#/evaluations/evl_0003",
    "#/drift",
    f"#/drift/drf_{3:032x}",
    f"#/drift/drf_{1:032x}",
    "#/nowhere",
]


@pytest.mark.parametrize(("size", "scheme"), [(SMALL, "light"), (PHONE, "dark"), (DESK, "light"), (DESK, "dark")])
def test_every_page_is_sound(visiting: Visiting, size: tuple[int, int], scheme: str) -> None:
    visit = visiting(size, color_scheme=scheme)
    visit.page.goto(f"{visit.url}/console")
    visit.page.get_by_label("API key").wait_for()
    visit.audit("sign-in")
    visit.sign_in("wsk_admin")
    for address in ADDRESSES:
        visit.go(address)
        visit.audit(address)
        assert visit.page.title().endswith("· Wayside")
    assert visit.page.evaluate("window.broken") is None
    assert visit.page.locator("main img, main script, main b").count() == 0


def test_the_audit_finds_what_is_wrong(visiting: Visiting) -> None:
    visit = visiting()
    page = visit.sign_in("wsk_client")
    page.evaluate("""() => {
      const wrong = document.createElement("div");
      const faint = Object.assign(document.createElement("p"), { textContent: "faint" });
      faint.style.color = "#bbb";
      const small = document.createElement("button");
      small.style.width = "20px";
      const wide = document.createElement("div");
      wide.style.width = "3000px";
      wide.textContent = "wide";
      const nameless = document.createElement("input");
      nameless.style.borderColor = "#eee";
      wrong.append(faint, small, wide, nameless, document.createElement("h1"), document.createElement("h5"));
      document.querySelector("main .split-list-body").append(wrong);
    }""")
    visit.audit("here")
    found, visit.problems = " ".join(visit.problems), []
    for wanted in ("no name: <button", "no name: <input", "too small", "too wide", "contrast 1", "border", "one h1"):
        assert wanted in found


def test_what_opens_is_sound(visiting: Visiting) -> None:
    visit = visiting(PHONE)
    page = visit.sign_in("wsk_admin", "#/approvals/apr_refund")
    page.get_by_role("button", name="Edit and approve").click()
    page.get_by_role("dialog").wait_for()
    visit.audit("edit dialog")
    page.keyboard.press("Escape")
    visit.go("#/timeline/turn/run-5")
    page.get_by_text("The steps as a table").click()
    page.get_by_text("Look up an order").first.click()
    visit.audit("turn, opened")
    visit.go("#/inbox/TCK-00031")
    page.get_by_text("Sources (1)").click()
    visit.audit("ticket, opened")
    page.get_by_role("button", name="Escalate").click()
    visit.audit("escalate dialog")


def test_signing_in_and_out(visiting: Visiting) -> None:
    visit = visiting()
    page = visit.page
    page.goto(f"{visit.url}/console#/documents")
    page.get_by_label("API key").fill("wsk_wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("This API key is not known, or it was revoked.")
    expect(page.get_by_role("alert")).to_contain_text("request req_")
    visit.sign_in("wsk_staff", "#/documents")
    expect(page.get_by_role("heading", level=1)).to_have_text("Documents")
    assert page.evaluate("[sessionStorage.length, localStorage.length]") == [1, 0]
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("Documents")
    page.get_by_role("button", name="staff").click()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("API key").wait_for()
    assert page.evaluate("[sessionStorage.length, localStorage.length]") == [0, 0]


def test_a_key_is_remembered_only_when_asked_to(visiting: Visiting) -> None:
    visit = visiting()
    visit.page.goto(f"{visit.url}/console")
    visit.page.get_by_label("Remember on this device").check()
    visit.page.get_by_label("API key").fill("wsk_staff")
    visit.page.keyboard.press("Enter")
    visit.page.get_by_role("navigation", name="Pages").wait_for()
    other = visit.open()
    other.goto(f"{visit.url}/console#/inbox")
    expect(other.get_by_role("heading", level=1)).to_have_text("Inbox")
    assert other.evaluate("[sessionStorage.length, localStorage.length]") == [0, 1]


def test_a_revoked_key_leads_back_to_the_door(visiting: Visiting) -> None:
    visit = visiting()
    page = visit.sign_in("wsk_staff", "#/inbox")
    page.evaluate("sessionStorage.setItem('wayside.key', 'wsk_revoked')")
    visit.page.evaluate("location.hash = '#/documents'")
    expect(page.get_by_role("alert")).to_contain_text("revoked")
    assert page.evaluate("sessionStorage.length") == 0


def test_the_menu_is_the_roles(visiting: Visiting) -> None:
    expected = {
        "wsk_client": ["Chat", "Approvals", "Field report"],
        "wsk_staff": ["Chat", "Inbox", "Approvals", "Fraud", "Field report", "Timeline", "Documents"],
        "wsk_engineer": [
            "Chat",
            "Inbox",
            "Approvals",
            "Fraud",
            "Field report",
            "Timeline",
            "Documents",
            "Evaluations",
            "Drift",
        ],
    }
    for key, wanted in expected.items():
        visit = visiting()
        page = visit.sign_in(key)
        shown = page.get_by_role("navigation", name="Pages").get_by_role("link").all_inner_texts()
        assert [text.split("\n")[0] for text in shown] == wanted
    client = visiting()
    page = client.sign_in("wsk_client", "#/inbox")
    expect(page.get_by_text("There is nothing here for your key.")).to_be_visible()
    client.go("#/approvals/apr_refund")
    expect(page.locator("main h2")).to_have_text("Issue a refund")
    expect(page.get_by_role("button", name="Approve")).to_have_count(0)


def test_what_fails_says_why_and_can_be_tried_again(visiting: Visiting, api: ConsoleApi) -> None:
    visit = visiting()
    api.failing = {"/api/tickets", "/api/approvals", "/api/threads", "/api/documents", "/api/evals"}
    api.failing.add("/api/fraud/decisions")
    page = visit.sign_in("wsk_admin")
    for name in ("inbox", "approvals", "fraud", "timeline", "documents", "evaluations"):
        page.evaluate("name => { location.hash = `#/${name}` }", name)
        alert = page.locator(f"main[data-page={name}] [role=alert]").first
        expect(alert).to_contain_text("The database does not answer.")
        expect(alert).to_contain_text("Request req_")
    visit.audit("failed")
    api.failing.clear()
    page.get_by_role("button", name="Try again").first.click()
    expect(page.get_by_role("link", name="retrieval")).to_be_visible()


def test_a_page_whose_files_do_not_come_says_so(visiting: Visiting) -> None:
    visit, files = visiting(), re.compile("/console")
    page = visit.sign_in("wsk_staff")
    page.route(files, lambda route: route.abort())
    page.get_by_role("link", name="Approvals").click()
    expect(page.locator("main .failed")).to_contain_text("The server cannot be reached just now.")
    visit.audit("not loaded")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".toast.bad")).to_contain_text("cannot be reached")
    page.unroute(files)
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Approvals")


def test_a_page_may_be_left_while_it_loads(visiting: Visiting, api: ConsoleApi) -> None:
    visit = visiting()
    page = visit.sign_in("wsk_admin")
    page.get_by_label("Message", exact=True).fill("I was charged twice")
    page.keyboard.press("Enter")
    page.get_by_text("A person decides").wait_for()
    page.wait_for_timeout(500)  # the looks that follow the answer itself are over
    api.delay = 1.0
    with page.expect_request("**/api/approvals/apr_*"):
        pass  # the conversation looks how its approval stands, and is left before it knows
    visit.page.evaluate("location.hash = '#/inbox'")
    api.delay = 0.05
    for pause in (20, 70):
        for address in ADDRESSES:
            page.evaluate("address => { location.hash = address }", address)
            page.wait_for_timeout(pause)
    api.delay = 0.0
    visit.go("#/inbox/TCK-00031")
    expect(page.locator("main h2")).to_have_text("Charged twice for one tent")
    expect(page.locator("main .failed")).to_have_count(0)


def focused(page: Page) -> str:
    told = "document.activeElement.getAttribute('aria-label') ?? document.activeElement.innerText"
    return str(page.evaluate(told)).strip()


def test_the_keyboard_reaches_everything(visiting: Visiting) -> None:
    visit = visiting()
    page = visit.page
    page.goto(f"{visit.url}/console#/approvals")
    page.get_by_label("API key").wait_for()
    page.keyboard.type("wsk_admin")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Issue a refund").first.wait_for()
    page.reload()
    page.get_by_role("link", name="Issue a refund").first.wait_for()
    page.keyboard.press("Tab")
    assert focused(page) == "Skip to the content"
    assert page.evaluate("document.activeElement.getBoundingClientRect().top") >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"

    # From the list into an approval, to its first button, into the dialog and out again.
    for _ in range(30):
        page.keyboard.press("Tab")
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none", f"the focus cannot be seen on {focused(page)}"
        if focused(page).startswith("Issue a refund"):
            break
    page.keyboard.press("Enter")
    expect(page.locator("main h2")).to_be_focused()
    page.keyboard.press("Tab")
    assert focused(page) == "Approve"
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").get_by_label("Reason (optional)")).to_be_focused()
    for _ in range(12):
        page.keyboard.press("Tab")
        inside = "document.activeElement === document.body || !!document.activeElement.closest('dialog')"
        assert page.evaluate(inside), f"the focus left the dialog for {focused(page)}"
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert focused(page) == "Approve"
    page.keyboard.press("Enter")
    page.get_by_role("dialog").get_by_role("button", name="Approve").click()
    expect(page.locator("main h2")).to_be_focused()
    expect(page.locator(".detail-head .badge")).to_have_text("approved")


def test_motion_is_reduced_when_asked(visiting: Visiting) -> None:
    still = visiting(reduced_motion="reduce").sign_in("wsk_admin")
    script = """() => {
      const bone = document.createElement("span");
      bone.className = "bone";
      document.body.append(bone);
      return parseFloat(getComputedStyle(bone).animationDuration);
    }"""
    assert still.evaluate(script) < 0.001
    moving = visiting(reduced_motion="no-preference").sign_in("wsk_admin")
    assert moving.evaluate(script) > 0.5
