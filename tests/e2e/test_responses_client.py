"""Responses through the official OpenAI client, unmodified, over a real socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import openai
import pytest
from langgraph_sdk import get_client
from openai import AsyncOpenAI, OpenAI
from openai.types.responses import ResponseInputParam

from core.errors import EngineTimeout
from core.types import Interrupted, TextDelta, ToolCalled
from tests.e2e.server import Server
from tests.fakes.echoing import MODEL
from tests.fakes.gateway import Gateway, gateway, listening
from tests.fakes.speaking import ENDLESS, SAID, spoken

SENTENCE = "".join(SAID)


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Gateway]:
    async with gateway(tmp_path) as running:
        yield running


@pytest.fixture
async def base_url(served: Gateway) -> AsyncIterator[str]:
    async with listening(served) as url:
        yield f"{url}/v1"


@pytest.fixture
async def client(served: Gateway, base_url: str) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(api_key=served.keys["client"], base_url=base_url) as official:
        yield official


async def test_create_and_retrieve(client: AsyncOpenAI) -> None:
    made = await client.responses.create(model="wayside", input="hello", metadata={"of": "mine"})
    assert (made.status, made.output_text, made.metadata) == ("completed", SENTENCE, {"of": "mine"})
    message: Any = made.output[0]
    (annotation,) = message.content[0].annotations
    assert (annotation.type, annotation.title, annotation.url) == ("url_citation", "Returns", "/api/documents/doc-1")
    assert made.usage is not None
    assert (made.usage.input_tokens, made.usage.output_tokens) == (12, 9)
    assert await client.responses.retrieve(made.id) == made


async def test_a_stream_gathers_to_the_same_response(client: AsyncOpenAI) -> None:
    async with client.responses.stream(model="wayside", input="hello") as stream:
        heard = "".join([event.delta async for event in stream if event.type == "response.output_text.delta"])
        final = await stream.get_final_response()
    assert heard == final.output_text == SENTENCE
    again = await client.responses.retrieve(final.id)
    assert again.to_dict() == {**final.to_dict(), "output": again.to_dict()["output"]}
    async with client.responses.stream(response_id=final.id, starting_after=3) as rest:
        numbers = [event.sequence_number async for event in rest]
    assert numbers[0] == 4


async def test_a_stream_that_was_cut_goes_on_after_any_event(served: Gateway, client: AsyncOpenAI) -> None:
    served.parts.scripts["slowly"] = [TextDelta("In "), 0.05, TextDelta("a "), 0.05, *spoken("In a ", "moment.")[1:]]
    stream = await client.responses.create(model="wayside", input="slowly", stream=True)
    seen: list[Any] = []
    async for event in stream:
        seen.append(event)
        if event.type == "response.output_text.delta":
            break
    # Whoever goes away does not stop it.
    await stream.close()
    response_id = seen[0].response.id
    last = seen[-1].sequence_number
    seen += [each async for each in await client.responses.retrieve(response_id, stream=True, starting_after=last)]
    assert seen == [each async for each in await client.responses.retrieve(response_id, stream=True)]
    assert [each.sequence_number for each in seen] == list(range(len(seen)))
    assert (seen[-1].type, seen[-1].response.output_text) == ("response.completed", "In a moment.")


async def test_background_and_cancel(served: Gateway, client: AsyncOpenAI) -> None:
    served.parts.scripts["endless"] = ENDLESS
    made = await client.responses.create(model="wayside", input="hello", background=True)
    assert made.status == "queued"
    while made.status in ("queued", "in_progress"):
        made = await client.responses.retrieve(made.id)
    assert made.output_text == SENTENCE
    endless = await client.responses.create(model="wayside", input="endless", background=True)
    with pytest.raises(openai.ConflictError):
        await client.responses.delete(endless.id)
    cancelled = await client.responses.cancel(endless.id)
    assert cancelled.status == "cancelled"
    assert await client.responses.cancel(endless.id) == cancelled == await client.responses.retrieve(endless.id)
    await client.responses.delete(endless.id)
    with pytest.raises(openai.NotFoundError):
        await client.responses.retrieve(endless.id)


async def test_a_conversation(client: AsyncOpenAI) -> None:
    first = await client.responses.create(model="wayside", input="what is first?", instructions="be brief")
    second = await client.responses.create(model="wayside", input="again?", previous_response_id=first.id)
    assert second.output_text == "what is first?"
    with pytest.raises(openai.ConflictError) as refused:
        await client.responses.create(model="wayside", input="fork", previous_response_id=first.id)
    assert refused.value.code == "previous_response_not_latest"
    # The client has asked once: a fork that is refused is not tried again.
    assert refused.value.response.headers["x-should-retry"] == "false"
    history: ResponseInputParam = [{"role": "user", "content": "one"}, *[each.to_dict() for each in second.output]]  # type: ignore[list-item]
    history.append({"role": "user", "content": "again?"})
    third = await client.responses.create(model="wayside", input=history)
    assert third.output_text == "one"
    items = [item async for item in client.responses.input_items.list(third.id, order="asc", limit=2)]
    assert [item.role for item in items if item.type == "message"] == ["user", "assistant", "user"]


async def test_a_failure_and_what_waits_for_people(served: Gateway, client: AsyncOpenAI) -> None:
    served.parts.scripts["fail"] = [TextDelta("Well"), EngineTimeout("too slow")]
    waiting = [ToolCalled("issue_refund", {"n": 1}), Interrupted("apr_1", "issue_refund", {"n": 1}, "above the limit")]
    served.parts.scripts["refund"] = [*waiting, *spoken("I have asked.", approvals=("apr_1",))]
    failed = await client.responses.create(model="wayside", input="fail")
    assert failed.error is not None
    assert (failed.status, failed.error.code, failed.error.message) == ("failed", "engine_timeout", "too slow")
    async with client.responses.stream(model="wayside", input="refund") as stream:
        response = await stream.get_final_response()
    call, request, message = cast("Any", response.output)
    assert (call.type, request.type, request.id) == ("mcp_call", "mcp_approval_request", "apr_1")
    assert (response.status, message.type) == ("completed", "message")
    consent: Any = [{"type": "mcp_approval_response", "approval_request_id": "apr_1", "approve": True}]
    with pytest.raises(openai.BadRequestError, match="/api/approvals"):
        await client.responses.create(model="wayside", input=consent, previous_response_id=response.id)


@pytest.mark.parametrize("param", ["temperature", "tools", "conversation", "include", "model"])
async def test_what_is_not_honoured_is_refused_by_name(client: AsyncOpenAI, param: str) -> None:
    values: dict[str, Any] = {
        "tools": [{"type": "web_search"}],
        "include": ["reasoning.encrypted_content"],
        "model": MODEL,
    }
    asked: dict[str, Any] = {"model": "wayside", "input": "hello", param: values.get(param, 1)}
    with pytest.raises(openai.BadRequestError) as refused:
        await client.responses.create(**asked)
    assert (refused.value.code, refused.value.param) == ("unsupported_parameter", param)


async def test_wrong_ids_and_wrong_keys(served: Gateway, client: AsyncOpenAI, base_url: str) -> None:
    made = await client.responses.create(model="wayside", input="hello")
    async with AsyncOpenAI(api_key=served.keys["stranger"], base_url=base_url) as stranger:
        for response_id in (made.id, "resp_" + "0" * 32, "nothing"):
            for asking in (
                stranger.responses.retrieve(response_id),
                stranger.responses.cancel(response_id),
                stranger.responses.delete(response_id),
                stranger.responses.input_items.list(response_id),
                stranger.responses.create(model="wayside", input="mine", previous_response_id=response_id),
            ):
                with pytest.raises(openai.NotFoundError):
                    await asking
    assert (await client.responses.retrieve(made.id)) == made


async def test_three_surfaces_speak_in_one_thread(demo_server: Server) -> None:
    """Responses, chat completions and langgraph-sdk, with the embedded model."""
    thread = "three-surfaces"
    with demo_server.openai() as official:
        first = official.responses.create(
            model="wayside",
            input="How long does standard delivery to Germany take?",
            metadata={"thread_id": thread},
        )
        cost: Any = [{"role": "user", "content": "And how much does it cost?"}]
        chat = official.chat.completions.create(model="wayside", messages=cost, metadata={"thread_id": thread})
    (message,) = cast("Any", first.output)
    assert [each.title for each in message.content[0].annotations] == ["Delivery times and prices"]
    assert chat.choices[0].message.annotations
    async with get_client(url=demo_server.url, api_key=demo_server.key) as client:
        given: Any = {"messages": [{"role": "user", "content": "And to Norway?"}]}
        parts = [part async for part in client.runs.stream(thread, "wayside", input=given, stream_mode="custom")]
    with demo_server.openai() as official:
        as_response = official.responses.retrieve("resp_" + parts[0].data["run_id"].replace("-", ""))
        (answer,) = [part.data for part in parts if part.event == "custom" and part.data["type"] == "answer"]
        assert as_response.output_text == answer["text"]
        asked = "How long do I have to send something back?"
        with official.responses.stream(model="wayside", input=asked, previous_response_id=first.id) as stream:
            last = stream.get_final_response()
    assert last.output_text.startswith("You have 60 days from delivery")
    with demo_server.http() as http:
        messages = http.get(f"/threads/{thread}/state").raise_for_status().json()["values"]["messages"]
    assert [each["type"] for each in messages] == ["human", "ai"] * 4
    assert [messages[i]["content"] for i in (1, 3, 5, 7)] == [
        first.output_text,
        chat.choices[0].message.content,
        as_response.output_text,
        last.output_text,
    ]


def test_a_refund_waits_for_staff_and_is_told_by_a_response_of_its_own(demo_server: Server) -> None:
    with demo_server.http() as staff:
        order = staff.get("/api/orders/ORD-12184").raise_for_status().json()
        role = {"name": "app", "role": "client", "customer_id": order["customer_id"]}
        key = staff.post("/api/keys", json=role).raise_for_status().json()["key"]
        with OpenAI(base_url=f"{demo_server.url}/v1", api_key=key) as customer:
            with customer.responses.stream(model="wayside", input="I was charged twice for my order") as stream:
                asked = stream.get_final_response()
            (request,) = [item for item in asked.output if item.type == "mcp_approval_request"]
            assert (asked.status, request.name) == ("completed", "issue_refund")
            assert "needs the consent of a colleague" in asked.output_text
            staff.post(f"/api/approvals/{request.id}/decision", json={"decision": "approve"}).raise_for_status()
            with demo_server.http() as app:
                app.headers["authorization"] = f"Bearer {key}"
                runs = app.get(f"/threads/{asked.model_extra['wayside']['thread_id']}/runs").json()  # type: ignore[index]
            told = customer.responses.retrieve("resp_" + runs[0]["run_id"].replace("-", ""))
            while told.status in ("queued", "in_progress"):
                told = customer.responses.retrieve(told.id)
            assert (told.metadata, told.id == asked.id) == ({"approval": request.id}, False)
            assert "are on their way back to you" in told.output_text
            # Whoever has not seen it goes on from what they have seen, and is told.
            news = customer.responses.create(model="wayside", input="any news?", previous_response_id=asked.id)
            assert "are on their way back to you" in news.output_text
            with pytest.raises(openai.NotFoundError), demo_server.openai() as other:
                other.responses.retrieve(told.id)
