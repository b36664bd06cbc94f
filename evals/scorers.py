"""Metrics as functions of plain values. Each says what one case scores; the runner takes the means."""

from __future__ import annotations

import math
import re
import string
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


def ndcg(ranking: Sequence[str], gains: Mapping[str, float], k: int = 10) -> float:
    """Normalised discounted cumulative gain of the first `k`, with linear gains as in trec_eval and BEIR.

    `gains` maps document → relevance; what it lacks has none. Raises `ValueError` when nothing is relevant.
    """
    ideal = sorted((gain for gain in gains.values() if gain > 0), reverse=True)
    if not ideal:
        raise ValueError("nDCG is undefined where no document is relevant")
    return _discounted([gains.get(document, 0.0) for document in ranking[:k]]) / _discounted(ideal[:k])


def _discounted(gains: Sequence[float]) -> float:
    return sum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, start=1))


def recall(ranking: Sequence[str], relevant: Collection[str], k: int = 10) -> float:
    """Share of the relevant documents among the first `k`."""
    return len(set(relevant).intersection(ranking[:k])) / len(relevant)


def reciprocal_rank(ranking: Sequence[str], relevant: Collection[str]) -> float:
    """One over the rank of the first relevant document; 0 when the ranking has none. Its mean is MRR."""
    return next((1 / rank for rank, document in enumerate(ranking, start=1) if document in relevant), 0.0)


def normalise(answer: str) -> list[str]:
    """The words of an answer as SQuAD compares them: lower case, no punctuation, no articles."""
    return _ARTICLES.sub(" ", answer.lower().translate(_PUNCTUATION)).split()


def token_f1(answer: str, golds: Sequence[str]) -> float:
    """SQuAD's F1 over the words of the answer and of the gold answer that it is nearest to."""
    return max(_f1(normalise(answer), normalise(gold)) for gold in golds)


def _f1(answer: list[str], gold: list[str]) -> float:
    if not answer or not gold:
        return float(answer == gold)
    return 2 * sum((Counter(answer) & Counter(gold)).values()) / (len(answer) + len(gold))


def contains(answer: str, golds: Sequence[str]) -> float:
    """1 when the words of some gold answer stand in the answer, in a row: fair to whole sentences."""
    text = f" {' '.join(normalise(answer))} "
    return float(any((gold := " ".join(normalise(each))) and f" {gold} " in text for each in golds))


def citation_precision(right: Sequence[bool]) -> float | None:
    """Share of the citations that are right; None without citations, which have no precision.

    The measure is ALCE's (Gao et al. 2023), with judged documents and gold answers in place of its entailment
    model.
    """
    return sum(right) / len(right) if right else None


def citation_recall(sentences: Sequence[Collection[bool]]) -> float:
    """Share of an answer's sentences that carry a right citation (ALCE).

    A sentence is given as the verdicts on its citations.
    """
    return sum(any(citations) for citations in sentences) / len(sentences) if sentences else 0.0
