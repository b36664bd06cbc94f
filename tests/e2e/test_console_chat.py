"""Chat in a real browser: streams that break, sources, approvals that are decided elsewhere, files, feedback."""

from __future__ import annotations

import base64

from playwright.sync_api import FilePayload, Page, Route, expect

from tests.e2e.browser import PHONE, Visiting
from tests.fakes import console_data as data
from tests.fakes.console_api import ConsoleApi

ANSWER = "You have 60 days from delivery to send something back, without giving a reason. 1"


def say(page: Page, text: str) -> None:
    page.get_by_label("Message", exact=True).fill(text)
    page.keyboard.press("Enter")


def last_answer(page: Page) -> str:
    return page.locator(".assistant .said-text").last.inner_text().replace("\u00a0", " ")


def test_an_answer_streams_with_its_tools_and_sources(visiting: Visiting, api: ConsoleApi) -> None:
    api.gate.clear()
    page = visiting().sign_in("wsk_client")
    say(page, "How long do I have?")
    working = page.locator(".tools [data-state=working]")
    expect(working.locator("summary")).to_have_text("looking up the order ORD-10421")
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    expect(page.locator(".unseen[aria-live=polite]")).to_have_text("looking up the order ORD-10421")
    api.gate.set()
    expect(working).to_have_count(0)
    expect(page.locator(".unseen[aria-live=polite]")).to_contain_text("You have 60 days")
    page.get_by_role("button", name="Source 1").click()
    source = page.get_by_role("dialog", name="Source 1")
    quote = data.citation()
    for wanted in (quote["quote"], quote["title"], quote["headings"][0], quote["verdict"]):
        expect(source).to_contain_text(wanted)
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Source 1")).to_be_focused()
    assert last_answer(page) == ANSWER
    # The address is the thread's: opened again, it shows the same, and its sources still open.
    page.reload()
    expect(page.get_by_role("button", name="Source 1")).to_be_visible()
    assert last_answer(page) == ANSWER
    page.get_by_role("button", name="Source 1").click()
    expect(page.get_by_role("dialog")).to_contain_text(quote["quote"])
    ((_, sent),) = [each for each in api.received if each[0] == "run"]
    assert sent["assistant_id"] == "wayside"
    assert sent["stream_mode"] == ["custom"]


def test_pictures_and_sound_are_sent_as_what_they_are(visiting: Visiting, api: ConsoleApi) -> None:
    visit = visiting()
    page = visit.sign_in("wsk_client")
    screenshot = FilePayload(name="screenshot.png", mimeType="image/png", buffer=b"a picture")
    note = FilePayload(name="note.wav", mimeType="audio/wav", buffer=b"a voice")
    page.locator(".composer input[type=file]").set_input_files([screenshot, note])
    expect(page.get_by_role("list", name="Attached files").get_by_role("listitem")).to_have_count(2)
    say(page, "Look at this")
    expect(page.locator(".said.user .files")).to_contain_text("screenshot.png")
    expect(page.locator(".assistant .said-text")).not_to_be_empty()
    ((_, sent),) = [each for each in api.received if each[0] == "run"]
    [message] = sent["input"]["messages"]
    shown = "data:image/png;base64," + base64.b64encode(b"a picture").decode()
    spoken = {"data": base64.b64encode(b"a voice").decode(), "format": "wav"}
    assert message["content"] == [
        {"type": "text", "text": "Look at this"},
        {"type": "image_url", "image_url": {"url": shown}},
        {"type": "input_audio", "input_audio": spoken},
    ]


def test_a_stream_that_breaks_goes_on_where_it_was(visiting: Visiting, api: ConsoleApi) -> None:
    page = visiting().sign_in("wsk_client")
    say(page, "cut me off: how long do I have?")
    expect(page.get_by_role("button", name="Source 1")).to_be_visible()
    assert last_answer(page) == ANSWER
    expect(page.locator(".tools > li")).to_have_count(1)
    expect(page.locator(".link-lost")).to_be_hidden()
    run = next(iter(api._by_key.values()))
    assert run.connections == [None, "8"]


def test_a_refused_message_says_why(visiting: Visiting, api: ConsoleApi) -> None:
    page = visiting().sign_in("wsk_client")
    api.failing = {"/threads"}
    say(page, "hello")
    expect(page.locator(".said.user .said-text")).to_have_text("hello")
    expect(page.locator(".assistant .failed")).to_contain_text("The database does not answer.")
    expect(page.locator(".assistant .failed")).to_contain_text("req_")
    # What was said is given back, and can be sent once more.
    expect(page.get_by_label("Message", exact=True)).to_have_value("hello")
    api.failing = set()
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("button", name="Source 1")).to_be_visible()
    expect(page.get_by_label("Message", exact=True)).to_have_value("")


def test_what_was_said_stands_there_at_once(visiting: Visiting, api: ConsoleApi) -> None:
    page = visiting().sign_in("wsk_client")
    held: list[Route] = []
    page.route("**/threads", lambda route: held.append(route))
    say(page, "hello")
    expect(page.locator(".said.user .said-text")).to_have_text("hello")
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    held.pop().continue_()
    expect(page.get_by_role("button", name="Source 1")).to_be_visible()


def test_an_approval_decided_elsewhere_shows_by_itself(visiting: Visiting, api: ConsoleApi) -> None:
    customer = visiting(PHONE)
    page = customer.sign_in("wsk_client")
    say(page, "I was charged twice")
    card = page.get_by_role("article", name="Approval: Issue a refund")
    expect(card).to_contain_text("Waiting for a person")
    expect(card).to_contain_text("89.00")
    customer.audit("chat with an approval")

    staff = visiting()
    desk = staff.sign_in("wsk_staff", "#/approvals")
    desk.get_by_role("link", name="Issue a refund").filter(has_text="now").first.click()
    desk.get_by_role("button", name="Approve", exact=True).click()
    desk.get_by_label("Reason (optional)").fill("The bank shows it twice.")
    desk.get_by_role("dialog").get_by_role("button", name="Approve").click()
    expect(desk.locator(".detail-head .badge")).to_have_text("approved")

    expect(card).to_contain_text("Approved")
    expect(card).to_contain_text("The bank shows it twice.")
    expect(page.locator(".assistant .said-text").last).to_have_text("Your refund was approved.")
    # Once, and not again with the next look.
    page.wait_for_timeout(2700)
    expect(page.locator(".assistant").filter(has_text="Your refund was approved.")).to_have_count(1)


def test_hostile_text_stays_text(visiting: Visiting) -> None:
    visit = visiting(PHONE)
    page = visit.sign_in("wsk_admin")
    say(page, f"hostile {data.HOSTILE}")
    expect(page.locator(".assistant .said-text")).to_contain_text("<script>window.broken=2</script>")
    page.locator(".tools summary").click()
    visit.audit("hostile chat")
    assert page.evaluate("window.broken") is None
    assert page.locator("main img, main script, main b").count() == 0


def test_files_go_with_a_message(visiting: Visiting, api: ConsoleApi) -> None:
    visit = visiting()
    page = visit.sign_in("wsk_client")
    note = FilePayload(name="note.txt", mimeType="text/plain", buffer=b"two tents")
    other = FilePayload(name="a.html", mimeType="text/html", buffer=b"<p>x</p>")
    page.locator(".composer input[type=file]").set_input_files([note, other])
    expect(page.get_by_role("list", name="Attached files").get_by_role("listitem")).to_have_count(2)
    visit.audit("attached")
    page.get_by_role("button", name="Remove a.html").click()
    say(page, "What does this say?")
    expect(page.get_by_role("button", name="Source 1")).to_be_visible()
    expect(page.locator(".said.user .files")).to_have_text("note.txt")
    page.reload()
    expect(page.locator(".said.user .files")).to_have_text("note.txt")
    ((_, sent),) = [each for each in api.received if each[0] == "run"]
    encoded = "data:text/plain;base64," + base64.b64encode(b"two tents").decode()
    assert sent["input"]["messages"] == [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What does this say?"},
                {"type": "file", "file": {"filename": "note.txt", "file_data": encoded}},
            ],
        }
    ]


def test_customers_rate_and_comment(visiting: Visiting, api: ConsoleApi) -> None:
    page = visiting().sign_in("wsk_client")
    say(page, "How long do I have?")
    page.get_by_role("button", name="Bad answer").click()
    expect(page.get_by_role("button", name="Bad answer")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Comment on this answer").click()
    page.get_by_label("Your comment").fill("Too long")
    page.get_by_role("dialog").get_by_role("button", name="Send").click()
    expect(page.get_by_text("Thank you, the comment is stored.")).to_be_visible()
    about = {"kind": "turn", "id": next(iter(api._by_key.values())).id}
    # One row a person and turn: the comment brings the thumb along, or it would take it away.
    assert [said for kind, said in api.received if kind == "feedback"] == [
        {"about": about, "rating": "down"},
        {"about": about, "rating": "down", "comment": "Too long"},
    ]


def test_staff_correct_answers(visiting: Visiting, api: ConsoleApi) -> None:
    page = visiting().sign_in("wsk_staff")
    say(page, "How long do I have?")
    page.get_by_role("button", name="Good answer").click()
    expect(page.get_by_role("button", name="Good answer")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Correct this answer").click()
    page.get_by_label("What it should have said").fill("Sixty days.")
    page.get_by_label("What was wrong (optional)").fill("Too long")
    page.get_by_role("dialog").get_by_role("button", name="Send").click()
    expect(page.get_by_text("Thank you, the correction is stored.")).to_be_visible()
    run = next(iter(api._by_key.values()))
    about = {"kind": "turn", "id": run.id}
    assert [said for kind, said in api.received if kind == "feedback"] == [
        {"about": about, "rating": "up"},
        {"about": about, "rating": "down", "correction": {"answer": "Sixty days."}, "comment": "Too long"},
    ]


def test_a_run_is_stopped(visiting: Visiting, api: ConsoleApi) -> None:
    api.gate.clear()
    page = visiting().sign_in("wsk_client")
    say(page, "How long do I have?")
    expect(page.locator(".tools [data-state=working]")).to_be_visible()
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Send")).to_be_visible()
    assert ("cancel", {"run_id": next(iter(api._by_key.values())).id}) in api.received


def test_an_old_conversation_goes_on(visiting: Visiting, api: ConsoleApi) -> None:
    page = visiting().sign_in("wsk_client", "#/chat")
    page.get_by_role("link", name="yesterday").click()
    expect(page.locator(".said.user")).to_have_count(2)
    say(page, "And how long for a stove?")
    expect(page.locator(".said.assistant")).to_have_count(3)
    expect(page.get_by_role("button", name="Source 1").last).to_be_visible()
    expect(page.locator(".split-list .row").first).to_contain_text("And how long for a stove?")
    page.get_by_role("link", name="New").first.click()
    expect(page.get_by_text("What can I look up for you?")).to_be_visible()
