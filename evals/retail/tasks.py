"""Reads the desk's folder: `db.json`, `policy.md` and every `tasks*.json`, in τ²-bench's layout."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from core.errors import InvalidInput
from evals.retail.desk import Call
from evals.retail.state import Database, read_database


@dataclass(frozen=True, slots=True)
class Scenario:
    """What an agent may know of a task: the desk's policy, and the customer's side of the conversation."""

    policy: str
    reason: str
    known: str
    manner: str


@dataclass(frozen=True, slots=True)
class Task:
    """A customer's case, and the calls that a good agent makes, wrong tries included."""

    id: str
    scenario: Scenario
    expected: tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class Retail:
    """The folder."""

    name: str
    database: Database
    tasks: Sequence[Task]


def read(folder: Path) -> Retail:
    """Read the folder. Raises `InvalidInput` naming the file, and the task, that cannot be used."""
    if not folder.is_dir():
        raise InvalidInput(f"no retail tasks at {folder}: it is not a folder", param="data")
    policy = folder / "policy.md"
    if not policy.is_file():
        raise InvalidInput(f"{folder} has no policy.md", param="data")
    text = policy.read_text(encoding="utf-8")
    tasks = [task for file in sorted(folder.glob("tasks*.json")) for task in _tasks(file, text)]
    if not tasks:
        raise InvalidInput(f"{folder} has no task in tasks*.json", param="data")
    if len({task.id for task in tasks}) < len(tasks):
        raise InvalidInput(f"{folder} has two tasks of one id", param="data")
    return Retail(folder.name, read_database(folder / "db.json"), tasks)


def _tasks(file: Path, policy: str) -> Iterator[Task]:
    try:
        rows = json.loads(file.read_bytes(), parse_float=Decimal)
    except ValueError as error:
        raise InvalidInput(f"{file} is not JSON: {error}", param="data") from error
    if not isinstance(rows, list):
        raise InvalidInput(f"{file} is not a list of tasks", param="data")
    for number, row in enumerate(rows, start=1):
        try:
            yield _task(row, policy)
        except (KeyError, TypeError) as error:
            raise InvalidInput(f"{file}, task {number}: not of the layout: {error!r}", param="data") from error


def _task(row: dict[str, Any], policy: str) -> Task:
    if row["initial_state"] is not None:
        raise InvalidInput(f"task {row['id']} starts from a state of its own, which is not supported", param="data")
    told = row["user_scenario"]["instructions"]
    return Task(
        id=str(row["id"]),
        scenario=Scenario(
            policy=policy,
            reason=told["reason_for_call"],
            known=told["known_info"] or "",
            manner=told["task_instructions"] or "",
        ),
        expected=tuple(Call(each["name"], each["arguments"]) for each in row["evaluation_criteria"]["actions"]),
    )
