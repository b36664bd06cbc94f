"""Field reports as the console's fake API has them: sent in, worked on for two looks, then ready."""

from __future__ import annotations

import io
import wave
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from fastapi import FastAPI, Request
from PIL import Image, ImageDraw
from starlette.responses import Response

from app.field_reports.reports import as_json
from multimodal.inspection.compose import Heading, compose
from multimodal.inspection.evidence import Evidence, Photo, VoiceNote
from tests.fakes import console_data as data
from tests.fakes.console_api import ConsoleApi, Json, Refused
from tests.fakes.field_senses import reading, transcript

LINES = ("PUMP P-101", "4.2 bar", "S/N AB1234")
SAID = (
    "P-101 reads four point seven bar. No leak at the inlet valve, but the shaft seal is leaking badly in the boiler "
    "room. It should be replaced at once."
)
SECOND = "Slight rust on the handrail. There is no alarm on the panel."


def evidence(*more: str) -> list[Evidence]:
    """Two photos and two notes; `more` are lines of the second photo."""
    nine = datetime(2026, 3, 2, 9, tzinfo=UTC)
    return [
        Photo(1, reading(*LINES), captured=nine),
        VoiceNote(1, transcript(SAID), nine + timedelta(seconds=20)),
        Photo(2, reading("ALARM E04", *more), captured=nine + timedelta(seconds=60)),
        VoiceNote(2, transcript(SECOND), nine + timedelta(seconds=80)),
    ]


HEADING = Heading(site="Pier 9, pump house", inspector="Anna Berg")


def report() -> dict[str, Any]:
    """A report as the code makes it, with a stranger's line in a photo."""
    return as_json(compose(evidence(data.HOSTILE), HEADING))


def _view(identity: str, **other: Any) -> dict[str, Any]:
    moment = data.moment(minutes=5)
    return {
        "object": "field_report",
        "id": identity,
        "owner": "key:key_s1",
        "status": "ready",
        "progress": 1.0,
        "error": None,
        "site": "Pier 9, pump house",
        "date": None,
        "inspector": "Anna Berg",
        "photos": [{"number": each, "captured_at": moment, "width": 640, "height": 480} for each in (1, 2)],
        "notes": [{"number": each, "captured_at": moment, "seconds": 14.0} for each in (1, 2)],
        "created_at": moment,
        "updated_at": moment,
        "text": "",
        "report": report(),
        **other,
    }


def field_reports() -> dict[str, dict[str, Any]]:
    """One that is ready and one that failed."""
    ready = _view("fr_ready")
    failed = _view("fr_failed", status="failed", progress=0.5, error="The transcriber is away.", report=None, site=None)
    return {each["id"]: each for each in (ready, failed)}


def photo(number: int) -> bytes:
    picture = Image.new("RGB", (640, 480), "#cfd9d4")
    draw = ImageDraw.Draw(picture)
    for place, line in enumerate(LINES if number == 1 else ("ALARM E04",)):
        draw.text((60, 80 + 100 * place), line, fill="#1b2224", font_size=64)
    made = io.BytesIO()
    picture.save(made, "PNG")
    return made.getvalue()


def note() -> bytes:
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes((3000 * np.sin(np.arange(16_000 * 14) * 0.05)).astype("<i2").tobytes())
    return made.getvalue()


def serve(app: FastAPI, api: ConsoleApi) -> None:
    """Add the endpoints."""
    kept = field_reports()

    @app.get("/api/field-reports")
    async def field_reports_list() -> Json:
        found = [{**each, "report": None} for each in reversed(kept.values())]
        return {"object": "list", "data": found, "has_more": False}

    @app.post("/api/field-reports", status_code=202)
    async def send(request: Request) -> Json:
        async with request.form() as form:
            told: dict[str, Any] = {name: form.getlist(name) for name in form}
            for name in ("photos", "notes"):
                told[name] = [(each.content_type, len(await each.read())) for each in told.get(name, [])]
        told["key"] = request.headers["idempotency-key"]
        api.received.append(("field report", told))
        identity = f"fr_new{len(kept)}"
        kept[identity] = _view(identity, status="queued", progress=0.0, report=None)
        return kept[identity]

    @app.get("/api/field-reports/{identity}.md")
    @app.get("/api/field-reports/{identity}.pdf")
    async def file(identity: str) -> Response:
        return Response(b"# Field report", media_type="application/octet-stream")

    @app.get("/api/field-reports/{identity}")
    async def show(identity: str) -> Json:
        if identity not in kept:
            raise Refused(404, "not_found", f"no field report {identity}")
        found = kept[identity]
        if found["status"] in ("queued", "working"):
            found["progress"] += 0.5
            done = found["progress"] > 1
            found |= {"status": "ready", "report": report()} if done else {"status": "working"}
        return found

    @app.delete("/api/field-reports/{identity}", status_code=204)
    async def delete(identity: str) -> None:
        del kept[identity]

    @app.get("/api/field-reports/{identity}/photos/{number}")
    async def photos(identity: str, number: int) -> Response:
        return Response(photo(number), media_type="image/png")

    @app.get("/api/field-reports/{identity}/notes/{number}")
    async def notes(identity: str, number: int) -> Response:
        return Response(note(), media_type="audio/wav")
