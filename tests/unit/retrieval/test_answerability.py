"""Answerability: where the line runs between a question of these documents and a foreign one."""

import math

import pytest

from retrieval.answerability import answerability, coverage


def test_coverage_is_the_share_of_the_querys_terms() -> None:
    assert coverage(frozenset({1, 2, 3, 4}), frozenset({2, 3, 9})) == pytest.approx(0.5)
    assert coverage(frozenset({1}), frozenset({1, 5})) == 1.0
    assert coverage(frozenset(), frozenset({1})) == 0.0


@pytest.mark.parametrize(
    ("fused", "cosine", "covered"),
    [
        pytest.param(0.82, 0.76, 0.6, id="a paraphrased question"),
        pytest.param(0.79, 0.53, 0.78, id="a question about a fact in the passage"),
        pytest.param(0.68, 0.65, 0.15, id="a long scenario"),
    ],
)
def test_typical_answerable_questions_pass(fused: float, cosine: float, covered: float) -> None:
    assert answerability(fused, cosine, covered) > 0.9


@pytest.mark.parametrize(
    ("fused", "cosine", "covered"),
    [
        pytest.param(0.28, 0.24, 0.25, id="the median of foreign questions"),
        pytest.param(0.45, 0.27, 0.5, id="a foreign question that shares half its words"),
        pytest.param(0.0, 0.0, 0.0, id="nothing in common"),
    ],
)
def test_typical_foreign_questions_do_not(fused: float, cosine: float, covered: float) -> None:
    assert answerability(fused, cosine, covered) < 0.5


def test_each_sign_raises_it() -> None:
    start = answerability(0.5, 0.4, 0.4)
    assert answerability(0.6, 0.4, 0.4) > start
    assert answerability(0.5, 0.5, 0.4) > start
    assert answerability(0.5, 0.4, 0.5) > start


def test_it_is_a_probability_at_the_ends() -> None:
    assert 0.0 <= answerability(-1.0, -1.0, 1.0) < 1e-9
    assert 1.0 - 1e-6 < answerability(1.0, 1.0, 1.0) <= 1.0


@pytest.mark.parametrize("at", range(3))
def test_what_is_not_a_number_is_refused(at: int) -> None:
    signs = [0.5, 0.5, 0.5]
    signs[at] = math.nan
    with pytest.raises(ValueError, match="not a number"):
        answerability(*signs)
