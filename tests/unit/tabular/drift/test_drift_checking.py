"""The rule as a whole, on worlds in which rows hang together."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from core.errors import InvalidInput
from tabular.drift.checking import check
from tabular.drift.comparing import compare
from tabular.drift.concept import auc, average_precision, figures
from tabular.drift.findings import Rule, find, holm
from tabular.drift.reference import WEEK, Reference
from tabular.drift.results import About, Check, load_check
from tests.unit.tabular.drift.worlds import World, all_outcomes, together

WORLD = World(4)
PAST = 8


@pytest.fixture(scope="module")
def reference() -> Reference:
    return whole(WORLD)


def whole(world: World) -> Reference:
    past = all_outcomes([world.outcomes(each) for each in range(PAST)])
    return replace(world.reference(PAST), figures=figures(past, 0, PAST * WEEK))


def found(reference: Reference, **change: float) -> Check:
    outcome = {key: change.pop(key) for key in ("honest", "share") if key in change}
    return check(reference, WORLD.week(9, **change), WORLD.outcomes(9, **outcome))


def test_nothing_is_found_where_nothing_moved() -> None:
    for seed in range(5, 9):
        world = World(seed)
        reference = whole(world)
        for week in range(9, 13):
            made = check(reference, world.week(week), world.outcomes(week))
            assert (made.findings, made.unknown) == ((), ())


def test_a_shift_of_a_column_is_found_and_named(reference: Reference) -> None:
    [finding] = found(reference, add=1.2).findings
    assert (finding.name, finding.about) == ("spent", About.FEATURE)
    assert finding.effect > finding.bound
    assert finding.p < 0.01
    assert finding.words.startswith("spent: ")
    assert "is 35% of the window, and was 9.0%" in finding.words


def test_a_new_kind_of_people_is_found(reference: Reference) -> None:
    made = found(reference, swap=0.4)
    assert [(each.name, each.about) for each in made.findings] == [("kind", About.SEGMENT)]
    assert "other is" in made.findings[0].words


def test_a_model_that_no_longer_knows_is_found_though_its_world_is_the_same(reference: Reference) -> None:
    made = found(reference, honest=0.3)
    assert {each.about for each in made.findings} == {About.PERFORMANCE}
    assert "auc" in {each.name for each in made.findings}
    [auc] = [each for each in made.findings if each.name == "auc"]
    assert "is usual" in auc.words


def test_more_frauds_than_the_scores_say_are_found(reference: Reference) -> None:
    calm = check(reference, WORLD.week(9), WORLD.outcomes(9))
    more = WORLD.outcomes(9)
    fewer = replace(more, scores=more.scores / 12)
    names = [each.name for each in check(reference, WORLD.week(9), fewer).findings]
    assert (calm.findings, names) == ((), ["calibration"])


def test_a_large_window_does_not_speak_of_trifles() -> None:
    world = World(7, rows=40_000)
    week = world.week(9)
    window = replace(week, numbers={**week.numbers, "calm": week.numbers["calm"] + 0.1})
    moved = compare(world.reference(), window)
    [calm] = [each for each in moved if each.name == "calm"]
    assert calm.psi.p < 1e-4
    assert find(moved, [], Rule()) == []
    # By significance alone it would have spoken.
    assert [each.name for each in find(moved, [], Rule(psi=1e-9, ks=9))] == ["calm"]


def test_a_small_one_does_not_speak_of_chance() -> None:
    distances = []
    for seed in range(8):
        world = World(seed, rows=230)
        made = compare(world.reference(), world.week(9))
        distances += [each.psi.distance for each in made]
        assert find(made, [], Rule()) == []
    # By the bound alone some of them would have spoken.
    assert max(distances) > Rule().psi


def test_what_is_open_does_not_come_and_go(reference: Reference) -> None:
    add = 0.9
    far = compare(reference, WORLD.week(9, add=add))[0].psi.effect
    strict = Rule(psi=far * 1.2, ks=9.0)
    made = compare(reference, WORLD.week(9, add=add))
    assert find(made, [], strict) == []
    assert [each.name for each in find(made, [], strict, {("spent", "feature")})] == ["spent"]
    assert find(made, [], Rule(psi=far * 1.5, ks=9.0), {("spent", "feature")}) == []


def test_too_little_is_said_to_be_too_little(reference: Reference) -> None:
    week = WORLD.week(9)
    part = week.at < 9 * WEEK + WEEK // 2
    half = replace(
        week,
        at=week.at[part],
        numbers={name: each[part] for name, each in week.numbers.items()},
        groups={name: each[part] for name, each in week.groups.items()},
    )
    none = WORLD.outcomes(9, share=0.0)
    made = check(reference, half, none)
    assert made.findings == ()
    assert [each.partition(":")[0] for each in made.unknown] == ["what the model meets", "what it achieves"]
    assert "days of 7" in made.unknown[0]
    with pytest.raises(InvalidInput, match="2 windows of 4 weeks"):
        compare(reference, week, 4)
    with pytest.raises(InvalidInput, match="has no kind"):
        compare(reference, replace(week, groups={}))
    with pytest.raises(InvalidInput, match="rows: 200"):
        compare(World(1, rows=50).reference(), World(1, rows=50).week(9))


def test_windows_of_two_weeks(reference: Reference) -> None:
    for add, expected in ((0.0, 0), (1.2, 1)):
        window = together([WORLD.week(9, add=add), WORLD.week(10, add=add)])
        made = compare(reference, window, 2)
        assert made[0].usual.windows == 4
        assert len(find(made, [], Rule())) == expected


def test_figures_are_scikit_learn_s() -> None:
    random = np.random.default_rng(8)
    for _ in range(15):
        # Few scores, so that many are equal.
        scores, positive = random.integers(0, 6, 40) / 7, random.random(40) < 0.3
        assert auc(scores, positive) == pytest.approx(roc_auc_score(positive, scores))
        assert average_precision(scores, positive) == pytest.approx(average_precision_score(positive, scores))


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []


def test_it_is_read_as_it_was_written(reference: Reference) -> None:
    made = found(reference, add=1.2)
    assert load_check(made.dump()) == made


def test_the_error_of_a_figure_knows_of_owners() -> None:
    """Whole owners are frauds or not: the error must be that of owners, not of rows."""
    values = [figures(WORLD.outcomes(each, share=0.2), 0, WEEK)[0] for each in range(30)]
    apart = float(np.std([each.value for each in values], ddof=1))
    told = float(np.mean([each.error for each in values]))
    assert 0.5 < told / apart < 2
