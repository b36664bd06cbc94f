"""The suite of the demo's tasks, on the demo's records and with the whole gateway."""

from __future__ import annotations

import json
from pathlib import Path

from app.demo.company import generate
from app.demo.load import load_records
from app.workspace import TENANT
from core.database import Database
from evals.demo.records import facts, judge, snapshot
from evals.demo.tasks import DEMO, Says, read
from evals.runner import run
from evals.suite import Options
from evals.suites import find

PLAYED = ("money-double-charge-small", "order-cancel-anothers", "stock-partial")


async def test_every_fact_of_every_task_is_in_the_records(tmp_path: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'demo.db'}")
    try:
        await database.migrate()
        await load_records(database, TENANT, generate())
        before = await snapshot(database, TENANT)
        for task in read(DEMO):
            known = await facts(database, task.facts)
            picked_up = {name: "PO-00001" for step in task.steps if isinstance(step, Says) for name in step.capture}
            known = known.learning(picked_up)
            said = [step.say for step in task.steps if isinstance(step, Says)]
            for text in (*said, *task.answers.values(), *task.told, *task.not_told, task.who.customer_id or ""):
                known.fill(text)
            verdict = judge(before, before, known.filled(task.changed), known.filled(task.new))
            assert bool(verdict.missing) == task.acts, f"{task.id} expects what is there already"
            assert not verdict.unexpected
            known.fill(json.dumps([task.changed, task.new]))
    finally:
        await database.close()


async def test_tasks_are_played_with_the_whole_gateway(tmp_path: Path) -> None:
    lines = DEMO.read_text().splitlines()
    chosen = [line for line in lines if any(f'"{name}"' in line for name in PLAYED)]
    (tmp_path / "three.jsonl").write_text("\n".join(chosen))
    async with find("tasks")(Options(tmp_path / "three.jsonl")) as suite:
        finished = await run(suite)
    assert not finished.errors
    assert {result.case_id: result.scores["task_success"] for result in finished.results} == dict.fromkeys(PLAYED, 1.0)
    assert finished.metrics["no_wrong_effect"].value == 1.0
    assert "person: " in finished.results[0].details["conversation"]
