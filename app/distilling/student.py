"""Distils a student, and measures it on the way: a twin that misses a fifth of the examples sets its lines."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.calibration import calibration_error, sure_from
from agents.classifier import OUT_OF_SCOPE, Floats
from agents.examples import Example
from app.distilling.teacher import Teacher
from app.distilling.texts import Texts
from core.hashing import Hashing
from core.studentcard import Head, StudentCard
from finetune.student.calibrate import calibrated
from finetune.student.distil import Lesson, Schedule, distil
from finetune.student.weights import StudentWeights

BUCKETS = 4096
TOLD = 0.3
"""How much a person's label counts where there is one, the rest being what the teacher thinks."""

HELD = 5
"""One example of so many is held out from the twin."""

USUAL = Schedule()

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Measured:
    """What the twin did on the examples that it did not see.

    `accuracy` counts the label alone. `error` is the expected calibration error, `covered` the share answered at
    `Head.sure` or above.
    """

    head: Head
    cases: int
    accuracy: float
    error: float
    covered: float


@dataclass(frozen=True, slots=True)
class Distilled:
    """A student, its card without a hash yet, and what its twin did.

    `turned_away` is the twin's share of in-scope examples taken for out of scope, `recall` of the others recognised;
    None without such examples.
    """

    weights: StudentWeights
    card: StudentCard
    texts: int
    measured: tuple[Measured, ...]
    turned_away: float | None
    recall: float | None


def distil_student(
    examples: Sequence[Example],
    texts: Texts,
    teacher: Teacher,
    *,
    schedule: Schedule = USUAL,
    buckets: int = BUCKETS,
    seed: int = 0,
    progress: Progress = lambda _stage, _done, _all: None,
) -> Distilled:
    """Distil a student of the teacher's heads from the texts, the first of which are the examples'.

    The lines and temperatures are those of a twin on held-out examples; the student that comes out has seen them all,
    so that its own are no worse. `progress` is told the epochs done and all. Equal arguments give equal weights.
    Raises `ValueError` as `finetune.student.distil`.
    """
    heads, hashing = teacher.heads(), Hashing(buckets)
    order = np.random.default_rng(seed).permutation(len(examples))
    held = sorted(order[: max(1, len(examples) // HELD)].tolist())

    def taught(stage: str, given: Texts) -> StudentWeights:
        told = _told(teacher, given, examples)
        lesson = Lesson(given.texts, told, given.vectors)
        return distil(
            lesson, heads, hashing, schedule, seed=seed, progress=lambda done, whole, _: progress(stage, done, whole)
        )

    twin = taught("the twin", texts.without(set(held)))
    unseen = [examples[place] for place in held]
    logits = twin.logits(hashing.matrix([each.text for each in unseen]))
    inside = np.array([OUT_OF_SCOPE not in each.labels.values() for each in unseen])
    labels = {head.name: [each.labels.get(head.name) for each in unseen] for head in heads}
    card = calibrated(StudentCard(buckets=buckets, heads=heads), logits, labels, inside, sure_from)
    weights = taught("the student", texts)
    return Distilled(weights, card, len(texts.texts), _measured(card, logits, labels), *_scope(card, logits, inside))


def _told(teacher: Teacher, texts: Texts, examples: Sequence[Example]) -> dict[str, Floats]:
    """What the teacher thinks of the texts; where a person gave a label, that one counts as well."""
    thinks = teacher.thinks(texts.texts, texts.vectors)
    by_text = {each.text: each.labels for each in examples}
    for head in teacher.heads():
        columns = [*head.labels, OUT_OF_SCOPE] if head.strange else [*head.labels]
        for place, text in enumerate(texts.texts):
            label = by_text.get(text, {}).get(head.name)
            if label in columns:
                row = thinks[head.name][place]
                row *= 1 - TOLD
                row[columns.index(label)] += TOLD
    return thinks


def _measured(card: StudentCard, logits: Floats, labels: Mapping[str, Sequence[str | None]]) -> tuple[Measured, ...]:
    shares = card.probabilities(logits)
    found = []
    for head in card.heads:
        known = [place for place, label in enumerate(labels[head.name]) if label in head.labels]
        own = shares[head.name][known]
        right = np.array([head.labels.index(str(labels[head.name][place])) for place in known]) == own.argmax(axis=1)
        confidence = own.max(axis=1)
        found.append(
            Measured(
                head,
                len(known),
                float(right.mean()),
                calibration_error(confidence, right),
                float((confidence >= head.sure).mean()),
            )
        )
    return tuple(found)


def _scope(card: StudentCard, logits: Floats, inside: NDArray[np.bool_]) -> tuple[float | None, float | None]:
    if card.line is None:
        return None, None
    accepted = card.familiarity(logits) >= card.line
    away = float((~accepted[inside]).mean()) if inside.any() else None
    return away, float((~accepted[~inside]).mean()) if (~inside).any() else None
