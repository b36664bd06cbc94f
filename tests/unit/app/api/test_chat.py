import json
from typing import Any

import pytest

from app.api.chat_agent import cited
from core.errors import EngineRejected, EngineTimeout, EngineUnavailable
from core.types import Answer, Citation, Usage, Verdict
from tests.fakes.attaching import data_url
from tests.fakes.gateway import Gateway
from tests.fakes.parts import SENTENCE


def events(text: str) -> list[dict[str, Any]]:
    *data, done, _ = text.split("\n\n")
    assert done == "data: [DONE]"
    return [json.loads(line.removeprefix("data: ")) for line in data]


async def test_an_engine_s_model_passes_straight_through(served: Gateway) -> None:
    answer = await served.chat("one two", body={"temperature": 0.5, "stop": ["x"], "n": 1, "user": None})
    assert answer.json()["choices"][0]["message"]["content"] == "one two"
    assert answer.headers["x-wayside-engine"] == "null"
    assert served.parts.echo.requests == [
        {"model": "echo-1", "messages": [{"role": "user", "content": "one two"}], "temperature": 0.5, "stop": ["x"]}
    ]


async def test_tools_and_formats_reach_the_engine_as_they_came(served: Gateway) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "null"}}}
    tools = [{"type": "function", "function": {"name": "look", "parameters": schema}}]
    json_format = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    call = {"id": "1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    messages = [
        {"role": "user", "content": "look"},
        {"role": "assistant", "tool_calls": [call], "annotations": []},
        {"role": "tool", "tool_call_id": "1", "content": "seen"},
    ]
    body = {"messages": messages, "tools": tools, "tool_choice": "auto", "response_format": json_format}
    await served.chat(body=body)
    (request,) = served.parts.echo.requests
    assert (request["tools"], request["tool_choice"], request["response_format"]) == (tools, "auto", json_format)
    assert request["messages"][1] == {"role": "assistant", "tool_calls": [call]}


@pytest.mark.parametrize("wanted", [True, False])
async def test_usage_is_streamed_to_who_asks_and_always_booked(served: Gateway, wanted: bool) -> None:
    body = {"stream": True, "stream_options": {"include_usage": wanted}}
    chunks = events((await served.chat("one two three", body=body)).text)
    assert "".join(choice["delta"].get("content", "") for c in chunks for choice in c["choices"]) == "one two three"
    assert [chunk["usage"]["total_tokens"] for chunk in chunks if "usage" in chunk] == [6] * wanted
    assert served.parts.echo.requests[0]["stream_options"] == {"include_usage": True}
    assert 'kind="completion",model="echo-1"} 3.0' in (await served.call("GET", "/metrics")).text


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    ("failure", "status"), [(EngineUnavailable("a"), 503), (EngineTimeout("b"), 504), (EngineRejected("c"), 400)]
)
async def test_an_engine_that_fails_before_it_speaks_is_a_status(
    served: Gateway, failure: Exception, status: int, stream: bool
) -> None:
    served.parts.echo.failure = failure
    assert (await served.chat(body={"stream": stream})).status_code == status


async def test_an_engine_that_fails_while_it_speaks_is_an_event(served: Gateway) -> None:
    served.parts.echo.failure, served.parts.echo.failure_after = EngineTimeout("too slow"), 1
    text = (await served.chat("one two", body={"stream": True})).text
    assert "[DONE]" not in text
    assert json.loads(text.split("\n\n")[1].removeprefix("data: "))["error"]["code"] == "engine_timeout"


async def test_an_unknown_model_is_not_found(served: Gateway) -> None:
    answer = await served.chat(model="gpt-9")
    assert (answer.status_code, answer.json()["code"], answer.json()["param"]) == (404, "model_not_found", "model")


async def test_the_agent_s_answer_is_cited(served: Gateway) -> None:
    answer = await served.chat("can I return it?", model="wayside")
    message = answer.json()["choices"][0]["message"]
    (annotation,) = message["annotations"]
    citation = annotation["url_citation"]
    assert message["content"][citation["start_index"] : citation["end_index"]] == "[1]"
    wanted = {"document_id": "doc-1", "headings": ["Tents"], "quote": "within 30 days", "verdict": "verbatim"}
    assert citation.items() >= wanted.items()
    assert (answer.headers["x-wayside-engine"], answer.json()["usage"]["total_tokens"]) == ("embedded", 21)


async def test_the_agent_streams_text_then_annotations_then_usage(served: Gateway) -> None:
    body = {"stream": True, "stream_options": {"include_usage": True}}
    answer = await served.chat("can I?", model="wayside", body=body)
    *text, cited, finish, usage = events(answer.text)
    assert "".join(chunk["choices"][0]["delta"]["content"] for chunk in text) == SENTENCE
    assert cited["choices"][0]["delta"]["annotations"][0]["url_citation"]["marker"] == 1
    assert cited["wayside"]["thread_id"] == answer.headers["x-wayside-thread"]
    assert finish["choices"][0]["finish_reason"] == "stop"
    assert usage["usage"]["total_tokens"] == 21


async def test_a_thread_is_continued_by_its_name(served: Gateway) -> None:
    first = await served.chat(model="wayside")
    thread = first.headers["x-wayside-thread"]
    await served.chat(model="wayside", body={"metadata": {"thread_id": thread}})
    await served.chat(model="wayside", headers={"x-wayside-thread": thread})
    assert {turn.thread_id for turn in served.parts.assistant.turns} == {thread}
    assert served.parts.assistant.turns[0].principal.tenant == "harbor"


@pytest.mark.parametrize("stream", [False, True])
async def test_what_no_database_stores_is_refused(served: Gateway, stream: bool) -> None:
    body = {"messages": [{"role": "user", "content": "Where\0is it?"}], "stream": stream}
    answer = await served.chat(model="wayside", body=body)
    assert (answer.status_code, answer.json()["param"]) == (400, "messages.0")


async def test_two_names_for_one_thread_are_refused(served: Gateway) -> None:
    body = {"metadata": {"thread_id": "one"}}
    answer = await served.chat(model="wayside", body=body, headers={"x-wayside-thread": "two"})
    assert (answer.status_code, answer.json()["param"]) == (400, "metadata.thread_id")
    assert served.parts.assistant.turns == []


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"metadata": {"thread_id": "a/b"}}, "metadata.thread_id"),
        ({"metadata": {"colour": "red"}}, "metadata.colour"),
        ({"messages": [{"role": "user", "content": "  "}]}, "messages.0"),
        ({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}, "messages.1"),
        ({"messages": [{"role": "tool", "tool_call_id": "1", "content": "b"}]}, "messages.0"),
        ({"messages": [{"role": "user", "content": "a", "name": "jo"}]}, "messages.0.name"),
    ],
)
async def test_a_turn_must_be_the_user_s(served: Gateway, body: dict[str, Any], param: str) -> None:
    answer = await served.chat(model="wayside", body=body)
    assert (answer.status_code, answer.json()["param"]) == (400, param)
    assert not served.parts.assistant.turns


async def test_parts_of_text_become_one_text(served: Gateway) -> None:
    parts = [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]
    messages = [{"role": "developer", "content": "be brief"}, {"role": "user", "content": parts}]
    await served.chat(model="wayside", body={"messages": messages})
    (turn,) = served.parts.assistant.turns
    assert [(each.speaker, each.text) for each in turn.messages] == [("system", "be brief"), ("user", "one\ntwo")]


async def test_files_are_read_before_the_turn(served: Gateway) -> None:
    file = {"filename": "note.txt", "file_data": data_url(b"The total is 40.00 EUR.")}
    content = [{"type": "text", "text": "What is it?"}, {"type": "file", "file": file}]
    await served.chat(model="wayside", body={"messages": [{"role": "user", "content": content}]})
    (turn,) = served.parts.assistant.turns
    [message] = turn.messages
    assert (message.text, [each.text for each in message.attachments]) == ("What is it?", ["The total is 40.00 EUR."])


async def test_a_file_alone_is_a_message(served: Gateway) -> None:
    content = [{"type": "file", "file": {"filename": "note.txt", "file_data": data_url(b"Hello.")}}]
    answer = await served.chat(model="wayside", body={"messages": [{"role": "user", "content": content}]})
    assert answer.status_code == 200 and served.parts.assistant.turns[0].messages[0].attachments


@pytest.mark.parametrize(
    ("model", "file", "status", "param"),
    [
        ("wayside", {"file_id": "file-1"}, 400, "messages.0.content.0.file.file_id"),
        (
            "wayside",
            {"filename": "a.png", "file_data": data_url(b"\x89PNG")},
            415,
            "messages.0.content.0.file.file_data",
        ),
        ("wayside", {"filename": "a.txt", "file_data": "%%"}, 400, "messages.0.content.0.file.file_data"),
        ("wayside", {"filename": "a.txt"}, 400, "messages.0.content.0.file.file_data"),
        ("echo-1", {"filename": "a.txt", "file_data": data_url(b"Hello.")}, 400, "messages.0.content.0.type"),
    ],
)
async def test_a_file_that_is_not_taken_is_refused(
    served: Gateway, model: str, file: dict[str, Any], status: int, param: str
) -> None:
    body = {"messages": [{"role": "user", "content": [{"type": "file", "file": file}]}]}
    answer = await served.chat(model=model, body=body)
    assert (answer.status_code, answer.json()["param"]) == (status, param)
    assert not served.parts.assistant.turns


def test_an_attached_document_is_cited_by_a_uri_of_its_own() -> None:
    citation = Citation(1, "attachment:ab12", "note.txt", (), "Hello.", 0, 6, 0.5, Verdict.VERBATIM)
    (annotation,) = cited(Answer("t", "Hello. [1]", (citation,), False, "", Usage()))
    assert annotation["url_citation"]["url"] == "attachment:ab12"
