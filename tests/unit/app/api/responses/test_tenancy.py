"""Whatever is tried with another's responses, nothing of theirs is seen, and nothing of theirs changes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.gateway import Gateway
from tests.fakes.speaking import ENDLESS

ASK = {"model": "wayside", "input": "hello"}
# {r} is a response of the owner's that has ended, {u} one that has not.
TRIED: list[tuple[str, str, Any]] = [
    (method, path.replace("{r}", which), body)
    for which in ("{r}", "{u}")
    for method, path, body in (
        ("GET", "/v1/responses/{r}", None),
        ("GET", "/v1/responses/{r}?stream=true", None),
        ("GET", "/v1/responses/{r}?stream=true&starting_after=1", None),
        ("GET", "/v1/responses/{r}/input_items", None),
        ("POST", "/v1/responses/{r}/cancel", None),
        ("DELETE", "/v1/responses/{r}", None),
        ("POST", "/v1/responses", {**ASK, "previous_response_id": "{r}"}),
        ("POST", "/v1/responses", {**ASK, "previous_response_id": "{r}", "stream": True}),
        ("POST", "/v1/responses", {**ASK, "previous_response_id": "{r}", "background": True}),
    )
]


@pytest.fixture
async def owned(served: Gateway) -> dict[str, str]:
    served.parts.scripts["endless"] = ENDLESS
    named = {**ASK, "input": "mine", "metadata": {"thread_id": "t-1"}}
    made = (await served.call("POST", "/v1/responses", role="client", json=named)).json()
    endless = {**ASK, "input": "endless", "background": True}
    unfinished = (await served.call("POST", "/v1/responses", role="client", json=endless)).json()
    return {"{r}": made["id"], "{u}": unfinished["id"]}


@pytest.mark.parametrize("stranger", ["stranger", "staff", "engineer", "admin"])
async def test_nobody_reaches_what_is_anothers(served: Gateway, owned: dict[str, str], stranger: str) -> None:
    before = await everything(served, owned)
    for method, path, body in TRIED:
        options = {} if body is None else {"json": filled(body, owned)}
        answer = await served.call(method, filled(path, owned), role=stranger, **options)
        assert answer.status_code == 404, (method, path, answer.text)
        assert "mine" not in answer.text
    # The same name is another thread of their own.
    again = {**ASK, "input": "again?", "metadata": {"thread_id": "t-1"}}
    assert "mine" not in (await served.call("POST", "/v1/responses", role=stranger, json=again)).text
    assert await everything(served, owned) == before


async def test_without_a_key_there_is_nothing(served: Gateway, owned: dict[str, str]) -> None:
    for method, path, body in TRIED:
        assert (await served.http.request(method, filled(path, owned), json=body)).status_code == 401


async def everything(served: Gateway, owned: dict[str, str]) -> list[Any]:
    ended = await served.call("GET", f"/v1/responses/{owned['{r}']}", role="client")
    unfinished = await served.call("GET", f"/v1/responses/{owned['{u}']}", role="client")
    assert unfinished.json()["status"] in ("queued", "in_progress")
    return [ended.json(), unfinished.json()["id"]]


def filled(value: Any, ids: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: filled(each, ids) for name, each in value.items()}
    if isinstance(value, str):
        for name, id_ in ids.items():
            value = value.replace(name, id_)
    return value
