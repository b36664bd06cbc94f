import math

import pytest

from evals import scorers


def test_ndcg_by_hand() -> None:
    # Relevant at ranks 1 and 3 of three relevant ones: (1 + 1/2) / (1 + 1/log2(3) + 1/2).
    found = scorers.ndcg(["a", "x", "b"], {"a": 1, "b": 1, "c": 1})
    assert found == pytest.approx(1.5 / (1.5 + 1 / math.log2(3)))


def test_ndcg_weighs_graded_relevance_linearly() -> None:
    assert scorers.ndcg(["b", "a"], {"a": 3, "b": 1}) == pytest.approx((1 + 3 / math.log2(3)) / (3 + 1 / math.log2(3)))


def test_ndcg_ignores_what_lies_below_k() -> None:
    assert scorers.ndcg(["x", "y", "a"], {"a": 1}, k=2) == 0
    assert scorers.ndcg(["a", "b"], dict.fromkeys("abcdef", 1), k=2) == 1


def test_ndcg_refuses_a_query_without_relevant_documents() -> None:
    with pytest.raises(ValueError, match="undefined"):
        scorers.ndcg(["a"], {"a": 0})


def test_recall_and_reciprocal_rank() -> None:
    assert scorers.recall(["x", "a", "y"], {"a", "b"}, k=2) == 0.5
    assert scorers.reciprocal_rank(["x", "a", "b"], {"a", "b"}) == 0.5
    assert scorers.reciprocal_rank(["x"], {"a"}) == 0


def test_answers_are_compared_as_squad_does() -> None:
    assert scorers.normalise("The  Cat's an (old) one.") == ["cats", "old", "one"]


def test_token_f1_takes_the_nearest_gold_answer() -> None:
    # Two words in common, four and three words long: F1 = 2 · 2 / (4 + 3).
    assert scorers.token_f1("within thirty days delivery", ["thirty days only", "a year"]) == pytest.approx(4 / 7)
    assert scorers.token_f1("", ["thirty days"]) == 0


def test_token_f1_counts_a_repeated_word_as_often_as_both_have_it() -> None:
    assert scorers.token_f1("yes yes", ["yes"]) == pytest.approx(2 / 3)


def test_contains_wants_whole_words_in_a_row() -> None:
    assert scorers.contains("It takes 30 days, at most.", ["30 Days"]) == 1
    assert scorers.contains("It takes 130 days.", ["30 days"]) == 0
    assert scorers.contains("30 working days", ["30 days"]) == 0
    assert scorers.contains("anything", ["the"]) == 0, "a gold answer of nothing but articles proves nothing"


def test_citation_precision_and_recall() -> None:
    assert scorers.citation_precision([True, False, False, True]) == 0.5
    assert scorers.citation_precision([]) is None
    assert scorers.citation_recall([[True, False], [False], [], [True]]) == 0.5
    assert scorers.citation_recall([]) == 0
