"""Does the model read? A passage and a question: a short answer in the passage's words, or none when it has none.

The model alone, without retrieval: `agents.reading` puts each question, the engine that the settings name answers at
temperature 0. Which adapter it wears is the settings' `embedded.adapter`, so that the same suite measures a model
before and after tuning. `answerable` questions have gold answers; `unanswerable` ones are asked of a passage that
looks as if it held one. The headline is SQuAD 2.0's: F1 over both kinds, where declining is all that is right for the
second kind and scores nothing for the first.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import orjson
from langchain_core.language_models import BaseChatModel

from agents import reading
from app.engines.chat_model import EngineChat
from app.engines.choice import open_engine
from core.errors import EngineUnavailable, InvalidInput
from core.modelstore import ModelStore
from core.settings import Settings
from evals import beir, scorers
from evals.suite import Options, Scorer, Suite, refuse_foreign, sample

# A longest gold answer takes some forty; whoever goes on repeats itself.
TOKENS = 64


@dataclass(frozen=True, slots=True)
class Case:
    """A passage, a question about it, and the gold answers, of which there are none where it has no answer."""

    id: str
    passage: str
    question: str
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reply:
    """What was written, what it says (None: nothing was found), and the seconds that it took."""

    written: str
    found: reading.Found | None
    seconds: float


@asynccontextmanager
async def open_suite(options: Options) -> AsyncIterator[Suite[Case, Reply]]:
    """The suite on the folder that `options` names: BEIR's layout, with `answers.jsonl` and `unanswerable.jsonl`."""
    refuse_foreign("reading", options)
    if options.data is None:
        raise InvalidInput("the suite reading takes a folder: --data …/squad2", param="data")
    answerable, unanswerable = read(options.data)
    async with AsyncExitStack() as stack:
        settings = Settings()
        engine, _ = await open_engine(settings, ModelStore(), stack)
        yield Suite(
            name="reading",
            cases=[*sample(answerable, options), *sample(unanswerable, options)],
            task=partial(ask, EngineChat(engine, temperature=0, max_tokens=TOKENS), engine.name),
            scorers=SCORERS,
            details=_details,
            facts={
                "data": options.data.name,
                "engine": f"{engine.models[0]} ({engine.name})",
                "adapter": settings.embedded.adapter or "none",
            },
            # Time is measured: one after the other.
            concurrency=1,
        )


def read(folder: Path) -> tuple[list[Case], list[Case]]:
    """The questions with an answer and those without. Raises `InvalidInput` for what cannot be used."""
    known = beir.read(folder)
    passages = {row["_id"]: str(row["text"]) for row in _lines(folder / "corpus.jsonl")}
    answerable = [
        Case(f"answerable/{each.id}", passages[next(iter(each.gains))], each.turns[0], each.answers)
        for each in known.questions
        if each.answers
    ]
    unanswerable = [
        Case(f"unanswerable/{row['_id']}", passages[row["adversarial_doc"]], row["text"], ())
        for row in _lines(folder / "unanswerable.jsonl")
    ]
    if not answerable or not unanswerable:
        raise InvalidInput(f"{folder} needs questions with answers and questions without", param="data")
    return answerable, unanswerable


async def ask(chat: BaseChatModel, engine: str, case: Case) -> Reply:
    """Put the question. Raises `EngineUnavailable` when another engine answered in place of the named one."""
    begun = time.perf_counter()
    message = await chat.ainvoke(reading.prompt([case.passage], case.question))
    seconds = time.perf_counter() - begun
    if (spoke := message.response_metadata["engine"]) != engine:
        raise EngineUnavailable(f"{engine} did not answer: {spoke} did in its place")
    return Reply(str(message.text), reading.read(str(message.text)), seconds)


def f1(case: Case, out: Reply) -> float:
    """SQuAD 2.0's F1: over the words where there is an answer, 1 for declining where there is none."""
    if out.found is None:
        return float(not case.answers)
    return scorers.token_f1(out.found.text, case.answers) if case.answers else 0.0


def exact(case: Case, out: Reply) -> float:
    """SQuAD 2.0's exact match."""
    if out.found is None:
        return float(not case.answers)
    said = scorers.normalise(out.found.text)
    return float(any(scorers.normalise(gold) == said for gold in case.answers))


def verbatim(case: Case, out: Reply) -> float | None:
    """1 when the answer stands in the passage word for word, where one was given."""
    if out.found is None:
        return None
    words, said = scorers.normalise(case.passage), scorers.normalise(out.found.text)
    return scorers.contains(" ".join(words), [" ".join(said)])


def _where(answerable: bool, score: Callable[[Case, Reply], float]) -> Callable[[Case, Reply], float | None]:
    return lambda case, out: score(case, out) if bool(case.answers) is answerable else None


SCORERS: tuple[Scorer[Case, Reply], ...] = (
    Scorer("f1", f1),
    Scorer("exact", exact),
    Scorer("answerable_f1", _where(True, f1)),
    Scorer("abstention", _where(False, f1)),
    Scorer("answered", _where(True, lambda _, out: float(out.found is not None))),
    Scorer("verbatim", verbatim),
    Scorer("seconds", lambda _, out: out.seconds, lower_is_better=True),
)


def _details(case: Case, out: Reply) -> Mapping[str, str]:
    return {
        "passage": case.passage,
        "question": case.question,
        "expected": " / ".join(case.answers) or "no answer",
        "written": out.written,
    }


def _lines(path: Path) -> Iterator[Mapping[str, str]]:
    lines: Sequence[str] = path.read_text(encoding="utf-8").splitlines() if path.exists() else ()
    for line in lines:
        yield orjson.loads(line)
