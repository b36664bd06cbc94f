from typing import Any

import pytest

from app.runs.owner import Owner
from app.runs.steps import Steps
from app.runs.timelines import CHAT, Timeline
from core.types import Answer, ModelSpoke, ToolCalled, ToolResult, Usage
from tests.fakes.gateway import TENANT, Gateway
from tests.fakes.graphs import STEPS

CUSTOMER = "customer:CUS-00001"


async def talk(office: Gateway, role: str, text: str) -> str:
    thread = (await office.call("POST", "/threads", role=role, json={})).json()["thread_id"]
    body = {"assistant_id": STEPS, "input": {"text": text}}
    await office.call("POST", f"/threads/{thread}/runs/wait", role=role, json=body)
    return str(thread)


def note(office: Gateway, turn: str, thread: str, owner: str = CUSTOMER, question: str = "Where is it?") -> None:
    steps = Steps()
    steps.task({"id": "1", "name": "head", "triggers": ()})
    steps.custom(ToolCalled("lookup_order", {"order_id": "ORD-1"}))
    steps.custom(ToolResult("lookup_order", {"status": "shipped"}))
    steps.custom(ModelSpoke("embedded", Usage(7, 3), 0.01))
    heading = {"way": "tool", "tool": "lookup_order", "second": ""}
    steps.task({"id": "1", "name": "head", "result": {"heading": heading}, "error": None, "interrupts": []})
    steps.custom(Answer(thread, "On its way.", (), False, "embedded", Usage(7, 3)))
    timeline = Timeline.of(
        Owner(TENANT, owner), thread, turn, steps, source=CHAT, assistant="wayside", question=question
    )
    office.parts.runs.timelines.record(timeline)


async def test_staff_see_every_conversation_and_a_client_its_own(office: Gateway) -> None:
    mine, other = await talk(office, "customer", "one"), await talk(office, "neighbour", "two")
    seen = (await office.call("GET", "/api/threads", role="staff")).json()
    assert [each["id"] for each in seen["data"]] == [other, mine]
    own = (await office.call("GET", "/api/threads", role="customer")).json()
    assert [(each["id"], each["owner"]) for each in own["data"]] == [(mine, CUSTOMER)]
    assert (await office.call("GET", "/api/threads", role="stranger")).json()["data"] == []


async def test_pages_go_on_after_the_last(office: Gateway) -> None:
    threads = [await talk(office, "customer", str(i)) for i in range(3)]
    first = (await office.call("GET", "/api/threads", role="staff", params={"limit": 2})).json()
    assert first["has_more"] is True
    after = {"limit": 2, "after": first["data"][-1]["cursor"]}
    second = (await office.call("GET", "/api/threads", role="staff", params=after)).json()
    assert [each["id"] for each in first["data"] + second["data"]] == threads[::-1]
    assert second["has_more"] is False


@pytest.mark.parametrize("path", ["/api/threads/{t}", "/api/threads/{t}?owner=customer:CUS-00001"])
@pytest.mark.parametrize("who", ["neighbour", "stranger"])
async def test_anothers_conversation_is_not_there(office: Gateway, path: str, who: str) -> None:
    thread = await talk(office, "customer", "mine")
    answer = await office.call("GET", path.format(t=thread), role=who)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_staff_look_into_a_customers_conversation(office: Gateway) -> None:
    thread = await talk(office, "customer", "hello")
    note(office, "turn-1", thread)
    shown = (await office.call("GET", f"/api/threads/{thread}", role="staff", params={"owner": CUSTOMER})).json()
    assert (shown["owner"], shown["last"], shown["pending"]) == (CUSTOMER, "Where is it?", [])
    assert (await office.call("GET", f"/api/threads/{thread}", role="staff")).status_code == 404, "it is not theirs"


async def test_a_turn_is_shown_step_by_step(office: Gateway) -> None:
    note(office, "turn-1", "t")
    shown: dict[str, Any] = (await office.call("GET", "/api/timelines/turn-1", role="staff")).json()
    assert {name: shown[name] for name in ("id", "thread_id", "owner", "source", "question", "answer", "engine")} == {
        "id": "turn-1",
        "thread_id": "t",
        "owner": CUSTOMER,
        "source": "chat",
        "question": "Where is it?",
        "answer": "On its way.",
        "engine": "embedded",
    }
    assert shown["usage"] == {"prompt_tokens": 7, "completion_tokens": 3}
    assert shown["heading"]["tool"] == "lookup_order"
    assert [(step["kind"], step["name"]) for step in shown["steps"]] == [
        ("node", "head"),
        ("tool", "lookup_order"),
        ("model", "embedded"),
    ]
    assert shown["steps"][1]["detail"] == {"arguments": {"order_id": "ORD-1"}, "result": {"status": "shipped"}}
    own = (await office.call("GET", "/api/timelines/turn-1", role="customer")).json()
    assert own["answer"] == "On its way." and own["steps"][1]["detail"] == {}


async def test_turns_are_listed_by_thread_the_latest_first(office: Gateway) -> None:
    for i in range(3):
        note(office, f"turn-{i}", "t")
    note(office, "other", "u")
    params: dict[str, Any] = {"thread_id": "t", "limit": 2}
    first = (await office.call("GET", "/api/timelines", role="staff", params=params)).json()
    rest = (await office.call("GET", "/api/timelines", role="staff", params={**params, "after": "turn-1"})).json()
    assert [each["id"] for each in first["data"] + rest["data"]] == ["turn-2", "turn-1", "turn-0"]
    assert (first["has_more"], rest["has_more"]) == (True, False)
    assert (await office.call("GET", "/api/timelines", role="neighbour")).json()["data"] == []
    assert (await office.call("GET", "/api/timelines/turn-1", role="neighbour")).status_code == 404
    assert (await office.call("GET", "/api/timelines/turn-1", role="stranger")).status_code == 404
    assert (await office.call("GET", "/api/timelines", role="stranger")).json()["data"] == []
