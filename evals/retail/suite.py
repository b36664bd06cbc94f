"""Are a service desk's tasks done? Judged by the final state of its records, in τ²-bench's retail domain.

For now the expected calls are replayed and no agent is asked: the figures say whether the desk and its judge can be
trusted, not how good anything is. `replayed` is the share of tasks whose expected calls were accepted wherever they
are to change something, so that their state was reached; the others say whether the judge notices mistakes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from core.errors import InvalidInput
from evals.retail.desk import Call, Desk
from evals.retail.judge import Replay, replay
from evals.retail.mistakes import Mistake, mistakes
from evals.retail.state import Database, State
from evals.retail.tasks import Task, read
from evals.suite import Options, Scorer, Suite, sample


@dataclass(frozen=True, slots=True)
class Checked:
    """A task's replay, the expected calls that should have changed something and were refused, and the mistakes.

    `missed` are the mistakes that led to the expected state all the same.
    """

    replay: Replay
    broken: tuple[int, ...]
    mistakes: Sequence[Mistake]
    missed: Sequence[Mistake]


@asynccontextmanager
async def open_suite(options: Options) -> AsyncIterator[Suite[Task, Checked]]:
    """The suite on the folder that `options` names; there is no data of the project's own."""
    if options.foreign:
        raise InvalidInput("the suite tasks has no use for foreign questions", param="foreign")
    if options.data is None:
        raise InvalidInput(
            "the suite tasks needs --data: a folder with db.json, policy.md and tasks.json", param="data"
        )
    retail = read(options.data)
    changing = {tool.__name__ for tool in Desk(State(retail.database)).changing}
    cases = sample(retail.tasks, options)
    reached = sum(not broken(replay(retail.database, task.expected), changing, task) for task in cases)
    yield Suite(
        name="tasks",
        cases=cases,
        task=partial(check, retail.database, changing),
        scorers=SCORERS,
        details=_details,
        facts={
            "data": retail.name,
            "replayed": f"{reached} of {len(cases)} tasks to the state of their expected calls",
            "agent": "none was asked",
        },
    )


async def check(database: Database, changing: Collection[str], task: Task) -> Checked:
    """Replay the task, and make every mistake in it."""
    reached = replay(database, task.expected)
    made = list(mistakes(database, task.expected))
    missed = [each for each in made if replay(database, each.calls).digest == reached.digest]
    return Checked(reached, broken(reached, changing, task), made, missed)


def broken(reached: Replay, changing: Collection[str], task: Task) -> tuple[int, ...]:
    """The expected calls that should have changed something and were refused."""
    return tuple(index for index in reached.refused if task.expected[index].name in changing)


def replayed(_: Task, out: Checked) -> float:
    """1 when no expected call that is to change something was refused."""
    return float(not out.broken)


def noticed(*, omission: bool, out: Checked) -> float | None:
    """Share of a task's mistakes of one kind that lead to another state; None where none can be made."""
    missed = [each for each in out.missed if (each.argument is None) == omission]
    made = [each for each in out.mistakes if (each.argument is None) == omission]
    return 1 - len(missed) / len(made) if made else None


SCORERS: tuple[Scorer[Task, Checked], ...] = (
    Scorer("replayed", replayed),
    Scorer("omission_noticed", lambda _, out: noticed(omission=True, out=out)),
    Scorer("wrong_argument_noticed", lambda _, out: noticed(omission=False, out=out)),
)


def _details(task: Task, out: Checked) -> Mapping[str, str]:
    def described() -> Iterator[str]:
        for index, call in enumerate(task.expected):
            effect = "changes the records" if index in out.replay.changing else "changes nothing"
            refusal = out.replay.refused.get(index)
            yield f"{_written(call)}: {effect if refusal is None else 'refused: ' + refusal}"

    missed = (f"{_written(task.expected[each.index])}: {each.argument or 'left out'}" for each in out.missed)
    return {
        "request": task.scenario.reason,
        "expected calls": "\n".join(described()) or "none",
        "mistakes made": str(len(out.mistakes)),
        "mistakes not noticed": "\n".join(missed) or "none",
    }


def _written(call: Call) -> str:
    return f"{call.name}({', '.join(f'{name}={value!r}' for name, value in call.arguments.items())})"
