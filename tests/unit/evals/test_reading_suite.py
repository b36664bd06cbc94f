"""What the suite makes of what a model wrote, and which questions it reads."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from app.engines.chat_model import EngineChat
from core.errors import EngineUnavailable, InvalidInput
from evals.suite import Options
from evals.suites import find, reading
from tests.fakes.engines import ScriptedEngine

PASSAGE = "The club was founded in 1911 by Ada Byrne. It rows on the Lee."
ANSWERABLE = reading.Case("a", PASSAGE, "When was the club founded?", ("1911", "in 1911"))
UNANSWERABLE = reading.Case("b", PASSAGE, "When was the club closed?", ())


async def scored(case: reading.Case, written: str) -> dict[str, float | None]:
    out = await reading.ask(EngineChat(ScriptedEngine(written)), "scripted", case)
    return {each.name: each.score(case, out) for each in reading.SCORERS if each.name != "seconds"}


@pytest.mark.parametrize(
    ("case", "written", "expected"),
    [
        (ANSWERABLE, "1911 [1]", (1, 1, 1, None, 1, 1)),
        (ANSWERABLE, "founded in 1911 [1]", (0.8, 0, 0.8, None, 1, 1)),
        (ANSWERABLE, "1987 [1]", (0, 0, 0, None, 1, 0)),
        (ANSWERABLE, "NOT FOUND", (0, 0, 0, None, 0, None)),
        (UNANSWERABLE, "NOT FOUND", (1, 1, None, 1, None, None)),
        (UNANSWERABLE, "1911 [1]", (0, 0, None, 0, None, 1)),
    ],
)
async def test_an_answer_is_judged_as_squad_does(
    case: reading.Case, written: str, expected: tuple[float | None, ...]
) -> None:
    names = ("f1", "exact", "answerable_f1", "abstention", "answered", "verbatim")
    assert await scored(case, written) == pytest.approx(dict(zip(names, expected, strict=True)))


async def test_another_engines_answer_is_no_answer() -> None:
    with pytest.raises(EngineUnavailable, match="in its place"):
        await reading.ask(EngineChat(ScriptedEngine("1911")), "embedded", ANSWERABLE)


def write(folder: Path, **files: list[dict[str, object]]) -> Path:
    for name, rows in files.items():
        (folder / f"{name}.jsonl").write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    (folder / "qrels").mkdir()
    (folder / "qrels" / "dev.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td1\t1\n")
    return folder


def test_questions_come_with_their_passages(tmp_path: Path) -> None:
    folder = write(
        tmp_path,
        corpus=[{"_id": "d1", "title": "Club", "text": PASSAGE}],
        queries=[{"_id": "q1", "text": "When?"}],
        answers=[{"_id": "q1", "answers": ["1911"]}],
        unanswerable=[{"_id": "u1", "text": "Closed?", "adversarial_doc": "d1"}],
    )
    answerable, unanswerable = reading.read(folder)
    assert answerable == [reading.Case("answerable/q1", PASSAGE, "When?", ("1911",))]
    assert unanswerable == [reading.Case("unanswerable/u1", PASSAGE, "Closed?", ())]


def test_a_folder_without_either_kind_is_refused(tmp_path: Path) -> None:
    folder = write(
        tmp_path,
        corpus=[{"_id": "d1", "title": "Club", "text": PASSAGE}],
        queries=[{"_id": "q1", "text": "When?"}],
        answers=[{"_id": "q1", "answers": ["1911"]}],
    )
    with pytest.raises(InvalidInput, match="without"):
        reading.read(folder)


async def test_it_needs_a_folder() -> None:
    with pytest.raises(InvalidInput, match="--data"):
        async with find("reading")(Options()):
            pass
