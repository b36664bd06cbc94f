import numpy as np
import pytest

from core.errors import InvalidInput
from core.gates import judge
from tabular.tasks.encoding import Bools, Labels
from tabular.tasks.fairness import Fairness, fairness, metrics
from tabular.tasks.task import NOT_KNOWN, Protected
from tests.unit.tabular.tasks.making import LOAN, task

SEX: Protected = LOAN["protected"][0]


def decided(women: tuple[int, int, int, int], men: tuple[int, int, int, int]) -> tuple[Bools, Bools, Labels]:
    """Decisions, outcomes and groups out of four counts each: found, missed, wrongly selected, rightly refused."""
    cells = [(True, True), (False, True), (True, False), (False, False)]
    rows = [
        (*cell, sex)
        for sex, counts in (("F", women), ("M", men))
        for cell, count in zip(cells, counts, strict=True)
        for _ in range(count)
    ]
    chosen, target, of = zip(*rows, strict=True)
    return np.array(chosen), np.array(target), np.array(of)


def compared(protected: Protected, chosen: Bools, target: Bools, of: Labels) -> Fairness:
    found = fairness(task(), protected, chosen, target, of)
    assert found is not None
    return found


def test_figures_by_hand() -> None:
    chosen, target, of = decided((20, 20, 5, 55), (30, 10, 20, 40))
    found = compared(SEX, chosen, target, of)
    women, men = found.groups
    assert (women.name, women.cases, women.selected.value) == ("F", 100, 0.25)
    assert men.found is not None
    assert men.wronged is not None
    assert (men.found.value, men.wronged.value) == pytest.approx((0.75, 1 / 3))
    assert found.ratio.value == pytest.approx(0.5)
    assert found.difference.value == pytest.approx(0.25)
    # .75 against .5 of those who would pay; 1/3 against 1/12 of the others.
    assert found.odds.value == pytest.approx(0.25)
    assert women.selected.low < 0.25 < women.selected.high


def test_intervals_are_those_of_resampled_rows() -> None:
    chosen, target, of = decided((20, 20, 5, 55), (30, 10, 20, 40))
    found = compared(SEX, chosen, target, of)
    random = np.random.default_rng(0)
    ratios, odds = [], []
    for _ in range(1000):
        rows = random.integers(0, len(of), len(of))
        women, paid, taken = of[rows] == "F", target[rows], chosen[rows]
        selected = [taken[each].mean() for each in (women, ~women)]
        ratios.append(min(selected) / max(selected))
        odds.append(max(abs(taken[women & each].mean() - taken[~women & each].mean()) for each in (paid, ~paid)))
    for own, drawn in ((found.ratio, ratios), (found.odds, odds)):
        assert (own.low, own.high) == pytest.approx(tuple(np.percentile(drawn, (2.5, 97.5))), abs=0.03)


def test_small_unknown_and_one_sided_groups_are_told_and_not_compared() -> None:
    chosen, target, of = decided((20, 20, 5, 55), (30, 10, 20, 40))
    few = np.array(["X"] * 19 + [NOT_KNOWN] * 50 + ["Y"] * 30)
    more = np.ones(len(few), dtype=bool)
    # Nobody in Y would pay back, and nobody in these groups is selected.
    outcomes = np.where(few == "Y", False, np.arange(len(few)) % 2 == 0)
    found = compared(SEX, np.append(chosen, ~more), np.append(target, outcomes), np.append(of, few))
    assert {each.name: each.compared for each in found.groups} == {
        "F": True,
        "M": True,
        "X": False,
        "Y": False,
        NOT_KNOWN: False,
    }
    assert {each.name: each.found for each in found.groups}["Y"] is None
    assert found.ratio.value == pytest.approx(0.5)
    assert found.ratio.cases == 200


def test_what_cannot_be_shown_is_refused() -> None:
    with pytest.raises(InvalidInput, match="fewer than two groups of sex"):
        fairness(task(), SEX, *decided((20, 20, 5, 55), (3, 1, 2, 4)))
    # Where no limit asks for it, nothing is said.
    assert fairness(task(), Protected("sex"), *decided((20, 20, 5, 55), (3, 1, 2, 4))) is None


@pytest.mark.parametrize(
    ("women", "refused"),
    [
        ((20, 20, 5, 55), ["fairness/sex/odds-difference", "fairness/sex/selection-ratio"]),
        ((28, 12, 16, 44), []),
    ],
)
def test_the_gate_holds_a_model_to_its_limits(women: tuple[int, int, int, int], refused: list[str]) -> None:
    found = metrics([compared(SEX, *decided(women, (30, 10, 20, 40)))])
    assert {name: each.limit for name, each in found.items()} == task().limits
    assert [each.metric for each in judge(found, found) if each.refuses] == refused


def test_without_limits_figures_are_only_told() -> None:
    told = metrics([compared(Protected("sex"), *decided((20, 20, 5, 55), (30, 10, 20, 40)))])
    assert not [each for each in judge(told, told) if each.refuses]
