"""What is told of a run is a function of its row and its log, and the official client takes all of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai import omit
from openai.lib.streaming.responses._responses import ResponseStreamState
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from app.api.responses.ordering import RESPONSE
from app.api.responses.reading import events
from app.api.responses.telling import Telling
from app.runs.encoding import encode
from app.runs.log import Event
from app.runs.owner import Owner
from app.runs.rows import Run
from app.runs.runs import Runs
from core.errors import NotFound
from core.types import Principal, Role

ID = "7b5a2f0e-58f2-4c39-9d53-1f5d4c4a9a01"
MADE = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
OFFICIAL: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
CITATION = {"marker": 1, "document_id": "doc-1", "title": "Returns", "quote": "30 days", "verdict": "verbatim"}


def a_run(*, background: bool = False, **changes: Any) -> Run:
    asked = {"background": background, "store": True, "instructions": "be brief", "ahead": 1}
    run = Run(
        tenant="acme",
        id=ID,
        owner=Owner("acme", "key:k"),
        thread_id="t",
        assistant_id="wayside",
        status="pending",
        request={"input": {"messages": []}, "modes": ["custom"], RESPONSE: asked},
        labels={"a": "b"},
        strategy="enqueue",
        ephemeral=False,
        principal=Principal("k", "acme", Role.CLIENT),
        attempt=0,
        cancel=None,
        cancel_reason=None,
        base=None,
        output=None,
        created_at=MADE,
        updated_at=MADE,
        ended_at=None,
    )
    return replace(run, **changes)


def ended(run: Run, *, cancelled: bool = False) -> Run:
    """The row as it is once the run is over."""
    moment = MADE + timedelta(seconds=7)
    reason = "cancelled: interrupt" if cancelled else None
    return replace(run, status="success", attempt=2, ended_at=moment, updated_at=moment, cancel_reason=reason)


def a_log(*said: tuple[str, Any]) -> list[Event]:
    return [Event(number, name, encode(value)) for number, (name, value) in enumerate(said, start=1)]


def attempt(number: int) -> tuple[str, Any]:
    return "metadata", {"run_id": ID, "attempt": number}


def text(said: str) -> tuple[str, Any]:
    return "custom", {"type": "text_delta", "text": said}


def called(tool: str, **arguments: Any) -> tuple[str, Any]:
    return "custom", {"type": "tool_called", "tool": tool, "arguments": arguments}


def result(tool: str, value: Any) -> tuple[str, Any]:
    return "custom", {"type": "tool_result", "tool": tool, "result": value}


def waits(approval: str, tool: str, **arguments: Any) -> tuple[str, Any]:
    piece = {"type": "interrupted", "approval": approval, "tool": tool, "arguments": arguments, "reason": "too much"}
    return "custom", piece


def answer(said: str, *citations: Any, tokens: int = 3, **more: Any) -> tuple[str, Any]:
    usage = {"prompt_tokens": tokens, "completion_tokens": 1}
    piece = {"thread_id": "t", "text": said, "citations": citations, "declined": False, "engine": "embedded"}
    return "custom", {"type": "answer", **piece, "usage": usage, "approvals": [], **more}


def end(status: str = "success") -> tuple[str, Any]:
    return "end", {"run_id": ID, "status": status}


ERROR = ("error", {"error": {"code": "engine_timeout", "message": "too slow", "type": "engine_error", "param": None}})


@dataclass
class OneRun:
    """`Runs` with one run: its row reads as it stood at that time, and the log is all there."""

    row: Run | None
    stored: Sequence[Event]

    @property
    def log(self) -> OneRun:
        return self

    async def follow(self, _tenant: str, _run_id: str, after: int = 0) -> AsyncIterator[Event]:
        for event in self.stored[after:]:
            yield event

    async def find(self, _owner: Owner, _run_id: str) -> Run:
        if self.row is None:
            raise NotFound("gone")
        return self.row


def read(first: Run, last: Run | None, log: Sequence[Event], after: int = -1) -> list[bytes]:
    """The stream as a reader gets it who found the row as `first` and, at the end, as `last`."""

    async def whole() -> list[bytes]:
        return [each async for each in events(cast("Runs", OneRun(last, log)), first, after)]

    return asyncio.run(whole())


def told(log: Sequence[Event], run: Run, last: Run | None = None) -> list[dict[str, Any]]:
    telling = Telling(run)
    said = telling.begin()
    for event in log:
        said += telling.take(event, last or ended(run))
    return said


def kinds(said: Sequence[dict[str, Any]]) -> list[str]:
    return [each["type"].removeprefix("response.") for each in said]


WORDS = st.sampled_from(["You ", "have 60 days. ", "[1]", "no", "🙂 ", ""])
TOOLS = st.sampled_from(["lookup_order", "issue_refund"])
PIECES = st.one_of(
    st.builds(text, WORDS),
    st.builds(lambda tool, n: called(tool, n=n), TOOLS, st.integers(0, 2)),
    st.builds(result, TOOLS, st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1), st.text())),
    st.builds(lambda a, tool, n: waits(a, tool, n=n), st.sampled_from(["apr_1", "apr_2"]), TOOLS, st.integers(0, 2)),
    st.builds(lambda words: answer("".join(words), CITATION), st.lists(WORDS, max_size=3)),
    st.just(attempt(2)),
    st.just(("custom", {"type": "model_spoke", "engine": "embedded"})),
    st.just(("custom", [1, 2])),
    st.just(("values", {"messages": []})),
)
ENDINGS = st.sampled_from([end(), end("interrupted"), ERROR])
LOGS = st.builds(
    lambda pieces, last: a_log(attempt(1), *pieces, last), st.lists(PIECES, max_size=30), ENDINGS
) | st.builds(a_log, ENDINGS)


@given(LOGS, st.booleans(), st.booleans(), st.lists(st.integers(-1, 80), max_size=5))
def test_wherever_a_stream_is_cut_the_rest_is_the_same(
    log: list[Event], background: bool, cancelled: bool, cuts: list[int]
) -> None:
    admitted = a_run(background=background)
    over = ended(admitted, cancelled=cancelled)
    running = replace(admitted, status="running", attempt=1, updated_at=MADE + timedelta(seconds=1))
    whole = read(admitted, over, log)
    for cut in cuts:
        # Whoever comes back finds the row in another state, and a log that was written meanwhile.
        for row in (admitted, running, over):
            assert whole[: cut + 1] + read(row, over, log, cut) == whole


@given(LOGS, st.booleans(), st.booleans())
def test_the_events_are_those_of_the_protocol(log: list[Event], background: bool, cancelled: bool) -> None:
    run = a_run(background=background)
    said = told(log, run, ended(run, cancelled=cancelled))
    assert [each["sequence_number"] for each in said] == list(range(len(said)))
    client: Any = ResponseStreamState(input_tools=omit, text_format=omit)
    open_, ids, texts = set[int](), list[str](), dict[int, str]()
    for each in said:
        if each["type"] != "response.failed":
            # The client's list of codes of failures is closed, and ours is another.
            client.handle_event(OFFICIAL.validate_python(each))
        match each:
            case {"type": "response.output_item.added", "output_index": index, "item": item}:
                assert index == len(ids)
                ids.append(item["id"])
                open_.add(index)
            case {"type": "response.output_text.delta", "output_index": index, "delta": delta}:
                assert index in open_
                texts[index] = texts.get(index, "") + delta
            case {"type": "response.output_text.done", "output_index": index, "text": words}:
                assert words == texts[index]
            case {"type": "response.output_item.done", "output_index": index, "item": item}:
                assert item["id"] == ids[index]
                open_.remove(index)
            case _:
                pass
    assert not open_
    assert len(set(ids)) == len(ids)
    last = said[-1]
    assert kinds([last])[0] in ("completed", "failed", "incomplete")
    assert [item["id"] for item in last["response"]["output"]] == ids


@given(LOGS, st.integers(0, 31))
def test_the_whole_is_what_the_stream_ends_with(log: list[Event], cut: int) -> None:
    run = a_run()
    telling = Telling(run)
    telling.begin()
    for event in log[:cut]:
        telling.take(event, ended(run))
    before = telling.view()
    for event in log[cut:]:
        last = telling.take(event, ended(run))
    if cut < len(log):
        assert before["status"] == ("in_progress" if cut else "queued")
        assert telling.view() == last[-1]["response"]
    else:
        assert telling.view() == before


def test_an_answer_with_a_citation() -> None:
    log = a_log(attempt(1), text("You have "), text("60 days. [1]"), answer("You have 60 days. [1]", CITATION), end())
    said = told(log, a_run())
    assert kinds(said) == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.annotation.added",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    response = Response.model_validate(said[-1]["response"])
    assert (response.output_text, response.metadata) == ("You have 60 days. [1]", {"a": "b"})
    (annotation,) = cast("Any", response.output[0]).content[0].annotations
    assert (annotation.type, annotation.url) == ("url_citation", "/api/documents/doc-1")
    assert response.output_text[annotation.start_index : annotation.end_index] == "[1]"
    assert response.usage is not None
    assert (response.usage.input_tokens, response.usage.total_tokens) == (3, 4)
    assert (response.created_at, response.completed_at) == (MADE.timestamp(), MADE.timestamp() + 7)
    assert said[-1]["response"]["wayside"]["engine"] == "embedded"


def test_tools_at_work_and_a_call_that_waits() -> None:
    asking = [called("lookup_order", order_id="ORD-1"), result("lookup_order", {"total": "80.00"})]
    refund = [called("issue_refund", amount="80.00"), waits("apr_1", "issue_refund", amount="80.00")]
    said_so = [text("I have asked."), answer("I have asked.", approvals=["apr_1"])]
    said = told(a_log(attempt(1), *asking, *refund, *said_so, end("interrupted")), a_run())
    # It has said what it had to say: the response is whole, though the thread waits.
    response = said[-1]["response"]
    assert (said[-1]["type"], response["status"]) == ("response.completed", "completed")
    looked, refunds, asked, spoke = response["output"]
    assert (looked["type"], looked["server_label"], looked["status"]) == ("mcp_call", "wayside", "completed")
    assert (looked["arguments"], looked["output"]) == ('{"order_id":"ORD-1"}', '{"total":"80.00"}')
    assert (refunds["status"], refunds["approval_request_id"], refunds["output"]) == ("incomplete", "apr_1", None)
    assert (asked["type"], asked["id"], asked["name"]) == ("mcp_approval_request", "apr_1", "issue_refund")
    assert spoke["content"][0]["text"] == "I have asked."
    assert response["wayside"]["approvals"] == ["apr_1"]
    assert kinds(said)[2:8] == [
        "output_item.added",
        "mcp_call.in_progress",
        "mcp_call_arguments.delta",
        "mcp_call_arguments.done",
        "mcp_call.completed",
        "output_item.done",
    ]


def test_a_call_that_brought_nothing_has_failed() -> None:
    log = a_log(
        attempt(1), called("cancel_order"), text("That was not possible."), answer("That was not possible."), end()
    )
    said = told(log, a_run())
    assert kinds(said).count("mcp_call.failed") == 1
    assert said[-1]["response"]["output"][0]["status"] == "failed"


def test_a_result_belongs_to_the_call_before_it_and_not_to_one_that_failed() -> None:
    calls = [called("update_ticket", ticket_id=ticket) for ticket in ("TCK-1", "TCK-2")]
    log = a_log(attempt(1), *calls, result("update_ticket", {"id": "TCK-2"}), answer("Done."), end())
    first, second, _ = told(log, a_run())[-1]["response"]["output"]
    assert (first["status"], first["output"]) == ("failed", None)
    assert (second["status"], second["output"]) == ("completed", '{"id":"TCK-2"}')


def test_after_a_take_over_what_was_cut_off_is_taken_back() -> None:
    log = a_log(
        attempt(1),
        text("You have"),
        attempt(2),
        text("You have "),
        text("60 days."),
        answer("You have 60 days."),
        end(),
    )
    cut_off, whole = told(log, a_run())[-1]["response"]["output"]
    assert (cut_off["status"], cut_off["content"]) == ("incomplete", [])
    assert (whole["status"], whole["content"][0]["text"]) == ("completed", "You have 60 days.")


def test_after_a_take_over_nothing_is_said_twice() -> None:
    saying = [text("You have "), text("60 days."), answer("You have 60 days.")]
    said = told(a_log(attempt(1), *saying, attempt(2), *saying, attempt(3), *saying, end()), a_run())
    response = said[-1]["response"]
    assert [item["status"] for item in response["output"]] == ["completed"]
    # It was worked for three times, and is booked three times.
    assert response["usage"]["input_tokens"] == 9


def test_after_a_take_over_something_else_may_be_said() -> None:
    log = a_log(
        attempt(1),
        text("You have 60 days."),
        answer("You have 60 days."),
        attempt(2),
        text("You have "),
        text("30 days."),
        answer("You have 30 days."),
        end(),
    )
    said = told(log, a_run())
    deltas = [each["delta"] for each in said if each["type"] == "response.output_text.delta"]
    assert deltas == ["You have 60 days.", "You have 30 days."]


def test_an_answer_that_is_not_what_was_said_takes_its_place() -> None:
    said = told(a_log(attempt(1), text("Yes"), answer("No."), end()), a_run())
    first, second = said[-1]["response"]["output"]
    assert (first["status"], first["content"], second["content"][0]["text"]) == ("incomplete", [], "No.")


def test_a_failure_is_told_and_keeps_what_was_said() -> None:
    said = told(a_log(attempt(1), called("lookup_order"), text("You have"), ERROR), a_run())
    response = said[-1]["response"]
    assert (said[-1]["type"], response["status"]) == ("response.failed", "failed")
    assert response["error"] == {"code": "engine_timeout", "message": "too slow"}
    call, message = response["output"]
    assert (call["status"], message["status"]) == ("failed", "incomplete")
    assert message["content"][0]["text"] == "You have"
    assert (response["usage"], response["completed_at"]) == (None, None)


@pytest.mark.parametrize("begun", [True, False])
def test_one_that_was_cancelled_is_incomplete(begun: bool) -> None:
    run = a_run(background=True)
    log = a_log(*[attempt(1), called("lookup_order"), text("You")][: 3 * begun], end("interrupted"))
    said = told(log, run, ended(run, cancelled=True))
    assert kinds(said)[:2] == ["created", "queued"]
    assert said[0]["response"]["status"] == "queued"
    assert ("in_progress" in kinds(said)) == begun
    assert (said[-1]["type"], said[-1]["response"]["status"]) == ("response.incomplete", "cancelled")
    assert {item["status"] for item in said[-1]["response"]["output"]} == ({"failed", "incomplete"} if begun else set())


def test_a_response_that_is_deleted_ends_its_streams() -> None:
    log = a_log(attempt(1), text("You"), end())
    assert [orjson.loads(each.split(b"data: ")[1])["type"] for each in read(a_run(), None, log)][-1] == (
        "response.output_text.delta"
    )
