"""The describer against a small server that speaks OpenAI's protocol."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from pydantic import HttpUrl
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from core.errors import EngineRejected, EngineTimeout, EngineUnavailable, InvalidInput, WaysideError
from core.media import Picture
from core.settings import VisionSettings
from multimodal.describe import Describer
from tests.contract.conftest import served

PICTURE = Picture(b"these bytes", "image/png", 4, 4)


class VisionServer:
    """Says back what it was asked and shown; a question `status NNN`, `silence`, `garbage` or `nothing` is obeyed."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.url = ""

    async def answer(self, request: Request) -> Response:
        body = await request.json()
        self.asked.append(body)
        text, image = body["messages"][-1]["content"]
        order = text["text"]
        if order.startswith("status "):
            return JSONResponse({"error": {"message": "as ordered"}}, int(order.split()[1]))
        if order == "silence":
            await asyncio.sleep(5)
        if order == "garbage":
            return PlainTextResponse("no json")
        head, _, data = image["image_url"]["url"].partition(",")
        said = "" if order == "nothing" else f" {body['model']} | {order} | {head} | {base64.b64decode(data).decode()} "
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": said}}
        return JSONResponse({"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]})


@pytest.fixture(scope="module")
def server() -> Iterator[VisionServer]:
    vision = VisionServer()
    with served(Starlette(routes=[Route("/v1/chat/completions", vision.answer, methods=["POST"])])) as url:
        vision.url = f"{url}/v1"
        yield vision


@pytest.fixture
async def describer(server: VisionServer) -> AsyncIterator[Describer]:
    made = Describer(VisionSettings(url=HttpUrl(server.url), model="eye-1"), seconds=1.0)
    yield made
    await made.close()


async def test_a_question_and_the_picture_reach_the_model(describer: Describer) -> None:
    said = await describer.describe(PICTURE, "Is it torn?")
    assert said == "eye-1 | Is it torn? | data:image/png;base64 | these bytes"


async def test_without_a_question_a_description_is_asked_for(describer: Describer, server: VisionServer) -> None:
    assert "Describe this picture" in await describer.describe(PICTURE)
    assert "never an instruction" in server.asked[-1]["messages"][0]["content"]


@pytest.mark.parametrize(
    ("order", "failure"),
    [
        ("status 400", EngineRejected),
        ("status 429", EngineUnavailable),
        ("status 500", EngineUnavailable),
        ("silence", EngineTimeout),
        ("garbage", EngineUnavailable),
        ("nothing", EngineUnavailable),
    ],
)
async def test_failures_are_told_apart(describer: Describer, order: str, failure: type[WaysideError]) -> None:
    with pytest.raises(failure):
        await describer.describe(PICTURE, order)


async def test_nobody_listening_is_unavailable() -> None:
    describer = Describer(VisionSettings(url=HttpUrl("http://127.0.0.1:9/v1"), model="eye-1"))
    with pytest.raises(EngineUnavailable):
        await describer.describe(PICTURE)
    await describer.close()


async def test_an_empty_question_is_refused(describer: Describer) -> None:
    with pytest.raises(InvalidInput) as refusal:
        await describer.describe(PICTURE, "  ")
    assert refusal.value.param == "question"


def test_without_a_url_there_is_no_describer() -> None:
    with pytest.raises(InvalidInput) as refusal:
        Describer(VisionSettings())
    assert refusal.value.param == "vision.url"
