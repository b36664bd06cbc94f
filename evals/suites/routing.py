"""Is a text given its label, and is one that has none recognised?

The classifier is trained on the folder's `train.csv` as `wayside router train` does it, line between in and out of
scope included: nothing is chosen on the test. Beside it runs the floor: the same embeddings with scikit-learn's
logistic regression, whose greatest probability draws the same line. An in-scope text that is turned away counts as
wrong.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import numpy as np
from langchain_core.embeddings import Embeddings
from rich.console import Console
from rich.progress import Progress
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

from agents.calibration import calibration_error
from agents.classifier import OUT_OF_SCOPE, Classifier, Floats
from agents.training import TURNED_AWAY, Trained, train
from app.teaching import embedded, open_embeddings
from core.settings import Settings
from evals.intents import Intents, read_intents, read_own
from evals.suite import Options, Pooled, Scorer, Suite, refuse_foreign, sample

_ITERATIONS = 1_000
_FOLDS = 3


@dataclass(frozen=True, slots=True)
class Case:
    """A text and its label, which may be `OUT_OF_SCOPE`."""

    id: str
    text: str
    label: str


@dataclass(frozen=True, slots=True)
class Said:
    """What one classifier says: the likeliest label, its probability, and whether it would answer at all."""

    label: str
    probability: float
    in_scope: bool


@dataclass(frozen=True, slots=True)
class Answers:
    """Ours and the reference's; `seconds` is what ours took, from the text to the decision."""

    ours: Said
    reference: Said
    seconds: float


class Reference:
    """all-MiniLM-L6-v2 and logistic regression, with the greatest probability as the sign of being in scope."""

    def __init__(self, labels: Sequence[str], vectors: Floats) -> None:
        model = LogisticRegression(max_iter=_ITERATIONS)
        shares = cross_val_predict(model, vectors, labels, cv=_FOLDS, method="predict_proba")
        self._model = model.fit(vectors, labels)
        self._known = model.classes_ != OUT_OF_SCOPE
        inside = np.asarray(labels) != OUT_OF_SCOPE
        self._line = float(np.quantile(shares[inside][:, self._known].max(axis=1), TURNED_AWAY))

    def decide(self, vector: Sequence[float]) -> Said:
        """The reference's word on a text of this embedding."""
        shares = self._model.predict_proba(np.asarray([vector], np.float32))[0][self._known]
        best = int(shares.argmax())
        return Said(str(self._model.classes_[self._known][best]), float(shares[best]), bool(shares[best] >= self._line))


@asynccontextmanager
async def open_suite(options: Options) -> AsyncIterator[Suite[Case, Answers]]:
    """The suite on the folder that `options` names, or on the project's own messages."""
    refuse_foreign("routing", options)
    intents = read_intents(options.data) if options.data else read_own()
    embeddings = await asyncio.to_thread(open_embeddings, Settings())
    try:
        trained, reference = await asyncio.to_thread(_learn, intents, embeddings)
        cases = [Case(f"{number}", text, label) for number, (text, label) in enumerate(intents.test, start=1)]
        yield Suite(
            name="routing",
            cases=sample(cases, options),
            task=partial(answers, embeddings, Classifier(trained.weights), reference),
            scorers=SCORERS,
            details=_details,
            facts=_facts(intents, trained),
            # Time is measured: one after the other.
            concurrency=1,
            pooled=POOLED,
        )
    finally:
        embeddings.close()


def _learn(intents: Intents, embeddings: Embeddings) -> tuple[Trained, Reference]:
    texts, labels = zip(*intents.train, strict=True)
    with Progress(console=Console(stderr=True)) as progress:
        vectors = embedded(embeddings, texts, progress)
        task = progress.add_task("training")

        def advance(stage: str, done: int, total: int) -> None:
            progress.update(task, description=stage, completed=done, total=total)

        return train(texts, labels, vectors, progress=advance), Reference(labels, vectors)


async def answers(embeddings: Embeddings, classifier: Classifier, reference: Reference, case: Case) -> Answers:
    """Both on one text; the reference gets our embedding."""
    begun = time.perf_counter()
    vector = await embeddings.aembed_query(case.text)
    decision = classifier.decide(case.text, vector)
    seconds = time.perf_counter() - begun
    said = Said(decision.label, decision.probability, decision.in_scope)
    return Answers(said, reference.decide(vector), seconds)


def accuracy(side: str, case: Case, out: Answers) -> float | None:
    """1 for an in-scope text that gets its label."""
    said = _side(side, out)
    return None if case.label == OUT_OF_SCOPE else float(said.in_scope and said.label == case.label)


def label_accuracy(side: str, case: Case, out: Answers) -> float | None:
    """The same if nothing were ever turned away."""
    return None if case.label == OUT_OF_SCOPE else float(_side(side, out).label == case.label)


def recall(side: str, case: Case, out: Answers) -> float | None:
    """1 for an out-of-scope text that is recognised."""
    return float(not _side(side, out).in_scope) if case.label == OUT_OF_SCOPE else None


def precision(side: str, case: Case, out: Answers) -> float | None:
    """1 for a text that is turned away and is out of scope."""
    return None if _side(side, out).in_scope else float(case.label == OUT_OF_SCOPE)


def ece(side: str, rows: Sequence[tuple[Case, Answers]]) -> float | None:
    """Expected calibration error of the label's probability, over the in-scope texts."""
    inside = [(_side(side, out), case) for case, out in rows if case.label != OUT_OF_SCOPE]
    if not inside:
        return None
    return calibration_error(
        [said.probability for said, _ in inside], [said.label == case.label for said, case in inside]
    )


def latency(percent: float, rows: Sequence[tuple[Case, Answers]]) -> float:
    """Milliseconds from the text to the decision, the embedding included."""
    return float(np.percentile([out.seconds for _, out in rows], percent)) * 1000


def _side(side: str, out: Answers) -> Said:
    return out.ours if side == "ours" else out.reference


SCORERS: tuple[Scorer[Case, Answers], ...] = tuple(
    Scorer(prefix + name, partial(judge, side))
    for side, prefix in (("ours", ""), ("reference", "reference_"))
    for name, judge in (
        ("accuracy", accuracy),
        ("out_of_scope_recall", recall),
        ("out_of_scope_precision", precision),
        ("label_accuracy", label_accuracy),
    )
)
POOLED: tuple[Pooled[Case, Answers], ...] = (
    Pooled("ece", partial(ece, "ours")),
    Pooled("reference_ece", partial(ece, "reference")),
    Pooled("latency_p50_ms", partial(latency, 50)),
    Pooled("latency_p95_ms", partial(latency, 95)),
)


def _facts(intents: Intents, trained: Trained) -> Mapping[str, str]:
    outside = sum(label == OUT_OF_SCOPE for _, label in intents.train)
    return {
        "data": intents.name,
        "labels": f"{len(trained.weights.labels):,}",
        "training texts": f"{len(intents.train):,}, of which out of scope {outside:,}",
        "cross-validation": f"accuracy {trained.accuracy:.4f}, ECE {trained.error:.4f}",
    }


def _details(case: Case, out: Answers) -> Mapping[str, str]:
    def told(said: Said) -> str:
        return f"{said.label} ({said.probability:.2f}){'' if said.in_scope else ', turned away'}"

    return {"text": case.text, "label": case.label, "given": told(out.ours), "reference": told(out.reference)}
