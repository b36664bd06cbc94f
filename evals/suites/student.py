"""Does the student of the devices decide as well as its teacher?

On the project's held-out messages and wishes, with the student that ships, in TFLite, against the heads that ship.
With `--data` (a folder as for the suite routing) teacher and student are both trained on its training texts in the run
and held against each other on its test; the student then runs in float, because conversion needs an environment of its
own. Nothing is chosen on the test. The ratio's interval resamples the texts, both sides on the same ones.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.progress import Progress

from agents.classifier import OUT_OF_SCOPE, Classifier, Floats, Weights
from agents.examples import Example, read_examples
from app.teaching import embedded, open_embeddings
from core.errors import MissingExtra
from core.hashing import Hashing
from core.settings import Settings
from evals.intents import HELD_OUT, Intents, read_intents
from evals.intervals import RESAMPLES
from evals.suite import Options, Pooled, Scorer, Suite, refuse_foreign, sample

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings

    from app.distilling.student import Distilled
    from app.distilling.teacher import Teacher


@dataclass(frozen=True, slots=True)
class Case:
    """A text and its labels by head, which may be `OUT_OF_SCOPE`."""

    id: str
    text: str
    labels: Mapping[str, str]

    @property
    def in_scope(self) -> bool:
        """Whether any label fits."""
        return OUT_OF_SCOPE not in self.labels.values()


@dataclass(frozen=True, slots=True)
class Said:
    """The likeliest label of each head, and whether the text is taken for in scope."""

    labels: Mapping[str, str]
    in_scope: bool


@dataclass(frozen=True, slots=True)
class Answers:
    """Both sides; `seconds` is what the student took, from the text to the decision."""

    student: Said
    teacher: Said
    seconds: float


Side = Callable[[str], Said]


@asynccontextmanager
async def open_suite(options: Options) -> AsyncIterator[Suite[Case, Answers]]:
    """The suite on the folder that `options` names, or on the project's own messages. Raises `MissingExtra`."""
    refuse_foreign("student", options)
    if find_spec("sklearn") is None or find_spec("torch") is None:
        raise MissingExtra("torch", "train")
    embeddings = await asyncio.to_thread(open_embeddings, Settings())
    try:
        if options.data:
            intents = read_intents(options.data)
            student, teacher, facts = await asyncio.to_thread(_trained, intents, embeddings, options.seed)
            cases = [Case(f"{number}", text, {"intent": label}) for number, (text, label) in enumerate(intents.test, 1)]
            heads: tuple[str, ...] = ("intent",)
        else:
            student, teacher, facts, heads = await asyncio.to_thread(_shipped, embeddings)
            cases = own_cases()
        yield Suite(
            name="student",
            cases=sample(cases, options),
            task=partial(answers, student, teacher),
            scorers=scorers(heads),
            details=_details,
            facts=facts,
            # Time is measured: one after the other.
            concurrency=1,
            pooled=pooled(heads, options.seed),
        )
    finally:
        embeddings.close()


def own_cases() -> list[Case]:
    """The held-out messages and wishes."""
    examples = [*read_examples(HELD_OUT), *read_examples(HELD_OUT.with_name("actions.jsonl"))]
    return [Case(f"{number}", each.text, each.labels) for number, each in enumerate(examples, start=1)]


def _shipped(embeddings: Embeddings) -> tuple[Side, Side, Mapping[str, str], tuple[str, ...]]:
    if find_spec("ai_edge_litert") is None:
        raise MissingExtra("ai-edge-litert", "edge")
    from app.distilling.teacher import Teacher
    from edge.student import SHIPPED, Student

    student, teacher = Student.shipped(), Teacher.shipped()

    def says(text: str) -> Said:
        opinion = student.judge(text)
        return Said({name: answer.label for name, answer in opinion.heads.items()}, opinion.in_scope)

    facts = {"data": "held-out messages and wishes", "student": f"{SHIPPED.stat().st_size:,} bytes, int8"}
    return says, _teaching(embeddings, teacher.weights), facts, tuple(teacher.weights)


def _trained(intents: Intents, embeddings: Embeddings, seed: int) -> tuple[Side, Side, Mapping[str, str]]:
    from agents.training import train
    from app.distilling.student import distil_student
    from app.distilling.teacher import Teacher
    from app.distilling.texts import Texts

    texts, labels = [text for text, _ in intents.train], [label for _, label in intents.train]
    with Progress(console=Console(stderr=True)) as progress:
        vectors = embedded(embeddings, texts, progress)
        task = progress.add_task("training")

        def advance(stage: str, done: int, total: int) -> None:
            progress.update(task, description=stage, completed=done, total=total)

        teacher = Teacher({"intent": train(texts, labels, vectors, seed=seed, progress=advance).weights})
        examples = [Example(text, {"intent": label}) for text, label in intents.train]
        given = Texts(texts, vectors, [(place,) for place in range(len(texts))])
        distilled = distil_student(examples, given, teacher, seed=seed, progress=advance)
    return _floating(distilled), _teaching(embeddings, teacher.weights), _facts(intents, teacher, distilled)


def _facts(intents: Intents, teacher: Teacher, distilled: Distilled) -> Mapping[str, str]:
    weights = distilled.weights
    count = sum(part.size for part in (weights.body, weights.heads))
    return {
        "data": intents.name,
        "labels": f"{len(teacher.weights['intent'].labels):,}",
        "training texts": f"{len(intents.train):,}",
        "student": f"{count:,} weights, a byte each once converted; here in float",
    }


def _floating(distilled: Distilled) -> Side:
    """A student in float, with numpy."""
    card, hashing = distilled.card, Hashing(distilled.card.buckets)

    def says(text: str) -> Said:
        logits = distilled.weights.logits(hashing.vector(text)[None])
        shares = card.probabilities(logits)
        labels = {head.name: head.labels[int(shares[head.name][0].argmax())] for head in card.heads}
        return Said(labels, card.line is None or float(card.familiarity(logits)[0]) >= card.line)

    return says


def _teaching(embeddings: Embeddings, weights: Mapping[str, Weights]) -> Side:
    """The teacher; its first head draws the line between in and out of scope, as the router does."""
    heads = {name: Classifier(each) for name, each in weights.items()}

    def says(text: str) -> Said:
        vector: Floats = np.asarray(embeddings.embed_query(text), np.float32)
        decisions = {name: head.decide(text, vector) for name, head in heads.items()}
        return Said({name: each.label for name, each in decisions.items()}, next(iter(decisions.values())).in_scope)

    return says


async def answers(student: Side, teacher: Side, case: Case) -> Answers:
    """Both on one text."""
    begun = time.perf_counter()
    own = student(case.text)
    seconds = time.perf_counter() - begun
    return Answers(own, await asyncio.to_thread(teacher, case.text), seconds)


def accuracy(side: str, head: str, case: Case, out: Answers) -> float | None:
    """1 for a text that gets its label, were nothing turned away."""
    label = case.labels.get(head, OUT_OF_SCOPE)
    return None if label == OUT_OF_SCOPE else float(_side(side, out).labels[head] == label)


def recall(side: str, case: Case, out: Answers) -> float | None:
    """1 for an out-of-scope text that is recognised."""
    return None if case.in_scope else float(not _side(side, out).in_scope)


def turned_away(side: str, case: Case, out: Answers) -> float | None:
    """1 for a text in scope that is taken for out of scope."""
    return float(not _side(side, out).in_scope) if case.in_scope else None


def agreement(head: str, case: Case, out: Answers) -> float | None:
    """1 where student and teacher give one label, of all texts."""
    return float(out.student.labels[head] == out.teacher.labels[head])


def scorers(heads: Sequence[str]) -> tuple[Scorer[Case, Answers], ...]:
    """The metrics of a suite of these heads."""
    sides = (("student", ""), ("teacher", "teacher_"))
    return (
        *(
            Scorer(f"{prefix}{head}_accuracy", partial(accuracy, side, head))
            for head in heads
            for side, prefix in sides
        ),
        *(Scorer(f"{prefix}out_of_scope_recall", partial(recall, side)) for side, prefix in sides),
        *(Scorer(f"{prefix}turned_away", partial(turned_away, side), lower_is_better=True) for side, prefix in sides),
        *(Scorer(f"{head}_agreement", partial(agreement, head)) for head in heads),
    )


def of_teacher(head: str, seed: int, percent: float | None, rows: Sequence[tuple[Case, Answers]]) -> float | None:
    """The student's accuracy over the teacher's; with `percent`, that percentile of it over resampled texts."""
    pairs = [(accuracy("student", head, *row), accuracy("teacher", head, *row)) for row in rows]
    scored = np.array([pair for pair in pairs if None not in pair], np.float64)
    if not scored.size or not scored[:, 1].any():
        return None
    if percent is None:
        return float(scored[:, 0].mean() / scored[:, 1].mean())
    drawn = np.random.default_rng(seed).integers(len(scored), size=(RESAMPLES, len(scored)))
    means = np.array([scored[chosen].mean(axis=0) for chosen in drawn])
    return float(np.percentile(means[:, 0] / np.maximum(means[:, 1], 1 / len(scored)), percent))


def latency(percent: float, rows: Sequence[tuple[Case, Answers]]) -> float:
    """Microseconds from the text to the student's decision."""
    return float(np.percentile([out.seconds for _, out in rows], percent)) * 1e6


def pooled(heads: Sequence[str], seed: int) -> tuple[Pooled[Case, Answers], ...]:
    """The figures over all texts together."""
    ends = (("", None), ("_low", 2.5), ("_high", 97.5))
    return (
        *(
            Pooled(f"{head}_of_teacher{end}", partial(of_teacher, head, seed, percent))
            for head in heads
            for end, percent in ends
        ),
        Pooled("latency_p50_us", partial(latency, 50)),
        Pooled("latency_p95_us", partial(latency, 95)),
    )


def _side(side: str, out: Answers) -> Said:
    return out.student if side == "student" else out.teacher


def _details(case: Case, out: Answers) -> Mapping[str, str]:
    def told(said: Said) -> str:
        return f"{', '.join(said.labels.values())}{'' if said.in_scope else ', turned away'}"

    labels = ", ".join(case.labels.values())
    return {"text": case.text, "labels": labels, "student": told(out.student), "teacher": told(out.teacher)}
