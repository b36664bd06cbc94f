"""Fits a classifier's head with scikit-learn, and measures it by cross-validation while at it.

What cross-validation says of texts that a model has not seen sets everything that is not a weight: the temperature,
how much a likeness to out-of-scope examples counts, the line between in and out of scope, and from which probability
an answer is sure. So no constant belongs to one data set.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.sparse import csr_matrix, hstack
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold
from threadpoolctl import threadpool_limits

from agents.calibration import calibration_error, sure_from
from agents.classifier import OUT_OF_SCOPE, WORDS, Floats, Weights, scores, softmax
from agents.ngrams import Ngrams
from core.errors import InvalidInput

TURNED_AWAY = 0.02
"""Share of in-scope texts, unseen ones, that may be taken for out of scope: it draws the line."""

# Inverse strength of the L2 penalty, scikit-learn's C; 30 does as well on CLINC150's validation and fits for longer.
_STRENGTH = 10.0
_ITERATIONS = 200
# From here on a gram has to occur twice, and three folds lack too little to matter.
_MANY = 5_000
# What may be tried for `Weights.stranger`.
_STRANGER = (0.0, 0.5, 1.0)

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Trained:
    """The weights, and what cross-validation says of them.

    `accuracy` counts in-scope texts: one that is turned away counts as wrong; `closed_accuracy` is that of the label
    alone. `recall` is the share of out-of-scope examples recognised, None without any. `error` is the expected
    calibration error of the in-scope texts. `covered` is the share of them answered at `Weights.sure` or above.
    `right` (n,) says of each example, in the order given, whether it was decided rightly while it was held out.
    """

    weights: Weights
    examples: int
    accuracy: float
    closed_accuracy: float
    recall: float | None
    error: float
    covered: float
    right: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Change:
    """How often the same `cases` were decided rightly before and after, and the 95 % interval of the difference."""

    before: float
    after: float
    low: float
    high: float
    cases: int

    @property
    def worse(self) -> bool:
        """Whether it is worse by more than chance."""
        return self.high < 0


def change(before: NDArray[np.bool_], after: NDArray[np.bool_]) -> Change:
    """Compare two rows of decisions on the same cases, by the adjusted interval of Agresti and Min (2005).

    Raises `ValueError` without cases.
    """
    if not before.size:
        raise ValueError("there is nothing to compare")
    # Half a case more of each kind, or a few cases that all changed one way would leave no doubt.
    gained, lost, cases = (after & ~before).sum() + 0.5, (before & ~after).sum() + 0.5, before.size + 2
    difference = (gained - lost) / cases
    spread = 1.96 * np.sqrt(gained + lost - (gained - lost) ** 2 / cases) / cases
    return Change(
        float(before.mean()),
        float(after.mean()),
        float(difference - spread),
        float(difference + spread),
        int(before.size),
    )


def train(
    texts: Sequence[str],
    labels: Sequence[str],
    vectors: Floats,
    *,
    seed: int = 0,
    progress: Progress = lambda _stage, _done, _all: None,
) -> Trained:
    """Fit on texts, their labels (`OUT_OF_SCOPE` is one that no label fits) and their unit-length embeddings (n, d).

    `progress` is told the fits done and all. Raises `InvalidInput` for fewer than two labels, or a label with fewer
    than two examples.
    """
    names = sorted(set(labels) - {OUT_OF_SCOPE})
    if len(names) < 2:
        raise InvalidInput(f"{len(names)} labels leave nothing to tell apart", param="examples")
    columns = [*names, OUT_OF_SCOPE] if OUT_OF_SCOPE in labels else names
    places = {name: place for place, name in enumerate(columns)}
    wanted = np.array([places[label] for label in labels])
    counts = np.bincount(wanted)
    if counts.min() < 2:
        raise InvalidInput(
            f"the label {columns[int(counts.argmin())]!r} has one example: two at least", param="examples"
        )
    folds = min(3 if len(texts) > _MANY else 5, int(counts.min()))
    logits = np.zeros((len(texts), len(columns)), np.float32)
    splitter = StratifiedKFold(folds, shuffle=True, random_state=seed)
    for fold, (kept, held) in enumerate(splitter.split(wanted, wanted)):
        progress("cross-validation", fold, folds + 1)
        head = _fit([texts[place] for place in kept], wanted[kept], vectors[kept], names)
        logits[held] = logits_of(head, [texts[place] for place in held], vectors[held])
    progress("fitting", folds, folds + 1)
    trained = _measured(_fit(texts, wanted, vectors, names), logits, wanted)
    progress("done", folds + 1, folds + 1)
    return trained


def _fit(texts: Sequence[str], wanted: NDArray[np.int64], vectors: Floats, names: Sequence[str]) -> Weights:
    ngrams = Ngrams.of(texts, least=2 if len(texts) > _MANY else 1)
    model = LogisticRegression(C=_STRENGTH, max_iter=_ITERATIONS, tol=1e-4)
    # The work is in sparse products, which have one thread; BLAS threads would only wait for each other meanwhile.
    with threadpool_limits(1):
        model.fit(hstack([csr_matrix(vectors), _sparse(ngrams, texts)], format="csr"), wanted)
    weights, bias = model.coef_.T.astype(np.float32), model.intercept_.astype(np.float32)
    if weights.shape[1] == 1:
        # Two classes have one column; the softmax wants one each.
        weights, bias = np.hstack([-weights / 2, weights / 2]), np.array([-bias[0] / 2, bias[0] / 2], np.float32)
    size = vectors.shape[1]
    return Weights(tuple(names), ngrams, weights[:size], weights[size:], bias)


def _sparse(ngrams: Ngrams, texts: Sequence[str]) -> csr_matrix:
    rows = [ngrams.weigh(text) for text in texts]
    ends = np.cumsum([0, *(len(places) for places, _ in rows)])
    places = np.concatenate([places for places, _ in rows])
    values = np.concatenate([values for _, values in rows]) * np.float32(WORDS)
    return csr_matrix((values, places, ends), shape=(len(texts), len(ngrams.vocabulary)))


def logits_of(weights: Weights, texts: Sequence[str], vectors: Floats) -> Floats:
    """What the head makes of texts and their unit-length embeddings (n, d): logits (n, K), as `Weights` has them."""
    logits: Floats = vectors @ weights.embedding + _sparse(weights.ngrams, texts) @ weights.words + weights.bias
    return logits


def _measured(weights: Weights, logits: Floats, wanted: NDArray[np.int64]) -> Trained:
    """Set what cross-validation decides, from the held-out `logits` (n, K)."""
    labels = len(weights.labels)
    known = wanted < labels
    familiar = {share: scores(logits, labels, share) for share in _STRANGER}
    stranger = 0.0 if known.all() else max(_STRANGER, key=lambda share: roc_auc_score(known, familiar[share]))
    line = float(np.quantile(familiar[stranger][known], TURNED_AWAY))
    right = logits[known, :labels].argmax(axis=1) == wanted[known]
    temperature = _temperature(logits[known, :labels], wanted[known])
    confidence = softmax(logits[known, :labels] / temperature).max(axis=1)
    sure = sure_from(confidence, right)
    accepted = familiar[stranger] >= line
    decided = accepted & (logits[:, :labels].argmax(axis=1) == wanted)
    return Trained(
        replace(weights, temperature=temperature, stranger=stranger, line=line, sure=sure),
        len(wanted),
        float((right & accepted[known]).mean()),
        float(right.mean()),
        None if known.all() else float((~accepted[~known]).mean()),
        calibration_error(confidence, right),
        float((confidence >= sure).mean()),
        np.where(known, decided, ~accepted),
    )


def _temperature(logits: Floats, wanted: NDArray[np.int64]) -> float:
    """The temperature under which the right labels are likeliest (Guo et al. 2017)."""

    def loss(log_temperature: float) -> float:
        shares = softmax(logits / np.exp(log_temperature))
        return float(-np.log(shares[np.arange(len(wanted)), wanted] + 1e-12).mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-4, 4), method="bounded").x))
