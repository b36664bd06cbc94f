import asyncio
from typing import Any

import orjson
import pytest

from tests.fakes.gateway import Gateway
from tests.fakes.graphs import STEPS


async def new_thread(served: Gateway) -> str:
    return str((await served.call("POST", "/threads", json={})).json()["thread_id"])


async def run(served: Gateway, thread: str | None, how: str = "/wait", **body: Any) -> Any:
    headers = body.pop("headers", {})
    path = f"/threads/{thread}/runs{how}" if thread else f"/runs{how}"
    return await served.call("POST", path, json={"assistant_id": STEPS, **body}, headers=headers)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"webhook": "https://example.com"}, "webhook"),
        ({"feedback_keys": ["a"]}, "feedback_keys"),
        ({"langsmith_tracer": {"project_name": "p"}}, "langsmith_tracer"),
        ({"context": {"scope": "everything"}}, "context"),
        ({"checkpoint_during": True}, "checkpoint_during"),
        ({"config": {"configurable": {"thread_id": "another"}}}, "config.configurable"),
        ({"config": {"run_name": "x"}}, "config.run_name"),
        ({"stream_mode": ["tools"]}, "stream_mode"),
        ({"command": {"goto": "act"}}, "command.goto"),
        ({"command": {"update": {"act": "x"}}}, "command.update"),
        ({"on_completion": "delete"}, "on_completion"),
        ({"strict_resume": False}, "strict_resume"),
        ({"shade": 1}, "shade"),
    ],
)
async def test_what_is_not_honoured_is_refused(served: Gateway, body: dict[str, Any], param: str) -> None:
    answer = await run(served, await new_thread(served), **body)
    assert (answer.status_code, answer.json()["param"]) == (400, param)
    if param != "strict_resume":
        assert answer.json()["code"] == "unsupported_parameter"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"input": {"pieces": -1}}, 400, "invalid_input"),
        ({"assistant_id": "nobody"}, 404, "not_found"),
        ({"interrupt_before": ["nowhere"]}, 400, "invalid_input"),
        ({"durability": "exit"}, 400, "invalid_input"),
        ({"checkpoint_id": "1f1e6029-6398-6ee9-8003-9af2fbe4c048"}, 404, "not_found"),
        ({"command": {"resume": "yes"}}, 409, "no_interrupt"),
        ({"command": {"resume": {"0" * 32: "yes"}}}, 404, "not_found"),
        ({"command": {"resume": "yes"}, "input": {}}, 400, "invalid_input"),
        ({"command": {}}, 400, "invalid_input"),
        ({"multitask_strategy": "hope"}, 400, "invalid_input"),
    ],
)
async def test_what_cannot_be_is_refused(served: Gateway, body: dict[str, Any], status: int, code: str) -> None:
    answer = await run(served, await new_thread(served), **body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_without_the_thread_there_is_no_run_unless_it_is_to_be_made(served: Gateway) -> None:
    assert (await run(served, "nowhere")).status_code == 404
    assert (await run(served, "nowhere", input={}, if_not_exists="create")).status_code == 200
    assert (await served.call("GET", "/threads/nowhere")).json()["status"] == "idle"


async def test_an_error_of_ours_is_told_and_one_that_nobody_foresaw_is_not(served: Gateway) -> None:
    thread = await new_thread(served)
    clearly = (await run(served, thread, input={"fail": "clearly"})).json()["__error__"]
    badly = await run(served, thread, input={"fail": "badly"})
    assert (clearly["error"], clearly["message"]) == ("failed_clearly", "as it was told")
    assert badly.json()["__error__"]["error"] == "internal_error"
    assert "secret" not in badly.text
    streamed = await run(served, thread, "/stream", input={"fail": "clearly"})
    last = streamed.text.strip().split("\n\n")[-1].split("\n")
    assert last[1] == "event: error"
    assert orjson.loads(last[2].removeprefix("data: "))["error"]["code"] == "failed_clearly"
    assert (await served.call("GET", f"/threads/{thread}")).json()["status"] == "error"


async def test_a_run_that_has_nothing_to_go_on_with_says_so(served: Gateway) -> None:
    answer = (await run(served, await new_thread(served))).json()
    assert answer["__error__"]["param"] == "input"


async def test_the_limit_of_steps_is_kept(served: Gateway) -> None:
    answer = await run(served, await new_thread(served), input={}, config={"recursion_limit": 2})
    assert answer.json()["__error__"]["error"] == "recursion_limit"


async def test_breakpoints_stop_and_no_input_goes_on(served: Gateway) -> None:
    thread = await new_thread(served)
    await run(served, thread, input={}, interrupt_before=["work"])
    state = (await served.call("GET", f"/threads/{thread}/state")).json()
    assert (state["next"], state["values"]["done"]) == (["work"], ["begin"])
    await run(served, thread, interrupt_after="*")
    assert (await served.call("GET", f"/threads/{thread}")).json()["status"] == "interrupted"
    assert (await run(served, thread)).json()["done"] == ["begin", "work"]


async def test_a_run_can_begin_at_an_earlier_checkpoint(served: Gateway) -> None:
    thread = await new_thread(served)
    await run(served, thread, input={"text": "one"})
    after_one = (await served.call("GET", f"/threads/{thread}/state")).json()["checkpoint"]
    await run(served, thread, input={"text": "two"})
    forked = await run(served, thread, input={"text": "three"}, checkpoint=after_one)
    assert [message["content"] for message in forked.json()["messages"]] == ["one", "three"]


async def test_one_key_is_one_run_however_it_is_asked(served: Gateway) -> None:
    for how in ("", "/wait", "/stream"):
        for thread in (await new_thread(served), None):
            headers = {"idempotency-key": f"key-{how}-{thread}"}
            asking = [run(served, thread, how, input={"act": "once"}, headers=headers) for _ in range(10)]
            answers = await asyncio.gather(*asking)
            assert {answer.status_code for answer in answers} == {200}
            assert len({answer.headers["content-location"] for answer in answers}) == 1
            if how:
                assert len({answer.content for answer in answers}) == 1
            other = await run(served, thread, how, input={"act": "twice"}, headers=headers)
            assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
            await served.call("GET", answers[0].headers["content-location"] + "/join")
    assert served.parts.acts == ["once"] * 6


async def test_a_stateless_run_leaves_no_thread_but_can_be_joined(served: Gateway) -> None:
    answer = await run(served, None, input={"text": "a"})
    where = answer.headers["content-location"]
    assert answer.json()["done"] == ["begin", "work"]
    async with asyncio.timeout(30):
        # The answer does not wait for the thread to be discarded.
        while (await served.call("GET", where.partition("/runs")[0])).status_code != 404:
            await asyncio.sleep(0.01)
    assert (await served.call("GET", f"{where}/join")).content == answer.content
    kept = await run(served, None, input={"text": "a"}, on_completion="keep")
    thread = kept.headers["content-location"].partition("/runs")[0]
    assert (await served.call("GET", thread)).json()["values"]["text"] == "a"


async def test_a_later_run_waits_and_an_earlier_one_can_be_cancelled(served: Gateway) -> None:
    thread = await new_thread(served)
    later = (await run(served, thread, "", after_seconds=3600)).json()
    assert later["status"] == "pending"
    assert (await run(served, thread, input={})).json()["done"] == ["begin", "work"]
    path = f"/threads/{thread}/runs/{later['run_id']}"
    assert (await served.call("DELETE", path)).json()["code"] == "run_unfinished"
    assert (await served.call("DELETE", f"/threads/{thread}")).json()["code"] == "thread_busy"
    assert (await served.call("POST", f"{path}/cancel")).status_code == 204
    assert (await served.call("POST", f"{path}/cancel")).json()["code"] == "run_ended"
    assert (await served.call("GET", path)).json()["status"] == "interrupted"
    assert (await served.call("DELETE", path)).status_code == 204
    assert (await served.call("GET", path)).status_code == 404


async def test_cancel_and_wait_gives_what_was_reached(served: Gateway) -> None:
    thread = await new_thread(served)
    slow = (await run(served, thread, "", input={"pieces": 1000, "pause": 0.1})).json()["run_id"]
    while (await served.call("GET", f"/threads/{thread}/state")).json()["next"] != ["work"]:
        await asyncio.sleep(0.02)
    answer = await served.call("POST", f"/threads/{thread}/runs/{slow}/cancel", params={"wait": 1})
    assert (answer.status_code, answer.json()["done"]) == (200, ["begin"])
    assert (await served.call("GET", f"/threads/{thread}/runs/{slow}")).json()["cancel_reason"] == "interrupt"


async def test_many_are_cancelled_at_once(served: Gateway) -> None:
    thread, other = await new_thread(served), await new_thread(served)
    ids = [(await run(served, thread, "", after_seconds=60)).json()["run_id"] for _ in range(3)]
    await run(served, other, "", after_seconds=60)
    body = {"thread_id": thread, "run_ids": ids[:2]}
    assert (await served.call("POST", "/runs/cancel", json=body)).status_code == 204
    pending = {"status": "pending"}
    left = await served.call("GET", f"/threads/{thread}/runs", params=pending)
    assert [each["run_id"] for each in left.json()] == ids[2:]
    assert (await served.call("POST", "/runs/cancel", json={"status": "all"})).status_code == 204
    for each in (thread, other):
        assert (await served.call("GET", f"/threads/{each}/runs", params=pending)).json() == []
    assert (await served.call("POST", "/runs/cancel", json={})).status_code == 400


async def test_what_a_run_cost_is_booked_to_its_key(served: Gateway) -> None:
    await run(served, None, input={"bill": 7})
    metrics = (await served.call("GET", "/metrics")).text
    assert 'wayside_tokens_total{engine="echo",kind="completion",model="wayside"} 7.0' in metrics
    left = (await served.call("POST", "/threads/count", json={})).headers["x-ratelimit-remaining-tokens"]
    assert int(left) == served.parts.settings.limits.tokens_per_day - 14


async def test_a_batch_is_admitted_whole_or_not_at_all(served: Gateway) -> None:
    thread = await new_thread(served)
    good = {"assistant_id": STEPS, "thread_id": thread}
    assert (await served.call("POST", "/runs/batch", json=[good, {**good, "webhook": "x"}])).status_code == 400
    assert (await served.call("GET", f"/threads/{thread}/runs")).json() == []
    made = await served.call("POST", "/runs/batch", json=[good, {"assistant_id": STEPS}])
    assert [each["thread_id"] == thread for each in made.json()] == [True, False]


async def test_a_stream_can_be_read_again_from_any_event(served: Gateway) -> None:
    thread = await new_thread(served)
    modes = ["values", "updates", "custom", "messages", "messages-tuple", "tasks", "checkpoints", "debug"]
    answer = await run(served, thread, "/stream", input={"text": "a b", "pieces": 3}, stream_mode=modes)
    where = answer.headers["location"]
    events = answer.content.split(b"\n\n")[:-1]
    assert {event.split(b"\n")[1] for event in events} >= {
        b"event: " + name
        for name in (b"metadata", b"values", b"updates", b"custom", b"messages", b"messages/partial", b"tasks", b"end")
    }
    assert f'"{served.keys["admin"]}"'.encode() not in answer.content
    assert b"/key:" not in answer.content, "a thread is named by its own id"
    for cut in (0, 1, len(events) // 2, len(events)):
        rest = await served.call("GET", where, headers={"last-event-id": str(cut)})
        assert rest.content == b"".join(event + b"\n\n" for event in events[cut:])
    custom = await served.call("GET", where, params={"stream_mode": "custom"})
    assert custom.text.count("event: custom") == 3
    assert custom.text.count("event: ") == 5
    for wrong in ({"params": {"stream_mode": "events"}}, {"headers": {"last-event-id": "x"}}):
        assert (await served.call("GET", where, **wrong)).status_code in (400, 404)  # type: ignore[arg-type]


async def test_a_run_answers_whoever_began_it(served: Gateway) -> None:
    for role in ("admin", "stranger"):
        thread = (await served.call("POST", "/threads", json={}, role=role)).json()["thread_id"]
        body = {"assistant_id": STEPS, "input": {"act": "once"}}
        await served.call("POST", f"/threads/{thread}/runs/wait", json=body, role=role)
    tenants = [person.partition("/key:")[0] for person in served.parts.acted_for if person]
    assert tenants == ["harbor", "rival"]
