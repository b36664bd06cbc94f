"""The student in the place of the router's heads: the same rules, decided by what weighs some hundred kilobytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from langchain_core.embeddings import Embeddings

from agents.actions import Actions
from agents.classifier import Classifier, Decision
from agents.reception import Reception
from agents.router import Router

if TYPE_CHECKING:
    from edge.student import Student


class StudentHead:
    """One head of a student, as `Router` and `Actions` ask a `Classifier`: it reads the text, and no embedding."""

    def __init__(self, student: Student, head: str) -> None:
        self._student = student
        self._head = head
        own = next(each for each in student.card.heads if each.name == head)
        self.labels: tuple[str, ...] = own.labels
        self.sure: float = own.sure

    def decide(self, text: str, _vector: Sequence[float]) -> Decision:
        """See `Classifier.decide`."""
        opinion = self._student.judge(text)
        answer = opinion.heads[self._head]
        return Decision(answer.label, answer.probability, opinion.familiarity, answer.probabilities)


class Unread(Embeddings):
    """Embeddings for who reads none."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """No numbers a text."""
        return [[] for _ in texts]

    def embed_query(self, text: str) -> list[float]:
        """No numbers."""
        return []

    async def aembed_query(self, text: str) -> list[float]:
        """No numbers, and no thread to find none."""
        return self.embed_query(text)


def student_reception(student: Student) -> Reception:
    """The reception that the student sits at."""
    route, action = (cast("Classifier", StudentHead(student, head)) for head in ("route", "action"))
    return Reception(Router(Unread(), route), Actions(Unread(), action))
