import asyncio
import io
import wave
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pypdf import PdfReader

from core.errors import EngineUnavailable
from core.types import Role
from tests.fakes.gateway import TENANT, Gateway

PATH = "/api/field-reports"
NINE, LATER = "2026-03-02T09:00:00Z", "2026-03-02T09:00:20Z"
WIDE, TALL = (320, 240), (240, 320)


def photo(size: tuple[int, int] = WIDE, name: str = "pump.png") -> tuple[str, bytes, str]:
    made = io.BytesIO()
    Image.new("RGB", size, "#cde").save(made, "PNG")
    return name, made.getvalue(), "image/png"


def note(seconds: int = 3, name: str = "note.wav", loudness: float = 0.3) -> tuple[str, bytes, str]:
    made = io.BytesIO()
    tone = loudness * np.sin(np.arange(16_000 * seconds) * 0.05)
    with wave.open(made, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes((tone * 32767).astype("<i2").tobytes())
    return name, made.getvalue(), "audio/wav"


async def send(served: Gateway, *, role: str = "staff", data: Any = None, headers: Any = None, **files: Any) -> Any:
    parts = [(name, each) for name, many in files.items() for each in many]
    return await served.call("POST", PATH, role=role, files=parts or None, data=data or {}, headers=headers or {})


async def done(served: Gateway, report_id: str, role: str = "admin") -> Any:
    while (found := (await served.call("GET", f"{PATH}/{report_id}", role=role)).json())["status"] in (
        "queued",
        "working",
    ):
        await asyncio.sleep(0.01)
    return found


@pytest.fixture
def scripted(served: Gateway) -> Gateway:
    senses = served.parts.field_senses
    senses.reader.lines = {WIDE: ["PUMP P-101", "4.2 bar"], TALL: ["ALARM E04"]}
    senses.transcriber.said = {3: "P-101 reads five bar. The seal is leaking.", 4: "There is no alarm on this photo."}
    return served


async def made(served: Gateway, **options: Any) -> Any:
    given = {"photos": [photo()], "notes": [note()], **options}
    answer = await send(served, **given)
    assert answer.status_code == 202, answer.text
    return await done(served, answer.json()["id"])


async def test_photos_and_notes_become_a_report(scripted: Gateway) -> None:
    data = {
        "site": "Pier 9",
        "text": "Inspector: Anna Berg.",
        "photo_times": [NINE, "2026-03-02T09:01:00Z"],
        "note_times": [LATER, "2026-03-02T09:01:20Z"],
    }
    answer = await send(scripted, photos=[photo(), photo(TALL)], notes=[note(), note(4)], data=data)
    body = answer.json()
    assert (answer.status_code, body["report"], body["site"]) == (202, None, "Pier 9")
    assert body["status"] in ("queued", "working")
    found = await done(scripted, body["id"])
    assert (found["status"], found["progress"], found["error"]) == ("ready", 1.0, None)
    assert [(each["number"], each["width"]) for each in found["photos"]] == [(1, 320), (2, 240)]
    assert [(each["number"], each["seconds"]) for each in found["notes"]] == [(1, 3.0), (2, 4.0)]
    report = found["report"]
    assert report["inspector"]["citation"]["origin"] == "text"
    assert [each["evidence"]["quote"] for each in report["findings"]] == ["The seal is leaking.", "ALARM E04"]
    assert report["findings"][0]["photos"] == [{"number": 1, "because": "taken just before"}]
    assert (report["findings"][0]["evidence"]["start"], report["findings"][0]["evidence"]["end"]) == (1.6, 3.1)
    assert len(report["questions"]) == 2
    assert report["measurements"][0]["value"] == "5"


async def test_the_report_is_given_as_markdown_and_as_a_pdf(scripted: Gateway) -> None:
    report_id = (await made(scripted))["id"]
    text = await scripted.call("GET", f"{PATH}/{report_id}.md")
    assert text.headers["content-type"] == "text/markdown; charset=utf-8"
    assert f"]({report_id}/notes/1#t=1.6,3.1)" in text.text
    paper = await scripted.call("GET", f"{PATH}/{report_id}.pdf")
    assert paper.headers["content-type"] == "application/pdf"
    assert "Photo 1" in PdfReader(io.BytesIO(paper.content)).pages[0].extract_text()


async def test_the_media_are_given_as_they_were_admitted(scripted: Gateway) -> None:
    report_id = (await made(scripted))["id"]
    picture = await scripted.call("GET", f"{PATH}/{report_id}/photos/1")
    assert Image.open(io.BytesIO(picture.content)).size == WIDE
    assert picture.headers["x-content-type-options"] == "nosniff"
    sound = await scripted.call("GET", f"{PATH}/{report_id}/notes/1")
    with wave.open(io.BytesIO(sound.content)) as file:
        assert (file.getframerate(), file.getnframes()) == (16_000, 48_000)
    part = await scripted.call("GET", f"{PATH}/{report_id}/notes/1", headers={"range": "bytes=0-3"})
    assert (part.status_code, part.content) == (206, b"RIFF")
    for wrong in ("photos/2", "notes/2"):
        assert (await scripted.call("GET", f"{PATH}/{report_id}/{wrong}")).status_code == 404


async def test_progress_is_told_and_there_is_no_report_before_its_time(scripted: Gateway) -> None:
    scripted.parts.field_senses.reader.gate.clear()
    report_id = (await send(scripted, notes=[note()], photos=[photo()])).json()["id"]
    while not scripted.parts.field_senses.reader.reads:
        await asyncio.sleep(0.01)
    found = (await scripted.call("GET", f"{PATH}/{report_id}")).json()
    assert (found["status"], found["progress"]) == ("working", 0.0)
    for kind in ("md", "pdf"):
        answer = await scripted.call("GET", f"{PATH}/{report_id}.{kind}")
        assert (answer.status_code, answer.json()["code"]) == (409, "report_not_ready")
    scripted.parts.field_senses.reader.gate.set()
    assert (await done(scripted, report_id))["status"] == "ready"


async def test_what_others_made_does_not_exist(scripted: Gateway) -> None:
    create = scripted.parts.identity.create
    for name, customer in (("customer", "CUS-00018"), ("neighbour", "CUS-00591")):
        scripted.keys[name], _ = await create(TENANT, name, Role.CLIENT, customer_id=customer)
    report_id = (await made(scripted, role="customer"))["id"]
    for who in ("neighbour", "client", "stranger"):
        assert (await scripted.call("GET", PATH, role=who)).json()["data"] == []
        for part in ("", ".md", ".pdf", "/photos/1", "/notes/1"):
            assert (await scripted.call("GET", f"{PATH}/{report_id}{part}", role=who)).status_code == 404, part
        assert (await scripted.call("DELETE", f"{PATH}/{report_id}", role=who)).status_code == 404
        assert (await scripted.call("GET", f"{PATH}?after={report_id}", role=who)).status_code == 404
    for who in ("customer", "staff"):
        assert [each["id"] for each in (await scripted.call("GET", PATH, role=who)).json()["data"]] == [report_id]
        assert (await scripted.call("GET", f"{PATH}/{report_id}/photos/1", role=who)).status_code == 200


async def test_reports_are_listed_in_pages_the_latest_first(served: Gateway) -> None:
    sent = [(await send(served, data={"text": f"note {number}"})).json()["id"] for number in range(3)]
    first = (await served.call("GET", f"{PATH}?limit=2")).json()
    assert ([each["id"] for each in first["data"]], first["has_more"]) == (sent[:0:-1], True)
    rest = (await served.call("GET", f"{PATH}?limit=2&after={sent[1]}")).json()
    assert ([each["id"] for each in rest["data"]], rest["has_more"]) == (sent[:1], False)


async def test_deleted_is_gone_with_its_media(scripted: Gateway) -> None:
    report_id = (await made(scripted))["id"]
    folder = scripted.parts.settings.workspace / "field-reports" / report_id
    assert sorted(path.name for path in folder.iterdir()) == ["note-1.wav", "photo-1.png"]
    assert (await scripted.call("DELETE", f"{PATH}/{report_id}")).status_code == 204
    assert (await scripted.call("GET", f"{PATH}/{report_id}")).status_code == 404
    assert not folder.exists()


async def test_a_report_that_is_deleted_while_it_is_made_stays_away(scripted: Gateway) -> None:
    reader = scripted.parts.field_senses.reader
    reader.gate.clear()
    report_id = (await send(scripted, photos=[photo(), photo(TALL)])).json()["id"]
    while not reader.reads:
        await asyncio.sleep(0.01)
    assert (await scripted.call("DELETE", f"{PATH}/{report_id}")).status_code == 204
    reader.gate.set()
    assert (await made(scripted))["status"] == "ready"
    assert (await scripted.call("GET", f"{PATH}/{report_id}")).status_code == 404


async def test_the_same_key_is_the_same_report(served: Gateway) -> None:
    again = [
        await send(served, data={"text": "The door is bent."}, headers={"idempotency-key": "one"}) for _ in range(2)
    ]
    assert again[0].json()["id"] == again[1].json()["id"]
    assert len((await served.call("GET", PATH)).json()["data"]) == 1


@pytest.mark.parametrize(
    ("files", "data", "status", "param"),
    [
        ({}, {}, 400, "photos"),
        ({}, {"text": "  "}, 400, "photos"),
        ({"photos": [photo()] * 13}, {}, 413, "photos"),
        ({"notes": [note()] * 13}, {}, 413, "notes"),
        ({"photos": [photo()]}, {"photo_times": [NINE, LATER]}, 400, "photo_times"),
        ({"notes": [note()]}, {"note_times": ["2026-03-02T09:00:00"]}, 400, "note_times.0"),
        ({"notes": [note(), ("x.wav", b"no sound", "audio/wav")]}, {}, None, "notes.1"),
        ({}, {"text": "x", "site": "a\nb"}, 400, "site"),
        ({}, {"text": "x" * 20_001}, 400, "text"),
    ],
)
async def test_what_is_no_report_says_which_part_and_leaves_nothing(
    served: Gateway, files: Any, data: Any, status: int | None, param: str
) -> None:
    answer = await send(served, data=data, **files)
    assert answer.json()["param"] == param, answer.text
    assert answer.status_code == status or (status is None and answer.status_code in (400, 415))
    assert (await served.call("GET", PATH)).json()["data"] == []
    folder = served.parts.settings.workspace / "field-reports"
    assert not folder.exists() or list(folder.iterdir()) == []


async def test_a_body_over_the_limit_for_media_is_refused(served: Gateway) -> None:
    answer = await send(served, photos=[("x.png", b"x" * (33 * 2**20), "image/png")])
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


async def test_why_a_report_failed_is_told(scripted: Gateway) -> None:
    scripted.parts.field_senses.reader.failure = EngineUnavailable("The reader is away.")
    found = await made(scripted)
    assert (found["status"], found["error"], found["report"]) == ("failed", "The reader is away.", None)
    scripted.parts.field_senses.reader.failure = None
    assert (await made(scripted))["status"] == "ready"


async def test_what_breaks_the_maker_is_given_up_and_others_go_on(scripted: Gateway) -> None:
    scripted.parts.field_senses.reader.failure = ZeroDivisionError("a bug")
    found = await made(scripted)
    assert found["status"] == "failed"
    assert "3 times" in found["error"]
    assert "bug" not in found["error"]
    assert scripted.parts.field_senses.reader.reads == 3
    assert (await made(scripted, photos=[]))["status"] == "ready"
