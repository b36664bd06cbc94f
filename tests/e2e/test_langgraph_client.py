"""The official LangGraph client, unmodified, over a real socket."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from langgraph_sdk import get_client
from langgraph_sdk.client import LangGraphClient
from langgraph_sdk.errors import BadRequestError, ConflictError, NotFoundError

from evals.bench.streams import RESPONSES, RUNS, CutReader, Door
from tests.e2e.server import Server
from tests.fakes.gateway import Gateway, gateway, listening
from tests.fakes.graphs import STEPS


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Gateway]:
    async with gateway(tmp_path) as running:
        yield running


@pytest.fixture
async def client(served: Gateway) -> AsyncIterator[LangGraphClient]:
    async with listening(served) as url, get_client(url=url, api_key=served.keys["client"]) as official:
        yield official


async def test_assistants(client: LangGraphClient) -> None:
    (assistant,) = await client.assistants.search(graph_id=STEPS, limit=5)
    assert (assistant["assistant_id"], assistant["version"]) == (STEPS, 1)
    assert await client.assistants.get(STEPS) == assistant
    page = await client.assistants.search(response_format="object")
    assert assistant in page["assistants"] and page["next"] is None
    assert await client.assistants.count(name="nobody") == 0
    graph = await client.assistants.get_graph(STEPS, xray=True)
    assert {"source": "ask", "target": "act"} in graph["edges"]
    assert (await client.assistants.get_schemas(STEPS))["graph_id"] == STEPS
    assert await client.assistants.get_subgraphs(STEPS) == {}
    assert len(await client.assistants.get_versions(STEPS)) == 1
    for asking in (
        client.assistants.create(STEPS),
        client.assistants.update(STEPS, name="x"),
        client.assistants.delete(STEPS),
        client.assistants.set_latest(STEPS, 1),
    ):
        with pytest.raises(BadRequestError) as refused:
            await asking
        assert refused.value.code == "unsupported_operation"
    with pytest.raises(NotFoundError):
        await client.assistants.get("nobody")


async def test_threads(client: LangGraphClient) -> None:
    thread = await client.threads.create(metadata={"a": 1}, thread_id="mine", if_exists="raise", graph_id=STEPS)
    with pytest.raises(ConflictError):
        await client.threads.create(thread_id="mine")
    assert await client.threads.get("mine") == thread
    await client.threads.update("mine", metadata={"b": 2}, return_minimal=True)
    assert (await client.threads.update("mine", metadata={}))["metadata"] == {"a": 1, "b": 2, "graph_id": STEPS}
    assert len(await client.threads.search(metadata={"b": 2}, ids=["mine"], status="idle")) == 1
    assert await client.threads.count() == 1
    await client.runs.wait("mine", STEPS, input={"text": "one"})
    state = await client.threads.get_state("mine", subgraphs=True, select=["values.text", "checkpoint"])
    assert state["values"] == {"text": "one"}
    assert (await client.threads.get_state("mine", checkpoint_id=state["checkpoint"]["checkpoint_id"]))["next"] == []
    assert (await client.threads.get_state("mine", checkpoint=state["checkpoint"]))["next"] == []
    past = await client.threads.get_history("mine", limit=2, before=state["checkpoint"])
    assert [each["metadata"]["step"] for each in past] == [4, 3]  # type: ignore[index]
    edited = await client.threads.update_state("mine", {"text": "two"}, as_node="act")
    assert edited["checkpoint"]["thread_id"] == "mine"
    copied: Any = await client.threads.copy("mine")  # type: ignore[func-returns-value]
    assert copied["values"]["text"] == "two"
    assert (await client.threads.prune(["mine"], strategy="keep_latest"))["pruned_count"] == 1
    assert len(await client.threads.get_history("mine")) == 1
    await client.threads.delete("mine")
    with pytest.raises(NotFoundError):
        await client.threads.get("mine")
    for asking in (
        client.threads.create(ttl=5),
        client.threads.search(values={"text": "a"}),
        client.threads.search(extract={"a": "values.text"}),
        client.threads.get(copied["thread_id"], include=["ttl"]),
        client.threads.create(supersteps=[{"updates": [{"values": {}, "as_node": "work"}]}]),
    ):
        with pytest.raises(BadRequestError) as refused:
            await asking
        assert refused.value.code == "unsupported_parameter"
    with pytest.raises(BadRequestError):
        await anext(aiter(await client.threads.join_stream(copied["thread_id"])))


async def test_an_interrupt_is_answered_once(served: Gateway, client: LangGraphClient) -> None:
    thread = (await client.threads.create())["thread_id"]
    values: Any = await client.runs.wait(thread, STEPS, input={"ask": "may I?", "act": "acted"})
    (asked,) = values["__interrupt__"]
    assert asked["value"] == {"question": "may I?"}
    seen = await client.threads.get(thread)
    assert (seen["status"], list(seen["interrupts"].values())) == ("interrupted", [[asked]])
    answer: Any = {"resume": {asked["id"]: "yes"}}
    ended = await asyncio.gather(*(client.runs.wait(thread, STEPS, command=answer) for _ in range(5)))
    late = await client.runs.wait(thread, STEPS, command={"resume": "no"}, strict_resume=True)
    assert all(each == late for each in ended)
    assert (late["answer"], served.parts.acts) == ("yes", ["acted"])  # type: ignore[call-overload]


async def test_streaming(client: LangGraphClient) -> None:
    thread = (await client.threads.create())["thread_id"]
    created: list[Any] = []
    given: Any = {"text": "well said", "pieces": 2}
    parts = [
        part
        async for part in client.runs.stream(
            thread,
            STEPS,
            input=given,
            stream_mode=["values", "updates", "messages", "messages-tuple", "custom"],
            stream_resumable=True,
            stream_subgraphs=True,
            on_disconnect="continue",
            on_run_created=created.append,
        )
    ]
    assert [part.id for part in parts] == [str(number) for number in range(1, len(parts) + 1)]
    assert created == [{"run_id": parts[0].data["run_id"], "thread_id": thread}]
    assert [part.data for part in parts if part.event == "custom"] == [{"piece": 0}, {"piece": 1}]
    assert "".join(part.data[0]["content"] for part in parts if part.event == "messages") == "well said"
    assert [part.data[0]["content"] for part in parts if part.event == "messages/partial"][-1] == "well said"
    assert (parts[-1].event, parts[-1].data["status"]) == ("end", "success")

    run = created[0]["run_id"]
    rest = [part async for part in client.runs.join_stream(thread, run, last_event_id="5")]
    assert rest == parts[5:]
    only = [part.event async for part in client.runs.join_stream(thread, run, stream_mode=["custom"])]
    assert only == ["metadata", "custom", "custom", "end"]
    typed = [part async for part in client.runs.stream(None, STEPS, input=given, version="v2")]
    assert {part["type"] for part in typed} == {"metadata", "values"}
    both = [part async for part in client.runs.stream(None, STEPS, input=given, stream_mode=["events", "custom"])]
    assert "on_chat_model_stream" in {part.data.get("event") for part in both}
    assert [part.data for part in both if part.event == "custom"] == [{"piece": 0}, {"piece": 1}]


async def test_runs(client: LangGraphClient) -> None:
    thread = (await client.threads.create())["thread_id"]
    slow: Any = {"pieces": 1000, "pause": 0.1}
    first = await client.runs.create(thread, STEPS, input=slow, metadata={"n": 1})
    assert (first["thread_id"], first["metadata"]["n"]) == (thread, 1)  # type: ignore[index]
    with pytest.raises(ConflictError):
        await client.runs.create(thread, STEPS, multitask_strategy="reject")
    await client.runs.wait(thread, STEPS, input={"text": "now"}, multitask_strategy="interrupt")
    assert (await client.runs.get(thread, first["run_id"]))["status"] == "interrupted"
    second = await client.runs.create(thread, STEPS, input=slow, after_seconds=3600)
    await client.runs.cancel(thread, second["run_id"], wait=True)
    assert len(await client.runs.list(thread, status="interrupted", select=["run_id"])) == 2
    third = await client.runs.create(thread, STEPS, input={"text": "last"})
    assert (await client.runs.join(thread, third["run_id"]))["text"] == "last"
    await client.runs.delete(thread, third["run_id"])
    batch: Any = [{"assistant_id": STEPS, "input": {}, "thread_id": thread}, {"assistant_id": STEPS, "input": {}}]
    assert len(await client.runs.create_batch(batch)) == 2
    await client.runs.create(thread, STEPS, input=slow)
    await client.runs.cancel_many(status="all")
    assert (await client.runs.wait(None, STEPS, input={"text": "alone"}))["text"] == "alone"  # type: ignore[call-overload]
    with pytest.raises(Exception, match="failed_clearly: as it was told"):
        await client.runs.wait(thread, STEPS, input={"fail": "clearly"})


async def test_the_store(client: LangGraphClient) -> None:
    await client.store.put_item(["users", "ann"], "likes", {"tea": True}, index=False)
    assert (await client.store.get_item(["users", "ann"], "likes"))["value"] == {"tea": True}
    found = await client.store.search_items(["users"], filter={"tea": True})
    assert [item["key"] for item in found["items"]] == ["likes"]
    assert (await client.store.list_namespaces(prefix=["users"]))["namespaces"] == [["users", "ann"]]
    await client.store.delete_item(["users", "ann"], "likes")
    with pytest.raises(NotFoundError):
        await client.store.get_item(["users", "ann"], "likes")
    with pytest.raises(BadRequestError):
        await client.store.search_items(["users"], query="drinks")


async def test_crons(client: LangGraphClient) -> None:
    thread = (await client.threads.create())["thread_id"]
    made: Any = await client.crons.create(STEPS, schedule="0 9 * * 1", input={"text": "a"}, timezone="Europe/Berlin")
    bound: Any = await client.crons.create_for_thread(thread, STEPS, schedule="0 9 * * 1", enabled=False)
    assert (made["on_run_completed"], bound["thread_id"]) == ("delete", thread)
    assert await client.crons.count() == 2
    assert [each["cron_id"] for each in await client.crons.search(thread_id=thread)] == [bound["cron_id"]]
    updated = await client.crons.update(made["cron_id"], schedule="0 8 * * 1", end_time=None)
    assert updated["schedule"] == "0 8 * * 1"
    with pytest.raises(BadRequestError):
        await client.crons.update(made["cron_id"], input={"text": "b"})
    await client.crons.delete(made["cron_id"])
    assert await client.crons.count() == 1


async def test_a_client_that_goes_away_stops_its_run_only_when_it_said_so(client: LangGraphClient) -> None:
    given: Any = {"pieces": 60, "pause": 0.05}
    for leaving, status in (("continue", "success"), ("cancel", "interrupted")):
        thread = (await client.threads.create())["thread_id"]
        stream = client.runs.stream(thread, STEPS, input=given, stream_mode="custom", on_disconnect=leaving)  # type: ignore[call-overload]
        run = (await anext(aiter(stream))).data["run_id"]
        await stream.aclose()
        await client.runs.join(thread, run)
        assert (await client.runs.get(thread, run))["status"] == status


async def test_both_clients_speak_in_one_thread(demo_server: Server) -> None:
    with demo_server.openai() as openai:
        asked: Any = [{"role": "user", "content": "How long does standard delivery to Germany take?"}]
        first = openai.chat.completions.with_raw_response.create(model="wayside", messages=asked)
    thread = first.headers["x-wayside-thread"]
    async with get_client(url=demo_server.url, api_key=demo_server.key) as client:
        before = await client.threads.get(thread)
        assert [each["type"] for each in before["values"]["messages"]] == ["human", "ai"]  # type: ignore[index]
        given: Any = {"messages": [{"role": "user", "content": "And how much does it cost?"}]}
        parts = [
            part
            async for part in client.runs.stream(
                thread, "wayside", input=given, stream_mode=["values", "messages-tuple", "custom"]
            )
        ]
        (answer,) = [part.data for part in parts if part.event == "custom" and part.data["type"] == "answer"]
        told = "".join(part.data[0]["content"] for part in parts if part.event == "messages")
        assert answer["citations"][0]["title"] == "Delivery times and prices"
        assert told == answer["text"]
        assert len((await client.threads.get_state(thread))["values"]["messages"]) == 4  # type: ignore[call-overload]
    with demo_server.openai() as openai:
        again: Any = [{"role": "user", "content": "And to Norway?"}]
        openai.chat.completions.create(model="wayside", messages=again, metadata={"thread_id": thread})
    with demo_server.http() as http:
        state = http.get(f"/threads/{thread}/state").raise_for_status().json()
    assert len(state["values"]["messages"]) == 6


@pytest.mark.parametrize("door", [RUNS, RESPONSES], ids=lambda door: door.name)
def test_cut_streams_go_on_byte_for_byte(demo_server: Server, door: Door) -> None:
    randomness = random.Random(7)
    with demo_server.http() as http:
        pieces = 0
        for _ in range(5):
            reader = CutReader(http, randomness, [], door)
            assert reader.read("How long do I have to send something back?") == reader.whole()
            pieces += reader.pieces
    assert pieces > 10, "they were cut"
