"""Fuses the dense and the lexical half of a hybrid search into one score.

What it needs of the index: one dense vector per passage, the unit sum of the embedded title and the embedded
title + text (`retrieval.encode`), and BM25 over the same words (`retrieval.bm25`). Each half contributes its
best `CANDIDATES`. Every candidate has its cosine; one that the lexical half did not find has no lexical evidence.

Lexical evidence is how far a passage's BM25 rises above the tenth best of the query (what chance matches reach),
per square root of the query's length. The two then combine as independent evidence does, by the noisy-or
(Pearl, "Probabilistic Reasoning in Intelligent Systems", 1988, section 4.3): a passage that is alike in meaning
already gains little from shared words. Only nine passages have lexical evidence, so cutting each half at fifty
loses nothing. Constants, alternatives and figures: docs/decisions/0003-fusion-and-abstention.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Scores = NDArray[np.float64]

CANDIDATES = 50
"""How many candidates each half contributes. At least `_BACKGROUND_RANK`, or the background is unknown."""

# Chosen on StackFAQ, SQuAD 2 and bank_support with all-MiniLM-L6-v2. More full evidence trusts the dense half more.
_BACKGROUND_RANK = 10
_FULL_EVIDENCE = 13.0


def lexical_evidence(bm25: Scores, terms: int) -> Scores:
    """Evidence in [0, 1] that shared words give for each candidate.

    `bm25` has the raw scores of all candidates of one query, 0.0 where the lexical half did not find it; `terms` is
    the number of distinct query terms that BM25 counts. Where fewer than ten candidates share a word the background
    is 0.
    """
    if terms < 1:
        return np.zeros_like(bm25)
    nth = bm25.size - _BACKGROUND_RANK
    background = float(np.partition(bm25, nth)[nth]) if nth >= 0 else 0.0
    evidence: Scores = np.clip((bm25 - background) / (_FULL_EVIDENCE * np.sqrt(terms)), 0.0, 1.0)
    return evidence


def fuse(cosines: Scores, bm25: Scores, terms: int) -> Scores:
    """Fused score of each candidate, at most 1; comparable within one search.

    `cosines` are the query's cosines with the passages' vectors, in the order of `bm25`. A score that the index
    did not compute has no default that is right for both halves, so NaN raises `ValueError`, as does a difference
    in length.
    """
    if cosines.shape != bm25.shape or cosines.ndim != 1:
        raise ValueError(f"one cosine and one bm25 per candidate, not shapes {cosines.shape} and {bm25.shape}")
    if np.isnan(cosines).any() or np.isnan(bm25).any():
        raise ValueError("every candidate needs its score in both halves, found NaN")
    return cosines + (1.0 - cosines) * lexical_evidence(bm25, terms)


def winners(scores: Scores, limit: int) -> list[int]:
    """Positions of the `limit` best candidates, and of all that score as the last of them does, in no order.

    Which of those that score the same come first is for the caller to say, who knows what they are.
    """
    if scores.size <= limit:
        return list(range(scores.size))
    return np.flatnonzero(scores >= np.partition(scores, -limit)[-limit]).tolist()
