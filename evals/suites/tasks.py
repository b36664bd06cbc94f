"""Are tasks done, end to end? The demo company's own, judged by what its records hold afterwards.

Each is a conversation with the whole gateway, on a workspace of its own: who asks, what they answer when they are
asked, what the staff decide meanwhile, and what may have changed in the end, if anything. With `--data FOLDER`, the
expected calls of τ²-bench's retail domain are replayed instead, and no agent is asked (`evals.retail.suite`).
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import structlog

from app.workspace import TENANT
from core.settings import Settings
from evals.demo.conversation import Played, play, unsaid
from evals.demo.office import furnish, opened
from evals.demo.records import Verdict, facts, judge, snapshot
from evals.demo.tasks import DEMO, Task, Who, read
from evals.retail.suite import open_suite as open_retail
from evals.suite import Options, Scorer, Suite, refuse_foreign, sample

_COLLEAGUE = Who(role="staff")


@dataclass(frozen=True, slots=True)
class Outcome:
    """A task as it was played, what is wrong with the records, and what is wrong with what was said."""

    played: Played
    records: Verdict
    words: list[str]


@asynccontextmanager
async def open_suite(options: Options) -> AsyncIterator[Suite[Any, Any]]:
    """The suite on the demo's tasks, or on a file of such (`--data FILE.jsonl`), or on a retail folder."""
    if options.data is not None and not options.data.is_file():
        async with open_retail(options) as retail:
            yield retail
        return
    refuse_foreign("tasks", options)
    path = options.data or DEMO
    cases = sample(read(path), options)
    with _quiet(), tempfile.TemporaryDirectory(prefix="wayside-eval-") as folder:
        template = Path(folder) / "template"
        await furnish(template)
        yield Suite(
            name="tasks",
            cases=cases,
            task=partial(attempt, template),
            scorers=SCORERS,
            details=_details,
            facts=_facts(path, cases),
            # Each opens a gateway with its models.
            concurrency=1,
        )


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the gateway's line for every request, which would go to the screen."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    try:
        yield
    finally:
        structlog.configure(**before)


async def attempt(template: Path, task: Task) -> Outcome:
    """Play the task on a copy of the workspace."""
    with tempfile.TemporaryDirectory(prefix="wayside-task-") as folder:
        workspace = await asyncio.to_thread(shutil.copytree, template, Path(folder) / "workspace")
        async with opened(workspace) as office:
            known = await facts(office.database, task.facts)
            who = task.who.model_copy(update={"customer_id": known.filled(task.who.customer_id)})
            person, colleague = await office.hire(who), await office.hire(_COLLEAGUE)
            before = await snapshot(office.database, TENANT)
            played = await play(task, known, person, colleague)
            after = await snapshot(office.database, TENANT)
    verdict = judge(before, after, played.known.filled(task.changed), played.known.filled(task.new))
    return Outcome(played, verdict, unsaid(played, task.told, task.not_told))


def state(_: Task, out: Outcome) -> float:
    """1 when the records are exactly as expected."""
    return float(not out.records.missing and not out.records.unexpected)


def told(task: Task, out: Outcome) -> float | None:
    """1 when what was to be said was, and nothing else that was not to be."""
    return float(not out.words) if task.told or task.not_told else None


def success(task: Task, out: Outcome) -> float:
    """1 when both are as expected."""
    return float(state(task, out) == 1 and not out.words)


SCORERS: tuple[Scorer[Task, Outcome], ...] = (
    Scorer("task_success", success),
    Scorer("task_success_acting", lambda task, out: success(task, out) if task.acts else None),
    Scorer("task_success_refraining", lambda task, out: None if task.acts else success(task, out)),
    Scorer("state", state),
    Scorer("no_wrong_effect", lambda _, out: float(not out.records.unexpected)),
    Scorer("told", told),
    Scorer("turns", lambda _, out: float(out.played.turns), lower_is_better=True),
)


def _facts(path: Path, cases: list[Task]) -> dict[str, str]:
    settings = Settings()
    return {
        "data": path.stem if path != DEMO else "the demo company's own",
        "tasks": f"{len(cases)}, of which {sum(not task.acts for task in cases)} may change nothing",
        "engine": f"{settings.engine.model} at {settings.engine.url}"
        if settings.engine.url
        else settings.embedded.model,
    }


def _details(task: Task, out: Outcome) -> Mapping[str, str]:
    return {
        "who": f"{task.who.role} {out.played.known.filled(task.who.customer_id) or ''}".strip(),
        "conversation": "\n".join(f"{who}: {line}" for who, line in out.played.lines),
        "should have changed": "\n".join(out.records.missing) or "nothing else",
        "should not have changed": "\n".join(out.records.unexpected) or "nothing else",
        "words": "\n".join(out.words) or "as expected",
    }
