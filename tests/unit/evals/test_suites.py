"""The suites' judgements, on answers and rankings made by hand; no model and no index are opened."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from langchain_core.embeddings import DeterministicFakeEmbedding

from core.errors import InvalidInput
from core.ports import Candidate, HybridQuery, PointId
from core.types import Answer, Citation, Findings, Hit, Passage, Scope, Turn, Usage, Verdict
from evals.beir import Folder, Question
from evals.suite import Options
from evals.suites import SUITES, answering, find, retrieval
from evals.suites.workspace import Indexed

QUESTION = Question("q", ("How long?",), {"returns": 1.0}, ("30 days",))


def passage(document: str, position: int = 0) -> Passage:
    return Passage(document, document, (), "text", 0, 4, position)


def answer(text: str, *citations: tuple[str, str], declined: bool = False) -> Answer:
    cited = tuple(
        Citation(number, document, document, (), quote, 0, 9, 1.0, Verdict.VERBATIM)
        for number, (document, quote) in enumerate(citations, start=1)
    )
    return Answer("t", text, cited, declined, "scripted", Usage())


class Scripted:
    """An assistant with prepared answers; remembers the threads that it was asked on."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.threads: list[str] = []

    async def answer(self, turn: Turn) -> Answer:
        self.threads.append(turn.thread_id)
        return self.answers.pop(0)


class Found:
    """A search and an index that find the same whatever is asked."""

    def __init__(self, hybrid: list[str], halves: Mapping[str, tuple[float, float]]) -> None:
        self.hybrid, self.halves = hybrid, halves

    async def search(self, query: str | HybridQuery, scope: Scope | None = None, limit: int = 10) -> Any:
        if isinstance(query, HybridQuery):
            return [Candidate(name, {"text": dense}, bm25) for name, (dense, bm25) in self.halves.items()]
        return Findings(tuple(Hit(passage(name, at), 1.0 - at / 10) for at, name in enumerate(self.hybrid)), 1.0)

    async def passages(self, scope: Scope, points: Sequence[PointId]) -> dict[PointId, Passage]:
        return {point: passage(str(point)) for point in points}


def indexed(**parts: Any) -> Indexed:
    names = {"d1": "returns", "d2": "exchanges", "d3": "gifts"}
    given: dict[str, Any] = {"search": None, "index": None, "embeddings": None, "assistant": None, **parts}
    return Indexed(**given, names=names, facts={})


async def scored(case: answering.Case, *answers: Answer) -> dict[str, float | None]:
    reply = await answering.reply(indexed(assistant=Scripted(*answers)), case)
    return {scorer.name: scorer.score(case, reply) for scorer in answering.SCORERS}


def test_every_sentence_is_split_from_its_marks() -> None:
    assert answering.cited("You have 30 days. [1] It is free. We collect it. [2][1]") == [
        ("You have 30 days.", [1]),
        ("It is free.", []),
        ("We collect it.", [2, 1]),
    ]
    assert answering.cited("Nothing is cited here.") == [("Nothing is cited here.", [])]


async def test_an_answer_is_judged_by_its_words_and_its_citations() -> None:
    case = answering.Case("q", "answerable", QUESTION)
    said = answer("You have 30 days. [1] Ask us. [2]", ("d1", "any words"), ("d2", "other words"))
    scores = await scored(case, said)
    assert scores["contains_gold"] == 1
    assert scores["citation_precision"] == scores["citation_recall"] == 0.5
    assert scores["wrongly_declined"] == 0
    assert scores["declined_foreign"] is scores["declined_unanswerable"] is scores["followup_contains_gold"] is None


async def test_a_quote_with_the_gold_answer_is_right_in_any_document() -> None:
    case = answering.Case("q", "answerable", QUESTION)
    assert (await scored(case, answer("Yes. [1]", ("d3", "within 30 days of it"))))["citation_precision"] == 1


async def test_declining_what_is_answerable_scores_nothing() -> None:
    scores = await scored(answering.Case("q", "answerable", QUESTION), answer("Sorry.", declined=True))
    assert scores["contains_gold"] == scores["answer_f1"] == 0
    assert scores["wrongly_declined"] == 1
    assert scores["citation_precision"] is scores["citation_recall"] is None


async def test_foreign_questions_count_for_abstention_only() -> None:
    scores = await scored(answering.Case("q", "foreign", QUESTION), answer("Sorry.", declined=True))
    assert {name: score for name, score in scores.items() if score is not None} == {"declined_foreign": 1}


async def test_a_followup_is_one_thread_of_which_the_last_answer_counts() -> None:
    case = answering.Case("f", "followup", Question("f", ("One?", "And then?"), {"returns": 1.0}, ("30 days",)))
    assistant = Scripted(answer("First."), answer("30 days [1]", ("d1", "x")))
    reply = await answering.reply(indexed(assistant=assistant), case)
    assert len(assistant.threads) == 2
    assert len(set(assistant.threads)) == 1
    assert reply.text == "30 days"
    assert reply.right == {1: True}


async def test_rankings_count_a_document_once_by_its_best_passage() -> None:
    found = Found(["d2", "d1", "d2"], {"d1": (0.9, 0.0), "d2": (0.8, 3.0), "d3": (0.1, 5.0)})
    index = indexed(search=found, index=found, embeddings=DeterministicFakeEmbedding(size=8))
    assert await retrieval.rankings(index, QUESTION) == {
        "hybrid": ["exchanges", "returns"],
        "dense": ["returns", "exchanges", "gifts"],
        "bm25": ["gifts", "exchanges"],
    }


def test_the_gain_is_the_paired_difference() -> None:
    rankings = {"hybrid": ["returns"], "dense": ["x", "returns"], "bm25": []}
    scores = {scorer.name: scorer.score(QUESTION, rankings) for scorer in retrieval.SCORERS}
    assert scores["gain_over_bm25"] == scores["ndcg_10"] == 1
    assert scores["gain_over_dense"] == pytest.approx(1 - 1 / np.log2(3))


async def test_retrieval_refuses_foreign_questions(tmp_path: Any) -> None:
    with pytest.raises(InvalidInput, match="foreign"):
        async with retrieval.open_suite(Options(foreign=(tmp_path,))):
            pass


def test_every_suite_can_be_found_and_no_other() -> None:
    assert all(callable(find(name)) for name in SUITES)
    with pytest.raises(InvalidInput, match="retrieval, answering"):
        find("nonsense")


def test_cases_are_told_apart_by_kind_and_folder() -> None:
    folder = Folder("own", [], [QUESTION], [QUESTION], [])
    cases = list(answering._cases(folder, [Folder("other", [], [QUESTION], [], [])], Options()))
    assert [case.id for case in cases] == ["answerable/own/q", "unanswerable/own/q", "foreign/other/q"]
