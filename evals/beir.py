"""Reads an evaluation folder in BEIR's layout (Thakur et al. 2021), with the files that Wayside adds to it.

::

    corpus.jsonl        {"_id", "title", "text"}, or a folder documents/ of Markdown files whose names are the ids
    queries.jsonl       {"_id", "text"}
    qrels/*.tsv         query-id, corpus-id, score, below a line of headings
    answers.jsonl       {"_id", "answers": [...]}: what a right answer contains (optional)
    unanswerable.jsonl  {"_id", "text"}: questions to be declined (optional)
    followups.jsonl     {"_id", "turns": [...], "answers": [...], "document"}: the last turn is judged (optional)
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import orjson

from core.errors import InvalidInput

DEMO = Path(__file__).parent / "data" / "demo"
DEMO_ARTICLES = Path(__file__).parent.parent / "app" / "demo" / "articles"


@dataclass(frozen=True, slots=True)
class Document:
    """A document to index: a file's bytes under its name, which tells the reader what it is."""

    id: str
    filename: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Question:
    """One question, by its turns; `gains` maps relevant document → relevance, `answers` are the gold ones."""

    id: str
    turns: tuple[str, ...]
    gains: Mapping[str, float]
    answers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Folder:
    """What a folder holds. Judged queries only: one without a relevant document says nothing."""

    name: str
    documents: Sequence[Document]
    questions: Sequence[Question]
    unanswerable: Sequence[Question]
    followups: Sequence[Question]


def read(path: Path) -> Folder:
    """Read the whole folder. Raises `InvalidInput` naming the file and line that cannot be used."""
    if not path.is_dir():
        raise InvalidInput(f"no evaluation data at {path}: it is not a folder", param="data")
    gains = _judgments(path)
    answers = {row["_id"]: tuple(row["answers"]) for row in _rows(path / "answers.jsonl", "_id", "answers")}
    queries = {row["_id"]: row["text"] for row in _rows(path / "queries.jsonl", "_id", "text")}
    questions = [
        Question(name, (text,), gains[name], answers.get(name, ())) for name, text in queries.items() if name in gains
    ]
    if not questions:
        raise InvalidInput(f"{path} has no query with a judgment", param="data")
    return Folder(
        name=path.name,
        documents=list(_documents(path)),
        questions=questions,
        unanswerable=[
            Question(row["_id"], (row["text"],), {}) for row in _rows(path / "unanswerable.jsonl", "_id", "text")
        ],
        followups=[
            Question(row["_id"], tuple(row["turns"]), {row["document"]: 1.0}, tuple(row["answers"]))
            for row in _rows(path / "followups.jsonl", "_id", "turns", "answers", "document")
        ],
    )


def read_demo() -> Folder:
    """The demo company's articles and the questions about them."""
    return read(DEMO)


def _documents(path: Path) -> Iterator[Document]:
    articles = DEMO_ARTICLES if path == DEMO else path / "documents"
    if articles.is_dir():
        for file in sorted(articles.glob("*.md")):
            yield Document(file.stem, file.name, file.read_bytes())
        return
    for row in _rows(path / "corpus.jsonl", "_id", "title", "text", required=True):
        yield Document(row["_id"], "row.html", _page(row["title"], row["text"]))


def _page(title: str, text: str) -> bytes:
    """A row as the plainest page with a title. Markdown would take a row's stars and tildes for its own."""
    paragraphs = "".join(f"<p>{escape(line)}</p>" for line in text.splitlines() if line.strip())
    return f"<!doctype html><title>{escape(title)}</title><body>{paragraphs}</body>".encode()


def _judgments(path: Path) -> dict[str, dict[str, float]]:
    gains: dict[str, dict[str, float]] = {}
    for file in sorted((path / "qrels").glob("*.tsv")):
        with file.open(encoding="utf-8", newline="") as lines:
            for number, row in enumerate(csv.reader(lines, delimiter="\t"), start=1):
                if number == 1:
                    continue
                if len(row) != 3:
                    raise InvalidInput(f"{file}, line {number}: not three columns", param="data")
                query, document, score = row
                if not score.removeprefix("-").isdecimal():
                    raise InvalidInput(f"{file}, line {number}: the score {score!r} is not a number", param="data")
                if int(score) > 0:
                    gains.setdefault(query, {})[document] = float(score)
    return gains


def _rows(path: Path, *fields: str, required: bool = False) -> Iterator[Mapping[str, Any]]:
    if not path.exists():
        if required:
            raise InvalidInput(f"{path.parent} has neither {path.name} nor documents/*.md", param="data")
        return
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                row = orjson.loads(line)
            except orjson.JSONDecodeError as error:
                raise InvalidInput(f"{path}, line {number}: not JSON: {error}", param="data") from error
            if missing := [field for field in fields if field not in row]:
                raise InvalidInput(f"{path}, line {number}: no {', '.join(missing)}", param="data")
            yield row
