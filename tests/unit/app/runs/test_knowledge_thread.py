"""A chat and runs of langgraph-sdk on one thread of the knowledge assistant."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any

import orjson

from agents.knowledge import build_knowledge
from app.checkpoints import open_checkpoints
from app.runs.admission import Order
from app.runs.assistants import Assistants
from app.runs.knowledge import knowledge_assistant
from app.runs.owner import Owner
from app.runs.runs import Runs
from app.runs.workers import Workers
from core.database import Database
from core.types import Answer, Message, Principal, Role, Turn
from tests.fakes.assistant import NoHands, make_assistant
from tests.fakes.embeddings import FakeEmbeddings
from tests.fakes.models import ScriptedModel
from tests.fakes.search import FakeSearch, passage

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
        model = ScriptedModel(lines=[UNCHECKED] * 3, heard=[])
        search = FakeSearch({"return": [RETURNS]}, 0.9)
        graph = build_knowledge(model, search, FakeEmbeddings(), saver)
        assistant = knowledge_assistant(graph, characters=1000)
        runs = Runs(database, Assistants(assistant), saver, sole=True)
        chat = make_assistant(NoHands(), search=search, checkpoints=saver)
        question = "How long do I have to return something?"
        working = asyncio.create_task(Workers(runs, book).run())

        await chat.answer(Turn(ANN, "t", (Message("user", question),)))
        owner = Owner.of(ANN)
        assert len(await _messages(runs, owner)) == 2

        request = {
            "input": {"messages": [{"role": "user", "content": "Can I return a tent?"}]},
            "modes": list(assistant.modes),
        }
        run = await runs.ended(await runs.admission.admit(Order(ANN, "t", "knowledge", request)))
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
        working.cancel()
        await asyncio.wait({working})
    await database.close()


async def _messages(runs: Runs, owner: Owner) -> list[dict[str, Any]]:
    state = await runs.states.get(await runs.threads.get(owner, "t"))
    messages: list[dict[str, Any]] = state["values"]["messages"]
    return messages
