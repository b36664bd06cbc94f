"""Fusion: shared words count above their background, and the less the more alike the meaning is already."""

import numpy as np
import pytest

from retrieval.fusion import CANDIDATES, fuse, lexical_evidence, winners


def test_evidence_is_the_rise_above_the_tenth_best() -> None:
    bm25 = np.array([20.0, 14.0, *[8.0] * 8, 5.0, 0.0])
    evidence = lexical_evidence(bm25, terms=4)
    assert evidence[:2] == pytest.approx([(20 - 8) / (13 * 2), (14 - 8) / (13 * 2)])
    assert not evidence[2:].any()


def test_nine_candidates_or_fewer_have_no_background() -> None:
    assert lexical_evidence(np.full(9, 6.5), terms=1) == pytest.approx(np.full(9, 0.5))
    assert not lexical_evidence(np.full(10, 6.0), terms=1).any()


def test_evidence_is_at_most_one() -> None:
    assert lexical_evidence(np.array([1000.0]), terms=1) == pytest.approx([1.0])


def test_a_longer_query_asks_for_more_shared_words() -> None:
    bm25 = np.array([12.0])
    assert lexical_evidence(bm25, terms=16)[0] == pytest.approx(lexical_evidence(bm25, terms=4)[0] / 2)


def test_a_query_of_stop_words_is_left_to_the_meaning() -> None:
    cosines = np.array([0.2, 0.7])
    assert fuse(cosines, np.zeros(2), terms=0) == pytest.approx(cosines)


def test_noisy_or_of_both_halves() -> None:
    assert fuse(np.array([0.6]), np.array([6.5]), terms=1) == pytest.approx([1 - (1 - 0.6) * (1 - 0.5)])


def test_words_move_a_vague_match_further_than_a_close_one() -> None:
    gained = fuse(np.array([0.3, 0.9]), np.array([6.0, 6.0]), terms=4) - [0.3, 0.9]
    assert gained[0] > 5 * gained[1] > 0


def test_cutting_the_lists_changes_nothing_for_the_candidates_kept() -> None:
    rng = np.random.default_rng(3)
    cosines, bm25 = rng.uniform(-0.1, 0.9, 500), rng.gamma(1.0, 3.0, 500)
    union = np.unique(np.concatenate([np.argsort(-cosines)[:CANDIDATES], np.argsort(-bm25)[:CANDIDATES]]))
    everything, cut = fuse(cosines, bm25, terms=6), fuse(cosines[union], bm25[union], terms=6)
    assert cut == pytest.approx(everything[union])
    assert set(np.argsort(-everything)[:CANDIDATES]) <= set(union)


def test_no_candidates() -> None:
    assert fuse(np.array([]), np.array([]), terms=3).size == 0
    assert winners(np.array([]), 3) == []


@pytest.mark.parametrize(
    ("cosines", "bm25", "complaint"),
    [
        ([0.1, np.nan], [1.0, 2.0], "NaN"),
        ([0.1, 0.2], [1.0, np.nan], "NaN"),
        ([0.1, 0.2], [1.0], "one cosine and one bm25"),
    ],
)
def test_scores_that_are_missing_are_refused(cosines: list[float], bm25: list[float], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        fuse(np.array(cosines), np.array(bm25), terms=2)


def test_all_that_score_as_the_last_winner_does_are_winners() -> None:
    scores = np.array([0.5, 0.9, 0.5, 0.1, 0.5])
    assert winners(scores, 1) == [1]
    assert winners(scores, 2) == [0, 1, 2, 4]
    assert winners(scores, 9) == [0, 1, 2, 3, 4]
