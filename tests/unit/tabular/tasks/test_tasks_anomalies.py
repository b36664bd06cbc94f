import numpy as np
import orjson
import pytest

from core.errors import InvalidInput
from tabular.tasks.anomalies import Anomalies, find_usual

NAMES = ("amount", "hour", "visits")


def usual(count: int = 2000, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    return np.stack([random.lognormal(3, 0.4, count), random.normal(14, 3, count), random.poisson(5, count)], axis=1)


def test_as_many_are_found_as_expected_on_other_rows_too() -> None:
    model = find_usual(NAMES, usual(), expected=0.02)
    for seed in (0, 1):
        share = (model.scores(usual(seed=seed)) >= model.threshold).mean()
        assert 0.01 < share < 0.035


def test_rows_that_score_alike_are_not_all_unusual_because_the_threshold_lies_among_them() -> None:
    # Of 1,000 rows of yes and no, 30 say yes.
    rows = (np.arange(1000) < 30).astype(float)[:, None]
    for expected, wanted in ((0.01, 0), (0.03, 30), (0.05, 30)):
        model = find_usual(("yes",), rows, expected=expected)
        assert int((model.scores(rows) >= model.threshold).sum()) == wanted
    model = find_usual(NAMES, usual(), expected=0.02)
    assert int((model.scores(usual()) >= model.threshold).sum()) == 40


def test_what_is_far_out_is_found_and_said() -> None:
    model = find_usual(NAMES, usual())
    common, high, low = model.judge(np.array([[20.0, 14.0, 5.0], [900.0, 14.0, 30.0], [0.1, 0.0, 5.0]]))
    assert (common.unusual, common.oddities) == (False, ())
    assert high.unusual and low.unusual
    assert {each.column for each in high.oddities} == {"amount", "visits"}
    assert high.oddities[0].weight >= high.oddities[1].weight
    texts = {each.column: each.text for each in high.oddities}
    assert texts["amount"] == "amount is high: 900 (more than in any of 2,000 rows; the middle is 19.82)"
    assert {each.text.split(":")[0] for each in low.oddities} == {"amount is low", "hour is low"}
    assert "less than in any of 2,000 rows" in low.oddities[0].text
    assert high.score == pytest.approx(model.scores(np.array([[900.0, 14.0, 30.0]]))[0])


def test_a_rare_value_is_told_with_its_share_whether_or_not_the_row_is_unusual() -> None:
    rows = usual()
    model = find_usual(NAMES, rows)
    value = float(np.quantile(rows[:, 1], 0.02))
    [judged] = model.judge(np.array([[20.0, value, 5.0]]))
    assert not judged.unusual
    [oddity] = judged.oddities
    assert oddity.column == "hour"
    assert "as little in 2.1 % of the rows" in oddity.text


def test_an_unusual_row_without_a_rare_value_has_its_greatest() -> None:
    # Many columns, all somewhat out.
    random = np.random.default_rng(0)
    model = find_usual(tuple("abcdefgh"), random.normal(0, 1, (2000, 8)))
    [judged] = model.judge(np.full((1, 8), 1.55))
    assert judged.unusual
    assert len(judged.oddities) == 1
    assert " is high: 1.55 (as much in " in judged.oddities[0].text


@pytest.mark.parametrize("count", [1, 3, 40])
def test_one_value_far_beyond_what_was_seen_makes_a_row_unusual_however_many_columns_there_are(count: int) -> None:
    names, seen = [f"c{place}" for place in range(count)], np.random.default_rng(0).normal(0, 1, (400, count))
    model = find_usual(names, seen)
    rows = np.zeros((5, count))
    rows[:, 0] = [0, 25, -25, 30, 1e15]
    common, *odd = model.judge(rows)
    assert not common.unusual
    for each in odd:
        assert each.unusual
        assert each.oddities[0].column == "c0"
    high, _, higher, most = (each.score for each in odd)
    assert high < higher < most
    # In a mirror everything is as far out.
    assert find_usual(names, -seen).scores(-rows) == pytest.approx(model.scores(rows))
    # Where it was seen, a value is no further out than ECOD has it.
    assert common.score < 0.75 * count


def test_a_value_beside_the_only_one_is_as_far_out_as_can_be_and_one_beside_two_is_further_by_its_distance() -> None:
    rows = np.stack([np.ones(300), np.arange(300.0) % 2], axis=1)
    model = find_usual(("one", "two"), rows)
    same, other, near, far = model.judge(np.array([[1.0, 0], [1.001, 0], [1.0, 2], [1.0, 5]]))
    assert not same.unusual
    assert other.unusual
    assert other.oddities[0].column == "one"
    assert same.score < near.score < far.score < other.score < np.inf


def test_at_most_as_many_oddities_are_told_as_are_asked_for() -> None:
    model = find_usual(NAMES, usual())
    [judged] = model.judge(np.array([[900.0, 90.0, 30.0]]), most=2)
    assert len(judged.oddities) == 2


def test_what_is_not_known_is_not_odd() -> None:
    model = find_usual(NAMES, usual())
    one, none = model.judge(np.array([[np.nan, np.nan, 5.0], [np.nan, np.nan, np.nan]]))
    assert not one.unusual and not none.unusual
    assert none.score == 0


def test_a_file_changes_nothing() -> None:
    model = find_usual(NAMES, usual())
    again = Anomalies.read(orjson.loads(orjson.dumps(model.told())))
    assert again.judge(usual(seed=3)) == model.judge(usual(seed=3))


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"names": ["amount"]}, "no distributions"),
        ({"names": [], "points": [], "skew": []}, "no distributions"),
        ({"skew": [1.0, None, 1.0]}, "numbers that are none"),
        ({"threshold": "nan"}, "numbers that are none"),
        ({"rows": 0}, "numbers that are none"),
    ],
)
def test_what_does_not_fit_together_is_refused(change: dict[str, object], wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        Anomalies.read({**find_usual(NAMES, usual()).told(), **change})


@pytest.mark.parametrize(
    ("matrix", "expected", "wrong"),
    [
        (usual(99), 0.01, "100 are the least"),
        (usual(200), 0.0, "is not unusual"),
        (usual(200), 0.5, "is not unusual"),
        (usual(200), float("nan"), "is not unusual"),
        (usual(200) * [1, np.nan, 1], 0.01, "hour is not known"),
    ],
)
def test_what_cannot_be_learned_is_refused(matrix: np.ndarray, expected: float, wrong: str) -> None:
    with pytest.raises(InvalidInput, match=wrong):
        find_usual(NAMES, matrix, expected=expected)
