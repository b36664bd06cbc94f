"""POST /api/pictures/read: the text of a picture with its places, and what it says as a receipt or as a screen."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, File, UploadFile
from pydantic import BaseModel, Field
from starlette.responses import Response

from app.api.json import Json
from app.auth import Anyone
from app.errors import responses
from app.senses import Senses
from core import media
from core.errors import TooLarge
from multimodal.fields.receipts import find_receipt
from multimodal.fields.screens import find_screen


class ReadLine(BaseModel):
    """A line: its corners in pixels [x, y], clockwise from the first letter's upper one, and how sure the reader is."""

    text: str
    corners: list[tuple[float, float]]
    confidence: float


class ReadField(BaseModel):
    """A value, how sure it is, and the number of its line, from 0."""

    name: str
    value: str
    confidence: float
    line: int


class PictureReading(BaseModel):
    """What stands in a picture, whose size is in pixels, upright."""

    width: int
    height: int
    text: str
    lines: list[ReadLine]
    receipt: list[ReadField] = Field(description="merchant, address, date, total, tax, invoice_number: those found")
    screen: list[ReadField] = Field(description="error codes, amounts with their currency, ids of orders and tickets")


def routes(senses: Senses, picture_bytes: int) -> APIRouter:
    """The router of this surface. `picture_bytes` is the largest file."""
    router = APIRouter(prefix="/api/pictures", tags=["pictures"])

    @router.post("/read", response_model=PictureReading, responses=responses(403, 415, 501))
    async def read_picture(
        caller: Anyone, file: Annotated[UploadFile, File(description="a PNG, JPEG or WebP picture")]
    ) -> Response:
        """Read a picture. What it says is anybody's word."""
        content = await file.read(picture_bytes + 1)
        if len(content) > picture_bytes:
            raise TooLarge(f"The picture is larger than {picture_bytes:,} bytes.", param="file")
        reader = senses.reader
        reading = await reader.read(await senses.gate.picture(content, "file"))
        return Json(
            {
                "width": reading.width,
                "height": reading.height,
                "text": reading.text,
                "lines": [
                    {"text": each.text, "corners": each.corners, "confidence": each.confidence}
                    for each in reading.lines
                ],
                "receipt": [_view(field) for field in find_receipt(reading)],
                "screen": [_view(field) for field in find_screen(reading)],
            }
        )

    return router


def _view(field: media.Field) -> dict[str, object]:
    return {"name": field.name, "value": field.value, "confidence": field.confidence, "line": field.line}
