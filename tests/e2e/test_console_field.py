"""The field report's page with a camera and a microphone, which Chromium makes up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.browser import DESK, PHONE, Visiting, chromium
from tests.fakes import console_field as data
from tests.fakes.console_api import ConsoleApi


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium whose devices are there and may be used."""
    with chromium("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream") as running:
        yield running


def test_photos_and_notes_are_captured_and_become_a_report(visiting: Visiting, api: ConsoleApi, tmp_path: Path) -> None:
    visit = visiting(PHONE)
    page = visit.sign_in("wsk_client", "#/field")
    picture = tmp_path / "pump.png"
    picture.write_bytes(data.photo(1))
    page.get_by_label("Add photos").set_input_files(picture)
    expect(page.get_by_role("img", name="Photo 1")).to_be_visible()

    page.get_by_role("button", name="Open the camera").click()
    expect(page.get_by_role("button", name="Take the photo")).to_be_focused()
    while page.locator("video").evaluate("each => each.videoWidth") == 0:
        page.wait_for_timeout(50)
    page.get_by_role("button", name="Take the photo").click()
    expect(page.get_by_role("img", name="Photo 2")).to_be_visible()
    visit.audit("camera")
    page.get_by_role("button", name="Close the camera").click()
    expect(page.locator("video")).to_have_count(0)

    page.get_by_role("button", name="Record a note").click()
    expect(page.get_by_text("Recording 0:01")).to_be_visible()
    page.get_by_role("button", name="Stop the recording").click()
    expect(page.locator("audio[aria-label='Note 1']")).to_be_visible()
    visit.audit("captured")

    page.get_by_role("button", name="Remove Photo 1").click()
    expect(page.locator(".captured li")).to_have_count(2)
    page.get_by_label("Site or object (optional)").fill("Pier 9")
    page.get_by_role("button", name="Make the report").click()
    expect(page.get_by_label("Making the report")).to_be_visible()
    expect(page.get_by_role("heading", name="Findings")).to_be_visible()
    [(_, told)] = api.received
    assert told["site"] == ["Pier 9"]
    assert [kind for kind, size in told["photos"] if size] == ["image/jpeg"]
    assert [kind for kind, size in told["notes"] if size] == ["audio/webm"]
    assert (len(told["photo_times"]), len(told["note_times"])) == (1, 1)


@pytest.mark.parametrize("size", [PHONE, DESK])
def test_a_citation_opens_the_photo_and_the_second(visiting: Visiting, size: tuple[int, int]) -> None:
    visit = visiting(size)
    page = visit.sign_in("wsk_staff", "#/field/fr_ready")
    visit.audit("report")
    finding = page.locator(".finding").filter(has_text="shaft seal is leaking badly")
    expect(finding).to_contain_text("high")
    finding.get_by_role("button", name="Note 1, 0:02").first.click()
    player = page.get_by_role("dialog").locator("audio")
    expect(player).to_be_visible()
    while player.evaluate("each => each.currentTime") < 1.6:
        page.wait_for_timeout(50)
    assert player.evaluate("each => each.error") is None
    visit.audit("note")
    page.keyboard.press("Escape")
    finding.get_by_role("button", name="Photo 1").click()
    picture = page.get_by_role("dialog").get_by_role("img")
    expect(picture).to_be_visible()
    assert picture.evaluate("each => each.naturalWidth") == 640
    visit.audit("photo")


def test_a_report_is_downloaded_and_deleted(visiting: Visiting) -> None:
    visit = visiting()
    page = visit.sign_in("wsk_staff", "#/field")
    page.get_by_role("link", name="Pier 9, pump house").click()
    for name, kind in (("PDF", "pdf"), ("Markdown", "md")):
        with page.expect_download() as saved:
            page.get_by_role("button", name=name).click()
        assert saved.value.suggested_filename == f"fr_ready.{kind}"
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("link", name="Without a site")).to_be_visible()
    expect(page.get_by_role("link", name="Pier 9, pump house")).to_have_count(0)


def test_a_report_that_failed_says_why_and_strangers_words_stay_words(visiting: Visiting) -> None:
    visit = visiting()
    page = visit.sign_in("wsk_staff", "#/field/fr_failed")
    expect(page.get_by_role("alert")).to_contain_text("The transcriber is away.")
    visit.go("#/field/fr_ready")
    expect(page.get_by_text("onerror")).to_be_visible()
    assert page.evaluate("window.broken") is None
    assert page.locator("main img, main script, main b").count() == 0


def test_a_camera_that_may_not_be_used_is_told(visiting: Visiting) -> None:
    visit = visiting()
    page = visit.sign_in("wsk_client", "#/field")
    page.evaluate("""() => { navigator.mediaDevices.getUserMedia = () =>
      Promise.reject(new DOMException("no", "NotAllowedError")); }""")
    page.get_by_role("button", name="Open the camera").click()
    expect(page.locator(".toast.bad")).to_contain_text("The camera may not be used: allow it in the browser.")
    page.get_by_role("button", name="Record a note").click()
    expect(page.locator(".toast.bad").last).to_contain_text("The microphone may not be used")
