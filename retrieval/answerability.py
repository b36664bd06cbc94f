"""Whether the knowledge base answers a question at all, judged from the best passage that a search found.

A logistic regression on two signs: the fused score, and the cosine times the share of the query's words that the
passage has (alike in meaning *and* in words). Fitted with every pair of question set and knowledge base weighing
the same, on StackFAQ, SQuAD 2 and bank_support, each one's questions asked of all three, with all-MiniLM-L6-v2
(docs/decisions/0003-fusion-and-abstention.md). Measured on those at 0.5: of foreign questions at least 96.0 % are
declined in every pair, of answerable ones at most 3.4 %; with a knowledge base left out of the fit, 91.3 and 6.1 %.
It tells topics apart, not truth: of SQuAD 2's adversarial questions, which its passages almost answer, it declines
9 %. Those are for the check of the answer against its passage.
"""

from __future__ import annotations

import math

_FUSED = 20.16
_ALIKE_AND_COVERED = 7.17
_BIAS = -10.59


def coverage(query_terms: frozenset[int], passage_terms: frozenset[int]) -> float:
    """Share of the query's distinct terms that the passage has, in [0, 1]; 0.0 for a query without terms."""
    return len(query_terms & passage_terms) / len(query_terms) if query_terms else 0.0


def answerability(fused: float, cosine: float, covered: float) -> float:
    """Probability in [0, 1] that the knowledge base answers the query; 0.5 is the line to draw.

    Calibrated for as many answerable questions as foreign ones.

    All three are of the passage with the highest fused score: `fused` from `retrieval.fusion.fuse`, its `cosine`
    with the query, and its `coverage` of the query's terms. Raises `ValueError` for NaN. Where a search found
    nothing there is nothing to judge: the answerability is 0.0, and the caller's to say.
    """
    logit = _FUSED * fused + _ALIKE_AND_COVERED * cosine * covered + _BIAS
    if math.isnan(logit):
        raise ValueError(f"not a number among fused {fused}, cosine {cosine}, coverage {covered}")
    return 1.0 / (1.0 + math.exp(-logit))
