from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from app.api.responses.ordering import find
from app.api.responses.reading import whole
from app.following import Following
from app.runs.owner import Owner
from core.errors import EngineTimeout
from core.types import Interrupted, Principal, TextDelta, ToolCalled
from tests.fakes.gateway import Gateway
from tests.fakes.speaking import ENDLESS, SAID, spoken

PATH = "/v1/responses"


async def respond(served: Gateway, given: Any = "hello", **options: Any) -> Any:
    headers, role = options.pop("headers", {}), options.pop("role", "client")
    body = {"model": "wayside", "input": given, **options}
    return await served.call("POST", PATH, role=role, json=body, headers=headers)


async def get(served: Gateway, response_id: str, suffix: str = "", **options: Any) -> Any:
    return await served.call("GET", f"{PATH}/{response_id}{suffix}", role="client", **options)


def said(response: Any) -> str:
    parts = [part for item in response["output"] if item["type"] == "message" for part in item["content"]]
    return "".join(part["text"] for part in parts)


def told(answer: Any) -> list[dict[str, Any]]:
    return [orjson.loads(each.partition("\ndata: ")[2]) for each in answer.text.split("\n\n")[:-1]]


async def test_a_response_is_a_run_on_a_thread_of_its_own(served: Gateway) -> None:
    answer = await respond(served)
    made = answer.json()
    assert (answer.status_code, made["status"], said(made)) == (200, "completed", "".join(SAID))
    thread = answer.headers["x-wayside-thread"]
    assert (made["wayside"]["thread_id"], answer.headers["x-wayside-engine"]) == (thread, "embedded")
    (run,) = (await served.call("GET", f"/threads/{thread}/runs", role="client")).json()
    assert made["id"] == "resp_" + run["run_id"].replace("-", "")
    assert (await get(served, made["id"])).json() == made
    # The workers book what runs cost, and nobody else does.
    assert 'kind="completion",model="wayside"} 9.0' in (await served.call("GET", "/metrics")).text


async def test_a_stream_and_what_is_read_later_are_the_same(served: Gateway) -> None:
    answer = await respond(served, stream=True)
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = told(answer)
    response_id = events[0]["response"]["id"]
    assert answer.headers["location"] == f"{PATH}/{response_id}"
    assert [f"event: {each['type']}" for each in events] == [
        line for line in answer.text.split("\n") if line.startswith("event: ")
    ]
    assert "id:" not in answer.text.replace('"id":', "")
    for after in range(len(events)):
        again = await get(served, response_id, params={"stream": "true", "starting_after": after})
        assert told(again) == events[after + 1 :]
        assert answer.text.endswith(again.text)
    assert (await get(served, response_id, params={"stream": "true"})).content == answer.content
    assert (await get(served, response_id)).json() == events[-1]["response"]


async def test_in_the_background(served: Gateway) -> None:
    served.parts.scripts["slowly"] = [TextDelta("In a "), 0.2, *spoken("In a ", "moment.")[1:]]
    answer = await respond(served, "slowly", background=True)
    made = answer.json()
    assert (answer.status_code, made["status"], made["background"], made["output"]) == (200, "queued", True, [])
    followed = told(await get(served, made["id"], params={"stream": "true"}))
    assert [each["type"] for each in followed][:3] == ["response.created", "response.queued", "response.in_progress"]
    assert followed[0]["response"] == made
    assert said((await get(served, made["id"])).json()) == "In a moment."
    both = await respond(served, background=True, stream=True)
    assert told(both)[0]["response"]["status"] == "queued"
    assert told(both)[-1]["response"]["status"] == "completed"


async def test_a_thread_goes_on_from_its_newest_response_only(served: Gateway) -> None:
    first = (await respond(served, "what is first?")).json()
    second = (await respond(served, "again?", previous_response_id=first["id"])).json()
    assert (said(second), second["previous_response_id"]) == ("what is first?", first["id"])
    assert second["wayside"]["thread_id"] == first["wayside"]["thread_id"]
    late = await respond(served, "fork", previous_response_id=first["id"])
    assert (late.status_code, late.json()["code"]) == (409, "previous_response_not_latest")
    assert (late.headers["x-should-retry"], late.json()["param"]) == ("false", "previous_response_id")
    assert second["id"] in late.json()["message"]
    # What came through another door is on the thread for everybody, and is no fork.
    path = f"/threads/{first['wayside']['thread_id']}/runs/wait"
    asking = {"messages": [{"role": "user", "content": "in between"}]}
    await served.call("POST", path, role="client", json={"assistant_id": "wayside", "input": asking})
    assert (await respond(served, "go on", previous_response_id=second["id"])).status_code == 200


async def test_two_at_once_after_one_response_are_one(served: Gateway) -> None:
    first = (await respond(served)).json()
    asking = [respond(served, f"next {i}", previous_response_id=first["id"]) for i in range(8)]
    statuses = sorted([answer.status_code for answer in await asyncio.gather(*asking)])
    assert statuses == [200, *[409] * 7]


async def test_a_thread_is_joined_by_its_name(served: Gateway) -> None:
    named = (await respond(served, "first", metadata={"thread_id": "t-1", "of": "mine"})).json()
    assert (named["wayside"]["thread_id"], named["metadata"]) == ("t-1", {"thread_id": "t-1", "of": "mine"})
    by_header = await respond(served, "again?", headers={"x-wayside-thread": "t-1"})
    assert said(by_header.json()) == "first"
    wrong = await respond(served, metadata={"thread_id": "../t"})
    assert (wrong.status_code, wrong.json()["param"]) == (400, "metadata.thread_id")
    two = await respond(served, metadata={"thread_id": "t-1"}, headers={"x-wayside-thread": "t-2"})
    assert (two.status_code, two.json()["param"]) == (400, "metadata.thread_id")
    other = await respond(served, previous_response_id=named["id"], metadata={"thread_id": "t-2"})
    assert (other.status_code, other.json()["param"]) == (400, "metadata.thread_id")


async def test_instructions_hold_for_one_response(served: Gateway) -> None:
    first = (await respond(served, "system?", instructions="be brief")).json()
    assert (said(first), first["instructions"]) == ("be brief", "be brief")
    second = (await respond(served, "system?", previous_response_id=first["id"])).json()
    assert (said(second), second["instructions"], second["output"]) == ("", None, [])
    third = await respond(served, "system?", previous_response_id=second["id"], instructions="be long")
    assert said(third.json()) == "be long"
    items = (await get(served, first["id"], "/input_items")).json()["data"]
    assert [(item["role"], item["content"][0]["text"]) for item in items] == [("user", "system?")]
    assert len((await get(served, second["id"], "/input_items")).json()["data"]) == 1


async def test_what_is_not_stored_goes_with_its_thread(served: Gateway) -> None:
    made = await respond(served, store=False)
    assert (made.json()["status"], made.json()["store"]) == ("completed", False)
    thread = made.headers["x-wayside-thread"]
    assert (await served.call("GET", f"/threads/{thread}", role="client")).status_code == 404
    after = await respond(served, previous_response_id=made.json()["id"])
    assert (after.status_code, after.json()["param"]) == (404, "previous_response_id")
    first = (await respond(served)).json()
    for options in ({"background": True}, {"metadata": {"thread_id": "t"}}, {"previous_response_id": first["id"]}):
        refused = await respond(served, store=False, **options)
        assert (refused.status_code, refused.json()["param"]) == (400, "store")


async def test_a_response_can_be_cancelled_again_and_again(served: Gateway) -> None:
    served.parts.scripts["endless"] = ENDLESS
    made = (await respond(served, "endless", background=True)).json()
    unfinished = await served.call("DELETE", f"{PATH}/{made['id']}", role="client")
    assert (unfinished.status_code, unfinished.json()["code"]) == (409, "response_unfinished")
    first = await served.call("POST", f"{PATH}/{made['id']}/cancel", role="client")
    again = await served.call("POST", f"{PATH}/{made['id']}/cancel", role="client")
    assert (first.status_code, first.json()["status"]) == (200, "cancelled")
    assert again.json() == first.json() == (await get(served, made["id"])).json()
    last = told(await get(served, made["id"], params={"stream": "true"}))[-1]
    assert (last["type"], last["response"]) == ("response.incomplete", first.json())
    done = (await respond(served)).json()
    late = await served.call("POST", f"{PATH}/{done['id']}/cancel", role="client")
    assert (late.status_code, late.json()["code"]) == (409, "response_ended")


async def test_a_response_can_be_deleted(served: Gateway) -> None:
    made = (await respond(served)).json()
    gone = await served.call("DELETE", f"{PATH}/{made['id']}", role="client")
    assert gone.json() == {"id": made["id"], "object": "response", "deleted": True}
    for suffix in ("", "/input_items", "?stream=true"):
        assert (await get(served, made["id"], suffix)).status_code == 404
    # The thread remembers what was said.
    thread = made["wayside"]["thread_id"]
    assert said((await respond(served, "again?", metadata={"thread_id": thread})).json()) == "hello"


async def test_a_failure_is_a_response_that_failed(served: Gateway) -> None:
    served.parts.scripts["fail"] = [TextDelta("Well"), EngineTimeout("too slow")]
    served.parts.scripts["break"] = [RuntimeError("a secret of the server's")]
    failed = (await respond(served, "fail")).json()
    assert (failed["status"], failed["error"]) == ("failed", {"code": "engine_timeout", "message": "too slow"})
    broken = await respond(served, "break")
    assert broken.json()["error"]["code"] == "internal_error"
    assert "secret" not in broken.text


async def test_one_that_waits_for_people_is_complete_and_the_thread_goes_on(served: Gateway) -> None:
    refund = {"order_id": "ORD-10421"}
    waiting = [ToolCalled("issue_refund", refund), Interrupted("apr_1", "issue_refund", refund, "above the limit")]
    served.parts.scripts["refund"] = [*waiting, *spoken("I have asked.", approvals=("apr_1",))]
    made = (await respond(served, "refund")).json()
    assert (made["status"], made["wayside"]["approvals"]) == ("completed", ["apr_1"])
    assert [item["id"] for item in made["output"] if item["type"] == "mcp_approval_request"] == ["apr_1"]
    consent = {"type": "mcp_approval_response", "approval_request_id": "apr_1", "approve": True}
    refused = await respond(served, [consent], previous_response_id=made["id"])
    assert (refused.status_code, refused.json()["param"]) == (400, "input.0.type")
    assert "/api/approvals" in refused.json()["message"]
    assert said((await respond(served, "again?", previous_response_id=made["id"])).json()) == "refund"


async def test_one_key_is_one_response_however_often_it_is_asked(served: Gateway) -> None:
    for stream in (False, True):
        headers = {"idempotency-key": f"key-{stream}"}
        answers = await asyncio.gather(*(respond(served, stream=stream, headers=headers) for _ in range(10)))
        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.content for answer in answers}) == 1
        assert len({answer.headers["location"] for answer in answers}) == 1
        other = await respond(served, "another", stream=stream, headers=headers)
        assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    # The condition was met when the first of them was admitted, and is not asked again.
    first = (await respond(served)).json()
    after = [await respond(served, previous_response_id=first["id"], headers={"idempotency-key": "n"}) for _ in "ab"]
    assert after[0].json() == after[1].json()


async def test_input_items_come_in_pages(served: Gateway) -> None:
    messages = [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "b"},
        {"role": "user", "content": "c"},
    ]
    made = (await respond(served, messages, instructions="be brief")).json()
    newest = (await get(served, made["id"], "/input_items", params={"limit": 2})).json()
    assert ([item["role"] for item in newest["data"]], newest["has_more"]) == (["user", "assistant"], True)
    rest = (await get(served, made["id"], "/input_items", params={"after": newest["last_id"]})).json()
    assert ([item["content"][0]["text"] for item in rest["data"]], rest["has_more"]) == (["a"], False)
    forward = (await get(served, made["id"], "/input_items", params={"order": "asc"})).json()
    assert [item["content"][0]["type"] for item in forward["data"]] == ["input_text", "output_text", "input_text"]
    assert (await get(served, made["id"], "/input_items", params={"after": "x"})).status_code == 404
    end = (await get(served, made["id"], "/input_items", params={"after": forward["first_id"]})).json()
    assert (end["data"], end["first_id"], end["last_id"]) == ([], None, None)


@pytest.mark.parametrize(
    "params",
    [
        {"include[]": "reasoning.encrypted_content"},
        {"include_obfuscation": "true"},
        {"starting_after": "3"},
        {"stream": "true", "starting_after": "-1"},
        {"shade": "1"},
    ],
)
async def test_what_is_not_honoured_in_reading_is_refused(served: Gateway, params: dict[str, str]) -> None:
    made = (await respond(served)).json()
    assert (await get(served, made["id"], params=params)).status_code == 400


@pytest.mark.parametrize("wrong", ["resp_", "resp_" + "0" * 32, "resp_" + "g" * 32, "x" * 37, "resp_" + "-" * 32])
async def test_what_is_no_response_is_not_found(served: Gateway, wrong: str) -> None:
    for method, suffix in (("GET", ""), ("DELETE", ""), ("POST", "/cancel"), ("GET", "/input_items")):
        answer = await served.call(method, f"{PATH}/{wrong}{suffix}", role="client")
        assert (answer.status_code, answer.json()["param"]) == (404, "response_id")
    answer = await respond(served, previous_response_id=wrong)
    assert (answer.status_code, answer.json()["param"]) == (404, "previous_response_id")


async def test_runs_through_other_doors_are_responses_if_they_tell_their_pieces(served: Gateway) -> None:
    asking = {"messages": [{"role": "user", "content": "hello"}]}
    thread = (await served.call("POST", "/threads", role="client", json={})).json()["thread_id"]
    for modes, status in ((["custom", "values"], 200), (["values"], 404)):
        body = {"assistant_id": "wayside", "input": asking, "stream_mode": modes, "metadata": {"n": 1, "of": "mine"}}
        run = (await served.call("POST", f"/threads/{thread}/runs", role="client", json=body)).json()
        await served.call("GET", f"/threads/{thread}/runs/{run['run_id']}/join", role="client")
        response_id = "resp_" + run["run_id"].replace("-", "")
        answer = await get(served, response_id)
        assert answer.status_code == status
        if status == 200:
            assert (said(answer.json()), answer.json()["metadata"]) == ("".join(SAID), {"of": "mine"})
            assert [each["role"] for each in (await get(served, response_id, "/input_items")).json()["data"]] == [
                "user"
            ]
            assert (await respond(served, previous_response_id=response_id)).status_code == 200


async def test_the_text_of_a_request_is_limited(served: Gateway) -> None:
    answer = await respond(served, "x" * (served.parts.settings.limits.message_characters + 1))
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


async def test_an_answer_that_takes_long_begins_with_white_space(served: Gateway) -> None:
    served.parts.scripts["slowly"] = [0.3, *spoken("At last.")]
    made = (await respond(served, "slowly", background=True)).json()
    runs = served.parts.runs
    run = await find(runs, Owner.of(await principal(served)), made["id"])
    late = await whole(runs, run, {"x-wayside-thread": run.thread_id}, patience=0.02)
    assert isinstance(late, Following)
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def nothing() -> Any:
        await asyncio.Event().wait()

    await late({"type": "http"}, nothing, send)
    body = b"".join(message.get("body", b"") for message in sent)
    assert body.startswith(b"\n")
    assert dict(sent[0]["headers"])[b"content-type"] == b"application/json"
    assert orjson.loads(body) == (await get(served, made["id"])).json()
    assert said(orjson.loads(body)) == "At last."


async def principal(served: Gateway) -> Principal:
    credential = await served.parts.identity.recognise(served.keys["client"], 0.0)
    assert credential is not None
    return credential.principal
