"""Is the answer right, is it proven, and is what the documents do not answer declined?

Each question goes through the whole assistant on the engine that the settings name. Four kinds of case:
`answerable`; `followup`, a conversation whose last turn leans on the earlier ones; `unanswerable`, about the same
matters; `foreign`, from another knowledge base.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from core.sentences import sentences
from core.types import Answer, Citation, Message, Turn
from evals import scorers
from evals.beir import Folder, Question, read, read_demo
from evals.suite import Options, Scorer, Suite, sample
from evals.suites.workspace import CALLER, Indexed, indexed

_CITED = re.compile(r"(?P<said>.*?)(?P<marks>(?:\s*\[\d+\])+|\Z)", re.DOTALL)
_MARK = re.compile(r"\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class Case:
    """A question and what kind it is."""

    id: str
    kind: str
    question: Question


@dataclass(frozen=True, slots=True)
class Reply:
    """The assistant's answer to the last turn, and which of its citations are right, by marker.

    A citation is right when its document is judged relevant, or when its quote holds a gold answer.
    """

    answer: Answer
    right: Mapping[int, bool]

    @property
    def text(self) -> str:
        """What was said, without the marks."""
        return re.sub(r"\s*\[\d+\]", "", self.answer.text)


@asynccontextmanager
async def open_suite(options: Options) -> AsyncIterator[Suite[Case, Reply]]:
    """The suite on the folder that `options` names, with the questions of its foreign folders."""
    folder = read(options.data) if options.data else read_demo()
    foreign = [read(path) for path in options.foreign]
    async with indexed(folder) as index:
        strange = {"foreign": ", ".join(each.name for each in foreign)} if foreign else {}
        yield Suite(
            name="answering",
            cases=list(_cases(folder, foreign, options)),
            task=partial(reply, index),
            scorers=SCORERS,
            details=_details,
            facts={**index.facts, **strange},
        )


async def reply(index: Indexed, case: Case) -> Reply:
    """Have the whole conversation on a thread of its own, and judge the last answer's citations."""
    answers = [
        await index.assistant.answer(Turn(CALLER, f"eval/{case.id}", (Message("user", turn),)))
        for turn in case.question.turns
    ]
    answer = answers[-1]
    right = {each.marker: _right(each, index.names[each.document_id], case.question) for each in answer.citations}
    return Reply(answer, right)


def _right(citation: Citation, document: str, question: Question) -> bool:
    return document in question.gains or bool(scorers.contains(citation.quote, question.answers))


def _cases(folder: Folder, foreign: Sequence[Folder], options: Options) -> Iterator[Case]:
    kinds = [
        ("answerable", folder.name, folder.questions),
        ("followup", folder.name, folder.followups),
        ("unanswerable", folder.name, folder.unanswerable),
        *(("foreign", other.name, other.questions) for other in foreign),
    ]
    for kind, name, questions in kinds:
        yield from (Case(f"{kind}/{name}/{each.id}", kind, each) for each in sample(questions, options))


def cited(text: str) -> list[tuple[str, list[int]]]:
    """Every sentence of an answer with its marks: `A. B [1][2]` gives `("A.", [])` and `("B", [1, 2])`."""
    found: list[tuple[str, list[int]]] = []
    for stretch in _CITED.finditer(text):
        said = stretch["said"]
        found += [(said[start:end], []) for start, end in sentences(said)]
        if stretch["marks"] and found:
            found[-1][1].extend(int(mark) for mark in _MARK.findall(stretch["marks"]))
    return found


def when(kinds: Sequence[str], score: Callable[[Case, Reply], float | None]) -> Callable[[Case, Reply], float | None]:
    """The score, on cases of these kinds only."""
    return lambda case, out: score(case, out) if case.kind in kinds else None


def answer_f1(case: Case, out: Reply) -> float | None:
    """SQuAD's token F1 against the gold answers; a declined question scores 0. Whole sentences score low by nature."""
    golds = case.question.answers
    return (0.0 if out.answer.declined else scorers.token_f1(out.text, golds)) if golds else None


def contains_gold(case: Case, out: Reply) -> float | None:
    """1 when the answer contains a gold answer; a declined question scores 0."""
    golds = case.question.answers
    return (0.0 if out.answer.declined else scorers.contains(out.text, golds)) if golds else None


def precision(_: Case, out: Reply) -> float | None:
    """Share of the citations that are right, where anything is cited."""
    return scorers.citation_precision(list(out.right.values()))


def recall(_: Case, out: Reply) -> float | None:
    """Share of the sentences with a right citation, where the question was answered."""
    if out.answer.declined:
        return None
    return scorers.citation_recall([[out.right[mark] for mark in marks] for _, marks in cited(out.answer.text)])


def declined(_: Case, out: Reply) -> float:
    """1 when the assistant declined to answer."""
    return float(out.answer.declined)


ASKED = ("answerable",)
KNOWN = ("answerable", "followup")
SCORERS: tuple[Scorer[Case, Reply], ...] = (
    Scorer("contains_gold", when(ASKED, contains_gold)),
    Scorer("answer_f1", when(ASKED, answer_f1)),
    Scorer("citation_precision", when(KNOWN, precision)),
    Scorer("citation_recall", when(KNOWN, recall)),
    Scorer("wrongly_declined", when(ASKED, declined), lower_is_better=True),
    Scorer("declined_unanswerable", when(("unanswerable",), declined)),
    Scorer("declined_foreign", when(("foreign",), declined)),
    Scorer("followup_contains_gold", when(("followup",), contains_gold)),
)


def _details(case: Case, out: Reply) -> Mapping[str, str]:
    known = " | ".join(case.question.answers) or ", ".join(case.question.gains)
    quotes = "\n".join(
        f"[{each.marker}] {'right' if out.right[each.marker] else 'wrong'}, {each.verdict}: {each.title}: {each.quote}"
        for each in out.answer.citations
    )
    return {
        "kind": case.kind,
        "question": "\n".join(case.question.turns),
        "expected": known if case.kind in KNOWN else "a refusal",
        "answer": out.answer.text,
        "citations": quotes or "none",
        "engine": out.answer.engine or "none",
    }
