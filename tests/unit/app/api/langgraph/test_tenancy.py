"""Whatever is tried with another's ids, nothing of theirs is seen, and nothing of theirs changes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.gateway import Gateway
from tests.fakes.graphs import STEPS

RUN = {"assistant_id": STEPS, "input": {"text": "mine"}}
# (method, path, body): {t} is a thread, {r} one of its runs, {c} a cron, {k} a checkpoint of the owner's.
BY_PATH: list[tuple[str, str, Any]] = [
    ("GET", "/threads/{t}", None),
    ("PATCH", "/threads/{t}", {"metadata": {"stolen": True}}),
    ("DELETE", "/threads/{t}", None),
    ("POST", "/threads/{t}/copy", None),
    ("POST", "/threads/prune", {"thread_ids": ["{t}"]}),
    ("POST", "/threads/prune", {"thread_ids": ["{t}"], "strategy": "keep_latest"}),
    ("GET", "/threads/{t}/state", None),
    ("GET", "/threads/{t}/state/{k}", None),
    ("POST", "/threads/{t}/state/checkpoint", {"checkpoint": {"checkpoint_id": "{k}"}}),
    ("POST", "/threads/{t}/state", {"values": {"text": "stolen"}}),
    ("POST", "/threads/{t}/history", {}),
    ("GET", "/threads/{t}/runs", None),
    ("POST", "/threads/{t}/runs", RUN),
    ("POST", "/threads/{t}/runs/stream", RUN),
    ("POST", "/threads/{t}/runs/wait", RUN),
    ("POST", "/threads/{t}/runs/wait", {"assistant_id": STEPS, "command": {"resume": "stolen"}}),
    ("POST", "/threads/{t}/runs/wait", {**RUN, "multitask_strategy": "rollback"}),
    ("POST", "/threads/{t}/runs/wait", {**RUN, "checkpoint_id": "{k}"}),
    ("POST", "/runs/batch", [{**RUN, "thread_id": "{t}"}]),
    ("GET", "/threads/{t}/runs/{r}", None),
    ("GET", "/threads/{t}/runs/{r}/join", None),
    ("GET", "/threads/{t}/runs/{r}/stream", None),
    ("POST", "/threads/{t}/runs/{r}/cancel", None),
    ("POST", "/threads/{t}/runs/{r}/cancel?wait=1&action=rollback", None),
    ("POST", "/runs/cancel", {"thread_id": "{t}", "run_ids": ["{r}"]}),
    ("DELETE", "/threads/{t}/runs/{r}", None),
    ("POST", "/threads/{t}/runs/crons", {**RUN, "schedule": "* * * * *"}),
    ("PATCH", "/runs/crons/{c}", {"enabled": False}),
    ("DELETE", "/runs/crons/{c}", None),
    ("GET", "/store/items?namespace=a.b&key=k", None),
]
# These look for anything at all, and find nothing.
SEARCHES: list[tuple[str, Any, Any]] = [
    ("/threads/search", {}, []),
    ("/threads/search", {"ids": ["{t}"]}, []),
    ("/threads/search", {"metadata": {"of": "mine"}}, []),
    ("/threads/count", {}, 0),
    ("/runs/crons/search", {}, []),
    ("/runs/crons/count", {}, 0),
    ("/store/items/search", {"namespace_prefix": ["a"]}, {"items": []}),
    ("/store/namespaces", {}, {"namespaces": []}),
]


@pytest.fixture
async def owned(served: Gateway) -> dict[str, str]:
    """What the client has: a thread with an interrupted run, a cron, an item."""
    thread = (await served.call("POST", "/threads", role="client", json={"metadata": {"of": "mine"}})).json()[
        "thread_id"
    ]
    asking = {**RUN, "input": {"text": "mine", "ask": "may I?", "act": "acted"}}
    await served.call("POST", f"/threads/{thread}/runs/wait", role="client", json=asking)
    run = (await served.call("GET", f"/threads/{thread}/runs", role="client")).json()[0]["run_id"]
    cron = await served.call("POST", "/runs/crons", role="client", json={**RUN, "schedule": "0 0 1 1 *"})
    await served.call(
        "PUT", "/store/items", role="client", json={"namespace": ["a", "b"], "key": "k", "value": {"v": 1}}
    )
    state = (await served.call("GET", f"/threads/{thread}/state", role="client")).json()
    return {"{t}": thread, "{r}": run, "{c}": cron.json()["cron_id"], "{k}": state["checkpoint"]["checkpoint_id"]}


def filled(value: Any, ids: dict[str, str]) -> Any:
    if isinstance(value, str):
        for name, id_ in ids.items():
            value = value.replace(name, id_)
        return value
    if isinstance(value, dict):
        return {name: filled(each, ids) for name, each in value.items()}
    return [filled(each, ids) for each in value] if isinstance(value, list) else value


async def everything(served: Gateway, ids: dict[str, str]) -> list[Any]:
    """All that the owner can see."""
    paths = ("/threads/{t}", "/threads/{t}/runs", "/threads/{t}/runs/{r}", "/store/items?namespace=a.b&key=k")
    seen = [(await served.call("GET", filled(path, ids), role="client")).json() for path in paths]
    seen.append((await served.call("POST", filled("/threads/{t}/history", ids), role="client", json={})).json())
    seen.append((await served.call("POST", "/runs/crons/search", role="client", json={})).json())
    return seen


@pytest.mark.parametrize("stranger", ["stranger", "staff", "engineer", "admin"])
async def test_nobody_reaches_what_is_anothers(served: Gateway, owned: dict[str, str], stranger: str) -> None:
    before = await everything(served, owned)
    for method, path, body in BY_PATH:
        options = {} if body is None else {"json": filled(body, owned)}
        answer = await served.call(method, filled(path, owned), role=stranger, **options)
        assert answer.status_code == 404, (method, path, answer.text)
        assert "mine" not in answer.text
    for path, body, nothing in SEARCHES:
        answer = await served.call("POST", path, role=stranger, json=filled(body, owned))
        assert (answer.status_code, answer.json()) == (200, nothing), path
    assert await everything(served, owned) == before
    assert served.parts.acts == []


@pytest.mark.parametrize("stranger", ["stranger", "staff"])
async def test_anothers_ids_name_ones_own_things(served: Gateway, owned: dict[str, str], stranger: str) -> None:
    before = await everything(served, owned)
    made = await served.call("POST", "/threads", role=stranger, json={"thread_id": owned["{t}"]})
    assert (made.status_code, made.json()["values"]) == (200, None)
    await served.call("PUT", "/store/items", role=stranger, json={"namespace": ["a", "b"], "key": "k", "value": {}})
    await served.call("DELETE", f"/threads/{owned['{t}']}", role=stranger)
    await served.call("POST", "/runs/cancel", role=stranger, json={"status": "all"})
    await served.call("POST", f"/threads/{owned['{t}']}/runs", role=stranger, json={**RUN, "if_not_exists": "create"})
    assert await everything(served, owned) == before


async def test_without_a_key_there_is_nothing(served: Gateway) -> None:
    for method, path, body in [*BY_PATH, *(("POST", path, body) for path, body, _ in SEARCHES)]:
        assert (await served.http.request(method, path, json=body)).status_code == 401, path


async def test_both_ways_to_send_a_key_are_one(served: Gateway) -> None:
    for headers in ({"x-api-key": served.keys["client"]}, {"authorization": f"Bearer {served.keys['client']}"}):
        assert (await served.http.post("/threads/count", json={}, headers=headers)).json() == 0
    wrong = {"x-api-key": served.keys["client"], "authorization": "Bearer wsk_wrong"}
    assert (await served.http.post("/threads/count", json={}, headers=wrong)).status_code == 401
