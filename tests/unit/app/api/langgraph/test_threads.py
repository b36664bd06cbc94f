from typing import Any

import pytest

from tests.fakes.gateway import Gateway
from tests.fakes.graphs import STEPS


async def new_thread(served: Gateway, **body: Any) -> str:
    return str((await served.call("POST", "/threads", json=body)).json()["thread_id"])


async def run(served: Gateway, thread: str, **given: Any) -> Any:
    body = {"assistant_id": STEPS, "input": given}
    return (await served.call("POST", f"/threads/{thread}/runs/wait", json=body)).json()


async def test_a_thread_is_made_once(served: Gateway) -> None:
    made = await served.call("POST", "/threads", json={"thread_id": "t-1", "metadata": {"a": 1}})
    assert (made.status_code, made.json()["thread_id"], made.json()["metadata"]) == (200, "t-1", {"a": 1})
    again = await served.call("POST", "/threads", json={"thread_id": "t-1"})
    assert (again.status_code, again.json()["code"]) == (409, "thread_exists")
    same = await served.call("POST", "/threads", json={"thread_id": "t-1", "if_exists": "do_nothing"})
    assert same.json()["metadata"] == {"a": 1}
    assert (await served.call("POST", "/threads", json={"thread_id": "../x"})).status_code == 400


@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        ("/threads", {"ttl": 5}, "ttl"),
        ("/threads", {"supersteps": []}, "supersteps"),
        ("/threads/search", {"values": {"text": "a"}}, "values"),
        ("/threads/search", {"extract": {"a": "b"}}, "extract"),
        ("/threads/count", {"values": {}}, "values"),
    ],
)
async def test_what_is_not_honoured_is_refused(served: Gateway, path: str, body: dict[str, Any], param: str) -> None:
    answer = await served.call("POST", path, json=body)
    assert (answer.status_code, answer.json()["code"], answer.json()["param"]) == (400, "unsupported_parameter", param)


async def test_metadata_is_merged(served: Gateway) -> None:
    thread = await new_thread(served, metadata={"a": 1, "b": 2})
    patched = await served.call("PATCH", f"/threads/{thread}", json={"metadata": {"b": 3}})
    assert patched.json()["metadata"] == {"a": 1, "b": 3}
    quiet = await served.call(
        "PATCH", f"/threads/{thread}", json={"metadata": {"c": 4}}, headers={"prefer": "return=minimal"}
    )
    assert (quiet.status_code, quiet.content) == (204, b"")


async def test_threads_are_found(served: Gateway) -> None:
    threads = [await new_thread(served, metadata={"n": i, "deep": {"even": i % 2 == 0, "x": 1}}) for i in range(5)]
    await run(served, threads[0], ask="?")

    async def search(**body: Any) -> list[int]:
        found = await served.call("POST", "/threads/search", json=body)
        return [threads.index(each["thread_id"]) for each in found.json()]

    assert await search() == [4, 3, 2, 1, 0]
    assert await search(limit=2, offset=1, sort_order="asc") == [1, 2]
    assert await search(metadata={"deep": {"even": True}}) == [4, 2, 0]
    assert await search(metadata={"deep": {"even": True}}, limit=1, offset=1) == [2]
    assert await search(status="interrupted") == [0]
    assert await search(status="busy") == []
    assert await search(ids=threads[:2], sort_by="updated_at") == [0, 1]
    assert await search(sort_by="status", limit=1) == [0]
    counted = [{}, {"metadata": {"n": 1}}, {"status": "idle"}]
    assert [(await served.call("POST", "/threads/count", json=body)).json() for body in counted] == [5, 1, 4]
    chosen = await served.call("POST", "/threads/search", json={"select": ["thread_id", "status"], "limit": 1})
    assert list(chosen.json()[0]) == ["thread_id", "status"]


async def test_a_copy_goes_its_own_way(served: Gateway) -> None:
    thread = await new_thread(served, metadata={"a": 1})
    await run(served, thread, text="one", ask="may I?")
    copied = (await served.call("POST", f"/threads/{thread}/copy")).json()
    assert (copied["metadata"]["a"], copied["status"], copied["thread_id"] != thread) == (1, "interrupted", True)
    answer = {"assistant_id": STEPS, "command": {"resume": "yes"}}
    await served.call("POST", f"/threads/{copied['thread_id']}/runs/wait", json=answer)
    both = [(await served.call("GET", f"/threads/{each}")).json() for each in (thread, copied["thread_id"])]
    assert [each["status"] for each in both] == ["interrupted", "idle"]
    assert [each["values"].get("answer") for each in both] == [None, "yes"]


async def test_state_history_and_edits(served: Gateway) -> None:
    thread = await new_thread(served)
    assert (await served.call("GET", f"/threads/{thread}/state")).json()["values"] == {}
    await run(served, thread, text="one")
    path = f"/threads/{thread}"
    newest = (await served.call("GET", f"{path}/state")).json()
    history = (await served.call("POST", f"{path}/history", json={})).json()
    assert history[0] == newest
    assert [each["metadata"]["step"] for each in history] == [5, 4, 3, 2, 1, 0, -1]
    first = history[-2]["checkpoint"]
    at = (await served.call("GET", f"{path}/state/{first['checkpoint_id']}")).json()
    assert at == history[-2]
    assert at == (await served.call("POST", f"{path}/state/checkpoint", json={"checkpoint": first})).json()
    before = await served.call("POST", f"{path}/history", json={"before": first, "limit": 1})
    assert before.json() == history[-1:]
    chosen = await served.call("GET", f"{path}/state", params={"select": ["values.text", "next"]})
    assert chosen.json() == {"values": {"text": "one"}, "next": []}

    edited = await served.call("POST", f"{path}/state", json={"values": {"text": "two"}, "as_node": "begin"})
    assert edited.json()["checkpoint"]["thread_id"] == thread
    after = (await served.call("GET", f"{path}/state")).json()
    assert (after["values"]["text"], after["next"]) == ("two", ["work"])
    assert (await served.call("GET", path)).json()["status"] == "interrupted"
    for body in ({"values": {"done": ["everything"]}}, {"values": {"text": "x"}, "as_node": "nowhere"}):
        assert (await served.call("POST", f"{path}/state", json=body)).status_code == 400
    other = {"checkpoint": {**first, "thread_id": "another"}}
    assert (await served.call("POST", f"{path}/state/checkpoint", json=other)).status_code == 400
    missing = await served.call("GET", f"{path}/state/1f1e6029-6398-6ee9-8003-9af2fbe4c048")
    assert missing.status_code == 404


async def test_deleted_is_gone(served: Gateway) -> None:
    thread = await new_thread(served)
    await run(served, thread, text="one")
    assert (await served.call("DELETE", f"/threads/{thread}")).status_code == 204
    for path in (f"/threads/{thread}", f"/threads/{thread}/state", f"/threads/{thread}/runs"):
        assert (await served.call("GET", path)).status_code == 404
    again = await served.call("POST", "/threads", json={"thread_id": thread})
    assert again.json()["values"] is None


async def test_pruned_threads_are_gone(served: Gateway) -> None:
    threads = [await new_thread(served) for _ in range(3)]
    pruned = await served.call("POST", "/threads/prune", json={"thread_ids": threads[:2]})
    assert pruned.json() == {"pruned_count": 2}
    assert (await served.call("POST", "/threads/count", json={})).json() == 1
    await run(served, threads[2], text="one")
    reduced = {"thread_ids": threads[2:], "strategy": "keep_latest"}
    assert (await served.call("POST", "/threads/prune", json=reduced)).json() == {"pruned_count": 1}
    history = (await served.call("POST", f"/threads/{threads[2]}/history", json={})).json()
    assert [each["values"]["text"] for each in history] == ["one"]
    assert (await served.call("POST", "/threads/prune", json={"thread_ids": ["nowhere"]})).status_code == 404


async def test_operations_that_are_not_offered_say_so(served: Gateway) -> None:
    for method, path in (
        ("GET", "/threads/t/stream"),
        ("POST", "/threads/t/commands"),
        ("POST", "/threads/t/stream/events"),
        ("POST", "/assistants"),
        ("PATCH", "/assistants/steps"),
        ("DELETE", "/assistants/steps"),
        ("POST", "/assistants/steps/latest"),
    ):
        answer = await served.call(method, path)
        assert (answer.status_code, answer.json()["code"]) == (400, "unsupported_operation"), path
