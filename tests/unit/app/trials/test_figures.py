import math
from random import Random

import pytest

from app.trials.figures import Figures, Share, Z, worse


def reasons(figures: Figures, minimum: int = 20) -> list[str]:
    return [reason for reason, _ in figures.verdict(minimum)]


def traffic(figures: Figures, seed: int, answers: int, *, errors: tuple[float, float], slower: float) -> int | None:
    """Send answers to both sides, a tenth to the challenger; the number of its answers when it had to go, if it had.

    Every answer takes three times as long in the second half: the machine has more to do.
    """
    random = Random(seed)
    for number in range(answers):
        ours = random.random() < 0.1
        seconds = random.lognormvariate(0, 0.7) * (slower if ours else 1.0) * (3 if number > answers / 2 else 1)
        fault = "broken" if random.random() < errors[ours] else None
        figures.answered(figures.challenger if ours else figures.champion, seconds, fault)
        if ours and figures.verdict(20):
            return figures.challenger.answers
    return None


@pytest.mark.parametrize(("bad", "of"), [(8, 10), (1, 200), (50, 50)])
def test_wilsons_interval_ends_where_the_score_test_does(bad: int, of: int) -> None:
    for end in Share(bad, of).bounds():
        distance = abs(bad / of - end)
        assert distance == pytest.approx(Z * math.sqrt(end * (1 - end) / of))


def test_nothing_counted_says_nothing() -> None:
    assert Share(0, 0).bounds() == (0.0, 1.0)


def test_nothing_is_decided_before_the_minimum() -> None:
    assert not worse(Share(19, 19), Share(0, 1000), 20)
    assert worse(Share(20, 20), Share(0, 1000), 20)


def test_without_a_champion_to_compare_with_nothing_is_decided() -> None:
    assert not worse(Share(100, 100), Share(0, 0), 20)


def test_an_equal_challenger_stays() -> None:
    gone = [traffic(Figures(), seed, 1500, errors=(0.05, 0.05), slower=1.0) for seed in range(20)]
    assert gone == [None] * 20


@pytest.mark.parametrize(("errors", "slower", "reason"), [((0.02, 0.5), 1.0, "errors"), ((0.02, 0.02), 3.0, "latency")])
def test_a_worse_challenger_goes_soon(errors: tuple[float, float], slower: float, reason: str) -> None:
    figures = Figures()
    gone = traffic(figures, 1, 3000, errors=errors, slower=slower)
    assert gone is not None and gone <= 100
    assert reasons(figures) == [reason]


def test_dislike_alone_is_enough_and_is_told_in_words() -> None:
    figures = Figures()
    figures.champion.ratings, figures.challenger.ratings = Share(10, 100), Share(15, 20)
    assert figures.verdict(20) == [("feedback", "15 of 20 answers were disliked; of the champion's, 10 of 100")]
    figures.challenger.ratings = Share(3, 20)
    assert reasons(figures) == []


def test_errors_do_not_count_as_quick_answers() -> None:
    figures = Figures()
    figures.answered(figures.champion, 9.0, "broken")
    assert (figures.champion.errors, figures.champion.quantile(0.5)) == (1, None)
    assert figures.faults == {}
    figures.answered(figures.challenger, 9.0, "broken")
    assert figures.faults == {"broken": 1}


def test_agreement_is_the_mean() -> None:
    figures = Figures()
    for alike in (1.0, 0.0, 0.5):
        figures.agreed(alike)
    assert (figures.compared, figures.agreement) == (3, 0.5)
