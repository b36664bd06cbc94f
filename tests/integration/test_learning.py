"""What staff correct over the API, `wayside router train` learns, and a server decides by."""

from __future__ import annotations

import asyncio
import os
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest

from agents.actions import PROCUREMENT, SUPPORT, Actions
from agents.conversation import Matter
from agents.examples import read_examples
from agents.reception import Reception, Way
from agents.router import FOLDER, Router
from agents.triage import Triage
from app.teaching import open_embeddings
from app.workspace import KEY_FILE, announced, own_weights
from core.settings import Settings
from core.tickets import CreateTicket, TicketCategory, TicketPriority
from finetune.rows import read_rows
from tests.e2e.server import ROOT, command
from tests.fakes.company import make_company
from tests.fakes.gateway import TENANT, Gateway, gateway, listening
from tests.fakes.turns import turn

SHORT_OF = (
    "We are short of lanterns for the winter sale",
    "We are short of stoves before the season, mail buyer@harbor.example",
    "Short of gloves again before the autumn sale",
)
UNSEEN = "We are short of tents for the summer sale"
TICKETS = (
    ("The valve spits", "The valve of my mat spits air."),
    ("Spitting valve", "My mat's valve spits, and spits again."),
    ("Valve spits", "Air is spat out of the valve of the new mat."),
)
UNSEEN_TICKET = "The valve spits\nThe valve spits air."


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Gateway]:
    """A server of the workspace, where somebody asked three things, and a ticket lies."""
    async with gateway(tmp_path) as served, listening(served) as url:
        served.parts.companies[TENANT] = make_company()
        (tmp_path / KEY_FILE).write_text(served.keys["admin"])
        for number, text in enumerate(SHORT_OF):
            served.parts.turns.add(TENANT, turn(f"t{number}", question=text))
        with announced(tmp_path, url):
            yield served


async def wayside(workspace: Path, *arguments: str) -> tuple[int | None, str, str]:
    line = command(*arguments, "--workspace", str(workspace))
    environment = {**os.environ, "COLUMNS": "200"}
    process = await asyncio.create_subprocess_exec(*line, cwd=ROOT, stdout=PIPE, stderr=PIPE, env=environment)
    output, errors = await process.communicate()
    return process.returncode, output.decode(), errors.decode()


async def correct(desk: Gateway, kind: str, name: str, *corrections: dict[str, str]) -> None:
    for correction in corrections:
        body = {"about": {"kind": kind, "id": name}, "rating": "down", "correction": correction}
        assert (await desk.call("POST", "/api/feedback", role="staff", json=body)).status_code == 201


async def test_corrections_change_what_a_server_decides(desk: Gateway, tmp_path: Path) -> None:
    for number in range(len(SHORT_OF)):
        await correct(desk, "turn", f"t{number}", {"action": "suggest_reorders"}, {"route": "procurement"})
    for number, (subject, message) in enumerate(TICKETS):
        opened = CreateTicket(subject, TicketCategory.OTHER, TicketPriority.NORMAL, message)
        ticket = await desk.parts.systems.help_desk.act(TENANT, f"k{number}", opened)
        await correct(desk, "ticket", ticket.id, {"category": "fraud"})
    code, output, errors = await wayside(tmp_path, "router", "train")
    assert (code, "contradiction" in errors) == (0, False), errors
    own = own_weights(tmp_path)
    assert sorted(path.name for path in own.iterdir()) == ["action.npz", "category.npz", "route.npz"]
    assert "in place" in output

    embeddings = open_embeddings(Settings())
    tools = frozenset((*SUPPORT, *PROCUREMENT))
    before, after = [
        Reception(Router.shipped(embeddings, folder), Actions.shipped(embeddings, folder)) for folder in (None, own)
    ]
    ways = [(await each.heading(UNSEEN, tools, Matter(), ()))["way"] for each in (before, after)]
    assert ways == [Way.DOCUMENTS, Way.TOOL]
    assert (await after.heading(UNSEEN, tools, Matter(), ()))["tool"] == "suggest_reorders"
    triage = Triage.shipped(embeddings, own)
    assert (await Triage.shipped(embeddings).classify(UNSEEN_TICKET)).category.value != "fraud"
    assert (await triage.classify(UNSEEN_TICKET)).category.value == "fraud"
    embeddings.close()


async def test_thumbs_teach_nothing(desk: Gateway, tmp_path: Path) -> None:
    body = {"about": {"kind": "turn", "id": "t0"}, "rating": "down"}
    await desk.call("POST", "/api/feedback", role="staff", json=body)
    code, output, errors = await wayside(tmp_path, "router", "train")
    assert (code, output) == (0, "nobody has corrected a label: the repository's weights are in use\n")
    assert "left out: 1 that say no more than whether it was liked" in errors
    assert list(own_weights(tmp_path).iterdir()) == []


async def test_what_costs_more_than_it_teaches_is_refused(desk: Gateway, tmp_path: Path) -> None:
    known = [each for each in read_examples(FOLDER / "examples.jsonl") if "route" in each.labels]
    names = sorted({each.labels["route"] for each in known})
    wrong = {name: names[place - 1] for place, name in enumerate(names)}
    given, nonsense = tmp_path / "given.jsonl", tmp_path / "nonsense.jsonl"
    given.write_bytes(b"".join(orjson.dumps({"text": each.text, **each.labels}) + b"\n" for each in known[::2]))
    rows = ({"text": each.text, "route": wrong[each.labels["route"]]} for each in known[1::2])
    nonsense.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    own = own_weights(tmp_path)
    own.mkdir()
    (own / "route.npz").write_bytes(b"what was there")
    code, output, errors = await wayside(
        tmp_path, "router", "train", "--examples", str(given), "--feedback", str(nonsense)
    )
    assert code == 1
    assert "route would know less of what it knew by more than chance: it is not replaced" in errors
    assert "worse: not replaced" in output
    assert (own / "route.npz").read_bytes() == b"what was there"


async def test_export_writes_what_was_taught(desk: Gateway, tmp_path: Path) -> None:
    await correct(desk, "turn", "t1", {"action": "suggest_reorders"}, {"answer": "Reorder 40 of SKU-0137."})
    await correct(desk, "ticket", "TCK-00029", {"reply": "It is on its way, Ann."})
    out = tmp_path / "out"
    code, output, errors = await wayside(tmp_path, "feedback", "export", "--out", str(out))
    assert (code, errors) == (0, "")
    assert output == f"1 labelled texts, 0 next actions, 2 answers lie in {out}\n"
    (example,) = read_examples(out / "examples.jsonl")
    assert example.text == "We are short of stoves before the season, mail [email]"
    assert example.labels == {"action": "suggest_reorders"}
    answers = [orjson.loads(line) for line in (out / "answers.jsonl").read_bytes().splitlines()]
    assert answers == [
        {
            "task": "answer",
            "prompt": "We are short of stoves before the season, mail [email]",
            "chosen": "Reorder 40 of SKU-0137.",
            "rejected": "You can return a tent within 30 days. [1]",
        },
        {"task": "reply", "prompt": "Where is it?\nMy parcel has not come.", "chosen": "It is on its way, Ann."},
    ]
    rows = list(read_rows(out / "rows.jsonl"))
    assert [(row.task, row.answer) for row in rows] == [
        ("answer", "Reorder 40 of SKU-0137."),
        ("reply", "It is on its way, Ann."),
    ]
    assert (await wayside(tmp_path, "router", "train", "--out", str(out)))[0] == 1, "a workspace or a folder"
