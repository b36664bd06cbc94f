"""A chat and runs of langgraph-sdk on one thread of the assistant."""

from __future__ import annotations

import asyncio
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pytest

from app.api.langgraph.views import run_view
from app.assistant import Assistant
from app.checkpoints import open_checkpoints
from app.runs.admission import Order
from app.runs.assistants import Assistants
from app.runs.owner import Owner
from app.runs.runs import Runs
from app.runs.wayside import wayside_assistant
from app.runs.workers import Workers
from core.database import Database
from core.errors import NotFound
from core.types import Answer, Message, Principal, Role, Turn
from tests.fakes.assistant import NoHands, make_graph
from tests.fakes.attaching import data_url
from tests.fakes.search import FakeSearch, passage
from tests.fakes.senses import scripted

ANN = Principal("key_a", "acme", Role.CLIENT, "CUS-00001")
RETURNS = passage("You have 30 days to return unworn items. Refunds reach your card within 5 working days.")
UNCHECKED = "You have 90 days to return unworn items."


async def test_both_add_to_the_same_messages_and_show_only_what_was_checked(tmp_path: Path, template: Path) -> None:
    shutil.copy(template, tmp_path / "wayside.db")
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'wayside.db'}")
    booked: list[Any] = []

    async def book(_principal: Principal, piece: Any) -> None:
        booked.append(piece)

    async with open_checkpoints(database.dsn) as saver:
        search = FakeSearch({"return": [RETURNS]}, 0.9)
        graph, desk = make_graph(NoHands(), search=search, checkpoints=saver, lines=[UNCHECKED] * 3)
        assistant = wayside_assistant(graph, characters=1000, observing=scripted())
        runs = Runs(database, Assistants(assistant), saver, sole=True)
        holding = partial(runs.writers.held, assistant_id="wayside", patience=30.0)
        chat = Assistant(graph, desk, NoHands(), holding=holding, note=runs.timelines.record)
        question = "How long do I have to return something?"
        working = asyncio.create_task(Workers(runs, book).run())

        await chat.answer(Turn(ANN, "t", (Message("user", question),)))
        owner = Owner.of(ANN)
        assert len(await _messages(runs, owner)) == 2

        request = {
            "input": {"messages": [{"role": "user", "content": "Can I return a tent?"}]},
            "modes": list(assistant.modes),
        }
        run = await runs.ended(await runs.admission.admit(Order(ANN, "t", "wayside", request)))
        events = [event async for event in runs.log.follow(run.tenant, run.id)]
        assert run.status == "success", events
        assert [each["type"] for each in await _messages(runs, owner)] == ["human", "ai", "human", "ai"]
        assert orjson.loads(run.output or b"")["question"] == "Can I return a tent?"
        told = b"".join(event.data for event in events)
        assert b"30 days" in told
        assert b"90 days" not in told, "the model's own words are nobody's to see"
        (answer,) = [piece for piece in booked if isinstance(piece, Answer)]
        said = [orjson.loads(e.data)[0]["content"] for e in events if e.name == "messages"]
        assert "".join(said) == answer.text
        assert [orjson.loads(e.data)[0]["content"] for e in events if e.name == "messages/partial"][-1] == answer.text

        await chat.answer(Turn(ANN, "t", (Message("user", question),)))
        assert len(await _messages(runs, owner)) == 6

        [last, ours, first] = await runs.timelines.page(ANN.tenant)
        assert (first.source, ours.source, ours.id) == ("chat", "run", run.id)
        assert ours.question == "Can I return a tent?" and ours.answer == answer.text and last.question == question
        assert [step["name"] for step in ours.steps if step["kind"] == "node"][:2] == ["receive", "head"]
        assert all(step["ms"] is not None and step["at_ms"] <= ours.ms for step in ours.steps)
        assert (await runs.timelines.get(ANN.tenant, run.id, owner.name)).id == run.id
        with pytest.raises(NotFound):
            await runs.timelines.get(ANN.tenant, run.id, "customer:CUS-00002")
        with pytest.raises(NotFound):
            await runs.timelines.get("rival", run.id)
        await runs.threads.delete(owner, "t")
        assert await runs.timelines.page(ANN.tenant) == []
        working.cancel()
        await asyncio.wait({working})
    await database.close()


async def test_a_files_text_is_shown_nowhere_but_where_it_is_quoted(tmp_path: Path, template: Path) -> None:
    shutil.copy(template, tmp_path / "wayside.db")
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'wayside.db'}")

    async def book(_principal: Principal, _piece: Any) -> None:
        return

    async with open_checkpoints(database.dsn) as saver:
        graph, _ = make_graph(NoHands(), search=FakeSearch({}), checkpoints=saver)
        assistant = wayside_assistant(graph, characters=1000, observing=scripted())
        runs = Runs(database, Assistants(assistant), saver, sole=True)
        working = asyncio.create_task(Workers(runs, book).run())
        file = {"filename": "note.txt", "file_data": data_url(b"The total is 40.00 EUR.\n\nThe password is xyzzy.")}
        content = [{"type": "text", "text": "What is the total?"}, {"type": "file", "file": file}]
        given = await assistant.prepare(ANN, {"messages": [{"role": "user", "content": content}]})
        request = {"input": given, "modes": list(assistant.modes)}
        order = Order(ANN, "t", "wayside", request, create=True)
        run = await runs.ended(await runs.admission.admit(order))
        told = [event.data async for event in runs.log.follow(run.tenant, run.id)]
        assert any(b"According to note.txt: The total is 40.00 EUR. [1]" in each for each in told), told
        thread = await runs.threads.get(Owner.of(ANN), "t")
        past = await runs.states.history(thread, limit=100, before=None, at=None, metadata=None)
        shown = [*told, run.output or b"", orjson.dumps(past), orjson.dumps(run_view(run)["kwargs"])]
        assert not any(b"xyzzy" in each for each in shown)
        [said, _] = await _messages(runs, Owner.of(ANN))
        [named] = said["additional_kwargs"]["attachments"]
        assert (named["name"], set(named)) == ("note.txt", {"id", "name"})
        [turn] = await runs.timelines.page(ANN.tenant)
        assert turn.question == "What is the total? [note.txt]" and "xyzzy" not in str(turn)
        working.cancel()
        await asyncio.wait({working})
    await database.close()


async def _messages(runs: Runs, owner: Owner) -> list[dict[str, Any]]:
    state = await runs.states.get(await runs.threads.get(owner, "t"))
    messages: list[dict[str, Any]] = state["values"]["messages"]
    return messages
