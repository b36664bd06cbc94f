"""Reads questions and their possible answers: one JSON object a line, in two files.

::

    NAME.jsonl           {"id", "question": [[message, …]], "function": [{"name", "description", "parameters"}, …]}
    NAME.answers.jsonl   {"id", "ground_truth": [{function: {parameter: [possible value, …]}}]}

A value of "" among the possible ones says that the parameter may be left out. An empty `ground_truth` says that no
function fits. A file without answers must say so by its ids, which then all begin with `irrelevance`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from core.errors import InvalidInput

Json = dict[str, Any]
Possible = Mapping[str, Sequence[Any]]
DEMO = Path(__file__).parents[1] / "data" / "demo" / "tools.jsonl"
_ANSWERS = ".answers.jsonl"


@dataclass(frozen=True, slots=True)
class Expected:
    """The one right call: its function, and what each parameter may be."""

    name: str
    arguments: Possible


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, the functions on offer as they were written, and the call; None where none of them fits."""

    id: str
    messages: tuple[Json, ...]
    functions: tuple[Json, ...]
    expected: Expected | None


def read(path: Path) -> list[Question]:
    """Read a file of questions, or all of a folder.

    Raises `InvalidInput` naming what cannot be used: several turns or calls a question, too.
    """
    files = sorted(each for each in path.glob("*.jsonl") if not each.name.endswith(_ANSWERS))
    files = files if path.is_dir() else [path]
    questions = [question for file in files for question in _questions(file)]
    if not questions:
        raise InvalidInput(f"{path} holds no questions", param="data")
    if len({question.id for question in questions}) < len(questions):
        raise InvalidInput(f"{path} has two questions of one id", param="data")
    return questions


def _questions(file: Path) -> Iterator[Question]:
    answers_file = file.with_name(file.name.removesuffix(".jsonl") + _ANSWERS)
    answers = {row["id"]: row["ground_truth"] for row in _rows(answers_file)} if answers_file.exists() else None
    for row in _rows(file):
        name = row["id"]
        if answers is None and not name.startswith("irrelevance"):
            raise InvalidInput(f"{file} has no {answers_file.name} beside it", param="data")
        if answers is not None and name not in answers:
            raise InvalidInput(f"{answers_file} has no answer to {name}", param="data")
        if len(row["question"]) != 1:
            raise InvalidInput(f"{file}: {name} has several turns, which are not supported", param="data")
        yield Question(
            id=name,
            messages=tuple(row["question"][0]),
            functions=tuple(row["function"]),
            expected=_expected(answers[name], name) if answers is not None else None,
        )


def _expected(calls: Sequence[Mapping[str, Possible]], name: str) -> Expected | None:
    match calls:
        case []:
            return None
        case [{**call}] if len(call) == 1:
            ((function, arguments),) = call.items()
            return Expected(function, arguments)
    raise InvalidInput(f"{name} expects several calls, which are not supported", param="data")


def _rows(path: Path) -> Iterator[Json]:
    fields = ("id", "ground_truth") if path.name.endswith(_ANSWERS) else ("id", "question", "function")
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise InvalidInput(f"cannot read {path}: {error.strerror}", param="data") from error
    for number, line in enumerate(lines, start=1):
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise InvalidInput(f"{path}, line {number}: not JSON: {error}", param="data") from error
        if missing := [field for field in fields if field not in row]:
            raise InvalidInput(f"{path}, line {number}: no {', '.join(missing)}", param="data")
        yield row
