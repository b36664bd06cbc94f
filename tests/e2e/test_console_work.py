"""Inbox, approvals, timeline, documents and evaluations in a real browser, at work."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.e2e.browser import Visiting
from tests.fakes import console_data as data
from tests.fakes.console_api import ConsoleApi


def toast(page: Page, text: str) -> None:
    expect(page.locator(".toast").filter(has_text=text)).to_be_visible()


def test_a_ticket_is_worked_on(visiting: Visiting, api: ConsoleApi) -> None:
    page = visiting().sign_in("wsk_staff", "#/inbox")
    page.get_by_label("Filter").fill("tent ord-10421")
    expect(page.locator(".list-rows .row")).to_have_count(1)
    page.get_by_role("link", name="Charged twice for one tent").click()
    expect(page.locator("main h2")).to_be_focused()
    expect(page.locator(".orders > li")).to_have_count(2)

    page.get_by_role("button", name="Take it").click()
    expect(page.locator(".detail-head")).to_contain_text("assigned to you")
    page.get_by_label("New note").fill("Called the bank.")
    page.get_by_role("button", name="Add note").click()
    expect(page.locator(".notes li")).to_have_count(2)
    expect(page.locator("main h2")).to_be_focused()
    page.get_by_role("button", name="Escalate").click()
    page.get_by_role("button", name="Hand over").click()
    expect(page.get_by_role("alert").filter(has_text="Say why")).to_be_visible()
    page.get_by_label("Team", exact=True).select_option("fraud")
    page.get_by_role("dialog").get_by_label("Reason").fill("Looks like a stolen card.")
    page.get_by_role("button", name="Hand over").click()
    expect(page.locator(".detail-head .badge").last).to_have_text("fraud")
    page.get_by_role("button", name="Resolve").click()
    expect(page.locator(".detail-head .badge").first).to_have_text("resolved")
    assert [said for kind, said in api.received if kind == "update"] == [
        {"assignee": "key_s1"},
        {},  # the note, which the fake takes out
        {"status": "resolved"},
    ]


def test_suggestions_are_accepted_changed_and_rejected(visiting: Visiting, api: ConsoleApi) -> None:
    page = visiting().sign_in("wsk_staff", "#/inbox/TCK-00031")
    category = page.get_by_role("group", name="Category")
    expect(category).to_contain_text("94%")
    expect(page.get_by_role("group", name="Priority")).to_contain_text("not sure")
    category.get_by_role("button", name="Right").click()
    expect(category.get_by_role("status")).to_have_text("Kept as right")
    page.get_by_label("Priority: choose another").select_option("urgent")
    expect(page.get_by_role("group", name="Priority").get_by_role("status")).to_have_text("Kept as urgent")

    reply = page.get_by_label("Suggested reply")
    draft = reply.input_value()
    reply.fill("We pay the second charge back.")
    page.get_by_role("button", name="Save as note").click()
    expect(page.locator(".notes li").last).to_contain_text("We pay the second charge back.")
    toast(page, "The reply is on the ticket.")
    about = {"kind": "ticket", "id": "TCK-00031"}
    assert [said for kind, said in api.received if kind == "feedback"] == [
        {"about": about, "rating": "up", "correction": {"category": "billing"}},
        {"about": about, "rating": "down", "correction": {"priority": "urgent"}},
        {"about": about, "rating": "up", "correction": {"reply": "We pay the second charge back.", "suggested": draft}},
    ]
    page.get_by_role("button", name="Not this").first.click()
    expect(page.get_by_text("Rejected; that is kept.").first).to_be_visible()
    assert api.received[-1][1] == {"about": about, "rating": "down", "correction": {"next_action": None}}


def test_the_next_action_is_performed_once_it_is_confirmed(visiting: Visiting, api: ConsoleApi) -> None:
    page = visiting().sign_in("wsk_staff", "#/inbox/TCK-00031")
    page.get_by_role("button", name="Do this").click()
    dialog = page.get_by_role("dialog")
    assert "issue_refund" not in [kind for kind, _ in api.received]
    dialog.get_by_label("Amount").fill("abc")
    dialog.get_by_role("button", name="Do it").click()
    expect(dialog.get_by_role("alert")).to_have_text("abc is not a number.")
    dialog.get_by_label("Amount").fill("88.50")
    dialog.get_by_role("button", name="Do it").click()
    expect(page.locator(".next")).to_contain_text("Waits for an approval: apr_refund")
    expect(page.locator(".next").get_by_role("button")).to_have_count(0)  # twice would be two calls
    subject = {"customer_id": "CUS-00210", "order_id": "ORD-10421", "ticket_id": "TCK-00031"}
    given = {"order_id": "ORD-10421", "amount": "88.50", "reason": "charged twice"}
    assert ("issue_refund", {"arguments": given, "subject": subject}) in api.received
    done = {"next_action": {"tool": "issue_refund", "arguments": given}}
    about = {"kind": "ticket", "id": "TCK-00031"}
    assert ("feedback", {"about": about, "rating": "up", "correction": done}) in api.received
    page.get_by_role("link", name="apr_refund").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Approvals")


def test_an_approval_is_edited_in_a_form(visiting: Visiting, api: ConsoleApi) -> None:
    page = visiting().sign_in("wsk_staff", "#/approvals/apr_refund")
    menu = page.get_by_role("navigation", name="Pages").locator(".count")
    expect(menu).to_have_text("4")
    page.get_by_role("button", name="Edit and approve").click()
    page.get_by_label("Amount").fill("80.00")
    page.get_by_label("Why you changed it (optional)").fill("Shipping stays.")
    page.get_by_role("button", name="Approve as edited").click()
    expect(page.get_by_text("As approved")).to_be_visible()
    expect(page.locator(".versions .changed")).to_have_text("80.00")
    expect(page.locator(".versions > div").first).to_contain_text("89.00")
    expect(menu).to_have_text("3")
    # The amount was a string, as exact amounts are, and stays one.
    given = {"order_id": "ORD-10421", "amount": "80.00", "reason": "charged twice"}
    assert api.received == [("decision", {"decision": "edit", "arguments": given, "text": "Shipping stays."})]


def test_a_tool_without_a_schema_is_edited_as_json(visiting: Visiting, api: ConsoleApi) -> None:
    api.approvals["apr_refund"]["tool"] = "theirs__move_shelf"
    page = visiting().sign_in("wsk_staff", "#/approvals/apr_refund")
    page.get_by_role("button", name="Edit and approve").click()
    text = page.get_by_label("Arguments as JSON")
    text.fill("{no")
    page.get_by_role("button", name="Approve as edited").click()
    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("not JSON")
    text.fill('{"shelf": 4}')
    page.get_by_role("button", name="Approve as edited").click()
    expect(page.get_by_text("As approved")).to_be_visible()
    assert api.received[0][1]["arguments"] == {"shelf": 4}


def test_rejecting_needs_a_reason(visiting: Visiting, api: ConsoleApi) -> None:
    page = visiting().sign_in("wsk_staff", "#/approvals/apr_refund")
    page.get_by_role("button", name="Reject").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Reject").click()
    expect(dialog.get_by_role("alert")).to_have_text("A few words are needed.")
    dialog.get_by_label("Reason").fill("Charged once only.")
    dialog.get_by_role("button", name="Reject").click()
    expect(page.locator(".detail-head .badge")).to_have_text("rejected")
    expect(page.locator(".tabs")).to_contain_text("Rejected2", ignore_case=True)


def test_who_may_not_decide_is_told_so(visiting: Visiting) -> None:
    page = visiting().sign_in("wsk_staff", "#/approvals/apr_stock")
    expect(page.get_by_text("You proposed this: somebody else has to decide.")).to_be_visible()
    expect(page.get_by_role("button", name="Approve")).to_have_count(0)
    expect(page.get_by_text("0 of 2")).to_be_visible()


def test_a_quorum_waits_for_the_second_person(visiting: Visiting) -> None:
    page = visiting().sign_in("wsk_admin", "#/approvals/apr_stock")
    page.get_by_role("button", name="Approve", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Approve").click()
    expect(page.get_by_text("1 of 2")).to_be_visible()
    expect(page.get_by_text("You have said your word; it waits for others.")).to_be_visible()


def test_what_was_decided_meanwhile_is_shown(visiting: Visiting) -> None:
    page = visiting().sign_in("wsk_staff", "#/approvals/apr_taken")
    page.get_by_role("button", name="Approve", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Approve").click()
    toast(page, "Decided meanwhile: apr_taken is rejected already")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator(".detail-head .badge")).to_have_text("rejected")


def test_payments_are_looked_at_one_after_the_other(visiting: Visiting, api: ConsoleApi) -> None:
    page = visiting().sign_in("wsk_staff", "#/fraud")
    rows = page.locator(".list-rows .row")
    expect(rows).to_have_count(3)
    rows.first.click()
    expect(page.locator("main h2")).to_have_text("1,249.00 with the card CRD-00003")
    expect(page.get_by_text("with a chance of 34%")).to_be_visible()
    expect(page.locator(".grounds li").first).to_contain_text("The amount is 7.2 times")
    page.get_by_role("button", name="Block the card").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Block the card").click()
    expect(dialog.get_by_role("alert")).to_have_text("A few words are needed.")
    dialog.get_by_label("Reason").fill("Reported as stolen.")
    dialog.get_by_role("button", name="Block the card").click()
    toast(page, "CRD-00003 is on the list.")
    assert api.received == [("blocked-cards", {"name": "CRD-00003", "reason": "Reported as stolen."})]
    page.get_by_text("Every feature, as it was then").click()
    expect(page.locator("details .terms")).to_contain_text("not known")
    page.get_by_role("button", name="It was fraud").click()
    toast(page, "Kept as fraud.")
    # What was said is off the list, and the next one that waits is there.
    expect(rows).to_have_count(2)
    expect(page.locator("main h2")).to_have_text("18.20 with the card CRD-00002")
    expect(page.locator("main h2")).to_be_focused()
    expect(page.get_by_text("No model is in force")).to_be_visible()
    expect(page.locator(".grounds")).to_contain_text("A rule of the company")
    page.get_by_role("button", name="It was genuine").click()
    expect(rows).to_have_count(1)
    page.get_by_role("link", name="All").click()
    expect(rows).to_have_count(6)
    rows.first.click()
    expect(page.get_by_text("Said by you")).to_be_visible()
    expect(page.get_by_role("button", name="It was fraud")).to_have_count(0)
    page.get_by_role("button", name="It was genuine").click()  # the latest word stands
    expect(page.locator(".detail-head .badge").nth(1)).to_have_text("genuine")
    assert [said for kind, said in api.received if kind == "outcome"] == [
        {"id": "PAY-0199", "outcome": "fraud"},
        {"id": "PAY-0198", "outcome": "genuine"},
        {"id": "PAY-0199", "outcome": "genuine"},
    ]


def test_a_turn_is_looked_at_step_by_step(visiting: Visiting) -> None:
    page = visiting().sign_in("wsk_staff", "#/timeline")
    expect(page.locator(".split-list .row")).to_have_count(3)
    page.locator(".split-list .row").filter(has_text="customer:CUS-00210").click()
    page.get_by_role("link", name="How long do I have").last.click()
    steps = page.locator(".waterfall > li")
    expect(steps).to_have_count(5)
    steps.nth(2).locator("summary").click()
    expect(steps.nth(2).locator("pre")).to_contain_text('"order_id": "ORD-10421"')
    widths = page.evaluate("[...document.querySelectorAll('.bar')].map((bar) => bar.getBoundingClientRect().width)")
    assert widths.index(max(widths)) == 3  # the model took longest
    page.get_by_text("The steps as a table").click()
    row = page.get_by_role("row", name="smollm2-135m")
    expect(row).to_contain_text("412 + 23")
    expect(page.get_by_role("row", name="Check citations")).to_contain_text("no end")
    page.get_by_role("link", name="All turns of this conversation").click()
    expect(page.locator(".cards-list .row")).to_have_count(2)


def test_documents_come_and_go(visiting: Visiting, api: ConsoleApi, tmp_path: Path) -> None:
    page = visiting().sign_in("wsk_staff", "#/documents")
    expect(page.get_by_text("The PDF has no text in it.")).to_be_visible()
    for name in ("new.md", "broken.pdf"):
        (tmp_path / name).write_text("# New")
    page.locator("#upload-files").set_input_files([tmp_path / "new.md", tmp_path / "broken.pdf"])
    uploads = page.locator(".uploads li")
    expect(uploads.filter(has_text="new.md")).to_contain_text("uploaded")
    expect(uploads.filter(has_text="broken.pdf")).to_contain_text("The PDF is broken. (request req_")
    row = page.locator(".documents li").filter(has_text="new.md")
    expect(row.locator(".badge")).to_have_text("ready", timeout=15_000)

    row.get_by_role("button", name="Delete new.md").click()
    page.get_by_role("button", name="Cancel").click()
    expect(row).to_have_count(1)
    expect(row.get_by_role("button", name="Delete new.md")).to_be_focused()
    row.get_by_role("button", name="Delete new.md").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(row).to_have_count(0)
    assert all(each["filename"] != "new.md" for each in api.documents)

    page.get_by_label("Search the documents").fill("send back")
    page.keyboard.press("Enter")
    expect(page.get_by_text("88% answerable")).to_be_visible()
    expect(page.locator(".hits li").first).to_contain_text("0.913")
    assert page.evaluate("window.broken") is None


def test_a_report_is_compared_and_shown_where_it_can_do_nothing(visiting: Visiting, api: ConsoleApi) -> None:
    api.evaluations[1]["metrics"]["declined rightly"] |= {"value": 1.0, "low": 1.0, "high": 1.0, "cases": 2}
    visit = visiting()
    page = visit.sign_in("wsk_engineer", "#/evaluations")
    page.get_by_role("link", name="answering").first.click()
    metrics = page.locator(".metric")
    expect(metrics.first).to_contain_text("+0.0690 against 0.8020, beyond chance")
    expect(metrics.nth(1)).to_contain_text("within chance")
    expect(metrics.nth(2)).to_contain_text("against 1.0000")  # two cases, both right: nothing is known of chance
    expect(metrics.nth(2)).not_to_contain_text("chance")
    expect(metrics.nth(3)).to_contain_text("21.0000 against 402.0000")  # no interval, so no word on chance
    expect(metrics.nth(3)).not_to_contain_text("chance")
    page.get_by_role("button", name="Show it").click()
    report = page.frame_locator("iframe")
    expect(report.get_by_text("165 cases")).to_be_visible()
    assert report.locator("h1").evaluate("element => getComputedStyle(element).color") == "rgb(1, 2, 3)"
    assert page.evaluate("window.broken") is None
    frame = page.frame(url="**/console/report.html")
    assert frame is not None
    assert frame.evaluate("window.origin") == "null"
    # The browser says that it did not run what stood in the report.
    refused = [problem for problem in visit.problems if "inline event handler" in problem]
    assert refused == visit.problems
    visit.problems = []


def test_hostile_records_stay_text(visiting: Visiting) -> None:
    visit = visiting()
    page = visit.sign_in("wsk_admin", "#/inbox/TCK-00033")
    expect(page.get_by_label("Suggested reply")).to_have_value(data.HOSTILE)
    expect(page.locator("blockquote.message")).to_contain_text(data.HOSTILE)
    visit.go("#/approvals/apr_hostile")
    expect(page.locator(".versions")).to_contain_text(data.HOSTILE)
    assert page.evaluate("window.broken") is None
    assert page.locator("main img, main script, main b").count() == 0
