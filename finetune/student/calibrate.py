"""Sets what is no weight of a student from texts that it did not see: temperatures, and the line of being in scope."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from core.studentcard import Floats, Head, StudentCard, softmax

TURNED_AWAY = 0.02
"""Share of unseen texts in scope that may be taken for out of scope: the teacher's own, so that both can be held
against each other."""

SureFrom = Callable[[NDArray[np.float32], NDArray[np.bool_]], float]


def calibrated(
    card: StudentCard,
    logits: Floats,
    labels: Mapping[str, Sequence[str | None]],
    in_scope: NDArray[np.bool_],
    sure_from: SureFrom,
) -> StudentCard:
    """The card with temperatures, sure probabilities and line, from logits (n, K) of n texts that were held out.

    `labels` has for each head the right label of each text, None where there is none. `in_scope` (n,) says of which
    texts any label is right. `sure_from` finds the probability from which enough answers were right, given the
    probabilities and whether each was right. A head without labelled texts keeps what it has.
    """
    parts = card.split(logits)
    heads = tuple(_head(head, parts[head.name], labels.get(head.name, ()), sure_from) for head in card.heads)
    line = card.line
    if any(head.strange for head in heads) and in_scope.any():
        line = float(np.quantile(card.familiarity(logits)[in_scope], TURNED_AWAY))
    return card.model_copy(update={"heads": heads, "line": line})


def _head(head: Head, logits: Floats, labels: Sequence[str | None], sure_from: SureFrom) -> Head:
    known = [place for place, label in enumerate(labels) if label in head.labels]
    if not known:
        return head
    wanted = np.array([head.labels.index(str(labels[place])) for place in known])
    own = logits[known, : len(head.labels)]
    temperature = _temperature(own, wanted)
    shares = softmax(own / np.float32(temperature))
    sure = sure_from(shares.max(axis=1), shares.argmax(axis=1) == wanted)
    return head.model_copy(update={"temperature": temperature, "sure": sure})


def _temperature(logits: Floats, wanted: NDArray[np.int64]) -> float:
    """The temperature under which the right labels are likeliest (Guo et al. 2017)."""

    def loss(log_temperature: float) -> float:
        shares = softmax(logits / np.float32(np.exp(log_temperature)))
        return float(-np.log(shares[np.arange(len(wanted)), wanted] + 1e-12).mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-4, 4), method="bounded").x))
